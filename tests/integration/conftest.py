"""A real server on a free port, and a client that speaks bare frames to it."""

from __future__ import annotations

import json
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from securechat.server.app import ChatLimits, Server, ServerConfig

from .shell import Shell

Json = dict[str, Any]


class Wire:
    """One connection, as any other implementation would make it: `ssl`, `struct`, `json`."""

    def __init__(
        self,
        port: int,
        ca: str,
        *,
        timeout: float = 10.0,
        alpn: str = "securechat/1",
        source: str = "127.0.0.1",
        certificate: Path | None = None,
    ) -> None:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            context.load_cert_chain(certificate)
        if alpn:
            context.set_alpn_protocols([alpn])
        raw = socket.create_connection(
            ("127.0.0.1", port), timeout=timeout, source_address=(source, 0)
        )
        self.sock = context.wrap_socket(
            raw, server_hostname="localhost", suppress_ragged_eofs=False
        )
        self.ids = 0
        self.nick = ""
        self.session = ""

    # -- out

    def send_bytes(self, data: bytes) -> None:
        """Send `data` as it is."""
        self.sock.sendall(data)

    def send_payload(self, payload: bytes) -> None:
        """Send `payload` as one frame."""
        self.send_bytes(struct.pack("!I", len(payload)) + payload)

    def send(self, **envelope: Any) -> None:
        """Send one envelope."""
        self.send_payload(json.dumps(envelope, ensure_ascii=False).encode())

    def command(self, name: str, **keys: Any) -> str:
        """Send a command; returns its id."""
        self.ids += 1
        self.send(type="command", id=f"c{self.ids}", name=name, **keys)
        return f"c{self.ids}"

    def say(self, to: str, text: str, id: str | None = None, **keys: Any) -> str:
        """Send a draft; returns its id."""
        self.ids += 1
        id = id or f"{self.nick}-{self.ids}"
        self.send(type="chat", id=id, to=to, text=text, **keys)
        return id

    # -- in

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; `EOFError` when the peer ended cleanly before."""
        data = b""
        while len(data) < size:
            part = self.sock.recv(size - len(data))
            if not part:
                raise EOFError("the peer closed")
            data += part
        return data

    def receive(self) -> Json:
        """The next envelope that is not a ping."""
        while True:
            (size,) = struct.unpack("!I", self.read(4))
            envelope: Json = json.loads(self.read(size))
            if envelope.get("event") != "ping":
                return envelope

    def receive_until(self, match: Callable[[Json], bool]) -> list[Json]:
        """Everything up to and with the first envelope that matches."""
        got = []
        while True:
            got.append(self.receive())
            if match(got[-1]):
                return got

    def answer(self, name: str, **keys: Any) -> Json:
        """Send a command and give its answer; what comes before it is passed over."""
        re = self.command(name, **keys)
        return self.receive_until(lambda envelope: envelope.get("re") == re)[-1]

    def roundtrip(self) -> list[Json]:
        """All that the server says before it answers a ping: a fence instead of a sleep."""
        re = self.command("ping")
        return self.receive_until(lambda envelope: envelope.get("re") == re)[:-1]

    def at_end(self) -> bool:
        """Whether the peer says goodbye cleanly now (TLS close_notify)."""
        return self.sock.recv(1) == b""

    # -- life

    def hello(self, nick: str, **keys: Any) -> Json:
        """Say hello; returns the answer."""
        answer = self.answer("hello", protocol=1, nick=nick, **keys)
        self.nick = answer.get("nick", nick)
        self.session = answer.get("session", "")
        return answer

    def cut(self) -> None:
        """Lose the link: no quit, no close_notify."""
        raw = socket.socket(fileno=self.sock.detach())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()

    def close(self) -> None:
        """Close without ceremony."""
        self.sock.close()


class World:
    """A server and its clients; everything is closed at the end of the test."""

    def __init__(self, config: ServerConfig, ca: str, stack: ExitStack) -> None:
        self.config = config
        self.ca = ca
        self._stack = stack
        self.server = self._start(config)
        self.port = self.server.addresses[0][1]

    def _start(self, config: ServerConfig) -> Server:
        server = Server(config)
        server.start()
        self._stack.callback(lambda: None if server.stopped else server.stop())
        return server

    @property
    def epoch(self) -> str:
        """Which history this server has."""
        wire = self.wire()
        epoch: str = wire.hello("observer")["epoch"]
        return epoch

    def restart(self) -> None:
        """Stop the server in order and start another one on the same data."""
        if not self.server.stopped:
            self.server.stop()
        self.server = self._start(self.config)
        self.port = self.server.addresses[0][1]

    def wire(self, **keys: Any) -> Wire:
        """A connection on which nothing was said."""
        wire = Wire(self.port, self.ca, **keys)
        self._stack.callback(wire.close)
        return wire

    def join(self, nick: str, *rooms: str, **hello: Any) -> Wire:
        """A client that said hello and joined `rooms`."""
        wire = self.wire()
        answer = wire.hello(nick, **hello)
        assert answer["event"] == "welcome", answer
        for room in rooms:
            answer = wire.answer("join", room=room)
            assert answer["event"] == "joined", answer
        return wire


@pytest.fixture
def new_wire(certificates: Any) -> Callable[..., Wire]:
    """`new_wire(port)`: a bare connection; whoever makes it closes it."""
    return lambda port, ca=None: Wire(port, str(ca or certificates.ca))


@pytest.fixture
def make_world(certificates: Any) -> Iterator[Callable[..., World]]:
    """`make_world(grace=1, …)`: a server with these limits."""
    with ExitStack() as stack:

        def make(
            data: object = ":memory:",
            certs: Path | None = None,
            io_threads: int = 1,
            **limits: Any,
        ) -> World:
            folder = certs or certificates.directory
            config = ServerConfig(
                port=0,
                certs=folder,
                data=str(data),
                io_threads=io_threads,
                limits=replace(ChatLimits(), **limits),
            )
            return World(config, str(folder / "ca.pem"), stack)

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A server with the default limits."""
    return make_world()


@pytest.fixture
def shell(make_world: Callable[..., World], certificates: Any, tmp_path: Path) -> Shell:
    """A user's command line, and a server that keeps what it is told."""
    return Shell(make_world(data=tmp_path / "data"), certificates.directory, tmp_path / "home")
