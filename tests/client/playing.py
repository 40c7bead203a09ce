"""A server that the test plays over real TLS, and a front end that looks at its client."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from queue import Empty
from typing import Any

import trustme

from securechat.client.client import ChatClient
from securechat.client.events import Draft as DraftEvent
from securechat.client.events import (
    DraftState,
    Ended,
)
from securechat.errors import ClientError
from securechat.protocol import envelopes as wire
from securechat.protocol.codec import Refusal, encode_posted
from securechat.protocol.connection import Connection, Role
from securechat.protocol.framing import encode_frame

DEADLINE = 10.0


TS = "2026-01-01T00:00:00.000000Z"


LIMITS = wire.Limits(
    max_frame=65_536, max_text=4_000, rate=0, burst=100, presence=500, idle_timeout=90
)


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        sock.settimeout(DEADLINE)
        self.sock = sock
        self.connection = Connection(Role.SERVER)
        self._heard: list[Any] = []

    def next(self) -> Any:
        while not self._heard:
            self._heard.extend(self.connection.next_events())
            if not self._heard:
                data = self.sock.recv(65_536)
                if not data:
                    raise EOFError
                self.connection.receive_data(data)
        said = self._heard.pop(0)
        assert not isinstance(said, Refusal), said
        return said

    def expect(self, kind: type[Any]) -> Any:
        said = self.next()
        assert isinstance(said, kind), said
        return said

    def send(self, *events: wire.System) -> Peer:
        for event in events:
            self.sock.sendall(self.connection.send(event))
        return self

    def post(self, seq: int, sender: str = "eve", to: str = "#lobby", **keys: Any) -> Peer:
        keys.setdefault("id", f"{sender}-{seq}")
        keys.setdefault("text", f"text {seq}")
        payload = encode_posted(to=to, sender=sender, seq=seq, ts=TS, **keys)
        self.sock.sendall(encode_frame(payload))
        return self

    def welcome(self, nick: str = "bob", session: str = "token", epoch: str = "e1") -> wire.Hello:
        hello: wire.Hello = self.expect(wire.Hello)
        keys: dict[str, Any] = {"protocol": 1, "server": "fake", "version": "0", "limits": LIMITS}
        self.send(wire.Welcome(nick=nick, session=session, epoch=epoch, re=hello.id, **keys))
        return hello

    def join(self, seq: int = 0, after: int | None = None) -> wire.Join:
        """Answer `join` and `conversations`."""
        join: wire.Join = self.expect(wire.Join)
        listing = self.expect(wire.Conversations)
        start = seq if after is None else after
        self.send(
            wire.Joined(room=join.room, nick="bob", re=join.id, seq=seq, after=start, count=1),
            wire.ConversationList(conversations=(), re=listing.id),
        )
        return join

    def let_in(self, **keys: Any) -> Peer:
        self.welcome(**keys)
        self.join()
        return self

    def bye(self) -> None:
        """Answer `quit`, and see the client say close_notify."""
        quit: wire.Quit = self.expect(wire.Quit)
        self.send(wire.Bye(reason="quit", re=quit.id))
        assert self.sock.recv(1) == b""
        self.close()

    def cut(self) -> None:
        """End without close_notify."""
        raw = socket.socket(fileno=self.sock.detach())
        raw.close()

    def close(self) -> None:
        self.sock.close()


class FakeServer:
    """A listening socket that the test accepts from by hand."""

    def __init__(self, context: ssl.SSLContext, address: str = "127.0.0.1") -> None:
        self.context = context
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, 0), family=family)
        self.listener.settimeout(DEADLINE)
        self.port: int = self.listener.getsockname()[1]
        self.peers: list[Peer] = []

    def accept(self) -> Peer:
        raw, _ = self.listener.accept()
        raw.settimeout(DEADLINE)
        try:
            sock = self.context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        except BaseException:
            raw.close()
            raise
        self.peers.append(Peer(sock))
        return self.peers[-1]

    def close(self) -> None:
        self.listener.close()
        for peer in self.peers:
            peer.close()


class Front:
    """A front end that waits for what it wants to see."""

    def __init__(self, client: ChatClient) -> None:
        self.client = client
        self.seen: list[Any] = []

    def wait(self, kind: type[Any], fits: Callable[[Any], bool] = lambda _: True) -> Any:
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                event = self.client.events.get(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(f"no {kind.__name__} among {self.seen}") from None
            self.seen.append(event)
            if isinstance(event, kind) and fits(event):
                return event

    def wait_draft(self, id: str, state: DraftState) -> DraftEvent:
        found: DraftEvent = self.wait(DraftEvent, lambda one: one.id == id and one.state is state)
        return found

    def ended(self) -> ClientError | None:
        error: ClientError | None = self.wait(Ended).error
        self.client.close()
        assert self.client.events.empty()
        return error


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.set_alpn_protocols([wire.ALPN])
    authority.issue_cert(*(names or ("localhost", "127.0.0.1", "::1"))).configure_cert(context)
    return context
