"""A channel on a real TLS link: what goes in comes out, whole and in order, however it is read."""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.net.channel import MAX_PIECE, READ_SIZE, Channel, Phase, cut
from securechat.net.tls import describe_failure, server_context
from securechat.protocol.connection import State

if TYPE_CHECKING:
    from tests.conftest import Certificates

#: Shows how far a stream has come: no two places of it look alike.
PATTERN = b"".join(i.to_bytes(4, "big") for i in range(1 << 18))


class Spy:
    """A TLS socket that notes which pieces were tried, and which went."""

    _sslobj = None  # what is read and written passes by here

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock = sock
        self.tried: list[tuple[bytes, bool]] = []

    def write(self, piece: bytes) -> int:
        try:
            sent = self.sock.send(piece)
        except ssl.SSLWantWriteError:
            self.tried.append((piece, False))
            raise
        assert sent == len(piece)
        self.tried.append((piece, True))
        return sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


class Link:
    """A channel and its peer, over TCP on loopback."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            far = socket.create_connection(listener.getsockname())
            near, _ = listener.accept()
        for sock in (near, far):
            sock.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        self.near = server.wrap_socket(
            near, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        self.peer = client.wrap_socket(
            far,
            server_hostname="localhost",
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )
        waiting = [self.peer, self.near]
        while waiting:
            for side in list(waiting):
                with suppress(ssl.SSLWantReadError):
                    side.do_handshake()
                    waiting.remove(side)
        self.spy = Spy(self.near)
        self.channel = Channel(1, cast("ssl.SSLSocket", self.spy), "127.0.0.1:5", 0.0)
        self.channel.phase = Phase.TALKING
        self.channel.connection.state = State.OPEN

    def close(self) -> None:
        self.channel.close()
        self.peer.close()

    def read(self, size: int) -> bytes:
        """What the peer reads, until it has `size` bytes; the channel writes on meanwhile."""
        data = bytearray()
        while len(data) < size:
            self.channel.flush()
            try:
                data += self.peer.recv(65_536)
            except ssl.SSLWantReadError:
                with selectors.DefaultSelector() as selector:
                    selector.register(self.peer, selectors.EVENT_READ)
                    if self.channel.out is not None:
                        selector.register(self.near, selectors.EVENT_WRITE)
                    assert selector.select(10), "nothing came in time"
        return bytes(data)

    def receive(self) -> bytes | None:
        """What the channel reads, once there is something."""
        ready(self.near)
        return self.channel.receive()

    def stall(self) -> bytes:
        """Write until the peer's buffers are full; returns what was written."""
        written = b""
        while self.channel.out is None:
            piece = PATTERN[len(written) :][:8192]
            self.channel.write((piece,), len(piece))
            written += piece
        return written


