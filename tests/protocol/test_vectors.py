"""The golden vectors: each whole, byte by byte and with trailing data, all with one result."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from securechat.protocol.codec import Refusal, encode
from securechat.protocol.connection import Connection, Event, Role
from securechat.protocol.envelopes import COMMANDS, EVENTS, FATAL_CODES, Hello, Limits, Welcome
from securechat.protocol.framing import encode_frame

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "vectors"
FILES = sorted(FOLDER.glob("*.json"))

HELLO = Hello(id="h", protocol=1, nick="bob")
LIMITS = Limits(max_frame=65_536, max_text=4_000, rate=20, burst=100, presence=500, idle_timeout=90)
WELCOME = Welcome(protocol=1, server="s", version="1", nick="bob", epoch="e", limits=LIMITS)
PING = b'{"type":"command","id":"behind","name":"ping"}'
NOTICE = b'{"type":"system","event":"notice","text":"behind"}'

Vector = dict[str, Any]
VECTORS: list[Vector] = [
    {"file": path.stem, **vector}
    for path in FILES
    for vector in json.loads(path.read_text("utf-8"))
]


def named(vector: Vector) -> str:
    return f"{vector['file']}: {vector['name']}"


def reader(vector: Vector) -> Connection:
    """The end that reads the vector, in the state that it is about."""
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
    if vector["direction"] == "client" and vector.get("when") == "before_welcome":
        return server
    server.receive_data(client.send(HELLO))
    assert server.next_events() == [HELLO]
    if vector.get("when") == "before_welcome":
        return client
    client.receive_data(server.send(WELCOME))
    assert client.next_events() == [WELCOME]
    return server if vector["direction"] == "client" else client


def read(connection: Connection, chunks: list[bytes]) -> list[Event]:
    return list(reads(connection, chunks))


def reads(connection: Connection, chunks: list[bytes]) -> Iterator[Event]:
    for chunk in chunks:
        connection.receive_data(chunk)
        while events := connection.next_events():
            yield from events


def check(vector: Vector, event: Event) -> None:
    if "error" in vector:
        assert isinstance(event, Refusal)
        assert (event.code, event.fatal) == (vector["error"], vector["fatal"])
    else:
        assert not isinstance(event, Refusal), event
        said = event.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        assert {"type": event.type, **said} == vector["envelope"]


def ends(vector: Vector) -> bool:
    """Whether the conversation is over behind the vector."""
    said = vector.get("envelope", {})
    return bool(vector.get("fatal") or said.get("fatal") or said.get("event") == "bye")


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_a_vector_whole(vector: Vector) -> None:
    connection = reader(vector)
    [event] = read(connection, [bytes.fromhex(vector["hex"])])
    check(vector, event)
    assert connection.closed is ends(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_a_vector_byte_by_byte(vector: Vector) -> None:
    connection, frame = reader(vector), bytes.fromhex(vector["hex"])
    [event] = read(connection, [frame[at : at + 1] for at in range(len(frame))])
    check(vector, event)


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_a_vector_with_half_a_frame_behind_it(vector: Vector) -> None:
    connection = reader(vector)
    [event] = read(connection, [bytes.fromhex(vector["hex"]) + b"\0\0\0"])
    check(vector, event)


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_a_vector_with_a_whole_frame_behind_it(vector: Vector) -> None:
    connection = reader(vector)
    behind = encode_frame(PING if vector["direction"] == "client" else NOTICE)
    connection.receive_data(bytes.fromhex(vector["hex"]) + behind)
    [event] = connection.next_events(1)
    check(vector, event)
    said = vector.get("envelope", {})
    paused = said.get("name") in ("hello", "quit")
    assert len(read(connection, [b""])) == (0 if ends(vector) or paused else 1)


@pytest.mark.parametrize("vector", [v for v in VECTORS if "envelope" in v], ids=named)
def test_what_was_read_is_sent_as_the_same_envelope(vector: Vector) -> None:
    [event] = read(reader(vector), [bytes.fromhex(vector["hex"])])
    assert isinstance(event, BaseModel)
    payload = encode(event)
    assert read(reader(vector), [encode_frame(payload)]) == [event]
    quiet = {"action"} if vector["envelope"].get("action") is False else set()
    sent = json.loads(payload)
    assert sent.keys() >= vector["envelope"].keys() - quiet
    assert None not in sent.values()


def test_no_two_vectors_of_a_file_share_a_name() -> None:
    names = [named(vector) for vector in VECTORS]
    assert len(set(names)) == len(names)


def test_a_vector_has_the_keys_that_the_readme_lists() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    for vector in VECTORS:
        keys = vector.keys() - {"file", "when"}
        outcome = {"envelope"} if "envelope" in vector else {"error", "fatal"}
        assert keys == {"name", "direction", "hex"} | outcome, vector["name"]
        assert vector.get("when", "before_welcome") == "before_welcome"
    assert all(f"| `{path.name}` |" in readme for path in FILES)


def test_every_command_event_and_error_of_the_code_has_a_vector() -> None:
    said = [vector["envelope"] for vector in VECTORS if "envelope" in vector]
    assert {envelope["name"] for envelope in said if envelope["type"] == "command"} == set(COMMANDS)
    assert {envelope.get("event") for envelope in said} >= set(EVENTS)
    errors = {envelope["code"]: envelope["fatal"] for envelope in said if "code" in envelope}
    assert {code for code, fatal in errors.items() if fatal} == FATAL_CODES
    decided_here = "frame_too_large bad_json bad_envelope unknown_command hello_first hello_twice"
    refused = {vector["error"] for vector in VECTORS if "error" in vector}
    assert refused == set(decided_here.split())
    assert refused <= set(errors)


def test_the_files_are_what_the_script_writes(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "scripts" / "make_vectors.py"))["write"](tmp_path)
    written = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_text("utf-8") for path in FILES}
