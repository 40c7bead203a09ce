"""Accounts by password: made, proved, changed, ended here and elsewhere."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from securechat.chat.identities import hash_token
from securechat.link_events import Lost
from securechat.proofs import Derived, Verified
from securechat.protocol.envelopes import (
    AccountIs,
    Bye,
    Error,
    Hello,
    Left,
    Login,
    Passwd,
    Register,
    Who,
)

from .enrolling import DAY, GOOD, OTHER, WRONG, account, logged_in, registered, settled
from .stage import Stage, code_of, kinds

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