def ready(sock: socket.socket) -> None:
    """Wait until there is something to read."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        assert selector.select(10), "nothing came in time"


@pytest.fixture(scope="module")
def contexts(certificates: Certificates) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    folder = certificates.directory
    server = server_context(folder / "cert.pem", folder / "key.pem")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(certificates.ca)
    return server, client


@pytest.fixture
def link(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Link]:
    link = Link(*contexts)
    yield link
    link.close()


# Writing...


def test_what_fits_is_written_at_once(link: Link) -> None:
    link.channel.write((b"one", b"two"), 6)
    link.channel.write_data(b"three")
    assert (link.channel.out, link.channel.out_bytes) == (None, 0)
    assert link.read(11) == b"onetwothree"
    assert not link.channel.flush()


def test_a_peer_that_reads_late_gets_every_byte_in_order(link: Link) -> None:
    """Other bytes behind WANT_WRITE would be taken too, and corrupt the stream in silence."""
    sizes = cycle([100, MAX_PIECE, 1, 5000, MAX_PIECE - 1, 20_000, 70_000, 9])
    at = 0
    while at < len(PATTERN):
        size = next(sizes)
        link.channel.write_data(PATTERN[at : at + size])
        at += size
    assert link.channel.out_bytes == sum(map(len, link.channel.out or ())) > 0
    assert link.read(len(PATTERN)) == PATTERN
    assert (link.channel.out, link.channel.out_bytes) == (None, 0)
    tried = link.spy.tried
    assert sum(not went for _, went in tried) > 2
    for (piece, went), (following, _) in pairwise(tried):
        assert went or following is piece
    assert max(len(piece) for piece, _ in tried) == MAX_PIECE


def test_small_pieces_that_wait_share_a_record(link: Link) -> None:
    written = link.stall()
    for i in range(1000):
        link.channel.write((b"%03d " % i,), 4)
    link.spy.tried.clear()
    data = link.read(len(written) + 4000)
    assert data == written + b"".join(b"%03d " % i for i in range(1000))
    went = [len(piece) for piece, went in link.spy.tried if went]
    assert went[-1] == 4000
    assert len(went) == 2  # what was tried before stays as it was


def test_records_that_were_joined_are_not_too_long(link: Link) -> None:
    written = link.stall()
    pieces = (b"a" * 6000, b"b" * 6000, b"c" * 6000, b"d" * MAX_PIECE, b"e", b"f")
    link.channel.write(pieces, sum(map(len, pieces)))
    link.spy.tried.clear()
    link.read(len(written) + sum(map(len, pieces)))
    went = [len(piece) for piece, went in link.spy.tried if went]
    assert went[1:] == [12_000, 6000, MAX_PIECE, 2]


def test_what_waits_is_counted(link: Link) -> None:
    written = link.stall()
    before = link.channel.out_bytes
    link.channel.write((b"x" * 10, b"y" * 5), 15)
    assert link.channel.out_bytes == before + 15
    assert link.read(len(written) + 15).endswith(b"x" * 10 + b"y" * 5)
    assert link.channel.out_bytes == 0


def test_flushing_tells_whether_anything_went(link: Link) -> None:
    written = link.stall()
    while link.channel.flush():
        pass  # the kernel may have moved something on
    assert link.channel.out is None or not link.channel.flush()
    link.read(len(written))


class Narrow:
    """Takes one piece in `every` tries; then it must be given the very same piece again."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.tries = 0
        self.refused: bytes | None = None
        self.taken: list[bytes] = []

    def write(self, piece: bytes) -> int:
        assert self.refused is None or piece is self.refused
        self.tries += 1
        if self.tries % self.every:
            self.refused = piece
            raise ssl.SSLWantWriteError
        self.refused = None
        self.taken.append(piece)
        return len(piece)


@given(
    st.lists(st.lists(st.integers(1, 40_000), min_size=1, max_size=6), max_size=8),
    st.lists(st.booleans(), max_size=40),
    st.integers(1, 3),
)
def test_whatever_is_written_and_flushed_comes_out_in_order(
    writes: list[list[int]], flushes: list[bool], every: int
) -> None:
    narrow = Narrow(every)
    channel = Channel(1, cast("ssl.SSLSocket", narrow), "192.0.2.1:5", 0.0)
    at, moves = 0, deque(flushes)
    for sizes in writes:
        pieces: list[bytes] = []
        for size in sizes:
            pieces += cut(PATTERN[at : at + size])
            at += size
        channel.write(tuple(pieces), sum(sizes))
        if moves and moves.popleft():
            channel.flush()
        assert channel.out_bytes == sum(map(len, channel.out or ()))
    while channel.out is not None:
        channel.flush()
    assert b"".join(narrow.taken) == PATTERN[:at]
    assert all(len(piece) <= MAX_PIECE for piece in narrow.taken)


