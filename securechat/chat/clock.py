"""Time as the chat sees it: handed in with every batch, never asked for.

`Now` is the moment of a batch. `Timers` are acts that wait for a later one; an act that fails is
logged and the others go on. Nothing is raised.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import Final, NamedTuple

log = logging.getLogger(__name__)

DAY: Final = 86_400.0
"""Seconds."""


class Now(NamedTuple):
    """The time of a batch: monotonic seconds, Unix seconds, and the latter as a `ts`."""

    mono: float
    wall: float
    ts: str


def to_ts(wall: float) -> str:
    """Unix seconds as a `ts`."""
    return show_ts(datetime.fromtimestamp(wall, UTC))


def show_ts(when: datetime) -> str:
    """A time in UTC as a `ts`; those compare as the times do."""
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


class Timers:
    """Acts in the order in which they are due; `now` (monotonic seconds) is set by the owner."""

    __slots__ = ("_heap", "_number", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    @property
    def next_due(self) -> float:
        """When `run_due` has something to do, monotonic seconds; infinity: never."""
        return self._heap[0][0] if self._heap else math.inf

    def after(self, delay: float, act: Callable[[], None]) -> None:
        """Have `act` called `delay` seconds from now."""
        self._number += 1
        heappush(self._heap, (self.now + delay, self._number, act))

    def run_due(self) -> None:
        """Do what is due, the earliest first."""
        while self._heap and self._heap[0][0] <= self.now:
            try:
                heappop(self._heap)[2]()
            except Exception:
                log.exception("something that was due failed")
