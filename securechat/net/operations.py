"""What is done for one connection when the hub, the acceptor or a reader says so.

In: operations (`ops`), in the order in which they were posted. Out: bytes to the channels, and
their state. One that is for a connection that has ended is ignored. Raised: `OSError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..protocol.connection import Signal, State
from .channel import Channel, Phase
from .endings import Endings
from .fanout import HIGH_WATER, Fanout
from .gate import Fact
from .intake import Intake
from .loop_config import Report
from .ops import (
    Chunk,
    Deliver,
    Evict,
    Finish,
    Notice,
    NoticeTo,
    PageRead,
    Scrub,
    Subscribe,
    Unsubscribe,
)
from .watch import Clock, Watch

_EVICTED: Final = "Too many others are just coming in. Come back in a moment."


class Operations:
    """Carries operations out on `channels`, by number, which are its loop's."""

    def __init__(
        self,
        channels: Mapping[int, Channel],
        fanout: Fanout,
        intake: Intake,
        endings: Endings,
        watch: Watch,
        clock: Clock,
        report: Report,
    ) -> None:
        self._channels = channels
        self._fanout = fanout
        self._intake = intake
        self._endings = endings
        self._watch = watch
        self._clock = clock
        self._report = report

    def table(self) -> dict[type[Any], Callable[[Any], None]]:
        """What carries each operation out, by its type."""
        return {
            Chunk: self._fanout.send_chunk,
            Notice: self._fanout.send_notice,
            Scrub: self._fanout.scrub,
            NoticeTo: self._notice_to,
            Deliver: self._deliver,
            Subscribe: self._subscribe,
            Unsubscribe: self._unsubscribe,
            PageRead: self._take_page,
            Evict: self._evict,
            Finish: self._finish,
        }

    def _talking(self, number: int) -> Channel | None:
        channel = self._channels.get(number)
        return channel if channel is not None and channel.phase is Phase.TALKING else None

    def _notice_to(self, op: NoticeTo) -> None:
        for number in op.numbers:
            channel = self._channels.get(number)
            if channel is not None:
                self._fanout.send_to(channel, op)

    def _deliver(self, op: Deliver) -> None:
        channel = self._channels.get(op.number)
        if channel is None or channel.phase is not Phase.TALKING:
            return
        if op.fence and channel.behind is not None:
            channel.fences = [*(channel.fences or ()), op.data]
            return
        if op.cost and channel.bucket is not None:
            channel.bucket.charge(op.cost)
        self._fanout.write(channel, op.data)
        if op.signal is not None and channel.connection.state is State.ANSWERING:
            self._note_greeting(channel, op.signal)
        elif channel.out_bytes > HIGH_WATER:
            self._watch.select(channel)

    def _note_greeting(self, channel: Channel, signal: Signal) -> None:
        """`hello` was answered; what came behind it can be looked at."""
        channel.connection.note_sent(signal)
        if signal is Signal.WELCOME:
            self._report(channel.number, Fact.GREETED, self._clock.now)
        # A hello that was refused may be said again, in its own 10 s.
        channel.since = self._clock.now
        self._watch.schedule(channel)
        if channel.connection.pending:
            self._endings.guard(channel, self._intake.resume)

    def _subscribe(self, op: Subscribe) -> None:
        channel = self._talking(op.number)
        if channel is not None:
            self._fanout.subscribe(channel, op)

    def _unsubscribe(self, op: Unsubscribe) -> None:
        channel = self._channels.get(op.number)
        if channel is not None:
            self._fanout.unsubscribe(channel, op)

    def _take_page(self, op: PageRead) -> None:
        channel = self._talking(op.number)
        if channel is not None:
            self._fanout.take_page(channel, op)

    def _evict(self, op: Evict) -> None:
        channel = self._channels.get(op.number)
        if channel is not None and channel.connection.state is State.GREETING:
            self._endings.fail(channel, "server_full", _EVICTED)

    def _finish(self, op: Finish) -> None:
        channel = self._talking(op.number)
        if channel is None:
            return
        self._fanout.drop(channel)
        if op.data:
            self._fanout.write(channel, op.data)
        if channel.phase is Phase.TALKING:
            self._endings.finish(channel)
