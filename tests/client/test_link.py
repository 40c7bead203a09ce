"""One TLS link: what comes out is what went in, and an end is told from a break."""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from securechat.client.link import PIECE, READ_BUDGET, Link, describe_loss

Pair = tuple[Link, ssl.SSLSocket]


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    ours, theirs = (
        ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)
    )
    authority.configure_trust(ours)
    authority.issue_cert("localhost").configure_cert(theirs)
    theirs.num_tickets = 0
    return ours, theirs


@pytest.fixture
def pair(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Pair]:
    ours, theirs = contexts
    left, right = socket.socketpair()
    for one in (left, right):
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    keys: dict[str, Any] = {"do_handshake_on_connect": False, "suppress_ragged_eofs": False}
    client = ours.wrap_socket(left, server_hostname="localhost", **keys)
    server = theirs.wrap_socket(right, server_side=True, **keys)
    waiting = [client, server]
    while waiting:
        for one in tuple(waiting):
            try:
                one.do_handshake()
                waiting.remove(one)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
    link = Link(client)
    yield link, server
    link.close()
    server.close()


def drain(server: ssl.SSLSocket) -> bytes:
    got = bytearray()
    try:
        while True:
            got += server.recv(65_536)
    except ssl.SSLWantReadError:
        return bytes(got)


def test_what_is_written_arrives_whole_however_slow_the_reader(pair: Pair) -> None:
    link, server = pair
    expected = b"".join(struct.pack("!I", number) for number in range(100_000))
    link.write(expected[:100_000])
    assert not link.flush()  # nothing drained yet: it only filled the buffers
    assert link.interest == select.POLLIN | select.POLLOUT
    link.write(expected[100_000:])
    got, drained = bytearray(), 0
    while len(got) < len(expected):
        got += drain(server)
        drained += link.flush()
    assert got == expected
    assert drained > 1
    assert link.interest == select.POLLIN


def test_what_comes_is_read_in_turns(pair: Pair) -> None:
    link, server = pair
    expected = bytes(range(256)) * (4 * READ_BUDGET // 256)
    view, got, turns = memoryview(expected), bytearray(), 0
    while len(got) < len(expected):
        try:
            while view:
                view = view[server.send(view[:PIECE]) :]
        except ssl.SSLWantWriteError:
            pass
        chunks = link.read()
        assert sum(map(len, chunks)) <= READ_BUDGET + PIECE
        got += b"".join(chunks)
        turns += 1
    assert got == expected
    assert turns > 3
    assert link.read() == []
    assert not link.has_more


def test_close_notify_comes_behind_what_was_sent(pair: Pair) -> None:
    link, server = pair
    server.send(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        server.unwrap()
    assert link.read() == [b"last words"]
    assert link.has_more
    with pytest.raises(ConnectionError, match="closed the connection"):
        link.read()


def test_an_end_without_close_notify_is_a_break(pair: Pair) -> None:
    link, server = pair
    server.send(b"half a se")
    socket.socket(fileno=server.detach()).close()
    assert link.read() == [b"half a se"]
    with pytest.raises(ssl.SSLEOFError) as caught:
        link.read()
    assert describe_loss(caught.value) == "the connection broke off"


def test_close_says_close_notify(pair: Pair) -> None:
    link, server = pair
    link.close()
    assert server.recv(1) == b""


def test_close_in_the_middle_of_a_piece_says_nothing_more(pair: Pair) -> None:
    link, server = pair
    link.write(bytes(1_000_000))
    link.flush()
    link.close()
    with pytest.raises(ssl.SSLEOFError):
        deque(iter(lambda: server.recv(65_536), b""))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "connection reset by peer"),
        (ConnectionError("gone"), "gone"),
        (ssl.SSLError(1, "x"), "TLS failed: unknown reason"),
    ],
)
def test_a_loss_in_words(error: OSError, says: str) -> None:
    assert describe_loss(error) == says