@pytest.mark.parametrize("size", [0, 1, MAX_PIECE - 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE])
def test_cutting_keeps_all_and_makes_no_more_pieces_than_needed(size: int) -> None:
    pieces = cut(PATTERN[:size])
    assert b"".join(pieces) == PATTERN[:size]
    assert len(pieces) == max(1, -(-size // MAX_PIECE))
    assert max(map(len, pieces)) <= MAX_PIECE


# Reading...


def test_a_record_is_read_at_a_time(link: Link) -> None:
    link.peer.send(b"one")
    link.peer.send(b"two")
    assert [link.receive(), link.channel.receive()] == [b"one", b"two"]
    assert link.channel.receive() is None


def test_the_longest_record_is_read_whole(link: Link) -> None:
    link.peer.send(PATTERN[:MAX_PIECE])
    data = None
    while data is None:  # the poller wakes before the last byte of a record is there
        data = link.receive()
    assert data == PATTERN[:READ_SIZE]


def test_a_clean_end_is_told(link: Link) -> None:
    link.peer.send(b"\0\0")
    with suppress(ssl.SSLWantReadError):
        link.peer.unwrap()
    assert link.receive() == b"\0\0"
    assert link.receive() == b""


def test_an_end_without_close_notify_is_a_broken_link(link: Link) -> None:
    link.peer.send(b"\0\0")
    with socket.socket(fileno=link.peer.detach()) as raw:
        raw.shutdown(socket.SHUT_WR)
        assert link.receive() == b"\0\0"
        with pytest.raises(ssl.SSLEOFError) as caught:
            link.receive()
    assert describe_failure(caught.value) == "the peer hung up without close_notify"


def test_a_reset_is_a_broken_link(link: Link) -> None:
    with socket.socket(fileno=link.peer.detach()) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with pytest.raises(OSError):  # until 3.13 Python takes it for an end without close_notify
        link.receive()
    with pytest.raises(OSError):
        link.channel.write((b"x",), 1)


def test_garbage_instead_of_a_record_is_a_broken_link(link: Link) -> None:
    raw = socket.socket(fileno=link.peer.detach())
    with raw:
        raw.send(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ssl.SSLError):
            link.receive()


# Closing...


def test_the_last_word_and_close_notify_arrive_though_the_peer_still_sends(link: Link) -> None:
    """Closed at once, with input unread, the kernel would send RST and the answer be lost."""
    link.peer.send(b"x" * MAX_PIECE)
    link.channel.write((b"bye",), 3)
    assert link.channel.shut()
    link.peer.send(b"y" * MAX_PIECE)
    ready(link.near)
    assert not link.channel.discard()  # raw bytes: nobody decrypts them
    assert link.read(3) == b"bye"
    assert link.peer.recv(1) == b""  # close_notify, not just an end
    link.peer.unwrap()
    link.peer.close()
    while not link.channel.discard():
        ready(link.near)


def test_lingering_waits_for_what_is_not_there_yet(link: Link) -> None:
    assert link.channel.shut()
    assert not link.channel.discard()
    with suppress(OSError):
        link.peer.unwrap()
    link.peer.close()
    ready(link.near)
    while not link.channel.discard():
        ready(link.near)


def fill(sock: socket.socket) -> int:
    """Fill it below TLS until it stays full: the kernel may still move bytes over and take more."""
    filled = 0
    quiet = False
    while not quiet:
        quiet = True
        for size in (65_536, 1):
            with suppress(BlockingIOError):
                while True:
                    filled += socket.socket.send(sock, b"\0" * size)
                    quiet = False
        time.sleep(0.05)
    return filled


def test_without_room_for_close_notify_it_is_said_later(link: Link) -> None:
    link.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # or it grows by itself
    filled = fill(link.near)
    assert not link.channel.shut()
    assert not link.channel.shut()
    peer = socket.socket(fileno=link.peer.detach())
    with peer:
        peer.setblocking(False)
        arrived = 0
        while arrived < filled:
            ready(peer)
            arrived += len(peer.recv(1 << 20))
        assert link.channel.shut()
        peer.setblocking(True)
        peer.settimeout(10)
        rest = b""
        while data := peer.recv(1024):
            rest += data
    assert len(rest) == 24  # one record with an alert in it, then the end


@pytest.mark.parametrize(
    "unwrap",
    [ssl.SSLWantReadError(), ConnectionResetError(errno.ECONNRESET, "reset"), ValueError()],
)
def test_a_peer_that_was_quicker_is_no_trouble(link: Link, unwrap: Exception) -> None:
    def fail() -> None:
        raise unwrap

    cast("Any", link.spy).unwrap = fail
    link.near.shutdown(socket.SHUT_RDWR)
    assert link.channel.shut()


def test_closing_gives_everything_back(link: Link) -> None:
    link.stall()
    link.channel.fences = [b"x"]
    link.channel.close()
    assert link.channel.phase is Phase.DEAD
    kept = link.channel.out or link.channel.behind or link.channel.fences
    assert kept is None
    assert link.near.fileno() == -1
    link.channel.close()
    assert repr(link.channel) == "<Channel 1 127.0.0.1 dead>"
