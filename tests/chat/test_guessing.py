"""Guesses of a password meet the limits of their address; the owner gets in all the same."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from pydantic import SecretStr

from securechat.chat.logins import Logins
from securechat.config import LoginLimits
from securechat.link_events import Arrived
from securechat.protocol.envelopes import Error, Hello, Register, Welcome

from .stage import Person, Stage

GOOD, WRONG = SecretStr("tulips in the rain"), SecretStr("nobody knows this")


@pytest.fixture
def guarded() -> Stage:
    """A stage whose hub counts wrong passwords by address, and an account there."""
    stage = Stage()
    stage.hub.logins = Logins(LoginLimits())
    ann = stage.enter("ann")
    ann.ask(Register, password=GOOD)
    return stage


def come(stage: Stage, host: str) -> Person:
    stage.numbers += 1
    person = stage.people[stage.numbers] = Person(stage, stage.numbers)
    stage.batch((person.number, Arrived(f"{host}:4000")))
    return person


def say_hello(person: Person, password: SecretStr) -> Any:
    """The answer to hello, late as it may be."""
    hello = Hello(id="h", protocol=1, nick="ann", password=password)
    heard = person.tell(hello)
    if not heard:
        person.stage.wait(1.0)
        heard = person.hears()
    return heard[-1]


def test_an_address_that_guesses_has_to_wait_and_others_have_not(guarded: Stage) -> None:
    codes = []
    for _ in range(20):
        answer = say_hello(come(guarded, "192.0.2.66"), WRONG)
        assert isinstance(answer, Error)
        codes.append(answer.code)
    assert codes[:12] == ["auth_failed"] * 12
    assert "rate_limited" in codes
    late = say_hello(come(guarded, "192.0.2.66"), GOOD)
    assert isinstance(late, Error)
    assert late.retry_after is not None
    assert late.retry_after >= 1
    assert isinstance(say_hello(come(guarded, "192.0.2.7"), GOOD), Welcome)


def test_nothing_is_kept_of_those_who_have_gone(guarded: Stage) -> None:
    person = come(guarded, "192.0.2.7")
    assert isinstance(say_hello(person, GOOD), Welcome)
    assert person.number in guarded.hub.sources
    person.cut()
    assert person.number not in guarded.hub.sources


def test_the_last_room_is_for_where_the_account_has_been(guarded: Stage) -> None:
    logins, proofs = guarded.hub.logins, guarded.hub.proofs
    assert logins is not None
    logins.succeeded("192.0.2.1", "ann", guarded.now.mono)
    logins.failed("192.0.2.66", "ann", guarded.now.mono)
    for number in range(ceil(guarded.limits.proofs * 2 / 3)):
        proofs._waiting[-number - 1] = _other(1_000)
    for host, gets_in in (("192.0.2.66", False), ("192.0.2.3", False), ("192.0.2.1", True)):
        answer = say_hello(come(guarded, host), GOOD)
        assert isinstance(answer, Welcome) is gets_in, host


def _other(connection: int) -> Any:
    from securechat.chat.proving import _Waiting

    return _Waiting(connection, "x", lambda _session, _result: None)


def test_this_machine_is_not_counted_where_it_is_trusted(guarded: Stage) -> None:
    guarded.hub.logins = Logins(LoginLimits(), trust_loopback=True)
    assert come(guarded, "127.0.0.1").number not in guarded.hub.sources
    assert come(guarded, "192.0.2.1").number in guarded.hub.sources
