"""Connections with a certificate of theirs, and those whose address has too many."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from securechat.chat.admin import AddAccount, MakeInvite
from securechat.link_events import Arrived
from securechat.protocol.envelopes import (
    ChangeNick,
    Error,
    Login,
    Logout,
    Passwd,
    Register,
    Welcome,
)

from .stage import Person, Stage, code_of
from .test_auth import GOOD, OTHER, account, registered


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


def test_nobody_logs_in_to_another_account_than_that_of_their_certificate(stage: Stage) -> None:
    """Not even who knows its password: nothing is hashed."""
    registered(stage)
    bob = certified(stage, "bob")
    bob.tell(bob.hello("bob")[1])
    stage.slow = True
    assert code_of(bob.ask(Login, nick="ann", password=GOOD)) == "forbidden"
    assert code_of(bob.ask(Login, nick="no nick", password=GOOD)) == "bad_nick"
    assert stage.jobs == []
    eve = certified(stage, "bob")
    assert code_of(eve.tell(eve.hello("ann", password=GOOD)[1])) == "auth_failed"


def test_a_certificate_and_a_password_are_of_one_account(stage: Stage) -> None:
    bob = certified(stage, "bob")
    bob.tell(bob.hello("bob")[1])
    assert account(bob.ask(Register, password=GOOD)).account == "bob"
    assert code_of(bob.ask(ChangeNick, nick="rob")) == "forbidden"
    again = certified(stage, "bob")
    [welcome] = again.tell(again.hello("BOB")[1])
    assert (welcome.account, welcome.nick) == ("bob", "BOB")
    assert code_of(again.ask(Login, nick="bob", password=GOOD)) == "forbidden", "it is already"


def test_a_session_of_somebody_else_is_none_beside_a_certificate(stage: Stage) -> None:
    ann, zed = registered(stage), stage.enter("zed")
    numbers = {stage.hub.sessions[it.number].identity.number for it in (ann, zed)}
    token = SecretStr(str(stage.ask(MakeInvite(uses=2)).rows[0]["token"]))
    by_invite: dict[str, Any] = {"invite": token}
    for nick, session, keys in (
        ("bob", ann.session, {}),
        ("rob", zed.session, {}),
        ("mob", zed.session, by_invite),
    ):
        eve = certified(stage, nick)
        heard = eve.tell(eve.hello(nick, session, **keys)[1])
        assert isinstance(heard[-1], Welcome)
        assert stage.hub.sessions[eve.number].identity.number not in numbers
    assert {it.account for it in stage.hub.identities.accounts.values()} == {"ann", "mob"}


def test_an_invite_makes_an_account_of_whom_the_certificate_proves(stage: Stage) -> None:
    bob = certified(stage, "bob")
    bob.tell(bob.hello("bob")[1])
    number = stage.hub.sessions[bob.number].identity.number
    token = SecretStr(str(stage.ask(MakeInvite(nick="ann")).rows[0]["token"]))
    again = certified(stage, "bob")
    welcome = again.tell(again.hello("bob", invite=token)[1])[-1]
    assert (welcome.account, welcome.session) == ("bob", None)
    assert stage.hub.sessions[again.number].identity.number == number
    assert len(stage.hub.invites) == 0


def test_an_account_of_another_nick_goes_by_that_of_its_certificate(stage: Stage) -> None:
    ann = registered(stage)
    ann.ask(ChangeNick, nick="rose")
    card = certified(stage, "ann")
    welcome = card.tell(card.hello("ann")[1])[-1]
    assert (welcome.account, welcome.nick) == ("ann", "ann")
