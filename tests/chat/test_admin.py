"""What the operator asks on the machine itself: accounts, roles, passwords, who is connected."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from securechat.chat import admin
from securechat.chat.admin import (
    AddAccount,
    CutConnection,
    CutSessions,
    ListAccounts,
    ListConnections,
    ListSessions,
    SetPassword,
    SetRole,
    ShowStatus,
)
from securechat.chat.roles import Role
from securechat.protocol.envelopes import Bye, ChangeNick, Left

from .stage import Stage, code_of
from .test_auth import GOOD, OTHER, logged_in, registered


def rows(stage: Stage, request: Any) -> list[dict[str, Any]]:
    reply = stage.ask(request)
    assert reply.error is None, reply
    return [dict(row) for row in reply.rows]


def why_not(stage: Stage, request: Any) -> str:
    reply = stage.ask(request)
    assert reply.error is not None
    assert reply.rows == ()
    return reply.error


def test_the_first_owner_is_made_here(stage: Stage) -> None:
    [row] = rows(stage, AddAccount(name="Root", role=Role.OWNER, password=GOOD))
    assert (row["account"], row["role"], row["password"]) == ("Root", "owner", True)
    stage.restart()
    root = logged_in(stage, "root")
    assert stage.hub.sessions[root.number].identity.role is Role.OWNER


def test_an_account_without_a_password_waits_for_one(stage: Stage) -> None:
    [row] = rows(stage, AddAccount(name="bob"))
    assert (row["role"], row["password"]) == ("member", False)
    rows(stage, SetPassword(name="bob", password=GOOD))
    logged_in(stage, "bob")


def test_a_name_that_is_taken_makes_no_account(stage: Stage) -> None:
    registered(stage, "ann")
    stage.enter("eve")
    for name in ("ann", "eve", "аnn", "no name", "server"):
        assert why_not(stage, AddAccount(name=name, password=GOOD))
    assert "first that anybody" in why_not(
        stage, AddAccount(name="bob", password=SecretStr("12345678"))
    )


def test_nobody_takes_a_name_while_it_is_being_stored(stage: Stage) -> None:
    eve = stage.connection()
    stage.batch((0, admin.Asked(1, AddAccount(name="bob"))), eve.hello("bob"))
    assert code_of(eve.hears()) == "nick_taken"


def test_an_account_that_cannot_be_stored_leaves_its_name_free(stage: Stage) -> None:
    stage.book.full = True
    assert "no room" in why_not(stage, AddAccount(name="bob"))
    stage.book.full = False
    stage.enter("bob")


def test_accounts_are_listed_by_rank_and_name(stage: Stage) -> None:
    registered(stage, "ann").ask(ChangeNick, nick="rose")
    rows(stage, AddAccount(name="Zed", role=Role.OWNER))
    rows(stage, AddAccount(name="Bob"))
    listed = rows(stage, ListAccounts())
    assert [row["account"] for row in listed] == ["Zed", "ann", "Bob"]
    assert (listed[1]["nick"], listed[1]["sessions"], listed[1]["connections"]) == ("rose", 1, 1)


def test_a_role_is_set_and_kept(stage: Stage) -> None:
    ann = registered(stage, "ann")
    [row] = rows(stage, SetRole(name="ANN", role=Role.ADMIN))
    assert (row["account"], row["role"]) == ("ann", "admin")
    assert stage.hub.sessions[ann.number].identity.role is Role.ADMIN
    stage.restart()
    assert rows(stage, ListAccounts())[0]["role"] == "admin"


def test_a_role_that_cannot_be_is_not_set(stage: Stage) -> None:
    registered(stage, "ann")
    stage.enter("eve")
    assert "no guest" in why_not(stage, SetRole(name="ann", role=Role.GUEST))
    assert "no account" in why_not(stage, SetRole(name="eve", role=Role.ADMIN))
    stage.book.full = True
    assert "no room" in why_not(stage, SetRole(name="ann", role=Role.OWNER))
    assert rows(stage, ListAccounts())[0]["role"] == "member"
    with pytest.raises(ValidationError):
        SetRole(name="ann", role="moderator")  # type: ignore[arg-type]


def test_another_password_logs_out_everywhere(stage: Stage) -> None:
    ann, phone = registered(stage, "ann"), logged_in(stage)
    assert rows(stage, SetPassword(name="ann", password=OTHER)) == [{"account": "ann", "ended": 2}]
    assert ann.last == phone.last == Bye(reason="logged_out")
    logged_in(stage, password=OTHER)
    assert why_not(stage, SetPassword(name="ann", password=SecretStr("ann12345")))


def test_sessions_are_listed_and_cut(stage: Stage) -> None:
    ann, phone = registered(stage, "ann"), logged_in(stage)
    assert "here" not in rows(stage, ListSessions(name="ann"))[0]
    names = [row["session"] for row in rows(stage, ListSessions(name="ann"))]
    [row] = rows(stage, CutSessions(name="ann", session=names[0]))
    assert row == {"account": "ann", "ended": 1}
    assert [ann.open, phone.open].count(False) == 1
    assert "no such session" in why_not(stage, CutSessions(name="ann", session=names[0]))
    rows(stage, CutSessions(name="ann"))
    assert [ann.open, phone.open] == [False, False]
    assert stage.book.sessions == {}
    assert "no account" in why_not(stage, ListSessions(name="eve"))


def test_cutting_that_cannot_be_stored_cuts_nothing(stage: Stage) -> None:
    ann = registered(stage, "ann")
    stage.book.full = True
    assert "no room" in why_not(stage, CutSessions(name="ann"))
    assert ann.open


def test_connections_are_listed_and_ended(stage: Stage) -> None:
    stage.connection()  # has not said hello: nobody yet
    eve, watch = stage.enter("eve", "#a"), stage.enter("watch", "#a")
    eve.hears()
    row = next(it for it in rows(stage, ListConnections()) if it["nick"] == "eve")
    assert (row["account"], row["role"], row["rooms"]) == (None, "guest", ["#a"])
    assert len(rows(stage, ListConnections())) == 2
    rows(stage, CutConnection(number=row["connection"]))
    assert not eve.open
    assert watch.hears() == [Left(room="#a", nick="eve", reason="disconnected by the operator")]
    assert "no such connection" in why_not(stage, CutConnection(number=row["connection"]))
    assert "no such connection" in why_not(stage, CutConnection(number=1))


def test_a_failure_of_ours_is_said_so(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    class Unknown(admin._Request):
        do: str = "dance"

    assert "failed on this" in why_not(stage, Unknown())
    assert "operator's `dance` failed" in caplog.text


def test_only_requests_with_a_password_have_one() -> None:
    assert admin.password_of(SetPassword(name="a", password=GOOD)) == GOOD
    assert admin.password_of(AddAccount(name="a")) is None
    assert admin.password_of(ListAccounts()) is None


def test_the_status_counts_who_is_here_and_what_was_said_since_the_start(stage: Stage) -> None:
    ann = stage.enter("ann", "#a", "#b")
    bob = stage.enter("bob", "#a")
    stage.enter("bob", "#a", session=bob.session)
    stage.connection()  # at the door
    for text in ("one", "two"):
        ann.say("#a", text)
    bob.say("@ann", "three")
    assert rows(stage, ShowStatus()) == [{"connections": 3, "people": 2, "rooms": 2, "messages": 3}]
    stage.restart()
    stage.enter("ann", session=ann.session).say("@bob", "four")
    assert rows(stage, ShowStatus()) == [{"connections": 1, "people": 1, "rooms": 2, "messages": 1}]
