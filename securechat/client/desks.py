"""What a screen keeps for each conversation: its log, its place in it, what is typed.

Pure. `Desks` takes the client's events and the entries that came of them (from `Controller.take`),
and puts each into the log where it belongs: what belongs to no conversation goes where one looks.
There one is told, too, of a message that was refused elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ..protocol.envelopes import Renamed
from .entries import Entry, Kind
from .events import ClientEvent, Heard, Offline
from .log import Log, Position
from .slash import has_secret
from .typed import Typed

#: What is shown as a draft at the end of its conversation, where it can be acted upon.
_AS_DRAFTS = frozenset({Kind.UNSENT, Kind.REFUSED})


class Desk:
    """One conversation on the screen; `position` is None while it stays at the end."""

    def __init__(self) -> None:
        self.log = Log()
        self.typed = Typed()
        self.position: Position | None = None


class Desks:
    """All conversations that were shown or spoken in; `shown` is the one that is looked at.

    `hides_moves`: who comes and goes is left out. `unfinished`: what an earlier run left half
    typed, by conversation.
    """

    def __init__(
        self,
        shown: str | None,
        *,
        hides_moves: bool = False,
        unfinished: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.shown = shown
        self._hides_moves = hides_moves
        self._unfinished = dict(unfinished)
        self._desks: dict[str | None, Desk] = {}
        self._desk_of(shown)

    def __getitem__(self, name: str | None) -> Desk:
        return self._desk_of(name)

    def _desk_of(self, name: str | None) -> Desk:
        desk = self._desks.get(name)
        if desk is None:
            desk = self._desks[name] = Desk()
            desk.typed.draft = self._unfinished.pop(name or "", "")
        return desk

    def unfinished(self) -> dict[str, str]:
        """What is half typed, by conversation; also where one has not come back to yet.

        A password that stands where it does not belong is not among it.
        """
        typed = {name: desk.typed.draft for name, desk in self._desks.items() if name is not None}
        texts = {**self._unfinished, **typed}
        return {name: text for name, text in texts.items() if text.strip() and not has_secret(text)}

    def look_at(self, name: str | None) -> None:
        """Show another conversation."""
        if name != self.shown:
            self[self.shown].log.leave()
            self.shown = name

    def take(self, event: ClientEvent, entries: Iterable[Entry]) -> None:
        """Put away what came of an event."""
        if isinstance(event, Offline):
            for desk in self._desks.values():
                desk.log.interrupt()
        elif isinstance(event, Heard) and isinstance(event.system, Renamed):
            self._rename(f"@{event.system.old}", f"@{event.system.nick}")
        self.put(entries)

    def put(self, entries: Iterable[Entry]) -> None:
        """Put entries away: at the end, or those of a page of history in front."""
        pages: dict[str | None, list[Entry]] = {}
        for entry in entries:
            if entry.found is not None:  # is shown where it was searched
                continue
            if entry.move is not None and self._hides_moves:
                continue
            name = self.shown if entry.conversation is None else entry.conversation
            if entry.removes and self[name].log.erase(entry.removes):
                continue  # it is told where the message stands
            if entry.recalled:
                pages.setdefault(name, []).append(entry)
            elif entry.kind not in _AS_DRAFTS:
                self[name].log.add(entry, seen=name == self.shown)
            elif entry.kind is Kind.REFUSED and name != self.shown:
                told = f"not sent to {name}: {entry.note}"
                self[self.shown].log.add(Entry(Kind.ERROR, entry.at, told), seen=True)
        for name, page in pages.items():
            self[name].log.put_older(page)

    def forget_all_but(self, names: Iterable[str]) -> None:
        """Drop the conversations that the client has dropped."""
        kept = {None, self.shown, *names}
        for name in self._desks.keys() - kept:
            del self._desks[name]

    def _rename(self, old: str, new: str) -> None:
        if old in self._desks and new not in self._desks:
            self._desks[new] = self._desks.pop(old)
            self.shown = new if self.shown == old else self.shown
