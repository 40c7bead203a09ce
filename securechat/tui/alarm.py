"""The bell, and the desktop notice of who looks elsewhere.

`write` hands a sequence to the terminal, whole and in its turn between two pictures. Whoever has
the terminal in front of them hears a bell only. Not every terminal tells when it is left (DEC mode
1004; tmux only with focus-events), so where it never told, nobody is there who has not touched a
key for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from ..client.entries import Entry
from .notices import notice

#: Without a key for so long, and without word from the terminal, nobody is there.
IDLE: Final = timedelta(seconds=60)

_BELL: Final = "\a"


class Alarm:
    """Told of keys and of the terminal's focus; rings for an entry. All times in UTC."""

    def __init__(
        self, write: Callable[[str], None], environ: Mapping[str, str], now: datetime
    ) -> None:
        self._write = write
        self._environ = environ
        self._key_at = now
        self._focused: bool | None = None

    def key(self, now: datetime) -> None:
        """Somebody is there."""
        self._key_at = now
        self._focused = None if self._focused is None else True

    def focus(self, focused: bool) -> None:
        """The terminal says whether it has the keyboard."""
        self._focused = focused

    def ring(self, entry: Entry, now: datetime) -> None:
        """Ring for what somebody said; with a notice, if nobody is there."""
        is_away = now - self._key_at >= IDLE if self._focused is None else not self._focused
        where = entry.conversation or ""
        title = entry.nick if where.startswith("@") else f"{entry.nick} in {where}"
        self._write(_BELL + (notice(self._environ, title, entry.text) if is_away else ""))
