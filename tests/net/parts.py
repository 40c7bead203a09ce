"""The parts of one io thread, joined as it joins them, on sockets and a clock of the test's own."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from securechat.net.channel import Bucket, Channel, Phase
from securechat.net.deadlines import Deadlines
from securechat.net.endings import Endings
from securechat.net.fanout import Fanout
from securechat.net.gate import Fact
from securechat.net.handshakes import Handshakes
from securechat.net.heap import Rush
from securechat.net.intake import Intake
from securechat.net.loop_config import LoopConfig, Told
from securechat.net.operations import Operations
from securechat.net.ops import Op
from securechat.net.watch import Clock, Watch
from securechat.protocol.connection import State
from securechat.protocol.framing import encode_frame

BEGIN = 1024.0
PLENTY = 1 << 40
HELLO = encode_frame(b'{"type":"command","id":"h","name":"hello","protocol":1,"nick":"bob"}')
JUNK = encode_frame(b"junk")


def draft(number: int, text: str = "hi") -> bytes:
    """The frame of a draft with that number for an id."""
    return encode_frame(f'{{"type":"chat","id":"{number}","to":"#a","text":"{text}"}}'.encode())


class Sock:
    """A socket with TLS: hands out what came, record by record, and has as much room as it has."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        #: What comes, in order; an error is raised, `b""` is a clean end.
        self.coming: deque[bytes | Exception] = deque()
        self.shaking: deque[Exception] = deque()
        #: Bytes read from it, which need not have been words.
        self.taken = 0
        self.room = PLENTY
        self.written: list[bytes] = []
        self.said_end = self.closed = False
        self.context = SimpleNamespace(verify_mode=ssl.CERT_NONE)

    def fileno(self) -> int:
        assert not self.closed
        return self.fd

    def getpeername(self) -> tuple[str, int]:
        return "192.0.2.1", 4_000 + self.fd

    def do_handshake(self) -> None:
        if self.shaking:
            raise self.shaking.popleft()

    def read(self, size: int) -> bytes:
        if not self.coming:
            raise ssl.SSLWantReadError
        found = self.coming.popleft()
        if isinstance(found, Exception):
            raise found
        assert len(found) <= size
        return found

    def write(self, piece: bytes) -> int:
        if len(piece) > self.room:
            raise ssl.SSLWantWriteError
        self.room -= len(piece)
        self.written.append(piece)
        return len(piece)

    def unwrap(self) -> None:
        if not self.room:
            raise ssl.SSLWantWriteError
        self.said_end = True
        raise ssl.SSLWantReadError  # the peer's own close_notify is not there yet

    def shutdown(self, _how: int) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Kernel:
    """A poller that knows what is waited for; as epoll does, it takes nothing twice."""

    def __init__(self) -> None:
        self.masks: dict[int, int] = {}

    def register(self, fd: int, mask: int, /) -> None:
        assert fd not in self.masks
        self.masks[fd] = mask

    def modify(self, fd: int, mask: int, /) -> None:
        assert self.masks[fd] != mask, "asked in vain"
        self.masks[fd] = mask

    def unregister(self, fd: int, /) -> None:
        del self.masks[fd]

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        raise AssertionError(f"the parts wait for nothing, and not for {timeout} s")

    def close(self) -> None:
        pass


class Parts:
    """Of one io thread; what they tell the hub (`told`), the gate (`facts`) and the loop."""

    def __init__(self) -> None:
        self.clock = Clock(BEGIN)
        self.kernel = Kernel()
        self.deadlines = Deadlines()
        self.told: list[Told] = []
        self.facts: list[tuple[int, Fact]] = []
        self.forgotten: list[int] = []
        self.channels: dict[int, Channel] = {}
        self.rush = Rush()
        self.watch = Watch(self.kernel, self.deadlines, 90.0, self.clock)
        self.endings = Endings(
            self.watch,
            self.clock,
            self.rush,
            tell=self.told.append,
            report=self._report,
            forget=self._forget,
        )
        self.intake = Intake(self.told, self.watch, self.endings, self.clock, self._report)
        self.fanout = Fanout(
            ask_page=lambda _: None,
            levelled=lambda *_: pytest.fail("nobody was behind"),
            stuck=self.watch.stuck,
            broken=self.endings.break_off,
        )
        operations = Operations(
            self.channels,
            self.fanout,
            self.intake,
            self.endings,
            self.watch,
            self.clock,
            self._report,
        )
        self._table = operations.table()

    def _report(self, number: int, fact: Fact, now: float) -> None:
        assert now == self.clock.now
        self.facts.append((number, fact))

    def _forget(self, channel: Channel) -> None:
        self.fanout.drop(channel)
        self.forgotten.append(channel.number)
        del self.channels[channel.number]

    # -- as the loop does it

    def connect(
        self,
        state: State = State.OPEN,
        phase: Phase = Phase.TALKING,
        bucket: Bucket | None = None,
    ) -> Channel:
        """A channel that is looked at for reading."""
        number = len(self.channels) + 1
        sock = Sock(100 + number)
        channel = Channel(number, cast("ssl.SSLSocket", sock), "192.0.2.1:4", self.clock.now)
        channel.phase, channel.connection.state, channel.bucket = phase, state, bucket
        self.channels[number] = channel
        if phase is Phase.HANDSHAKE:
            self.rush.begin()
        self.watch.select(channel)
        return channel

    def handshakes(self, config: LoopConfig) -> Handshakes:
        """The part that begins connections."""
        return Handshakes(config, self.watch, self.clock, self.rush, self.told.append)

    def read(self, channel: Channel, *records: bytes | Exception) -> None:
        """Some records have come, and nothing behind them yet."""
        sock_of(channel).coming.extend(records)
        self.endings.guard(channel, self.intake.read)

    def carry_out(self, *ops: Op) -> None:
        for op in ops:
            self._table[type(op)](op)

    # -- what came of it

    @property
    def carried_out(self) -> set[type[Op]]:
        """What operations there are."""
        return set(self._table)

    def take_told(self) -> list[object]:
        """What the hub was told since it was asked last: ids of envelopes, other events whole."""
        told = [getattr(event, "id", event) for _, event in self.told]
        self.told.clear()
        return told

    def waits_for(self, channel: Channel) -> int:
        """The mask that the kernel was told."""
        return self.kernel.masks.get(sock_of(channel).fd, 0)

    def due_in(self, channel: Channel) -> float:
        """Seconds until the channel is looked at."""
        assert channel.due, "nobody will ever look at it"
        return channel.due - self.clock.now


def sock_of(channel: Channel) -> Sock:
    """What the test gave it for a socket."""
    return cast("Sock", channel.sock)


def said(channel: Channel) -> Sequence[bytes]:
    """What went out."""
    return sock_of(channel).written
