"""What a message costs here: each stage of the server in CPU time, then a whole server over TLS.

    python benchmarks/run.py [--rooms 200] [--members 5] [--seconds 4]

The stages run in this process on made-up messages. The whole server runs in a process of its own,
and a second process keeps one message of every speaker in flight and counts what everyone hears:
every delivery must arrive, once and in order. CPU per delivery of the server is the figure to
compare; it holds on a busy machine, where deliveries a second do not.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import selectors
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from securechat.chat.hub import Hub
from securechat.config import ChatLimits
from securechat.link_events import Arrived
from securechat.protocol.codec import decode_client
from securechat.protocol.connection import Connection, Role, Signal
from securechat.server.dispatcher import Dispatcher, read_clocks
from securechat.server.renderer import Renderer
from securechat.store.memory import MemoryStore

TEXT = "x" * 100


def frame(**envelope: object) -> bytes:
    """One envelope as it travels."""
    payload = json.dumps(envelope, separators=(",", ":")).encode()
    return struct.pack("!I", len(payload)) + payload


# ------------------------------------------------------------------ the stages, in this process


def measure_stages(rooms: int, batches: int = 100) -> dict[str, float]:
    """Microseconds of CPU that one message costs in each stage; two speakers in every room."""
    speakers = 2 * rooms
    store = MemoryStore()
    hub = Hub(
        ChatLimits(rate=0),
        store.load(),
        new_token=lambda: secrets.token_urlsafe(32),
        choose=lambda jokes: jokes[0],
    )
    renderer = Renderer(hub, 1, lambda _: None, store.first_kept)
    dispatcher = Dispatcher(hub, store, renderer, [lambda _: None], lambda _: None)
    connections = [_greeted() for _ in range(speakers)]
    for number in range(1, speakers + 1):
        hello = frame(type="command", id="h", name="hello", protocol=1, nick=f"b{number}")
        room = f"#bench{number % rooms}"
        join = frame(type="command", id="j", name="join", room=room)
        events = [decode_client(data[4:]) for data in (hello, join)]
        now = read_clocks()
        arrived = [(number, Arrived("bench"))]
        effects = hub.decide([*arrived, *((number, event) for event in events)], now)
        outcomes = dispatcher.commit(effects, now)
        renderer.render(effects, outcomes, now.ts)
    spent = dict.fromkeys(("frames and envelopes", "decide", "store", "render"), 0.0)
    for batch_number in range(batches):
        frames = [
            frame(
                type="chat",
                id=f"bench-{number}-{batch_number}",
                to=f"#bench{number % rooms}",
                text=TEXT,
            )
            for number in range(1, speakers + 1)
        ]
        clock = _stopwatch(spent)
        batch = []
        for number, (connection, data) in enumerate(zip(connections, frames, strict=True), 1):
            connection.receive_data(data)
            batch.extend([(number, event) for event in connection.next_events()])
        clock("frames and envelopes")
        now = read_clocks()
        effects = hub.decide(batch, now)  # type: ignore[arg-type]
        clock("decide")
        outcomes = dispatcher.commit(effects, now)
        clock("store")
        renderer.render(effects, outcomes, now.ts)
        clock("render")
    return {stage: seconds / (batches * speakers) * 1e6 for stage, seconds in spent.items()}


def _greeted() -> Connection:
    connection = Connection(Role.SERVER)
    connection.receive_data(frame(type="command", id="h", name="hello", protocol=1, nick="b"))
    connection.next_events()
    connection.note_sent(Signal.WELCOME)
    return connection


def _stopwatch(spent: dict[str, float]) -> Callable[[str], None]:
    last = time.process_time()

    def lap(stage: str) -> None:
        nonlocal last
        now = time.process_time()
        spent[stage] += now - last
        last = now

    return lap


# ------------------------------------------------------------------ a whole server


class Talker:
    """One client: joins a room, says the next thing when it has heard its last one."""

    def __init__(self, port: int, context: ssl.SSLContext, number: int, room: str) -> None:
        raw = socket.create_connection(("127.0.0.1", port))
        self.sock = context.wrap_socket(raw, server_hostname="localhost")
        self.nick, self.room = f"b{number}", room
        self.buffer = b""
        self.said = 0
        self.seq = 0
        self.faults = 0
        hello = frame(type="command", id="h", name="hello", protocol=1, nick=self.nick)
        self.sock.sendall(hello + frame(type="command", id="j", name="join", room=room))
        while b'"re":"j"' not in self.buffer:
            self.buffer += self.sock.recv(65_536)
        self.buffer = b""
        self.sock.setblocking(False)

    def say(self) -> None:
        """Say the next thing."""
        self.said += 1
        data = frame(type="chat", id=f"{self.nick}-{self.said}", to=self.room, text=TEXT)
        self.sock.setblocking(True)
        self.sock.sendall(data)
        self.sock.setblocking(False)

    def listen(self) -> int:
        """Hear what there is; returns how many messages, and counts those out of order."""
        heard = 0
        own = f'"id":"{self.nick}-'.encode()
        try:
            while data := self.sock.recv(65_536):
                self.buffer += data
        except ssl.SSLWantReadError:
            pass
        while len(self.buffer) >= 4:
            size = struct.unpack_from("!I", self.buffer)[0]
            if len(self.buffer) < 4 + size:
                break
            payload, self.buffer = self.buffer[4 : 4 + size], self.buffer[4 + size :]
            if payload.startswith(b'{"type":"chat"'):
                heard += 1
                seq = int(payload.split(b'"seq":', 1)[1].split(b",", 1)[0])
                self.faults += self.seq not in (0, seq - 1)
                self.seq = seq
                if own in payload:
                    self.say()
        return heard


def measure_server(rooms: int, members: int, seconds: float) -> dict[str, float]:
    """Deliveries a second, and what each costs the server in CPU."""
    with tempfile.TemporaryDirectory() as folder:
        certs = Path(folder) / "certs"
        command = [sys.executable, "-m", "securechat", "serve", "--port", "0", "--rate", "0"]
        server = subprocess.Popen(
            [*command, "--certs", str(certs), "--data", ":memory:"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            return _talk(port, certs / "ca.pem", server.pid, rooms, members, seconds)
        finally:
            server.terminate()
            server.wait()


def _talk(
    port: int, ca: Path, pid: int, rooms: int, members: int, seconds: float
) -> dict[str, float]:
    context = ssl.create_default_context(cafile=str(ca))
    talkers = [
        Talker(port, context, number, f"#bench{number % rooms}")
        for number in range(rooms * members)
    ]
    with selectors.DefaultSelector() as selector:
        for talker in talkers:
            selector.register(talker.sock, selectors.EVENT_READ, talker)
        for talker in talkers[: 2 * rooms]:
            talker.say()
        began, cpu, heard = time.monotonic(), _cpu_of(pid), 0
        while time.monotonic() - began < seconds:
            for key, _ in selector.select(0.1):
                heard += key.data.listen()
        took, used = time.monotonic() - began, _cpu_of(pid) - cpu
    for talker in talkers:
        talker.sock.close()
    return {
        "deliveries a second": heard / took,
        "microseconds of server CPU each": used / heard * 1e6,
        "out of order or missing": sum(talker.faults for talker in talkers),
    }


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    print("one message, CPU in the server's Python (microseconds):")
    for stage, cost in measure_stages(options.rooms).items():
        print(f"  {stage:24}{cost:8.2f}")
    print(f"a whole server, {options.rooms} rooms of {options.members}, two speaking in each:")
    result = measure_server(options.rooms, options.members, options.seconds)
    for figure, value in result.items():
        print(f"  {figure:34}{value:12.2f}")
    if result["out of order or missing"]:
        sys.exit("some deliveries were lost, doubled or out of order")


if __name__ == "__main__":
    main()
