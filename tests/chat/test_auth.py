"""Accounts by password: made, proved, changed, ended here and elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from securechat.chat import effects as fx
from securechat.chat.identities import hash_token
from securechat.link_events import Arrived, Lost
from securechat.proofs import Derived, Verified
from securechat.protocol.envelopes import (
    AccountIs,
    Bye,
    ChangeNick,
    Error,
    Hello,
    Join,
    Left,
    Login,
    Logout,
    Passwd,
    Register,
    SessionList,
    Sessions,
    Welcome,
    Who,
)

from .stage import TS, Book, Person, Stage, code_of, kinds

GOOD, OTHER = SecretStr("tulips in the rain"), SecretStr("rain in the tulips")
WRONG = SecretStr("nobody knows this")
DAY = 86_400.0


def account(heard: list[Any]) -> AccountIs:
    """The one answer about an account."""
    [event] = heard
    assert isinstance(event, AccountIs), event
    return event


def settled(person: Person, seconds: float = 5.0) -> list[Any]:
    """What is heard when as much time has passed as the slowest answer takes."""
    person.stage.wait(seconds)
    return person.hears()


def registered(stage: Stage, nick: str = "ann", *rooms: str) -> Person:
    person = stage.enter(nick, *rooms)
    account(person.ask(Register, password=GOOD))
    return person


def logged_in(stage: Stage, nick: str = "ann", password: SecretStr = GOOD) -> Person:
    person = stage.connection()
    [welcome] = person.tell(person.hello(nick, password=password)[1])
    assert isinstance(welcome, Welcome), welcome
    return person


# ------------------------------------------------------------------ register


def test_a_guest_registers_its_nick(stage: Stage) -> None:
    ann = stage.enter("Ann", "#a")
    answer = account(ann.ask(Register, id="r", password=GOOD))
    assert answer == AccountIs(account="Ann", nick="Ann", role="member", re="r")
    [kept] = stage.book.accounts.values()
    assert (kept.name, kept.key, kept.role) == ("Ann", "ann", "member")
    assert kept.password == f"hash of {GOOD.get_secret_value()}"
    assert kept.skeletons == ("ann",)
    assert kept.unicode


def test_the_session_of_a_guest_goes_on_as_the_accounts(stage: Stage) -> None:
    ann = registered(stage)
    assert ann.session is not None
    assert [*stage.book.sessions] == [hash_token(ann.session)]
    assert stage.book.identities[1].token_hash == b""
    stage.restart(down=8 * DAY)
    back = stage.enter("ann", session=ann.session)
    [members] = back.ask(Who)
    assert [(it.nick, it.role) for it in members.members] == [("ann", "member")]


def test_who_could_never_know_its_session_gets_one() -> None:
    stage = Stage()
    stage.book.full = True
    ann = stage.enter("ann")
    assert ann.session is None
    stage.book.full = False
    answer = account(ann.ask(Register, password=GOOD))
    assert answer.session is not None
    assert [*stage.book.sessions] == [hash_token(answer.session)]
    stage.restart()
    assert stage.enter("ann", session=answer.session).session == answer.session


@pytest.mark.parametrize(
    "password",
    [*("short", "password1", "Password123!", "aaaaaaaaaa", "12345678", "Ann12345", "qwertyuiop")],
)
def test_what_anybody_would_try_is_no_password(stage: Stage, password: str) -> None:
    ann = stage.enter("Ann")
    assert code_of(ann.ask(Register, password=SecretStr(password))) == "bad_password"
    assert stage.book.accounts == {}


def test_one_account_is_enough(stage: Stage) -> None:
    ann = registered(stage)
    assert code_of(ann.ask(Register, password=OTHER)) == "forbidden"


def test_two_connections_that_register_at_once_make_one_account(stage: Stage) -> None:
    ann = stage.enter("ann")
    too = stage.enter("ann", session=ann.session)
    stage.slow = True
    stage.batch(ann.wants(Register, password=GOOD), too.wants(Register, password=OTHER))
    first, second = stage.jobs
    stage.batch((0, Derived(first.ticket, "one")))
    stage.batch((0, Derived(second.ticket, "two")))
    account(ann.hears())
    assert code_of(too.hears()) == "forbidden"
    assert [it.password for it in stage.book.accounts.values()] == ["one"]


def test_there_are_no_more_accounts_than_may_be() -> None:
    stage = Stage(accounts=1)
    registered(stage)
    assert code_of(stage.enter("bob").ask(Register, password=GOOD)) == "forbidden"


def test_an_account_that_cannot_be_stored_is_none(stage: Stage) -> None:
    ann = stage.enter("ann")
    stage.book.full = True
    assert code_of(ann.ask(Register, password=GOOD)) == "storage"
    stage.book.full = False
    account(ann.ask(Register, password=GOOD))


def test_a_password_that_cannot_be_hashed_is_said_so(stage: Stage) -> None:
    ann = stage.enter("ann")
    stage.slow = True
    ann.ask(Register, password=GOOD)
    stage.batch((0, Derived(stage.jobs[0].ticket, None)))
    assert code_of(ann.hears()) == "storage"


def test_what_comes_for_a_connection_that_has_ended_is_ignored(stage: Stage) -> None:
    ann = stage.enter("ann")
    stage.slow = True
    ann.ask(Register, password=GOOD)
    ann.cut()
    stage.hash()
    assert (stage.book.accounts, len(stage.hub.proofs)) == ({}, 0)


def test_who_is_gone_when_it_is_stored_has_its_account_nevertheless(stage: Stage) -> None:
    ann = stage.enter("ann")
    stage.slow = True
    ann.ask(Register, password=GOOD)
    stage.batch((0, Derived(stage.jobs[0].ticket, "hash")), (ann.number, Lost("")))
    assert [it.name for it in stage.book.accounts.values()] == ["ann"]
    stage.enter("ann", session=ann.session)


# ------------------------------------------------------------------ the name


def test_the_name_of_an_account_is_its_own_for_ever(stage: Stage) -> None:
    ann = registered(stage)
    ann.ask(ChangeNick, nick="rose")
    bob = stage.enter("bob")
    stage.wait(30 * DAY)
    for nick, code in (("ann", "nick_taken"), ("аnn", "nick_taken")):
        assert code_of(bob.ask(ChangeNick, nick=nick)) == code
    eve = stage.connection()
    assert code_of(eve.tell(eve.hello("Ann")[1])) == "auth_required"
    assert code_of(eve.tell(eve.hello("rose")[1])) == "nick_taken"


def test_a_message_waits_for_an_account_that_is_away(stage: Stage) -> None:
    registered(stage).cut()
    stage.wait(60 * DAY)
    stage.restart()
    bob = stage.enter("bob")
    assert kinds(bob.say("@ann", "are you there?")) == ["Posted"]
    [joined] = logged_in(stage).ask(Join, room="@bob", after=0)
    assert (joined.seq, joined.after) == (1, 0)


def test_a_name_that_looks_like_an_account_by_an_older_table_is_taken(stage: Stage) -> None:
    registered(stage)
    [kept] = stage.book.accounts.values()
    stage.book.accounts[kept.identity] = kept._replace(skeletons=("ann", "olive"), unicode="1.0")
    stage.restart()
    eve = stage.connection()
    assert code_of(eve.tell(eve.hello("olive")[1])) == "nick_taken"


# ------------------------------------------------------------------ hello with a password


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


# ------------------------------------------------------------------ login


def test_a_guest_logs_in_and_is_another(stage: Stage) -> None:
    registered(stage, "ann", "#a").cut()
    stage.wait(60.0)
    bob, eve = stage.enter("bob", "#a", "#b"), stage.enter("eve", "#a")
    bob.say("@eve", "as bob")
    eve.hears()
    answer = account([it for it in bob.ask(Login, id="l", nick="ann", password=GOOD) if it.re])
    assert (answer.account, answer.nick, answer.re) == ("ann", "ann", "l")
    assert answer.session is not None
    assert kinds(eve.hears()) == ["Moderated", "Left", "Joined"]  # #a was bob's own
    [posted] = bob.say("#b", "as ann")
    assert posted.sender == "ann"
    [members] = bob.ask(Who, room="#a")
    assert {it.nick: it.role for it in members.members} == {"eve": "guest", "ann": "room_owner"}
    bob.hears()
    eve.say("@bob", "for bob alone")
    assert bob.hears() == []
    assert bob.number not in stage.hub.identities.by_nick("bob").connections  # type: ignore[union-attr]


def test_who_logs_in_beside_another_connection_of_theirs_joins_nobody_twice(stage: Stage) -> None:
    registered(stage, "ann", "#a")
    bob = stage.enter("bob", "#a")
    heard = bob.ask(Login, nick="ann", password=GOOD)
    assert [type(it) for it in heard] == [Left, AccountIs]


def test_the_guest_whom_one_was_keeps_its_other_connections(stage: Stage) -> None:
    registered(stage)
    bob = stage.enter("bob", "#a")
    too = stage.enter("bob", "#a", session=bob.session)
    heard = bob.ask(Login, nick="ann", password=GOOD)
    assert "Left" not in kinds(heard)
    [members] = too.ask(Who, room="#a")
    assert {it.nick for it in members.members} == {"ann", "bob"}


def test_a_draft_that_was_refused_to_the_guest_binds_nobody(stage: Stage) -> None:
    registered(stage)
    bob = stage.enter("bob", "#a")
    stage.book.full = True
    assert code_of(bob.say("#a", "lost")) == "storage"
    stage.book.full = False
    bob.ask(Login, nick="ann", password=GOOD)
    assert kinds(bob.say("#a", "hello")) == ["Posted"]


def test_three_wrong_passwords_end_a_connection_that_was_let_in(stage: Stage) -> None:
    registered(stage)
    eve = stage.enter("eve")
    for fatal in (False, False, True):
        eve.ask(Login, nick="ann", password=WRONG)
        [error] = settled(eve)
        assert (error.code, error.fatal) == ("auth_failed", fatal)


def test_a_right_password_wipes_the_slate(stage: Stage) -> None:
    ann = registered(stage)
    for _ in range(3):
        for _ in range(2):
            ann.ask(Passwd, password=OTHER, old=WRONG)
            assert code_of(settled(ann)) == "auth_failed"
        account(ann.ask(Passwd, password=GOOD, old=GOOD))
    eve = stage.enter("eve")
    eve.ask(Login, nick="ann", password=WRONG)
    settled(eve)
    account([it for it in eve.ask(Login, nick="ann", password=GOOD) if it.re])
    assert stage.hub.sessions[eve.number].refusals == 0


def test_who_is_logged_in_logs_out_first(stage: Stage) -> None:
    assert code_of(registered(stage).ask(Login, nick="ann", password=GOOD)) == "forbidden"


def test_one_connection_too_many_by_login_ends_the_longest_silent() -> None:
    stage = Stage(connections_per_identity=1)
    ann = registered(stage)
    stage.wait(1.0)
    bob = stage.enter("bob")
    bob.ask(Login, nick="ann", password=GOOD)
    assert ann.last == Bye(reason="replaced")


# ------------------------------------------------------------------ passwd


def test_another_password_ends_the_sessions_elsewhere(stage: Stage) -> None:
    ann, phone = registered(stage, "ann", "#a"), logged_in(stage)
    watch = stage.enter("watch", "#a")
    phone.join("#a")
    answer = account(ann.ask(Passwd, id="p", password=OTHER, old=GOOD))
    assert (answer.ended, answer.re) == (1, "p")
    assert phone.last == Bye(reason="logged_out")
    assert watch.hears() == []
    again = stage.connection()
    assert code_of(again.tell(again.hello("ann", phone.session)[1])) == "auth_required"
    logged_in(stage, password=OTHER)
    stage.restart()
    stage.enter("ann", session=ann.session)
    logged_in(stage, password=OTHER)


def test_another_password_ends_connections_whose_session_was_never_stored(stage: Stage) -> None:
    ann = registered(stage)
    stage.book.full = True
    phone = logged_in(stage)
    stage.book.full = False
    account(ann.ask(Passwd, password=OTHER, old=GOOD))
    assert phone.last == Bye(reason="logged_out")


def test_the_present_password_is_asked_for(stage: Stage) -> None:
    ann = registered(stage)
    assert code_of(ann.ask(Passwd, password=OTHER)) == "auth_required"
    assert code_of(ann.ask(Passwd, password=SecretStr("12345678"), old=GOOD)) == "bad_password"
    ann.ask(Passwd, password=OTHER, old=WRONG)
    assert code_of(settled(ann)) == "auth_failed"
    assert code_of(stage.enter("bob").ask(Passwd, password=OTHER)) == "forbidden"


def test_a_password_that_cannot_be_stored_changes_nothing(stage: Stage) -> None:
    ann, phone = registered(stage), logged_in(stage)
    stage.book.full = True
    assert code_of(ann.ask(Passwd, password=OTHER, old=GOOD)) == "storage"
    assert phone.open
    stage.book.full = False
    logged_in(stage, password=GOOD)


# ------------------------------------------------------------------ sessions and logout


def test_sessions_are_listed_the_last_used_first(stage: Stage) -> None:
    ann = registered(stage)
    stage.wait(10.0)
    back = stage.connection()
    back.tell(back.hello("ann", password=GOOD, client="phone/1")[1])
    [listed] = ann.ask(Sessions)
    assert isinstance(listed, SessionList)
    phone, own = listed.sessions
    assert (phone.client, phone.here, phone.connections) == ("phone/1", False, 1)
    assert (own.client, own.here, own.connections) == ("", True, 1)
    assert phone.used > own.used
    assert len({phone.session, own.session}) == 2
    assert len(own.created) == len(TS)
    assert code_of(stage.enter("bob").ask(Sessions)) == "forbidden"


def test_logout_ends_this_session_with_all_its_connections(stage: Stage) -> None:
    ann = registered(stage, "ann", "#a")
    too, watch = stage.enter("ann", session=ann.session), stage.enter("watch", "#a")
    assert ann.ask(Logout, id="o") == [Bye(reason="logout", re="o")]
    assert too.last == Bye(reason="logged_out")
    assert watch.hears() == [Left(room="#a", nick="ann", reason="logged out")]
    assert stage.book.sessions == {}
    again = stage.connection()
    assert code_of(again.tell(again.hello("ann", ann.session)[1])) == "auth_required"


def test_logout_of_a_session_that_was_never_stored_is_the_end_of_it(stage: Stage) -> None:
    registered(stage)
    stage.book.full = True
    back = logged_in(stage)
    stage.book.full = False
    assert back.ask(Logout) == [Bye(reason="logout", re="q")]


def test_logout_elsewhere_ends_all_others(stage: Stage) -> None:
    ann, phone, tablet = registered(stage), logged_in(stage), logged_in(stage)
    stage.book.full = True
    lost = logged_in(stage)
    stage.book.full = False
    assert account(ann.ask(Logout, elsewhere=True)).ended == 2
    assert {phone.last, tablet.last, lost.last} == {Bye(reason="logged_out")}
    assert account(ann.ask(Logout, elsewhere=True)).ended == 0
    assert ann.open


def test_logout_of_one_session_by_its_name(stage: Stage) -> None:
    ann, phone, tablet = registered(stage), logged_in(stage), logged_in(stage)
    [listed] = phone.ask(Sessions)
    here = next(it.session for it in listed.sessions if it.here)
    assert account(ann.ask(Logout, session=here)).ended == 1
    assert phone.last == Bye(reason="logged_out")
    assert tablet.open
    assert code_of(ann.ask(Logout, session=here)) == "forbidden"
    [listed] = ann.ask(Sessions)
    own = next(it.session for it in listed.sessions if it.here)
    assert ann.ask(Logout, session=own) == [Bye(reason="logout", re="q")]


def test_a_guest_has_nothing_to_log_out_of(stage: Stage) -> None:
    assert code_of(stage.enter("bob").ask(Logout)) == "forbidden"


def test_logout_that_cannot_be_stored_ends_nothing(stage: Stage) -> None:
    ann = registered(stage)
    stage.book.full = True
    assert code_of(ann.ask(Logout)) == "storage"
    assert ann.open


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("keys", [{}, {"elsewhere": True}])
def test_who_is_gone_before_its_logout_was_stored_hears_nothing(
    stage: Stage, full: bool, keys: dict[str, Any]
) -> None:
    ann = registered(stage)
    logged_in(stage)
    stage.book.full = full
    stage.batch(ann.wants(Logout, **keys), (ann.number, Lost("")))
    assert ann.hears() == []


# ------------------------------------------------------------------ time


def test_a_session_lapses_that_nobody_used_for_long(stage: Stage) -> None:
    ann, phone = registered(stage), logged_in(stage)
    phone.cut()
    for _ in range(100):
        stage.wait(DAY)
    assert [*stage.book.sessions] == [hash_token(ann.session or "")]
    again = stage.connection()
    assert code_of(again.tell(again.hello("ann", phone.session)[1])) == "auth_required"
    stage.restart()
    stage.enter("ann", session=ann.session)  # it was used every day


def test_using_a_session_is_written_down_once_a_day(stage: Stage) -> None:
    ann = registered(stage)
    ann.cut()
    stage.wait(DAY * 2)
    stage.enter("ann", session=ann.session)
    [kept] = stage.book.sessions.values()
    assert kept.used == stage.now.wall
    used = [it for it in stage.effects if isinstance(it, fx.Keep)]
    stage.enter("ann", session=ann.session)
    assert [*stage.book.sessions.values()] == [kept], used


def test_of_too_many_sessions_the_longest_unused_goes() -> None:
    stage = Stage(sessions_per_account=2)
    ann, phone = registered(stage), None
    for _ in range(3):
        stage.wait(1.0)
        phone = logged_in(stage)
        phone.cut()
    assert phone is not None
    assert {*stage.book.sessions} == {hash_token(it or "") for it in (ann.session, phone.session)}


# ------------------------------------------------------------------ secrets


def test_no_password_is_ever_shown() -> None:
    secret = SecretStr("canary-5d1f")
    shown = [
        Hello(id="h", protocol=1, nick="ann", password=secret, invite=secret),
        *(Register(id="r", password=secret), Login(id="l", nick="ann", password=secret)),
        Passwd(id="p", password=secret, old=secret),
    ]
    stage = Stage()
    stage.slow = True
    ann = stage.enter("ann")
    ann.ask(Register, password=secret)
    assert "canary" not in repr([*shown, *stage.jobs]) + str(shown)
    assert all("canary" not in repr(value) for value in vars(stage.hub).values())


def test_an_unforeseen_failure_ends_one_connection(stage: Stage) -> None:
    ann = stage.enter("ann")
    stage.slow = True
    ann.ask(Register, password=GOOD)
    [job] = stage.jobs
    stage.batch((0, Verified(job.ticket, True)))  # not what was asked for
    assert isinstance(ann.last, Error)
    assert ann.last.code == "internal"
