"""Whether the other side is still there: silence, a question, more silence, dead.

Pure: the time is handed in, seconds of one clock that also counts a laptop's sleep, so that a link
that died in its sleep is found dead at once.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

ASK_AFTER: Final = 30.0
"""Seconds of silence after which we ask."""

DEAD_AFTER: Final = 90.0
"""Seconds of silence after which nobody is there."""


class Pulse(Enum):
    """What to make of the silence."""

    FINE = "fine"
    ASK = "ask"  # send `ping`; said once for each silence
    DEAD = "dead"


class Heartbeat:
    """The silence of one link, which begins to count at `now`."""

    __slots__ = ("_asked", "_heard")

    def __init__(self, now: float) -> None:
        self._heard = now
        self._asked = False

    @property
    def deadline(self) -> float:
        """When `check` will say something other than FINE."""
        return self._heard + (DEAD_AFTER if self._asked else ASK_AFTER)

    def hear(self, now: float) -> None:
        """There was a sign of life."""
        self._heard = now
        self._asked = False

    def check(self, now: float) -> Pulse:
        """What to do now."""
        silence = now - self._heard
        if silence >= DEAD_AFTER:
            return Pulse.DEAD
        if silence >= ASK_AFTER and not self._asked:
            self._asked = True
            return Pulse.ASK
        return Pulse.FINE
