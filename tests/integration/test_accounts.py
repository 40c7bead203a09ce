"""Accounts on a real server: hashed, stored, and there again after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from securechat.chat.admin import AddAccount, ListAccounts, MakeInvite
from securechat.chat.roles import Role
from securechat.server.operate import OperatorError, operate

GOOD, OTHER, WRONG = "tulips in the rain", "rain on the tulips", "nobody knows this"


@pytest.fixture
def kept(make_world: Callable[..., Any], tmp_path: Path) -> Any:
    """A server that keeps what it is told."""
    return make_world(data=tmp_path / "d")


def test_an_account_outlives_the_server(kept: Any) -> None:
    ann = kept.join("ann", "#a")
    assert "accounts" in kept.wire().hello("watch")["features"]
    answer = ann.answer("register", password=GOOD)
    assert (answer["event"], answer["account"], answer["role"]) == ("account", "ann", "member")
    assert ann.answer("who")["members"][0]["role"] in ("member", "guest")
    ann.say("#a", "I am here")
    ann.roundtrip()
    kept.restart()
    assert kept.wire().hello("ann")["code"] == "auth_required"
    welcome = kept.wire().hello("ann", session=ann.session)
    assert (welcome["event"], welcome["account"]) == ("welcome", "ann")
    phone = kept.wire()
    welcome = phone.hello("ANN", password=GOOD, client="phone/1")
    assert (welcome["nick"], welcome["account"]) == ("ann", "ann")
    assert len(phone.answer("sessions")["sessions"]) == 2


def test_a_wrong_password_is_answered_each_time_later_and_then_not_at_all(kept: Any) -> None:
    kept.join("ann").answer("register", password=GOOD)
    eve = kept.wire()
    took = []
    for _ in range(3):
        began = time.monotonic()
        error = eve.hello("ann", password=WRONG)
        took.append(time.monotonic() - began)
        assert error["code"] == "auth_failed"
    assert error["fatal"]
    assert eve.at_end()
    assert took[0] >= 0.5
    assert took[1] >= 1.0
    assert took[2] >= 2.0


def test_others_do_not_wait_while_passwords_are_hashed(kept: Any) -> None:
    ann = kept.join("ann", "#a")
    ann.answer("register", password=GOOD)
    guessers = [kept.wire() for _ in range(8)]
    for guesser in guessers:
        guesser.command("hello", protocol=1, nick="ann", password=WRONG)
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        ann.say("#a", "hello")
        ann.roundtrip()
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1.0, "a hash takes a tenth of a second, eight of them nearly one"


def test_another_password_ends_the_other_devices_within_a_second(kept: Any) -> None:
    ann = kept.join("ann", "#a")
    ann.answer("register", password=GOOD)
    phone = kept.join("ann", "#a", password=GOOD)
    assert ann.answer("passwd", password=OTHER, old=GOOD)["ended"] == 1
    began = time.monotonic()
    assert phone.receive_until(lambda it: it.get("event") == "bye")[-1]["reason"] == "logged_out"
    assert phone.at_end()
    assert time.monotonic() - began < 1.0
    kept.restart()
    assert kept.wire().hello("ann", session=phone.session)["code"] == "auth_required"
    assert kept.wire().hello("ann", session=ann.session)["event"] == "welcome"
    assert kept.wire().hello("ann", password=OTHER)["event"] == "welcome"


def test_both_connections_of_an_account_see_everything(kept: Any) -> None:
    ann = kept.join("ann", "#a")
    ann.answer("register", password=GOOD)
    phone, bob = kept.join("ann", "#a", password=GOOD), kept.join("bob", "#a")
    bob.say("#a", "to the room")
    bob.say("@ann", "to ann")
    bob.roundtrip()
    phone.say("@bob", "from the phone")
    for one in (phone, ann):
        said = [it["text"] for it in one.roundtrip() if it["type"] == "chat"]
        assert said == ["to the room", "to ann", "from the phone"]
    history = ann.answer("history", to="@bob")["messages"]
    assert [it["text"] for it in history] == ["to ann", "from the phone"]


def test_who_logs_in_is_the_account_from_there_on(kept: Any) -> None:
    kept.join("ann").answer("register", password=GOOD)
    bob = kept.join("bob", "#a")
    answer = bob.answer("login", nick="ann", password=GOOD)
    assert (answer["account"], answer["nick"]) == ("ann", "ann")
    bob.say("#a", "as ann", id="x-1")
    assert next(it for it in bob.roundtrip() if it["type"] == "chat")["sender"] == "ann"
    assert kept.wire().hello("ann", session=answer["session"])["account"] == "ann"


def test_an_invite_is_made_by_the_server_that_runs_and_used_once(kept: Any) -> None:
    folder = Path(kept.config.data)
    answer = operate(folder, MakeInvite(nick="carol", room="#ops"))
    token = answer.rows[0]["token"]
    assert answer.facts["addresses"][0][1] == kept.port
    carol = kept.wire()
    welcome = carol.hello("", invite=token)
    assert (welcome["nick"], welcome["account"], welcome["room"]) == ("carol", "carol", "#ops")
    assert kept.wire().hello("dora", invite=token)["code"] == "auth_failed"
    kept.restart()
    assert kept.wire().hello("carol", session=carol.session)["account"] == "carol"
    kept_there = [it.read_bytes() for it in folder.iterdir() if it.is_file()]
    assert token.encode() not in b"".join(kept_there)


def test_where_no_server_runs_the_data_itself_is_worked_on(kept: Any) -> None:
    folder = Path(kept.config.data)
    kept.join("ann", "#a").answer("register", password=GOOD)
    kept.server.stop()
    [row] = operate(folder, AddAccount(name="root", role=Role.OWNER)).rows
    assert row["role"] == "owner"
    token = operate(folder, MakeInvite()).rows[0]["token"]
    with pytest.raises(OperatorError, match="belongs to someone else"):
        operate(folder, AddAccount(name="ann"))
    kept.restart()
    assert [it["account"] for it in operate(folder, ListAccounts()).rows] == ["root", "ann"]
    assert kept.wire().hello("dora", invite=token)["account"] == "dora"


def test_a_folder_without_data_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no server's data"):
        operate(tmp_path / "nowhere", ListAccounts())
    assert not (tmp_path / "nowhere").exists()


def test_guests_may_be_left_outside(make_world: Callable[..., Any], tmp_path: Path) -> None:
    world = make_world(data=tmp_path / "d", guests=False)
    assert world.wire().hello("eve")["code"] == "auth_required"
    token = operate(tmp_path / "d", MakeInvite(nick="bob")).rows[0]["token"]
    assert world.wire().hello("", invite=token)["account"] == "bob"
