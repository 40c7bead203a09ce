"""Searching, being away and being asked about, over real TLS and a real database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(params=["memory", "sqlite"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    return ":memory:" if request.param == "memory" else tmp_path / "data"


def found(who: Any, query: str, **keys: Any) -> list[str]:
    answer = who.answer("search", query=query, **keys)
    assert answer["event"] == "search", answer
    return [message["text"] for message in answer["messages"]]


def test_a_message_is_found_right_behind_its_echo(make_world: Any, data: object) -> None:
    world = make_world(data, rate=0)
    ann = world.join("ann", "#lobby")
    for number in range(100):
        ann.say("#lobby", f"tea {number}")
        ann.receive()
        assert found(ann, "tea", limit=2) == [f"tea {n}" for n in (number, number - 1) if n >= 0]


def test_everyone_finds_rooms_and_their_own_direct_messages(make_world: Any, data: object) -> None:
    world = make_world(data)
    ann, bob, eve = (world.join(nick) for nick in ("ann", "bob", "eve"))
    ann.answer("join", room="#garden")
    ann.say("#garden", "a public tulip")
    ann.say("@bob", "a private tulip")
    assert len(ann.roundtrip()) >= 2
    assert found(bob, "tulip") == ["a private tulip", "a public tulip"]
    assert found(eve, "tulip") == ["a public tulip"]
    assert found(bob, "tulip", to="@ann") == ["a private tulip"]
    assert found(bob, 'from:ann "public tulip" in:garden after:1h') == ["a public tulip"]
    assert bob.answer("search", query='"')["code"] == "bad_query"


def test_pages_lead_to_the_first_message(make_world: Any, data: object) -> None:
    world = make_world(data, rate=0)
    ann = world.join("ann", "#lobby")
    for number in range(60):
        ann.say("#lobby", f"{number} {'tea ' * 900}")
    ann.receive_until(lambda envelope: envelope.get("seq") == 60)
    seen: list[int] = []
    keys: dict[str, Any] = {}
    while True:
        page = ann.answer("search", query="tea", limit=500, **keys)
        assert len(page["messages"]) <= 18  # so many fit into a frame
        seen += [message["seq"] for message in page["messages"]]
        if not page["more"]:
            break
        keys = {"before": page["next"]}
    assert seen == list(range(60, 0, -1))


def test_an_old_database_is_taken_in_by_itself(make_world: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    world = make_world(data)
    ann = world.join("ann", "#lobby")
    ann.say("#lobby", "an old tulip")
    ann.roundtrip()
    world.server.stop()
    for file in data.glob("search.db*"):
        file.unlink()
    world.restart()
    bob = world.join("bob")
    assert found(bob, "tulip") == ["an old tulip"]
    deadline = time.monotonic() + 10
    while not (data / "search.db").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (data / "search.db").exists()
    assert found(bob, "tulip") == ["an old tulip"]


def test_away_and_whois(world: Any) -> None:
    ann, bob = world.join("ann", "#lobby"), world.join("bob", "#lobby")
    ann.roundtrip()
    assert bob.answer("away", text="lunch")["text"] == "lunch"
    [told] = ann.roundtrip()
    assert told == {"type": "system", "event": "away", "nick": "bob", "text": "lunch"}
    members = ann.answer("who", room="#lobby")["members"]
    assert {member["nick"]: member.get("away") for member in members} == {
        "ann": None,
        "bob": "lunch",
    }
    ann.say("@bob", "hi")
    assert [envelope.get("event") for envelope in ann.roundtrip()] == [None, "away"]
    about = ann.answer("whois", nick="bob")
    assert (about["online"], about["away"], about["rooms"]) == (True, "lunch", ["#lobby"])
    assert about["idle"] in range(5)
    bob.answer("away")
    assert ann.roundtrip()[-1] == {"type": "system", "event": "away", "nick": "bob"}
