"""Who is away, as far as we have heard.

Pure; a part of `timeline`. In come `away` events, lists of members and changes of nick, out come
entries. Who goes and comes back in a room is a mark in its list and no line; whom we talk with
directly is told of, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from ..protocol.envelopes import AwayIs, Member
from .entries import Entry, Kind

#: People of whom it is kept.
MOST: Final = 1_000


class Absences:
    """`mine` is our own word why we are away, None: we are here; `others` are those of others."""

    def __init__(self) -> None:
        self.mine: str | None = None
        self.others: dict[str, str] = {}
        self._told: dict[str, str] = {}  # what was shown, by the nick

    def take(
        self, event: AwayIs, now: datetime, me: str, conversations: Iterable[str]
    ) -> Iterator[Entry]:
        """Somebody is away, or back; `me` is our nick."""
        nick, text = event.nick, event.text
        self._note(nick, text)
        if nick == me:
            if event.re is not None or text != self.mine:
                told = "you are back" if text is None else f"you are away: {text}"
                yield Entry(Kind.ANSWER, now, told)
            self.mine = text
            return
        name = f"@{nick}"
        if name in conversations and text != self._told.get(nick):
            told = f"{nick} is back" if text is None else f"{nick} is away: {text}"
            yield Entry(Kind.NOTICE, now, told, name, nick)
            if text is None:
                del self._told[nick]
            else:
                self._told[nick] = text

    def see(self, members: Iterable[Member]) -> None:
        """A list tells who is away."""
        for member in members:
            self._note(member.nick, member.away)

    def rename(self, old: str, nick: str) -> None:
        """Somebody goes by another nick."""
        for table in (self.others, self._told):
            if old in table:
                table[nick] = table.pop(old)

    def _note(self, nick: str, text: str | None) -> None:
        self.others.pop(nick, None)
        if text is None:
            return
        if len(self.others) >= MOST:
            gone = next(iter(self.others))
            del self.others[gone]
            self._told.pop(gone, None)
        self.others[nick] = text
