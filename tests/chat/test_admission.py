"""A hello with a password: who is let in, how soon, and who waits."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from securechat.link_events import Arrived, Lost
from securechat.proofs import Verified
from securechat.protocol.envelopes import (
    Login,
    Passwd,
    Welcome,
)

from .book import Book
from .enrolling import GOOD, OTHER, WRONG, account, registered, settled
from .stage import Person, Stage, code_of


def test_an_account_comes_in_by_its_password(stage: Stage) -> None:
    registered(stage, "Ann")
    back = stage.connection()
    [welcome] = back.tell(back.hello("ANN", password=GOOD, client="phone/1")[1])
    assert (welcome.nick, welcome.account, welcome.re) == ("Ann", "Ann", "h")
    assert welcome.session is not None
    assert {it.client for it in stage.book.sessions.values()} == {"", "phone/1"}
    stage.restart()
    stage.enter("Ann", session=welcome.session)


@pytest.mark.parametrize("nick", ["ann", "nobody", "passwordless"])
def test_a_wrong_password_and_a_wrong_nick_are_one_answer(stage: Stage, nick: str) -> None:
    registered(stage)
    less = registered(stage, "passwordless")
    number = stage.hub.sessions[less.number].identity.number
    kept = stage.book.accounts[number]
    stage.hub.sessions[less.number].identity.enrolment.replace(kept._replace(password=None))
    eve = stage.connection()
    assert eve.tell(eve.hello(nick, password=WRONG)[1]) == []
    [error] = settled(eve)
    assert (error.code, error.fatal, error.re) == ("auth_failed", False, "h")
    assert error.message.startswith("The nick or the password is wrong.")


def test_each_wrong_password_is_answered_later_and_the_third_is_the_last(stage: Stage) -> None:
    registered(stage)
    eve = stage.connection()
    for delay, fatal in ((0.5, False), (1.0, False), (2.0, True)):
        eve.tell(eve.hello("ann", password=WRONG)[1])
        assert settled(eve, delay - 0.01) == []
        [error] = settled(eve, 0.01)
        assert (error.code, error.fatal) == ("auth_failed", fatal)
    assert not eve.open


def test_who_is_gone_before_the_answer_hears_none(stage: Stage) -> None:
    registered(stage)
    eve = stage.connection()
    eve.tell(eve.hello("ann", password=WRONG)[1])
    eve.cut()
    assert settled(eve) == []


def test_a_password_that_was_changed_meanwhile_proves_nothing(stage: Stage) -> None:
    ann = registered(stage)
    stage.slow = True
    eve = stage.connection()
    eve.tell(eve.hello("ann", password=GOOD)[1])
    [job] = stage.jobs
    stage.jobs.clear()
    stage.slow = False
    account(ann.ask(Passwd, password=OTHER, old=GOOD))
    stage.batch((0, Verified(job.ticket, True)))
    assert code_of(settled(eve)) == "auth_failed"


def test_an_account_comes_in_though_its_session_cannot_be_stored(stage: Stage) -> None:
    registered(stage)
    stage.book.full = True
    back = stage.connection()
    [welcome] = back.tell(back.hello("ann", password=GOOD)[1])
    assert (welcome.account, welcome.session) == ("ann", None)


def test_a_session_that_nobody_could_be_told_of_is_forgotten(stage: Stage) -> None:
    registered(stage)
    stage.slow = True
    back = stage.connection()
    back.tell(back.hello("ann", password=GOOD)[1])
    stage.batch((0, Verified(stage.jobs[0].ticket, True)), (back.number, Lost("")))
    stage.wait(1.0)
    assert len(stage.book.sessions) == 1


def test_guests_may_be_left_outside() -> None:
    stage = Stage(guests=False)
    eve = stage.connection()
    assert code_of(eve.tell(eve.hello("eve")[1])) == "auth_required"


def test_a_guest_of_before_is_left_outside_too() -> None:
    book = Book()
    ann = Stage(book).enter("ann")
    stage = Stage(book, guests=False, mono=2_000.0)
    again = stage.connection()
    assert code_of(again.tell(again.hello("ann", ann.session)[1])) == "nick_taken"
    assert code_of(again.tell(again.hello("rose", ann.session)[1])) == "auth_required"


def test_too_many_passwords_at_once_have_to_wait() -> None:
    stage = Stage(proofs=1)
    stage.slow = True
    ann, eve = stage.connection(), stage.connection()
    ann.tell(ann.hello("ann", password=GOOD)[1])
    [error] = eve.tell(eve.hello("eve", password=GOOD)[1])
    assert (error.code, error.retry_after) == ("rate_limited", 2.0)


def test_one_connection_has_one_password_looked_at_until_it_is_answered(stage: Stage) -> None:
    ann = stage.enter("ann")
    stage.slow = True
    ann.ask(Login, nick="bob", password=WRONG)
    assert code_of(ann.ask(Login, nick="bob", password=WRONG)) == "rate_limited"
    stage.hash()
    assert code_of(ann.ask(Login, nick="bob", password=WRONG)) == "rate_limited"
    assert code_of(settled(ann)) == "auth_failed"


def guess(stage: Stage, nick: str = "ann", password: SecretStr = WRONG) -> list[Any]:
    eve = stage.connection()
    return eve.tell(eve.hello(nick, password=password)[1]) or settled(eve, 0.6)


def test_an_address_from_which_much_is_guessed_has_to_wait(stage: Stage) -> None:
    registered(stage)
    codes = [code_of(guess(stage, f"nick{number}")) for number in range(30)]
    assert codes.count("auth_failed") < 20
    [error] = guess(stage)
    assert (error.code, error.fatal) == ("rate_limited", False)
    assert 0 < error.retry_after <= 600
    stage.wait(error.retry_after + 1)
    assert code_of(guess(stage)) == "auth_failed"


def test_the_owner_gets_in_from_elsewhere_however_much_is_guessed(stage: Stage) -> None:
    registered(stage)
    for _ in range(40):
        guess(stage)
    stage.numbers += 1
    ann = stage.people[stage.numbers] = Person(stage, stage.numbers)
    stage.batch((ann.number, Arrived("192.0.2.7:5")))
    [welcome] = ann.tell(ann.hello("ann", password=GOOD)[1])
    assert isinstance(welcome, Welcome)


def test_who_has_failed_lately_leaves_room_for_others() -> None:
    stage = Stage(proofs=4)
    registered(stage)
    assert code_of(guess(stage)) == "auth_failed"
    stage.slow = True
    guessers = [stage.connection() for _ in range(3)]
    heard = [eve.tell(eve.hello("ann", password=WRONG)[1]) for eve in guessers]
    assert (heard[:2], code_of(heard[2])) == ([[], []], "rate_limited")
    ann = stage.connection()
    assert len(stage.jobs) == 2
    stage.wait(60.0)  # long after: nobody is suspect any more
    assert ann.tell(ann.hello("ann", password=GOOD)[1]) == []
    assert len(stage.jobs) == 3
