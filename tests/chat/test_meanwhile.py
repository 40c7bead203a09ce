"""What was true when somebody knocked may be so no longer when the door opens."""

from __future__ import annotations

import pytest

from securechat.chat.hub import NOBODY
from securechat.chat.roles import Role
from securechat.link_events import Lost
from securechat.proofs import Derived, Verified
from securechat.protocol.envelopes import (
    Ban,
    Login,
    Passwd,
)

from .enrolling import GOOD, OTHER, registered
from .people import enter_as
from .stage import Said, Stage, code_of
from .test_arrivals import arrive
from .test_invites import come, invited, refused

# ------------------------------------------------------------------ through a door that was shut


@pytest.mark.parametrize("named", [{"nick": "eve"}, {"address": "192.0.2.9"}, {"account": "eve"}])
def test_a_ban_holds_for_who_was_being_let_in(stage: Stage, named: dict[str, str]) -> None:
    registered(stage, "eve").cut()
    root = enter_as(Role.OWNER, "root", stage)
    stage.slow = True
    eve = stage.connection("192.0.2.9:1")
    eve.tell(eve.hello("eve", password=GOOD)[1])
    root.ask(Ban, **named)
    stage.hash()
    [error] = eve.hears()
    assert (error.code, error.fatal) == ("banned", True)
    assert not eve.open


@pytest.mark.parametrize("named", [{"nick": "eve"}, {"account": "eve"}])
def test_a_ban_holds_for_who_was_logging_in(stage: Stage, named: dict[str, str]) -> None:
    registered(stage, "eve").cut()
    root = enter_as(Role.OWNER, "root", stage)
    guest = stage.enter("guest")
    stage.slow = True
    guest.ask(Login, nick="eve", password=GOOD)
    root.ask(Ban, **named)
    stage.hash()
    assert code_of(guest.hears()) == "forbidden"
    assert code_of(guest.ask(Login, nick="eve", password=GOOD)) == "forbidden"
    assert stage.hub.sessions[guest.number].identity.account is None


def test_a_ban_in_the_batch_of_the_proof_holds_too(stage: Stage) -> None:
    registered(stage, "eve").cut()
    root = enter_as(Role.OWNER, "root", stage)
    stage.slow = True
    eve = stage.connection("192.0.2.9:1")
    eve.tell(eve.hello("eve", password=GOOD)[1])
    [job] = stage.jobs
    stage.batch((NOBODY, Verified(job.ticket, True)), root.wants(Ban, account="eve"))
    assert not eve.open
    assert eve.last.code == "banned"


def test_an_invite_lets_nobody_in_who_is_banned(stage: Stage) -> None:
    root, eve = enter_as(Role.OWNER, "root", stage), stage.enter("eve")
    named, open_one = invited(stage, nick="eve"), invited(stage)
    root.ask(Ban, nick="eve")
    for invite, nick in ((open_one, "mallory"), (named, "")):
        person, said = come(stage, invite, nick, eve.session)
        assert (said.type, getattr(said, "code", None)) == ("system", "banned")
        assert not person.open
    assert not stage.hub.identities.accounts.keys() - {1}


def test_a_ban_holds_for_who_comes_by_an_invite_with_a_password(stage: Stage) -> None:
    root = enter_as(Role.OWNER, "root", stage)
    invite = invited(stage, nick="eve")
    stage.slow = True
    eve = stage.connection("192.0.2.9:1")
    eve.tell(eve.hello("", invite=invite, password=GOOD)[1])
    root.ask(Ban, address="192.0.2.9")
    stage.hash()
    [error] = eve.hears()
    assert error.code == "banned"
    assert not stage.hub.identities.by_account("eve")
    assert len(stage.hub.invites) == 1


def test_an_invite_for_several_opens_no_account_of_another(stage: Stage) -> None:
    invite = invited(stage, uses=3)
    ann = stage.connection()
    ann.tell(ann.hello("ann", invite=invite, password=GOOD)[1])
    stage.hash()
    assert ann.greeted  # and has said nothing yet
    assert refused(stage, invite, "ann") == "nick_taken"
    bob = stage.connection()
    stage.batch(bob.hello("bob", invite=invite), (bob.number, Lost("")))
    assert refused(stage, invite, "bob") == "nick_taken"


# ------------------------------------------------------------------ with a password of before


@pytest.mark.parametrize("first", ["password", "login"])
def test_who_logs_in_while_the_password_changes_is_out(stage: Stage, first: str) -> None:
    ann = registered(stage, "ann")
    stage.slow = True
    ann.ask(Passwd, password=OTHER, old=GOOD)
    stage.hash()
    [derive] = stage.jobs
    eve = stage.connection()
    eve.tell(eve.hello("ann", password=GOOD)[1])
    verify = stage.jobs[-1]
    batch: list[Said] = [
        (NOBODY, Derived(derive.ticket, "hash of another")),
        (NOBODY, Verified(verify.ticket, True)),
    ]
    stage.jobs.clear()
    stage.batch(*(batch if first == "password" else batch[::-1]))
    stage.wait(5.0)
    assert not eve.greeted or not eve.open
    assert len(stage.book.sessions) == 1
    assert len(stage.hub.identities.accounts[1].enrolment.sessions) == 1
    assert ann.open


# ------------------------------------------------------------------ what a certificate is for


def test_a_certificate_is_for_its_name_also_when_logging_in(stage: Stage) -> None:
    registered(stage, "ann")
    bob = arrive(stage, "bob")
    stage.batch(bob.hello("bob"))
    bob.hears()
    assert code_of(bob.ask(Login, nick="ann", password=GOOD)) == "forbidden"
