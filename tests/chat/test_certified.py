"""What a certificate, or too many connections of an address, mean to `hello` and `nick`."""

from __future__ import annotations

from typing import Any

from securechat.link_events import Arrived
from securechat.protocol.envelopes import ChangeNick, Error, Renamed, Welcome

from .stage import Person, Stage, code_of


def come(stage: Stage, **keys: Any) -> Person:
    stage.numbers += 1
    person = stage.people[stage.numbers] = Person(stage, stage.numbers)
    stage.batch((person.number, Arrived("192.0.2.1:4000", **keys)))
    return person


def test_who_is_one_too_many_is_told_so_and_is_not_let_in(stage: Stage) -> None:
    person = come(stage, surplus=True)
    [error] = person.tell(person.hello("ann")[1])
    assert isinstance(error, Error)
    assert (error.code, error.fatal, error.retry_after) == ("too_many_connections", True, 30.0)
    assert not person.open
    assert not stage.hub.surplus


def test_the_name_in_a_certificate_is_the_nick(stage: Stage) -> None:
    first, second = come(stage, name="ann"), come(stage, name="ann")
    for person in (first, second):
        [welcome] = person.tell(person.hello("Ann")[1])
        assert isinstance(welcome, Welcome)
    numbers = {stage.hub.sessions[it.number].identity.number for it in (first, second)}
    assert len(numbers) == 1, "one person"


def test_no_other_nick_is_taken_from_who_has_one(stage: Stage) -> None:
    person = come(stage, name="ann")
    assert code_of(person.tell(person.hello("bob")[1])) == "auth_failed"
    assert code_of(person.tell(person.hello("")[1])) in ("auth_failed", "bad_nick")
    [welcome] = person.tell(person.hello("ann")[1])
    assert isinstance(welcome, Welcome)
    assert code_of(person.ask(ChangeNick, nick="bob")) == "forbidden"
    assert isinstance(person.ask(ChangeNick, nick="Ann")[-1], Renamed)
    person.cut()
    assert not stage.hub.certified


def test_a_certificate_that_names_nobody_is_of_no_use(stage: Stage) -> None:
    for name in ("", "#room", "a b"):
        person = come(stage, name=name)
        assert code_of(person.tell(person.hello("ann")[1])) == "auth_failed"
