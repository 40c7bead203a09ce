"""Connections with a certificate of theirs, and those whose address has too many."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from securechat.chat.admin import AddAccount, MakeInvite
from securechat.link_events import Arrived
from securechat.protocol.envelopes import ChangeNick, Error, Logout, Passwd, Welcome

from .stage import Person, Stage, code_of
from .test_auth import GOOD, OTHER, registered


def certified(stage: Stage, name: str | None, *, surplus: bool = False) -> Person:
    """A connection whose certificate says `name`."""
    stage.numbers += 1
    person = stage.people[stage.numbers] = Person(stage, stage.numbers)
    stage.batch((person.number, Arrived("192.0.2.1:5", surplus, name)))
    return person


def test_an_address_with_too_many_connections_is_sent_away(stage: Stage) -> None:
    eve = certified(stage, None, surplus=True)
    [error] = eve.tell(eve.hello("eve")[1])
    assert (error.code, error.fatal) == ("too_many_connections", True)


@pytest.mark.parametrize(("name", "nick"), [("bob", "eve"), ("", "bob"), ("no nick", "bob")])
def test_a_certificate_is_for_one_nick(stage: Stage, name: str, nick: str) -> None:
    eve = certified(stage, name)
    assert code_of(eve.tell(eve.hello(nick)[1])) == "auth_failed"


def test_a_certificate_needs_the_nick_said_beside_an_invite(stage: Stage) -> None:
    token = SecretStr(str(stage.ask(MakeInvite(nick="bob")).rows[0]["token"]))
    bob = certified(stage, "bob")
    assert code_of(bob.tell(bob.hello("", invite=token)[1])) == "auth_failed"


def test_whoever_has_the_certificate_is_that_guest_without_a_session(stage: Stage) -> None:
    bob = certified(stage, "bob")
    [welcome] = bob.tell(bob.hello("bob")[1])
    again = certified(stage, "bob")
    [told] = again.tell(again.hello("Bob")[1])
    assert isinstance(told, Welcome)
    assert (welcome.session is None, told.session) == (False, None)
    assert len(stage.hub.identities) == 1
    assert code_of(again.ask(ChangeNick, nick="rob")) == "forbidden"


def test_a_certificate_lets_into_the_account_of_its_name(stage: Stage) -> None:
    ann = registered(stage, "ann")
    card = certified(stage, "ann")
    [welcome] = card.tell(card.hello("ann")[1])
    assert (welcome.account, welcome.session) == ("ann", None)
    assert card.ask(Passwd, password=OTHER, old=GOOD)[0].ended == 1
    assert not ann.open
    assert card.ask(Logout)[0].reason == "logout"


def test_a_certificate_for_another_nick_of_an_account_lets_nobody_in(stage: Stage) -> None:
    stage.ask(AddAccount(name="ann"))
    ann = registered(stage, "zed")
    ann.ask(ChangeNick, nick="rose")
    eve = certified(stage, "rose")
    [error] = eve.tell(eve.hello("rose")[1])
    assert isinstance(error, Error)
    assert error.code == "nick_taken"
