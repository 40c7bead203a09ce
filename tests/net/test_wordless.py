"""Records that say nothing: how they are told from slow ones, and who is cut for them."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from securechat.net.channel import Channel
from securechat.net.gate import Fact
from securechat.net.wordless import MOST_IN_VAIN, Tally, Wordless, bytes_read, free

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not tell")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection, which holds little that was not read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        near = socket.create_connection(listener.getsockname())
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        far, _ = listener.accept()
    with near, far:
        yield near, far


class Reports(list[tuple[int, Fact]]):
    def __call__(self, number: int, fact: Fact, now: float) -> None:
        assert now > 0
        self.append((number, fact))


def take(sock: socket.socket, size: int) -> None:
    while size:
        size -= len(sock.recv(size))


def test_what_was_read_is_counted_and_not_what_waits(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    near.sendall(b"x" * 1_000)
    take(far, 300)
    assert bytes_read(far) == 300
    take(far, 700)
    assert bytes_read(far) == 1_000


def test_who_is_slow_may_be_and_who_says_nothing_for_long_may_not(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    reports, channel = Reports(), SimpleNamespace(number=7, heard=1.0, sock=far)
    tally = Tally(reports)

    def in_vain(size: int) -> None:
        near.sendall(b"x" * size)
        take(far, size)
        tally.note(channel, 2.0)  # type: ignore[arg-type]

    for _ in range(5):  # each time something was heard before
        channel.heard += 1.0
        for _ in range(4):
            in_vain(MOST_IN_VAIN // 4)
    with pytest.raises(Wordless, match="say nothing"):
        in_vain(MOST_IN_VAIN)
    assert reports == [(7, Fact.OFFENDED)]
    tally.forget(channel)  # type: ignore[arg-type]
    tally.forget(channel)  # type: ignore[arg-type]
    in_vain(MOST_IN_VAIN)


class Busy:
    """An io thread that reads one channel byte by byte, in C, and comes back at its end."""

    def __init__(self, sock: socket.socket) -> None:
        self.turn: float | None = time.monotonic() - 1.0
        endless = filter(b"".__eq__, iter(partial(sock.recv, 1), None))
        channel: Any = Channel.__new__(Channel)
        self.channel = channel
        channel.number, channel.host, channel.sock = 7, "here", sock
        channel.tls = SimpleNamespace(read=partial(next, endless))
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        self.ident = self._thread.ident

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the link was shut, with much still on its way
            self.channel.receive()

    def join(self) -> None:
        self._thread.join()


@pytest.fixture
def busy(pair: tuple[socket.socket, socket.socket]) -> Iterator[Busy]:
    """Its peer sends all the time, more than can be read."""
    near, far = pair

    def send() -> None:
        with contextlib.suppress(OSError):
            while True:
                near.sendall(b"x" * 4_096)

    sender = threading.Thread(target=send)
    sender.start()
    busy = Busy(far)
    yield busy
    with contextlib.suppress(OSError):  # it may be cut already
        near.shutdown(socket.SHUT_RDWR)
    sender.join()
    busy.join()


def test_who_keeps_a_thread_from_coming_back_is_cut(
    busy: Busy, caplog: pytest.LogCaptureFixture
) -> None:
    reports, deadline = Reports(), time.monotonic() + 20.0
    while not reports and time.monotonic() < deadline:  # a look may meet a thread that is not run
        free([busy], reports)
    assert reports == [(7, Fact.OFFENDED)]
    assert "connection 7 from here: cut" in caplog.text


@pytest.mark.parametrize("turn", [None, "quick", "next"])
def test_who_comes_back_is_left_alone(
    busy: Busy, monkeypatch: pytest.MonkeyPatch, turn: str | None
) -> None:
    reports = Reports()
    busy.turn = None if turn is None else time.monotonic()
    if turn == "next":
        busy.turn -= 1.0  # type: ignore[operator]

        def sleep(_: float) -> None:
            busy.turn = time.monotonic() - 0.5

        monkeypatch.setattr("securechat.net.wordless.time.sleep", sleep)
    free([busy], reports)
    assert reports == []


def test_who_sends_nothing_or_has_ended_is_not_blamed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    silent, reports = Busy(far), Reports()
    free([silent], reports)
    far.close()
    free([silent], reports)
    near.close()
    silent.join()
    assert reports == []


def test_a_thread_that_does_something_else_is_left_alone() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    loop = SimpleNamespace(turn=1.0, ident=thread.ident)
    reports = Reports()
    free([loop, SimpleNamespace(turn=1.0, ident=None)], reports)
    done.set()
    thread.join()
    assert reports == []
