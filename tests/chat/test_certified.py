"""A certificate's name holds for all that a connection does to be somebody."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from securechat.chat.admin import MakeInvite
from securechat.protocol.envelopes import ChangeNick, Login, Register, Welcome

from .enrolling import GOOD, account, registered
from .stage import Stage, code_of
from .test_arrivals import arrive


def test_nobody_logs_in_to_another_account_than_that_of_their_certificate(stage: Stage) -> None:
    """Not even who knows its password: nothing is hashed."""
    registered(stage)
    bob = arrive(stage, "bob")
    bob.tell(bob.hello("bob")[1])
    stage.slow = True
    assert code_of(bob.ask(Login, nick="ann", password=GOOD)) == "forbidden"
    assert code_of(bob.ask(Login, nick="no nick", password=GOOD)) == "bad_nick"
    assert stage.jobs == []
    eve = arrive(stage, "bob")
    assert code_of(eve.tell(eve.hello("ann", password=GOOD)[1])) == "auth_failed"


def test_a_certificate_and_a_password_are_of_one_account(stage: Stage) -> None:
    bob = arrive(stage, "bob")
    bob.tell(bob.hello("bob")[1])
    assert account(bob.ask(Register, password=GOOD)).account == "bob"
    assert code_of(bob.ask(ChangeNick, nick="rob")) == "forbidden"
    again = arrive(stage, "bob")
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
        eve = arrive(stage, nick)
        heard = eve.tell(eve.hello(nick, session, **keys)[1])
        assert isinstance(heard[-1], Welcome)
        assert stage.hub.sessions[eve.number].identity.number not in numbers
    assert {it.account for it in stage.hub.identities.accounts.values()} == {"ann", "mob"}


def test_an_invite_makes_an_account_of_whom_the_certificate_proves(stage: Stage) -> None:
    bob = arrive(stage, "bob")
    bob.tell(bob.hello("bob")[1])
    number = stage.hub.sessions[bob.number].identity.number
    token = SecretStr(str(stage.ask(MakeInvite(nick="ann")).rows[0]["token"]))
    again = arrive(stage, "bob")
    welcome = again.tell(again.hello("bob", invite=token)[1])[-1]
    assert (welcome.account, welcome.session) == ("bob", None)
    assert stage.hub.sessions[again.number].identity.number == number
    assert len(stage.hub.invites) == 0


def test_their_own_session_is_told_again_beside_a_certificate(stage: Stage) -> None:
    first = arrive(stage, "bob")
    [welcome] = first.tell(first.hello("bob")[1])
    again = arrive(stage, "bob")
    [told] = again.tell(again.hello("bob", welcome.session)[1])
    assert told.session == welcome.session
