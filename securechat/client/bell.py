"""What rings: a ladder from nothing to every message, and a pause between two bells.

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
    """Each rings for what the ones before it ring for, and for more."""

    OFF = "off"
    MENTIONS = "mentions"  # our nick is said in a room
    PRIVATE = "private"  # and what is said to us alone
    ALL = "all"  # and all that anybody else says


class Bell:
    """One person's bell."""

    def __init__(self, level: BellLevel = BellLevel.PRIVATE) -> None:
        self.level = level
        self._rang_at: datetime | None = None

    def rung_by(self, entries: Iterable[Entry], now: datetime) -> Entry | None:
        """Which of `entries` rings, calls for us before all else; None: none, or it just rang."""
        heard = [entry for entry in entries if self._rings(entry)]
        if not heard or (self._rang_at is not None and now - self._rang_at < PAUSE):
            return None
        self._rang_at = now
        return next((entry for entry in heard if entry.mention), heard[0])

    def _rings(self, entry: Entry) -> bool:
        if entry.kind not in _SPOKEN or entry.own or entry.missed or entry.recalled:
            return False
        if self.level is BellLevel.MENTIONS:
            return entry.mention and not (entry.conversation or "").startswith("@")
        return self.level is BellLevel.ALL or (self.level is BellLevel.PRIVATE and entry.mention)
