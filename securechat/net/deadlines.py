"""What time does to a connection: one pure judgement, and a heap that tells when to ask again.

In: a channel and the time (monotonic seconds). Out: a `Verdict` and when to look again. The figures
are those of docs/protocol.md, "Liveness".
"""

from __future__ import annotations

from enum import Enum
from heapq import heappop, heappush
from math import ceil
from typing import Final

from ..protocol.connection import State
from .channel import Channel, Phase

HANDSHAKE_TIME: Final = 10.0
HELLO_TIME: Final = 10.0
FRAME_TIME: Final = 10.0
FRAME_RATE: Final = 1024  #: bytes a second that keep a frame begun alive beyond that
PING_AFTER: Final = 30.0  #: or a third of the idle timeout, if that is less
STUCK_TIME: Final = 60.0
ANSWER_TIME: Final = 10.0  #: in which the hub has to end a connection that failed
FINISH_TIME: Final = 2.0
LINGER_TIME: Final = 1.0
#: Deadlines are kept no finer, seconds; a power of two, so that sums of it are exact.
GRAIN: Final = 1 / 64


class Verdict(Enum):
    """What is to be done; the value is the message of the error, where one is sent."""

    WAIT = ""
    RESUME = "tokens are there again"
    PING = "ping"
    DROP = "close without a word"
    NO_HELLO = "No hello came within 10 s. Connect again and say hello at once."
    NO_FRAME = "A frame was begun and not finished within 10 s. Send frames whole."
    SILENT = "Nothing was heard from you for too long. Answer pings; connect again."
    STUCK = (
        "Nothing was read for 60 s while messages were waiting. "
        "Connect again and join with `after` to get what you missed."
    )


#: The code of the error that a verdict sends.
ERROR_CODES: Final = {
    Verdict.NO_HELLO: "timeout",
    Verdict.NO_FRAME: "timeout",
    Verdict.SILENT: "timeout",
    Verdict.STUCK: "slow_consumer",
}


def judge(channel: Channel, now: float, idle_timeout: float) -> tuple[Verdict, float]:
    """What `now` means for `channel`, and when to judge it again (monotonic seconds)."""
    ending = _time_to_end(channel)
    if ending is not None:
        due = channel.since + ending
        return (Verdict.DROP if now >= due else Verdict.WAIT), due
    verdict, due = _judge_silence(channel, now, idle_timeout)
    if verdict is not Verdict.WAIT and verdict is not Verdict.PING:
        return verdict, due
    if channel.out is not None:
        stuck = channel.drained + STUCK_TIME
        if now >= stuck:
            return Verdict.STUCK, stuck
        due = min(due, stuck)
    if channel.frame_since is not None and not channel.starved:
        finish = max(
            channel.frame_since + FRAME_TIME,
            channel.frame_since + channel.frame_bytes / FRAME_RATE,
        )
        if now >= finish:
            return Verdict.NO_FRAME, finish
        due = min(due, finish)
    return verdict, due


def _time_to_end(channel: Channel) -> float | None:
    """How long a phase may last that ends by itself; None: they are talking."""
    if channel.phase is not Phase.TALKING:
        return _PHASE_TIMES.get(channel.phase, 0.0)
    return ANSWER_TIME if channel.connection.closed else None


def _judge_silence(channel: Channel, now: float, idle_timeout: float) -> tuple[Verdict, float]:
    if channel.starved and channel.bucket is not None:
        # While we do not read, its clock stands still.
        if channel.bucket.available(now):
            return Verdict.RESUME, now
        return Verdict.WAIT, now + channel.bucket.wait()
    if channel.connection.state is State.GREETING:
        due = channel.since + HELLO_TIME
        return (Verdict.NO_HELLO if now >= due else Verdict.WAIT), due
    quiet_since = max(channel.heard, channel.drained)
    end = quiet_since + idle_timeout
    if now >= end:
        return Verdict.SILENT, end
    due = quiet_since + min(PING_AFTER, idle_timeout / 3)
    if channel.pinged or now >= due:
        return (Verdict.WAIT if channel.pinged else Verdict.PING), end
    return Verdict.WAIT, due


_PHASE_TIMES: Final = {
    Phase.HANDSHAKE: HANDSHAKE_TIME,
    Phase.FINISHING: FINISH_TIME,
    Phase.LINGERING: LINGER_TIME,
}


class Deadlines:
    """Which channel is to be judged when; one valid entry for each, later ones replace it.

    Times are rounded up to `GRAIN`, so that those who came together are looked at together, and an
    entry is a number in a list.
    """

    __slots__ = ("_heap", "_numbers")

    def __init__(self) -> None:
        self._heap: list[float] = []
        #: Whom to look at, by the time; with the object that is that time, for all to share.
        self._numbers: dict[float, tuple[float, list[int]]] = {}

    def schedule(self, channel: Channel, when: float) -> None:
        """Look at `channel` at `when`, or a `GRAIN` later, unless it is looked at before anyway."""
        when = ceil(when / GRAIN) * GRAIN
        if channel.due and when >= channel.due:
            return
        entry = self._numbers.get(when)
        if entry is None:
            entry = self._numbers[when] = (when, [])
            heappush(self._heap, when)
        channel.due = entry[0]
        entry[1].append(channel.number)

    def next(self) -> float | None:
        """When the next look is due."""
        return self._heap[0] if self._heap else None

    def take_due(self, now: float) -> list[tuple[float, int]]:
        """(when, number) of the channels to look at now; skip those whose `due` is not `when`."""
        due: list[tuple[float, int]] = []
        while self._heap and self._heap[0] <= now:
            when, numbers = self._numbers.pop(heappop(self._heap))
            due += [(when, number) for number in numbers]
        return due
