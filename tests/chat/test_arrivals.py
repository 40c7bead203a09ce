"""What the io threads know of a connection: one too many of its address, or a certificate."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from securechat.chat.admin import AddAccount, MakeInvite
from securechat.chat.arrivals import Arrivals
from securechat.chat.roles import Role
from securechat.link_events import Arrived
from securechat.protocol.envelopes import ChangeNick, Error, Logout, Passwd, Welcome

from .enrolling import GOOD, OTHER, registered
from .people import enter_as
from .stage import Person, Stage, code_of


def arrive(stage: Stage, name: str | None = None, *, surplus: bool = False) -> Person:
    """A connection whose certificate says `name`, or that has none."""
    stage.numbers += 1
    person = stage.people[stage.numbers] = Person(stage, stage.numbers)
    stage.batch((person.number, Arrived("192.0.2.1:5", surplus, name)))
    return person


def test_nothing_is_remembered_of_a_connection_that_has_ended() -> None:
    arrivals = Arrivals()
    arrivals.note(1, Arrived("192.0.2.1:5", True, "bob"))
    assert (arrivals.is_surplus(1), arrivals.certificate_of(1)) == (True, "bob")
    arrivals.drop(1)
    assert (arrivals.is_surplus(1), arrivals.certificate_of(1)) == (False, None)
    arrivals.drop(1)


def test_one_too_many_of_an_address_is_told_so(stage: Stage) -> None:
    eve = arrive(stage, surplus=True)
    [error] = eve.tell(eve.hello("eve")[1])
    assert (error.code, error.fatal) == ("too_many_connections", True)


@pytest.mark.parametrize(("name", "nick"), [("bob", "eve"), ("", "bob"), ("no nick", "bob")])
def test_a_certificate_is_for_one_nick(stage: Stage, name: str, nick: str) -> None:
    eve = arrive(stage, name)
    assert code_of(eve.tell(eve.hello(nick)[1])) == "auth_failed"


def test_only_the_letters_of_that_nick_may_be_larger(stage: Stage) -> None:
    bob = arrive(stage, "Bob")
    [welcome] = bob.tell(bob.hello("bob")[1])
    assert isinstance(welcome, Welcome)
    assert code_of(bob.ask(ChangeNick, nick="rob")) == "forbidden"
    bob.ask(ChangeNick, nick="BOB")
    assert stage.hub.sessions[bob.number].identity.nick.text == "BOB"


def test_a_certificate_needs_the_nick_said_beside_an_invite(stage: Stage) -> None:
    token = SecretStr(str(stage.ask(MakeInvite(nick="bob")).rows[0]["token"]))
    bob = arrive(stage, "bob")
    assert code_of(bob.tell(bob.hello("", invite=token)[1])) == "auth_failed"


def test_whoever_has_the_certificate_is_that_guest_without_a_session(stage: Stage) -> None:
    bob = arrive(stage, "bob")
    [welcome] = bob.tell(bob.hello("bob")[1])
    again = arrive(stage, "bob")
    [told] = again.tell(again.hello("Bob")[1])
    assert isinstance(told, Welcome)
    assert (welcome.session is None, told.session) == (False, None)
    assert len(stage.hub.identities) == 1


def test_a_certificate_proves_who_came_without_one_before(stage: Stage) -> None:
    first = stage.enter("bob")
    again = arrive(stage, "bob")
    [welcome] = again.tell(again.hello("bob")[1])
    assert (welcome.nick, welcome.session) == ("bob", None)
    assert len({stage.hub.sessions[it.number].identity for it in (first, again)}) == 1


def test_a_certificate_lets_into_the_account_of_its_name(stage: Stage) -> None:
    ann = registered(stage, "ann")
    card = arrive(stage, "ann")
    [welcome] = card.tell(card.hello("ann")[1])
    assert (welcome.account, welcome.session) == ("ann", None)
    assert card.ask(Passwd, password=OTHER, old=GOOD)[0].ended == 1
    assert not ann.open
    assert card.ask(Logout)[0].reason == "logout"


def test_an_account_comes_by_certificate_under_its_own_name(stage: Stage) -> None:
    ann = enter_as(Role.MEMBER, "ann", stage)
    ann.ask(ChangeNick, nick="anna")
    card = arrive(stage, "ann")
    [welcome] = card.tell(card.hello("ann")[1])
    assert isinstance(welcome, Welcome)
    assert (welcome.account, welcome.nick) == ("ann", "ann")


def test_a_certificate_for_another_nick_of_an_account_lets_nobody_in(stage: Stage) -> None:
    stage.ask(AddAccount(name="ann"))
    ann = registered(stage, "zed")
    ann.ask(ChangeNick, nick="rose")
    eve = arrive(stage, "rose")
    [error] = eve.tell(eve.hello("rose")[1])
    assert isinstance(error, Error)
    assert error.code == "nick_taken"
