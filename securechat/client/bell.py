"""What rings, from nothing to every message, and the pause between two bells.

Pure; time is handed in. Nothing of our own rings, and nothing that was said while we were away.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from .entries import Entry, Kind

#: Between two bells.
PAUSE: Final = timedelta(seconds=2)

_SPOKEN: Final = frozenset({Kind.MESSAGE, Kind.ACTION})


class BellLevel(Enum):
    """What rings."""

    OFF = "off"
    MENTIONS = "mentions"  # what is for us: our nick is said, or it is said to us alone
    PRIVATE = "private"  # only what is said to us alone
    ALL = "all"  # all that anybody else says


class Bell:
    """One person's bell."""

    def __init__(self, level: BellLevel = BellLevel.MENTIONS) -> None:
        self.level = level
        self._rang_at: datetime | None = None

    def rung_by(
        self, entries: Iterable[Entry], now: datetime, *, seen: str | None = None
    ) -> Entry | None:
        """Which of `entries` rings, calls for us before all else; None: none, or it just rang.

        `seen`: the conversation that one is looking at, where nothing needs to ring.
        """
        heard = [
            entry
            for entry in entries
            if self._rings(entry) and (seen is None or entry.conversation != seen)
        ]
        if not heard or (self._rang_at is not None and now - self._rang_at < PAUSE):
            return None
        self._rang_at = now
        return next((entry for entry in heard if entry.mention), heard[0])

    def _rings(self, entry: Entry) -> bool:
        if entry.kind not in _SPOKEN or entry.own or entry.missed or entry.recalled:
            return False
        if self.level is BellLevel.PRIVATE:
            return entry.mention and (entry.conversation or "").startswith("@")
        return self.level is BellLevel.ALL or (self.level is BellLevel.MENTIONS and entry.mention)
