"""A certificate authority, a server that the test plays, and clients of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from securechat.client.client import ChatClient, ClientConfig
from securechat.client.events import (
    Online,
)
from securechat.client.timeline import Timeline
from securechat.client.trust import ByAuthority
from securechat.protocol import envelopes as wire

from .playing import FakeServer, Front, server_context
from .told_to import WELCOME, feed, heard


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[FakeServer]:
    server = FakeServer(server_context(authority))
    yield server
    server.close()


@pytest.fixture
def make(server: FakeServer, ca_file: Path) -> Iterator[Callable[..., Front]]:
    """Starts clients of the server, and closes them in the end."""
    fronts: list[Front] = []

    def make(**keys: Any) -> Front:
        trust = ByAuthority(ca_file)
        config = {"host": "127.0.0.1", "port": server.port, "nick": "bob", "trust": trust}
        front = Front(ChatClient(ClientConfig(**{**config, **keys})))
        fronts.append(front)
        front.client.start()
        return front

    yield make
    for peer in server.peers:
        peer.close()
    for front in fronts:
        front.client.close()
    assert not [one for one in threading.enumerate() if one.name == "client-io"]


@pytest.fixture
def line() -> Timeline:
    """Bob's timeline, online, in #lobby, which he looks at."""
    made = Timeline("bob")
    made.look_at("#lobby")
    feed(made, Online(WELCOME, False, False))
    feed(made, heard(wire.Joined(room="#lobby", nick="bob", re="s1", seq=0, after=0, count=2)))
    return made
