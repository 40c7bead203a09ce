"""Reading: from what a socket has to what the hub is told, as far as there are tokens for it.

In: channels that can be read from. Out: events, at the end of `told`. Raised: `OSError`, which ends
the connection. What cannot be looked at yet waits in the channel's connection, and nothing more is
read meanwhile, so that TCP slows the peer down.
"""

from __future__ import annotations

import logging
from typing import Final

from ..protocol.codec import Refusal
from ..protocol.connection import Connection, State
from .channel import READ_SIZE, Bucket, Channel, Phase
from .endings import Endings
from .gate import Fact
from .loop_config import Report, Told
from .watch import Clock, Watch
from .wordless import Tally

log = logging.getLogger(__name__)

#: Frames looked at in one go; what is left has its turn before anything new is read.
_FRAMES_PER_LOOK: Final = 64
#: Records read from one connection before the others have their turn.
_READS_PER_TURN: Final = 8
_OPEN: Final = State.OPEN


class Intake:
    """The reading side of one io thread's connections; `told` is its loop's, and only added to."""

    def __init__(
        self, told: list[Told], watch: Watch, endings: Endings, clock: Clock, report: Report
    ) -> None:
        self._told = told
        self._watch = watch
        self._endings = endings
        self._clock = clock
        self._report = report
        self._tally = Tally(report)

    def read(self, channel: Channel) -> None:
        """Read a record; one frame and nothing else, as people send it, goes the short way."""
        data = channel.receive()
        if data is None:
            self._tally.note(channel, self._clock.now)
            return
        if not data:
            self._endings.part(channel)
            return
        channel.heard = now = self._clock.now
        channel.pinged = False
        bucket = channel.bucket
        if bucket is None or bucket.available(now):
            event = channel.connection.receive_one(data)
            if event is not None:
                self._told.append((channel.number, event))  # type: ignore[arg-type]
                if bucket is not None:
                    bucket.charge(event.cost)  # type: ignore[union-attr]
                if channel.out is not None or channel.connection.state is not _OPEN:
                    self._heed(channel, event)
                return
        self._read_on(channel, data)

    def _read_on(self, channel: Channel, data: bytes) -> None:
        """Read what else is there; `data` may be the middle of a frame or many of them."""
        channel.connection.receive_data(data)
        total, reads, ended = len(data), 1, False
        # A record that is not full is most likely the last one; if not, the poller says so again.
        while len(data) == READ_SIZE and reads < _READS_PER_TURN:
            more = channel.receive()
            if not more:
                ended = more is not None
                break
            data = more
            channel.connection.receive_data(data)
            total += len(data)
            reads += 1
        if channel.frame_since is not None:
            channel.frame_bytes += total
        self._understand(channel)
        if ended:
            self._endings.part(channel)

    def forget(self, channel: Channel) -> None:
        """It has ended."""
        self._tally.forget(channel)

    def resume(self, channel: Channel) -> None:
        """`hello` is answered, or there are tokens again: look at what has come meanwhile."""
        self._understand(channel)
        if channel.phase is Phase.TALKING:
            self._watch.select(channel)

    def _understand(self, channel: Channel) -> None:
        """Turn what was read into events, as far as there are tokens for it."""
        connection, bucket, number = channel.connection, channel.bucket, channel.number
        told = self._told
        while connection.pending:
            limit = _FRAMES_PER_LOOK
            if bucket is not None:
                limit = min(limit, bucket.available(self._clock.now))
                if not limit:
                    self._starve(channel, bucket)
                    return
            events = connection.next_events(limit)
            if not events:
                break
            channel.frame_since = None
            told.extend([(number, event) for event in events])  # type: ignore[misc]
            if connection.closed:
                self._heed(channel, events[-1])
            if bucket is not None:
                bucket.charge(sum([event.cost for event in events]))  # type: ignore[misc, union-attr]
        if connection.pending:
            self._watch_frame(channel, connection)
        if channel.phase is Phase.TALKING and not self._watch.may_read(channel):
            self._watch.select(channel)

    def _heed(self, channel: Channel, event: object) -> None:
        """Read no more for now, if `event` was the last, or too much waits to be written."""
        if type(event) is Refusal and channel.connection.closed:
            log.info("connection %d from %s: refused: %s", channel.number, channel.peer, event.code)
            self._report(channel.number, Fact.OFFENDED, self._clock.now)
            self._endings.await_finish(channel)
        if channel.phase is Phase.TALKING and not self._watch.may_read(channel):
            self._watch.select(channel)

    def _starve(self, channel: Channel, bucket: Bucket) -> None:
        """No tokens: what was read waits, and nothing more is read until there are some."""
        if channel.connection.has_events:
            channel.starved = True
            channel.frame_since = None
            self._watch.select(channel)
            self._watch.schedule_at(channel, self._clock.now + bucket.wait())
        elif channel.connection.pending:
            self._watch_frame(channel, channel.connection)

    def _watch_frame(self, channel: Channel, connection: Connection) -> None:
        if channel.frame_since is None and connection.frame_begun:
            channel.frame_since = self._clock.now
            channel.frame_bytes = connection.pending
            self._watch.schedule(channel)
