"""Whatever a peer sends: a clear answer where one can be given, and nobody else notices."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import pytest

HELLO = {"type": "command", "id": "h", "name": "hello", "protocol": 1, "nick": "eve"}


@pytest.mark.parametrize("length", [0, 4_097, 65_537, 2**31, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_from_its_four_bytes(world: Any, length: int) -> None:
    wire = world.wire()
    wire.send_bytes(struct.pack("!I", length))
    error = wire.receive()
    assert (error["code"], error["fatal"]) == ("frame_too_large", True)
    assert wire.at_end()


def test_larger_frames_may_come_behind_welcome(world: Any) -> None:
    wire = world.join("eve", "#lobby")
    wire.say("#lobby", "ä" * 4_000)
    (echo,) = wire.roundtrip()
    assert echo["text"] == "ä" * 4_000
    wire.send_bytes(struct.pack("!I", 65_537))
    assert wire.receive()["code"] == "frame_too_large"


@pytest.mark.parametrize(
    "payload",
    [b"{", b"[]", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":1}x', b'{"a":"\\ud800"}'],
)
def test_what_is_not_json_is_fatal(world: Any, payload: bytes) -> None:
    wire = world.join("eve", "#lobby")
    wire.send_payload(payload)
    error = wire.receive()
    assert (error["code"], error["fatal"]) == ("bad_json", True)
    assert wire.at_end()


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        ({}, "bad_envelope"),
        ({"type": "system", "event": "notice", "text": "x"}, "bad_envelope"),
        ({"type": "chat", "id": "a", "to": "#lobby"}, "bad_envelope"),
        ({"type": "chat", "id": "a", "to": "#lobby", "text": 5}, "bad_envelope"),
        ({"type": "chat", "id": "a", "to": "#lobby", "text": "x", "seq": 1}, "bad_envelope"),
        ({"type": "command", "id": "a", "name": "jion"}, "unknown_command"),
        ({"type": "command", "id": "a", "name": "ping", "x": 1}, "bad_envelope"),
        ({"type": "chat", "id": "a", "to": "#lobby", "text": " \n"}, "bad_text"),
        ({"type": "chat", "id": "a", "to": "#lobby", "text": "a\x1b[2J"}, "bad_text"),
        ({"type": "chat", "id": "a", "to": "#lobby", "text": "x" * 4_001}, "text_too_long"),
        ({"type": "chat", "id": "a", "to": "#nowhere", "text": "x"}, "no_such_room"),
        ({"type": "chat", "id": "a", "to": "@nobody", "text": "x"}, "no_such_user"),
        ({"type": "chat", "id": "a", "to": "#lobby", "text": "x", "reply_to": 9}, "bad_envelope"),
        ({"type": "command", "id": "a", "name": "join", "room": "#lobby"}, "already_joined"),
        ({"type": "command", "id": "a", "name": "leave", "room": "#nowhere"}, "no_such_room"),
        ({"type": "command", "id": "a", "name": "nick", "nick": "a b"}, "bad_nick"),
        ({"type": "command", "id": "a", "name": "nick", "nick": "Bob"}, "nick_taken"),
        ({"type": "command", "id": "a", "name": "nick", "nick": "bоb"}, "nick_taken"),
        (HELLO | {"id": "a"}, "hello_twice"),
    ],
)
def test_a_refusal_is_answered_and_life_goes_on(
    world: Any, envelope: dict[str, Any], code: str
) -> None:
    bob = world.join("bob", "#lobby")
    eve = world.join("eve", "#lobby")
    bob.roundtrip()
    eve.send(**envelope)
    (error,) = eve.roundtrip()
    assert (error["event"], error["code"], error["fatal"]) == ("error", code, False)
    assert error.get("re") == envelope.get("id")
    assert len(json.dumps(error).encode()) < 512
    assert bob.roundtrip() == []


def test_thousands_of_unknown_keys_get_a_short_answer(make_world: Any) -> None:
    wire = make_world(rate=0).join("eve", "#lobby")
    wire.send(type="command", id="a", name="ping", **{f"k{n}": 0 for n in range(5_000)})
    (error,) = wire.roundtrip()
    assert len(json.dumps(error).encode()) < 512
    assert "k17" not in error["message"]


def test_twenty_bad_envelopes_in_a_row_are_fatal(make_world: Any) -> None:
    wire = make_world(rate=0).join("eve")
    for _ in range(20):
        wire.send(type="chat")
    errors = [wire.receive() for _ in range(20)]
    assert [error["fatal"] for error in errors] == [False] * 19 + [True]
    assert wire.at_end()


def test_hello_comes_first(world: Any) -> None:
    wire = world.wire()
    wire.command("ping")
    assert wire.receive()["code"] == "hello_first"
    assert wire.at_end()


def test_another_protocol_is_told_which_is_spoken(world: Any) -> None:
    wire = world.wire()
    wire.send(**HELLO | {"protocol": 2})
    error = wire.receive()
    assert (error["code"], error["fatal"]) == ("bad_protocol", True)
    assert "1" in error["message"]


def test_the_third_refused_hello_is_fatal(world: Any) -> None:
    world.join("bob")
    wire = world.wire()
    codes = [(answer["code"], answer["fatal"]) for answer in map(wire.hello, ("bob", "a b", "BOB"))]
    assert codes == [("nick_taken", False), ("bad_nick", False), ("nick_taken", True)]
    assert wire.at_end()


def test_a_refused_hello_may_be_followed_by_a_good_one_at_once(world: Any) -> None:
    world.join("bob")
    wire = world.wire()
    wire.send(**HELLO | {"id": "1", "nick": "bob"})
    wire.send(**HELLO | {"id": "2"})
    wire.send(type="command", id="3", name="ping")
    answers = [wire.receive() for _ in range(3)]
    assert [(answer["event"], answer["re"]) for answer in answers] == [
        ("error", "1"),
        ("welcome", "2"),
        ("pong", "3"),
    ]


def test_all_in_one_write_and_byte_by_byte_is_the_same(make_world: Any) -> None:
    world = make_world(rate=0)
    said = [
        HELLO,
        {"type": "command", "id": "j", "name": "join", "room": "#a"},
        {"type": "chat", "id": "m", "to": "#a", "text": "hi"},
        {"type": "command", "id": "p", "name": "ping"},
    ]
    payloads = [json.dumps(envelope).encode() for envelope in said]
    stream = b"".join(struct.pack("!I", len(payload)) + payload for payload in payloads)
    whole = world.wire()
    whole.send_bytes(stream)
    first = whole.receive_until(lambda envelope: envelope.get("re") == "p")
    whole.send(type="command", id="q", name="quit")
    whole.receive_until(lambda envelope: envelope["event"] == "bye")
    dribbled = world.wire()
    for at in range(len(stream)):
        dribbled.send_bytes(stream[at : at + 1])
        if at == len(payloads[0]) + 3:
            break
    answer = dribbled.receive()
    assert answer["code"] == "nick_taken"  # eve's session lives on, so the nick is hers
    assert [envelope.get("event", "chat") for envelope in first] == [
        "welcome",
        "joined",
        "chat",
        "pong",
    ]


@pytest.mark.parametrize(
    "opening", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00" * 64]
)
def test_other_protocols_on_the_port_are_closed(
    world: Any, caplog: pytest.LogCaptureFixture, opening: bytes
) -> None:
    bob = world.join("bob", "#lobby")
    with (
        caplog.at_level("INFO"),
        socket.create_connection(("127.0.0.1", world.port), timeout=10) as raw,
    ):
        raw.sendall(opening)
        while raw.recv(1_024):
            pass
    assert bob.roundtrip() == []
    lines = [record.getMessage() for record in caplog.records if "no handshake" in record.message]
    assert len(lines) == 1


def test_an_exception_ends_one_connection_and_is_logged(
    world: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from securechat.chat.hub import Hub

    bob = world.join("bob", "#lobby")
    eve = world.join("eve", "#lobby")
    bob.roundtrip()

    def fail(_: Hub) -> str:
        raise RuntimeError("planted")

    monkeypatch.setattr(Hub, "pick_joke", fail)
    eve.command("joke")
    error = eve.receive()
    assert (error["code"], error["fatal"]) == ("internal", True)
    assert eve.at_end()
    assert bob.answer("time")["event"] == "time"
    assert "planted" in caplog.text
