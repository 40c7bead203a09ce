"""Rooms with rules and moderation over real TLS and a real disk: what each side gets to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from securechat.records import KeepSanction
from securechat.store.sqlite import open_store

SECRET = "correct horse battery staple"


@pytest.fixture
def kept(make_world: Callable[..., Any], tmp_path: Path) -> Any:
    """A server that keeps what it is told."""
    return make_world(data=tmp_path / "data")


def texts(envelopes: list[dict[str, Any]]) -> list[tuple[int, str, bool]]:
    chats = [it for it in envelopes if it["type"] == "chat"]
    return [(it["seq"], it["text"], it.get("removed", False)) for it in chats]


def test_a_private_room_shows_itself_to_nobody_else(world: Any) -> None:
    ann, bob, eve = world.join("ann", "#den"), world.join("bob"), world.join("eve")
    assert "private-rooms" in world.wire().hello("x")["features"]
    ann.say("#den", "hello")
    ann.roundtrip()
    settings = ann.answer("room", room="#den", private=True)
    assert (settings["event"], settings["private"], settings["owner"]) == ("room", True, "ann")
    listed = [{it["room"] for it in who.answer("rooms")["rooms"]} for who in (ann, eve)]
    assert listed == [{"#den"}, set()]
    no = [eve.answer("who", room=room) for room in ("#den", "#x")]
    assert {key: no[0][key] for key in ("code", "message")} == {
        key: no[1][key] for key in ("code", "message")
    }
    assert eve.answer("join", room="#den")["code"] == "forbidden"
    assert ann.answer("admit", room="#den", nick="bob")["act"] == "admit"
    assert bob.roundtrip()[-1]["act"] == "admit"
    assert bob.answer("join", room="#den", last=10)["event"] == "joined"


def test_a_kicked_connection_gets_no_more_of_the_room(world: Any) -> None:
    ann, bob = world.join("ann", "#a"), world.join("bob", "#a")
    ann.roundtrip()
    assert ann.answer("kick", room="#a", nick="bob", reason="loud")["act"] == "kick"
    ann.say("#a", "he is gone")
    ann.roundtrip()
    assert [it.get("act") for it in bob.roundtrip()] == ["kick"]


def test_a_removed_message_is_gone_from_every_view_and_from_the_disk(
    kept: Any, tmp_path: Path
) -> None:
    ann, bob = kept.join("ann", "#a"), kept.join("bob", "#a")
    ann.roundtrip()
    for number in range(30):
        bob.say("#a", f"chatter {number}")
    draft = bob.say("#a", SECRET)
    bob.say("#a", "behind it")
    bob.roundtrip()
    assert SECRET in [text for _, text, _ in texts(ann.roundtrip())]
    carol = kept.join("carol", "#a", "#b")
    carol.cut()
    removed = ann.answer("remove", to="#a", seq=31)
    assert (removed["event"], removed["seq"], removed["nick"]) == ("removed", 31, "ann")
    heard = [it for it in bob.roundtrip() if it["event"] != "joined"]
    assert [(it["event"], it["seq"]) for it in heard] == [("removed", 31)]
    page = bob.answer("history", to="#a", limit=2)["messages"]
    assert texts(page) == [(31, "", True), (32, "behind it", False)]
    bob.say("#a", SECRET, id=draft)
    assert texts(bob.roundtrip()) == [(31, "", True)]
    back = kept.join("carol", session=carol.session)
    back.command("join", room="#a", after=32)
    assert [it["event"] for it in back.roundtrip()] == ["joined", "removed"]
    late = kept.join("dave")
    late.command("join", room="#a", last=2)
    assert texts(late.roundtrip()) == [(31, "", True), (32, "behind it", False)]
    kept.server.stop()
    found = [path for path in (tmp_path / "data").iterdir() if path.is_file()]
    assert not [path for path in found if SECRET.encode() in path.read_bytes()]
    kept.restart()
    again = kept.join("erin")
    again.command("join", room="#a", last=2)
    assert texts(again.roundtrip()) == [(31, "", True), (32, "behind it", False)]


def test_who_was_away_over_a_restart_too_hears_what_was_removed(kept: Any) -> None:
    ann, bob = kept.join("ann", "#a"), kept.join("bob", "#a")
    ann.roundtrip()
    bob.say("#a", SECRET)
    ann.say("@bob", SECRET)
    assert SECRET in [text for _, text, _ in texts(ann.roundtrip())]
    bob.cut()
    for address in ("#a", "@bob"):
        assert ann.answer("remove", to=address, seq=1)["event"] == "removed"
    kept.restart()
    ann = kept.join("ann", session=ann.session)
    bob = kept.join("bob", session=bob.session)
    for address, to in (("#a", "#a"), ("@ann", "@bob")):
        bob.command("join", room=address, after=1)
        told = [it for it in bob.roundtrip() if it["event"] == "removed"]
        assert [(it["to"], it["seq"], it["nick"]) for it in told] == [(to, 1, "ann")]


def test_bans_and_settings_live_through_a_restart(kept: Any) -> None:
    ann, bob = kept.join("ann", "#a"), kept.join("bob", "#a")
    ann.answer("ban", room="#a", nick="bob", duration=3600, reason="spam")
    ann.answer("room", room="#a", read_only=True)
    kept.restart()
    ann = kept.join("ann", "#a", session=ann.session)
    bob = kept.join("bob", session=bob.session)
    error = bob.answer("join", room="#a")
    assert error["code"] == "forbidden"
    assert "(spam)" in error["message"]
    carol = kept.join("carol", "#a")
    id = carol.say("#a", "may I?")
    assert [(it["re"], it["code"]) for it in carol.roundtrip()] == [(id, "forbidden")]
    [row] = ann.answer("bans", room="#a")["bans"]
    assert (row["act"], row["nick"], row["by"]) == ("ban", "bob", "ann")


def test_a_banned_address_is_refused_at_the_door(
    make_world: Callable[..., Any], tmp_path: Path
) -> None:
    ban = KeepSanction(1, "ban", "", 0, "", "", "127.0.0.0/8", None, 1.0, "root", "flood")
    store = open_store(tmp_path / "data")
    store.load()
    store.commit([ban], "2026-05-04T03:02:01.000000Z")
    store.close()
    world = make_world(data=tmp_path / "data")
    wire = world.wire()
    error = wire.hello("bob")
    assert (error["code"], error["fatal"]) == ("banned", True)
    assert "Your address is banned from this server (flood)" in error["message"]
    assert wire.at_end()
