"""A guest becomes an account, and in the same batch something else happens to them."""

from __future__ import annotations

import pytest

from securechat.chat.admin import Asked, SetRole
from securechat.chat.hub import NOBODY
from securechat.chat.roles import Role
from securechat.link_events import Lost
from securechat.proofs import Derived, Verified
from securechat.protocol.envelopes import ChangeNick, Passwd, Register

from .enrolling import DAY, GOOD, OTHER, account, logged_in, registered
from .stage import Person, Said, Stage, code_of

HASHED = f"hash of {GOOD.get_secret_value()}"
OTHERS = f"hash of {OTHER.get_secret_value()}"


def registering(stage: Stage, person: Person) -> Said:
    """Somebody asks to register; the hash, for a batch that the test makes up."""
    stage.slow = True
    person.ask(Register, password=GOOD)
    [job] = stage.jobs
    stage.jobs, stage.slow = [], False
    return NOBODY, Derived(job.ticket, HASHED)


def test_a_token_that_was_a_guests_ends_with_the_session_of_the_account(stage: Stage) -> None:
    ann = stage.enter("ann")
    token = ann.session
    stage.batch(registering(stage, ann), ann.wants(ChangeNick, nick="rose"))
    stage.restart(crash=True)
    account(logged_in(stage).ask(Passwd, old=GOOD, password=OTHER))
    stage.restart()
    thief = stage.connection()
    assert code_of(thief.tell(thief.hello("rose", token)[1])) == "nick_taken"


def test_who_becomes_an_account_does_not_lapse_meanwhile(stage: Stage) -> None:
    stage.book.full = True
    ann, bob = stage.connection(), stage.connection()
    ann.tell(ann.hello("ann")[1])
    stage.book.full = False
    hashed = registering(stage, ann)
    stage.batch(hashed, (ann.number, Lost("closed by the peer")), bob.hello("ann"))
    assert code_of(bob.hears()) == "nick_taken"
    stage.restart()
    assert logged_in(stage).greeted


def test_a_guest_whose_account_could_not_be_stored_lapses_as_before(stage: Stage) -> None:
    stage.book.full = True
    ann, bob = stage.connection(), stage.connection()
    ann.tell(ann.hello("ann")[1])
    stage.batch(registering(stage, ann))
    assert code_of(ann.hears()[-1:]) == "storage"
    ann.cut()
    bob.tell(bob.hello("ann")[1])
    assert bob.greeted


# ------------------------------------------------------------------ a session that is being cut


@pytest.mark.parametrize("how", ["passwd", "surplus"])
def test_a_session_that_is_used_while_it_is_cut_does_not_outlive_that(how: str) -> None:
    stage = Stage(sessions_per_account=2)
    ann = registered(stage)
    token = ann.session
    ann.cut()
    stage.wait(2 * DAY)
    ann = logged_in(stage)
    thief = stage.connection()
    if how == "passwd":
        stage.slow = True
        ann.ask(Passwd, old=GOOD, password=OTHER)
        stage.hash()
        [job] = stage.jobs
        stage.jobs, stage.slow = [], False
        cut: Said = (NOBODY, Derived(job.ticket, f"hash of {OTHER.get_secret_value()}"))
    else:
        stage.slow = True
        third = stage.connection()
        third.tell(third.hello("ann", password=GOOD)[1])
        [job] = stage.jobs
        stage.jobs, stage.slow = [], False
        cut = (NOBODY, Verified(job.ticket, True))
    stage.batch(cut, thief.hello("ann", token))
    stage.restart()
    thief = stage.connection()
    assert code_of(thief.tell(thief.hello("ann", token)[1])) == "auth_required"


# ------------------------------------------------------------------ two changes of one account


def test_a_password_that_is_set_while_the_role_is_taken_does_not_give_it_back() -> None:
    stage = Stage()
    ann = registered(stage)
    stage.ask(SetRole(name="ann", role=Role.OWNER))
    stage.slow = True
    ann.ask(Passwd, old=GOOD, password=OTHER)
    stage.hash()
    [job] = stage.jobs
    stage.jobs, stage.slow = [], False
    demotion = Asked(1, SetRole(name="ann", role=Role.MEMBER), None)
    stage.batch((NOBODY, demotion), (NOBODY, Derived(job.ticket, OTHERS)))
    for _ in range(2):
        identity = stage.hub.identities.by_account("ann")
        assert identity is not None
        assert identity.role is Role.MEMBER
        assert identity.enrolment.kept.password == OTHERS
        stage.restart()


def test_a_change_that_could_not_be_stored_is_no_part_of_the_next_one() -> None:
    stage = Stage()
    ann = registered(stage)
    stage.book.full = True
    assert stage.ask(SetRole(name="ann", role=Role.OWNER)).error is not None
    stage.book.full = False
    account(ann.ask(Passwd, old=GOOD, password=OTHER))
    [kept] = stage.book.accounts.values()
    assert (kept.role, kept.password) == ("member", OTHERS)
