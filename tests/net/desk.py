"""An io thread between real TLS links and a hub that the test plays."""

from __future__ import annotations

import queue
import socket
import ssl
import time
from typing import TypeAlias

import pytest

from securechat.link_events import Arrived
from securechat.net.address import show
from securechat.net.loop import Loop, LoopConfig, Told
from securechat.net.ops import Adopt, Deliver, Stop
from securechat.protocol.connection import Signal
from securechat.protocol.envelopes import Draft, Hello
from securechat.protocol.framing import encode_frame

from .parts import HELLO

#: Of a server and of a client.
Contexts: TypeAlias = tuple[ssl.SSLContext, ssl.SSLContext]
#: Longer than any test takes: who awaits an answer awaits it.
LONG = 30.0


class Desk:
    """The hub's side of one io thread; it answers when a test says so."""

    def __init__(self, contexts: Contexts, *, patience: float) -> None:
        server, client = contexts
        self.told: queue.SimpleQueue[list[Told]] = queue.SimpleQueue()
        self._client = client
        self.loop = Loop(
            0,
            LoopConfig(
                context=server,
                inbox=self.told.put,
                inbox_full=lambda: False,
                ask_page=lambda _: pytest.fail("nobody is behind"),
                new_bucket=None,
                idle_timeout=90.0,
                patience=patience,
            ),
        )
        self.peers: list[ssl.SSLSocket] = []
        self.loop.start()

    def reach(self) -> tuple[int, ssl.SSLSocket]:
        """A client that has done its handshake, and the number of its connection."""
        peer = self.knock()
        peer.settimeout(10)
        peer.do_handshake()
        return len(self.peers), peer

    def knock(self) -> ssl.SSLSocket:
        """A client, not blocking, that has not begun its handshake; the loop has its other end."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            far = socket.create_connection(listener.getsockname(), timeout=10)
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            near, address = listener.accept()
        peer = self._client.wrap_socket(
            far, server_hostname="localhost", do_handshake_on_connect=False
        )
        peer.setblocking(False)
        self.peers.append(peer)
        self.loop.post((Adopt(len(self.peers), near, show(*address)),))
        return peer

    def connect(self) -> ssl.SSLSocket:
        """A client that has been welcomed."""
        number, peer = self.reach()
        [(told, arrived)] = self.hear()
        assert isinstance(arrived, Arrived)
        assert (told, arrived.peer) == (number, show(*peer.getsockname()))
        self.loop.post(())
        peer.sendall(HELLO)
        [(_, hello)] = self.hear()
        assert isinstance(hello, Hello)
        self.loop.post((Deliver(number, encode_frame(b"{}"), Signal.WELCOME),))
        assert peer.recv(6) == encode_frame(b"{}")
        return peer

    def hear(self) -> list[Told]:
        """The next batch that the loop tells."""
        return self.told.get(timeout=10)

    def ids(self) -> list[str]:
        """The ids of what the next batch says."""
        return [event.id for _, event in self.hear() if isinstance(event, Draft)]

    def close(self) -> None:
        self.loop.post((Stop(time.monotonic()),))
        assert self.loop.join(10)
        for peer in self.peers:
            peer.close()
