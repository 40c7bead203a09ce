"""What the io threads know of a connection: one too many of its address, or a certificate."""

from __future__ import annotations

from securechat.chat.roles import Role
from securechat.link_events import Arrived
from securechat.protocol.envelopes import ChangeNick, Welcome

from .people import enter_as
from .stage import Person, Stage, code_of


def arrive(stage: Stage, **keys: object) -> Person:
    stage.numbers += 1
    person = stage.people[stage.numbers] = Person(stage, stage.numbers)
    stage.batch((person.number, Arrived("127.0.0.1:4711", **keys)))  # type: ignore[arg-type]
    return person


def test_one_too_many_of_an_address_is_told_so(stage: Stage) -> None:
    one = arrive(stage, surplus=True)
    [error] = one.tell(one.hello("bob")[1])
    assert (error.code, error.fatal) == ("too_many_connections", True)


def test_a_certificate_is_for_one_nick(stage: Stage) -> None:
    bob = arrive(stage, name="Bob")
    assert code_of(bob.tell(bob.hello("ann")[1])) == "auth_failed"
    [welcome] = bob.tell(bob.hello("bob")[1])
    assert isinstance(welcome, Welcome)
    assert code_of(bob.ask(ChangeNick, nick="rob")) == "forbidden"
    bob.ask(ChangeNick, nick="BOB")
    assert stage.hub.sessions[bob.number].identity.nick.text == "BOB"


def test_a_certificate_proves_who_holds_its_nick(stage: Stage) -> None:
    first = stage.enter("bob")
    again = arrive(stage, name="bob")
    [welcome] = again.tell(again.hello("bob")[1])
    assert (welcome.nick, welcome.session) == ("bob", None)
    identities = {stage.hub.sessions[it.number].identity for it in (first, again)}
    assert len(identities) == 1


def test_a_certificate_for_no_nick_lets_nobody_in(stage: Stage) -> None:
    odd = arrive(stage, name="no nick at all")
    assert code_of(odd.tell(odd.hello("bob")[1])) == "auth_failed"


def test_an_account_comes_by_certificate_under_its_own_name(stage: Stage) -> None:
    ann = enter_as(Role.MEMBER, "ann", stage)
    ann.ask(ChangeNick, nick="anna")
    by_certificate = arrive(stage, name="ann")
    [welcome] = by_certificate.tell(by_certificate.hello("ann")[1])
    assert isinstance(welcome, Welcome)
    assert (welcome.account, welcome.nick) == ("ann", "ann")
