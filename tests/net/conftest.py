"""What the tests of io threads share: sockets that take as much as a test wants them to."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import pytest

from securechat.net.channel import MAX_PIECE, Channel, Phase
from securechat.net.fanout import LOW_WATER, Fanout
from securechat.net.ops import Chunk, Notice, PageRead, PageWanted, Subscribe, Unsubscribe
from securechat.net.tls import server_context

from .desk import LONG, Contexts, Desk
from .parts import Parts

if TYPE_CHECKING:
    from tests.conftest import Certificates

PLENTY = 1 << 40
ROOM = "#lobby"


class Socket:
    """Takes whole pieces while it has room; then it must be given the very same piece again."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.broken = False
        self.taken: list[bytes] = []
        self._refused: bytes | None = None

    def write(self, piece: bytes) -> int:
        if self.broken:
            raise ConnectionResetError(104, "Connection reset by peer")
        assert 0 < len(piece) <= MAX_PIECE, "not one TLS record"
        assert self._refused is None or piece is self._refused, "another piece"
        if len(piece) > self.room:
            self._refused = piece
            raise ssl.SSLWantWriteError
        self._refused = None
        self.room -= len(piece)
        self.taken.append(piece)
        return len(piece)


class World:
    """A fan-out, and what it asked of the thread around it."""

    def __init__(self) -> None:
        self.wishes: list[PageWanted] = []
        self.levelled: list[tuple[int, str]] = []
        self.stuck: list[int] = []
        self.broken: list[int] = []
        self.sockets: dict[int, Socket] = {}
        self.fanout = Fanout(
            ask_page=self.wishes.append,
            levelled=self.on_level,
            stuck=lambda channel: self.stuck.append(channel.number),
            broken=self.on_break,
        )

    def on_level(self, channel: Channel, conversation: str) -> None:
        self.levelled.append((channel.number, conversation))

    def on_break(self, channel: Channel, error: OSError) -> None:
        """As an io thread does it."""
        assert isinstance(error, ConnectionResetError)
        self.broken.append(channel.number)
        self.fanout.drop(channel)
        channel.phase = Phase.DEAD
        channel.out = channel.behind = channel.fences = None

    # -- who is there

    def connect(self, room: int = PLENTY) -> Channel:
        number = len(self.sockets) + 1
        self.sockets[number] = socket = Socket(room)
        channel = Channel(number, cast("ssl.SSLSocket", socket), f"192.0.2.{number}:5", 0.0)
        channel.phase = Phase.TALKING
        return channel

    def join(
        self,
        conversation: str = ROOM,
        after: int = 0,
        head: int = 0,
        channel: Channel | None = None,
        room: int = PLENTY,
    ) -> Channel:
        channel = channel or self.connect(room)
        op = Subscribe(channel.number, conversation, conversation, after, head)
        self.fanout.subscribe(channel, op)
        return channel

    def leave(self, channel: Channel, conversation: str = ROOM) -> None:
        self.fanout.unsubscribe(channel, Unsubscribe(channel.number, conversation))

    def drain(self, channel: Channel, room: int = PLENTY) -> None:
        """The peer reads: as an io thread does it."""
        self.sockets[channel.number].room += room
        try:
            channel.flush()
        except OSError as error:
            self.on_break(channel, error)
        if channel.out_bytes < LOW_WATER and channel.behind is not None:
            self.fanout.drained(channel)

    # -- what is said, and heard

    def say(self, *texts: bytes, first: int, conversation: str = ROOM) -> None:
        size = sum(map(len, texts))
        last = first + len(texts) - 1
        self.fanout.send_chunk(Chunk(conversation, texts, size, first, last))

    def notice(self, data: bytes, skip: int = 0, conversation: str = ROOM) -> None:
        self.fanout.send_notice(Notice(conversation, data, skip))

    def read(self, *texts: bytes, last: int, wish: int = -1) -> PageRead:
        """A page that answers a wish."""
        asked = self.wishes[wish]
        return PageRead(asked.number, asked.conversation, asked.generation, texts, last)

    def heard(self, channel: Channel) -> bytes:
        return b"".join(self.sockets[channel.number].taken)

    def fence(self, channel: Channel, data: bytes) -> None:
        """Say `data` when nothing is behind: as an io thread does it."""
        if channel.behind is None:
            self.fanout.write(channel, data)
        else:
            channel.fences = [*(channel.fences or ()), data]


@pytest.fixture
def world() -> World:
    """A world for one test."""
    return World()


@pytest.fixture(scope="session")
def new_world() -> Callable[[], World]:
    """A world for each run of a test that runs more than once."""
    return World


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """The parts of an io thread for one test; of its sockets no kernel tells what was read."""
    monkeypatch.setattr("securechat.net.wordless.bytes_read", lambda sock: sock.taken)
    return Parts()


@pytest.fixture
def contexts(certificates: Certificates) -> Contexts:
    client = ssl.create_default_context(cafile=str(certificates.ca))
    folder = certificates.directory
    return server_context(folder / "cert.pem", folder / "key.pem"), client


@pytest.fixture
def desk(contexts: Contexts) -> Iterator[Desk]:
    desk = Desk(contexts, patience=LONG)
    yield desk
    desk.close()
