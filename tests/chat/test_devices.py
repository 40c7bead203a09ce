"""Sessions of an account, one for each device: listed, ended here and elsewhere, lapsed."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.chat import effects as fx
from securechat.chat.identities import hash_token
from securechat.link_events import Lost
from securechat.protocol.envelopes import (
    Bye,
    Left,
    Logout,
    SessionList,
    Sessions,
)

from .book import TS
from .enrolling import DAY, GOOD, account, logged_in, registered
from .stage import Stage, code_of


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
