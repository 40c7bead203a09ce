"""The main job over real TLS: people come, talk, and everyone sees the same."""

from __future__ import annotations

from typing import Any


def test_two_people_talk(world: Any) -> None:
    alice = world.join("alice", "#lobby")
    bob = world.join("bob", "#lobby")
    assert alice.roundtrip() == [
        {"type": "system", "event": "joined", "room": "#lobby", "nick": "bob"}
    ]
    id = bob.say("#lobby", "hi all")
    (echo,) = bob.roundtrip()
    (heard,) = alice.roundtrip()
    assert echo == heard
    assert echo["ts"].endswith("Z")
    del echo["ts"]
    assert echo == {
        "type": "chat",
        "id": id,
        "to": "#lobby",
        "sender": "bob",
        "seq": 1,
        "text": "hi all",
    }


def test_a_repeat_is_answered_to_its_sender_alone(world: Any) -> None:
    alice = world.join("alice", "#lobby")
    bob = world.join("bob", "#lobby")
    alice.roundtrip()
    bob.say("#lobby", "once", id="x-1")
    (echo,) = bob.roundtrip()
    bob.say("#lobby", "once", id="x-1")
    assert bob.roundtrip() == [echo]
    bob.say("#lobby", "twice", id="x-1")
    (error,) = bob.roundtrip()
    assert (error["code"], error["re"], error["fatal"]) == ("id_conflict", "x-1", False)
    assert alice.roundtrip() == [echo]


def test_joining_behind_a_number_gives_what_was_said_since(make_world: Any) -> None:
    world = make_world(rate=0)
    alice = world.join("alice", "#lobby")
    for number in range(1, 301):
        alice.say("#lobby", f"m{number}")
    alice.receive_until(lambda envelope: envelope.get("seq") == 300)
    bob = world.join("bob")
    answer = bob.answer("join", room="#lobby", after=100)
    assert (answer["seq"], answer["after"], answer["count"]) == (300, 100, 2)
    got = bob.roundtrip()
    assert [envelope["seq"] for envelope in got] == list(range(101, 301))
    alice.say("#lobby", "live")
    assert bob.receive()["seq"] == 301


def test_direct_messages_reach_every_connection_of_both(world: Any) -> None:
    alice = world.join("alice")
    bob = world.join("bob")
    bob2 = world.join("bob", session=bob.session)
    alice.say("@bob", "psst")
    for wire in (alice, bob, bob2):
        got = wire.receive()
        assert (got["to"], got["sender"], got["seq"]) == ("@bob", "alice", 1)
    bob.say("@alice", "yes?")
    assert [wire.receive()["to"] for wire in (alice, bob, bob2)] == ["@alice"] * 3
    answer = alice.answer("conversations")
    assert [(row["to"], row["seq"]) for row in answer["conversations"]] == [("@bob", 2)]
    history = bob2.answer("history", to="@alice")
    assert [message["text"] for message in history["messages"]] == ["psst", "yes?"]


def test_quit_is_answered_and_told(world: Any) -> None:
    alice = world.join("alice", "#lobby")
    bob = world.join("bob", "#lobby")
    alice.roundtrip()
    re = bob.command("quit", reason="tea")
    bye = bob.receive()
    assert (bye["event"], bye["re"]) == ("bye", re)
    assert bob.at_end()
    assert alice.receive() == {
        "type": "system",
        "event": "left",
        "room": "#lobby",
        "nick": "bob",
        "reason": "tea",
    }


def test_every_command_answers(world: Any) -> None:
    bob = world.join("bob", "#lobby")
    assert bob.answer("time")["now"].endswith("Z")
    assert bob.answer("joke")["text"]
    names = {row["name"] for row in bob.answer("help")["commands"]}
    assert {"join", "leave", "nick", "who", "topic", "history", "quit"} <= names
    assert bob.answer("who")["members"] == [{"nick": "bob", "role": "guest", "held": False}]
    assert bob.answer("topic", room="#lobby", text="tea time")["text"] == "tea time"
    assert bob.answer("topic", room="#lobby")["text"] == "tea time"
    (room,) = bob.answer("rooms")["rooms"]
    assert room == {"room": "#lobby", "members": 1, "topic": "tea time", "seq": 0}
    renamed = bob.answer("nick", nick="bobby")
    assert (renamed["old"], renamed["nick"]) == ("bob", "bobby")
    assert bob.answer("leave", room="#lobby")["event"] == "left"
    assert bob.answer("rooms")["rooms"] == []
