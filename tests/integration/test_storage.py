"""With SQLite behind it: what survives, and what happens when there is no room or no trust."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from securechat.errors import StoreRefused
from securechat.store.sqlite import SqliteStore

from .shell import Shell


def test_everything_survives_a_restart(make_world: Any, tmp_path: Path) -> None:
    first = make_world(data=tmp_path / "data")
    alice = first.join("alice", "#lobby")
    bob = first.join("bob", "#lobby")
    alice.say("#lobby", "hello", id="a-1")
    alice.say("@bob", "psst", id="a-2")
    alice.answer("topic", room="#lobby", text="tea")
    welcome_epoch = first.epoch
    first.restart()
    again = first.wire()
    welcome = again.hello("bob", session=bob.session)
    assert (welcome["nick"], welcome["epoch"]) == ("bob", welcome_epoch)
    joined = again.answer("join", room="#lobby", after=0)
    assert (joined["seq"], joined["topic"]) == (1, "tea")
    assert again.receive()["text"] == "hello"
    (row,) = again.answer("conversations")["conversations"]
    assert (row["to"], row["seq"]) == ("@alice", 1)
    assert again.answer("join", room="@alice", after=0)["seq"] == 1
    assert again.receive()["text"] == "psst"
    back = first.join("alice", session=alice.session)
    back.say("#lobby", "hello", id="a-1")  # its echo may have been lost: it comes again
    assert [message["seq"] for message in back.roundtrip()] == [1]


def test_presence_is_held_over_a_restart(make_world: Any, tmp_path: Path) -> None:
    world = make_world(data=tmp_path / "data")
    alice = world.join("alice", "#lobby")
    bob = world.join("bob", "#lobby")
    world.restart()
    back = world.join("alice", "#lobby", session=alice.session)
    members = back.answer("who", room="#lobby")["members"]
    assert {(member["nick"], member["held"]) for member in members} == {
        ("alice", False),
        ("bob", True),
    }
    world.join("bob", "#lobby", session=bob.session)
    assert back.roundtrip() == []  # who comes back in time was never away


def test_without_room_senders_are_refused_in_order_and_it_recovers(
    make_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(data=tmp_path / "data")
    alice = world.join("alice", "#lobby")
    bob = world.join("bob", "#lobby")
    alice.roundtrip()
    full = True
    append = SqliteStore._append

    def append_or_not(self: SqliteStore, *details: Any) -> Any:
        if full:
            raise apsw.FullError("planted")
        return append(self, *details)

    monkeypatch.setattr(SqliteStore, "_append", append_or_not)
    alice.say("#lobby", "one", id="a-1")
    (error,) = alice.roundtrip()
    assert (error["code"], error["re"], error["fatal"]) == ("storage", "a-1", False)
    assert error["retry_after"] > 0
    full = False
    alice.say("#lobby", "two", id="a-2")  # not before the first: the order would be lost
    assert [answer["code"] for answer in alice.roundtrip()] == ["storage"]
    alice.say("#lobby", "one", id="a-1")
    alice.say("#lobby", "two", id="a-2")
    assert [(echo["text"], echo["seq"]) for echo in alice.roundtrip()] == [("one", 1), ("two", 2)]
    assert [heard["text"] for heard in bob.roundtrip()] == ["one", "two"]


@pytest.mark.slow
def test_send_says_at_once_that_the_server_has_no_room(
    make_world: Any, certificates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: SqliteStore, *_details: Any) -> Any:
        raise apsw.FullError("planted")

    world = make_world(data=tmp_path / "data")
    shell = Shell(world, certificates.ca.parent, tmp_path / "home")
    assert shell.run("send", "lobby", "before").returncode == 0
    with monkeypatch.context() as planted:
        planted.setattr(SqliteStore, "_append", refuse)
        done = shell.run("send", "lobby", "hello", "--wait", "0.5", "--json")
    assert done.returncode == 75
    assert (json.loads(done.stdout)["event"], json.loads(done.stdout)["code"]) == (
        "kept",
        "storage",
    )
    assert done.stderr.splitlines() == [
        "securechat: not stored yet (storage): The server has no room to store this. It is kept"
        " here, and sent again until it can be.",
        "securechat: 1 message is kept here, and sent by the next command that reaches the server"
        " (storage: The server has no room to store this)",
    ]
    assert "kept earlier, and sent now" in shell.run("send", "lobby", "after").stderr


def test_a_broken_store_stops_the_server(
    make_world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(data=tmp_path / "data")
    alice = world.join("alice", "#lobby")

    def fail(*_: Any) -> Any:
        raise apsw.IOError("planted")

    monkeypatch.setattr(SqliteStore, "_append", fail)
    alice.say("#lobby", "one")
    bye = alice.receive()
    assert bye["event"] == "bye"
    assert alice.at_end()
    assert world.server.failed is not None


def test_two_servers_never_share_their_data(make_world: Any, tmp_path: Path) -> None:
    make_world(data=tmp_path / "data")
    start: Callable[..., Any] = make_world
    with pytest.raises(StoreRefused, match="process"):
        start(data=tmp_path / "data")
