"""Deadlines, endings, presence and what a busy or broken peer does to others."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from securechat.net import deadlines
from securechat.net.channel import Phase


def test_silence_before_the_handshake_is_ended(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(deadlines._PHASE_TIMES, Phase.HANDSHAKE, 0.1)
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as raw:
        assert raw.recv(1) == b""


def test_silence_before_hello_is_ended_with_an_answer(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "HELLO_TIME", 0.1)
    monkeypatch.setitem(deadlines._PHASE_TIMES, Phase.HANDSHAKE, 0.1)
    wire = world.wire()
    error = wire.receive()
    assert (error["code"], error["fatal"]) == ("timeout", True)
    assert wire.at_end()


def test_a_frame_begun_must_be_finished(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "FRAME_TIME", 0.1)
    wire = world.join("eve")
    wire.send_bytes(b"\x00\x00\x01\x00{")
    assert wire.receive()["code"] == "timeout"
    assert wire.at_end()


def test_a_silent_client_is_pinged_then_ended(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "PING_AFTER", 0.1)
    world = make_world(idle_timeout=0.4)
    wire = world.join("eve")
    assert wire.receive()["code"] == "timeout"  # `receive` passes over the ping before it


def test_a_client_that_answers_pings_stays(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "PING_AFTER", 0.05)
    world = make_world(idle_timeout=0.5)
    wire = world.join("eve")
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        size = int.from_bytes(wire.read(4), "big")
        assert b'"ping"' in wire.read(size)
        wire.send(type="command", id="p", name="pong")
    assert wire.answer("time")["event"] == "time"


def test_a_lost_link_is_held_for_the_grace_and_then_told(make_world: Any) -> None:
    world = make_world(grace=0.5)
    alice = world.join("alice", "#lobby")
    bob = world.join("bob", "#lobby")
    alice.roundtrip()
    bob.cut()
    held: list[str] = []
    while not held:
        held = [
            member["nick"]
            for member in alice.answer("who", room="#lobby")["members"]
            if member["held"]
        ]
    assert held == ["bob"]
    assert alice.receive()["event"] == "left"


def test_coming_back_within_the_grace_is_silent(make_world: Any) -> None:
    world = make_world(grace=30)
    alice = world.join("alice", "#lobby")
    bob = world.join("bob", "#lobby")
    alice.roundtrip()
    bob.cut()
    alice.say("#lobby", "did you hear?")
    alice.receive()
    again = world.join("bob", session=bob.session)
    answer = again.answer("join", room="#lobby", after=0)
    assert (answer["seq"], answer["after"]) == (1, 0)
    assert again.receive()["text"] == "did you hear?"
    assert alice.roundtrip() == []


def test_a_reader_that_never_reads_loses_nothing_and_slows_nobody(make_world: Any) -> None:
    world = make_world(rate=0)
    alice = world.join("alice", "#busy")
    sleeper = world.join("sleeper", "#busy")
    sleeper.sock.settimeout(30)
    count, text = 3_000, "x" * 2_000
    for number in range(count):
        alice.say("#busy", text, id=f"a-{number}")
        while alice.receive().get("seq") != number + 1:
            pass
    got = sleeper.receive_until(lambda envelope: envelope.get("seq") == count)
    numbers = [envelope["seq"] for envelope in got if envelope["type"] == "chat"]
    assert numbers == list(range(1, count + 1))
    level = sleeper.receive()
    assert (level["event"], level["seq"], level["count"]) == ("level", count, 2)
    alice.say("#busy", "live again")
    assert sleeper.receive()["seq"] == count + 1


def test_without_tokens_frames_are_read_later_and_in_order(make_world: Any) -> None:
    world = make_world(rate=100, burst=20)
    wire = world.join("eve", "#lobby")
    began = time.monotonic()
    for number in range(60):
        wire.say("#lobby", str(number))
    texts = [envelope["text"] for envelope in wire.roundtrip()]
    assert texts == [str(number) for number in range(60)]
    assert time.monotonic() - began > 0.3


def test_many_connections_of_one_identity_end_the_longest_silent(world: Any) -> None:
    first = world.join("bob")
    for _ in range(8):
        world.join("bob", session=first.session)
    bye = first.receive()
    assert (bye["event"], bye["reason"]) == ("bye", "replaced")
    assert first.at_end()


def test_stopping_says_bye_and_leaves_no_thread(make_world: Any) -> None:
    world = make_world()
    wires = [world.join(f"n{number}", "#lobby") for number in range(5)]
    names = {thread.name for thread in threading.enumerate()}
    assert {"accept", "hub", "io-0", "reader-0"} <= names
    began = time.monotonic()
    stopper = threading.Thread(target=world.server.stop)
    stopper.start()
    for wire in wires:
        bye = wire.receive_until(lambda envelope: envelope.get("event") == "bye")[-1]
        assert bye["retry_after"] >= 0
        assert wire.at_end()
        wire.close()
    stopper.join(10)
    assert time.monotonic() - began < 5
    assert world.server.stopped


def _serve(certificates: Any, *options: str, **keys: Any) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "securechat", "serve", "--port", "0", "--data", ":memory:"]
    process = subprocess.Popen(
        [*command, "--certs", str(certificates.directory), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **keys,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline().rsplit(":", 1)[1])


#: What glibc sets aside, aligned to itself, for each heap of a thread (HEAP_MAX_SIZE, 64 bits).
_THREAD_HEAP = 64 * 1024 * 1024


def _thread_heaps(pid: int) -> list[str]:
    """The heaps of a process beside its first: the part in use, then what is set aside."""
    heaps: list[str] = []
    lines = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    for used, aside in pairwise(lines):
        begin, _ = (int(bound, 16) for bound in used[0].split("-"))
        _, end = (int(bound, 16) for bound in aside[0].split("-"))
        aligned = begin % _THREAD_HEAP == 0 and end - begin == _THREAD_HEAP
        if aligned and used[1] == "rw-p" and aside[1] == "---p":
            heaps.append(used[0])
    return heaps


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_thread_of_a_server_has_a_heap_of_its_own(certificates: Any, new_wire: Any) -> None:
    process, port = _serve(certificates)
    try:
        new_wire(port).close()
        assert _thread_heaps(process.pid) == []
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_in_order(certificates: Any, number: int) -> None:
    process, _ = _serve(certificates)
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_server_keeps_the_limits_that_it_was_told(certificates: Any, new_wire: Any) -> None:
    told = ("--limit", "chat.subscriptions=1", "--limit", "chat.idle-timeout=77")
    process, port = _serve(certificates, *told)
    ann = new_wire(port)
    assert ann.hello("ann")["limits"]["idle_timeout"] == 77
    ann.answer("join", room="#one")
    assert ann.answer("join", room="#two")["code"] == "forbidden"
    ann.close()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_wrong_password_costs_what_the_server_was_told(certificates: Any, new_wire: Any) -> None:
    told = ("--limit", "logins.failure=200", "--limit", "logins.per-address=50")
    process, port = _serve(certificates, *told)
    ann = new_wire(port)
    ann.hello("ann")
    first = ann.answer("login", nick="bob", password="no such person")
    second = ann.answer("login", nick="bob", password="no such person")
    ann.close()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert first["code"] != "rate_limited"
    assert second["code"] == "rate_limited"
    assert 100 < second["retry_after"] <= 150


def test_a_second_signal_ends_the_process_at_once(certificates: Any, new_wire: Any) -> None:
    """The first one waits for somebody who does not read that it is over."""
    process, port = _serve(certificates, "--rate", "0")
    ann, deaf = new_wire(port), new_wire(port)
    for nick, wire in (("ann", ann), ("deaf", deaf)):
        wire.hello(nick)
        wire.answer("join", room="#lobby")
    for _ in range(20):
        for _ in range(100):
            ann.say("#lobby", "x" * 4_000)
        ann.roundtrip()
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(2.5) == 128 + signal.SIGINT
    process.communicate()
    ann.close()
    deaf.close()


def test_used_up_descriptors_pause_accepting_and_members_talk_on(
    certificates: Any, new_wire: Any
) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    process, port = _serve(certificates, preexec_fn=few)
    crowd = []
    try:
        bob = new_wire(port)
        bob.hello("bob")
        bob.answer("join", room="#lobby")
        for _ in range(100):
            crowd.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        bob.say("#lobby", "still here")
        assert [envelope["text"] for envelope in bob.roundtrip()] == ["still here"]
        for raw in crowd:
            raw.close()
        late = new_wire(port)
        assert late.hello("late")["event"] == "welcome"
        late.close()
        bob.close()
    finally:
        for raw in crowd:
            raw.close()
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert errors.count("accepting pauses") == 1
