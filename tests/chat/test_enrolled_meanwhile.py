"""A guest becomes an account, and in the same batch something else happens to them."""

from __future__ import annotations

from securechat.chat.hub import NOBODY
from securechat.link_events import Lost
from securechat.proofs import Derived
from securechat.protocol.envelopes import ChangeNick, Passwd, Register

from .enrolling import GOOD, OTHER, account, logged_in
from .stage import Person, Said, Stage, code_of

HASHED = f"hash of {GOOD.get_secret_value()}"


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
