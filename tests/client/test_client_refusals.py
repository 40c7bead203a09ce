"""Who is there, who is trusted, and who is let in: each no with its own words."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from securechat.client.events import (
    Connecting,
    Online,
)
from securechat.client.trust import ByAuthority
from securechat.errors import CannotConnect, NotTrusted, Refused
from securechat.protocol import envelopes as wire

from .playing import DEADLINE, FakeServer, Front, server_context


def test_nobody_there(make: Callable[..., Front], server: FakeServer) -> None:
    server.listener.close()
    error = make().ended()
    assert isinstance(error, CannotConnect)
    assert "refused" in str(error)


def test_an_address_that_nobody_knows(make: Callable[..., Front]) -> None:
    error = make(host="no-such-host.invalid").ended()
    assert isinstance(error, CannotConnect)
    assert "could not be found" in str(error)


@pytest.mark.parametrize("host", ["x" * 70, ".", "a..b"])
def test_a_name_that_is_none(make: Callable[..., Front], host: str) -> None:
    assert isinstance(make(host=host).ended(), CannotConnect)


def test_every_address_of_a_name_is_tried(
    make: Callable[..., Front], server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = socket.create_server(("127.0.0.1", 0))
    dead_port = dead.getsockname()[1]
    dead.close()
    real = socket.getaddrinfo

    def both(host: str, port: int, **keys: Any) -> Any:
        if host != "localhost" or keys.get("flags"):
            return real(host, port, **keys)
        return [
            *real("127.0.0.1", dead_port, type=socket.SOCK_STREAM),
            *real("127.0.0.1", server.port, type=socket.SOCK_STREAM),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    front = make(host="localhost")
    server.accept().let_in()
    front.wait(Online)


def test_quitting_does_not_wait_for_a_name(
    make: Callable[..., Front], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def slow(*_: object, **keys: Any) -> Any:
        if keys.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        answer.wait(DEADLINE)
        raise socket.gaierror(socket.EAI_NONAME, "late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    front = make(host="slow.invalid")
    front.wait(Connecting)
    began = time.monotonic()
    front.client.close()
    assert time.monotonic() - began < 1
    assert front.ended() is None
    answer.set()


def test_a_name_that_takes_too_long(
    make: Callable[..., Front], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def slow(*_: object, **keys: Any) -> Any:
        if not keys.get("flags"):
            answer.wait(DEADLINE)
        raise socket.gaierror(socket.EAI_NONAME, "late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    error = make(host="slow.invalid", connect_timeout=0.05).ended()
    assert "no answer in time" in str(error)
    answer.set()


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("another authority", "not signed by "),
        ("another host", "another host"),
        ("expired", "expired"),
        ("not yet valid", "clock"),
        ("no authority file", "cannot be read"),
        ("an empty authority file", "holds no certificate"),
    ],
)
def test_who_is_not_trusted(
    make: Callable[..., Front],
    server: FakeServer,
    authority: trustme.CA,
    tmp_path: Path,
    case: str,
    says: str,
) -> None:
    keys: dict[str, Any] = {}
    now = datetime.now(UTC)
    context = server.context
    match case:
        case "another authority":
            context = server_context(trustme.CA())
        case "another host":
            context = server_context(authority, "chat.example")
        case "expired":
            leaf = authority.issue_cert("127.0.0.1", not_after=now - timedelta(hours=1))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf.configure_cert(context)
        case "not yet valid":
            leaf = authority.issue_cert(
                "127.0.0.1",
                not_before=now + timedelta(days=1),
                not_after=now + timedelta(days=2),
            )
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf.configure_cert(context)
        case "no authority file":
            keys["trust"] = ByAuthority(tmp_path / "none.pem")
        case _:
            (tmp_path / "empty.pem").write_text("")
            keys["trust"] = ByAuthority(tmp_path / "empty.pem")
    server.context = context
    front = make(**keys)
    if "trust" not in keys:
        with pytest.raises(ssl.SSLError):
            server.accept().next()
    error = front.ended()
    assert isinstance(error, NotTrusted)
    assert says in str(error)
    assert "\n" not in str(error)


def test_an_older_tls_is_no_server(
    make: Callable[..., Front], server: FakeServer, authority: trustme.CA
) -> None:
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("127.0.0.1").configure_cert(server.context)
    front = make()
    with pytest.raises(ssl.SSLError):
        server.accept()
    assert "TLS 1.3" in str(front.ended())


@pytest.mark.parametrize(
    ("first", "says"),
    [(b"SSH-2.0-OpenSSH_9.2\r\n" * 3, "TLS 1.3"), (b"", "hung up")],
)
def test_something_else_at_the_port(
    make: Callable[..., Front], server: FakeServer, first: bytes, says: str
) -> None:
    front = make()
    raw, _ = server.listener.accept()
    raw.sendall(first)
    raw.recv(65_536)
    raw.close()
    error = front.ended()
    assert isinstance(error, CannotConnect)
    assert says in str(error)


def test_a_server_that_never_shakes_hands(make: Callable[..., Front], server: FakeServer) -> None:
    front = make(connect_timeout=0.1)
    raw, _ = server.listener.accept()
    assert "no answer within 0.1 s" in str(front.ended())
    raw.close()


def test_a_server_that_never_says_welcome(make: Callable[..., Front], server: FakeServer) -> None:
    front = make(connect_timeout=0.5)
    server.accept().expect(wire.Hello)
    assert "greeting" in str(front.ended())


def test_a_nick_that_is_taken(make: Callable[..., Front], server: FakeServer) -> None:
    front = make()
    peer = server.accept()
    hello = peer.expect(wire.Hello)
    peer.send(wire.Error(code="nick_taken", message="Taken. Choose another.", re=hello.id))
    error = front.ended()
    assert isinstance(error, Refused)
    assert str(error) == "Taken. Choose another."
