"""What stands around the messages: conversations, people, the title and the status bar.

Both sides can be folded, grow slim where the window is narrow, and go where it is narrower still.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ..client.timeline import Timeline
from .keymap import Keymap
from .panel import Panel
from .sides import people_lines, room_lines, status_line, title_line

#: Windows narrower than this have slim sides, than that no people, than that no conversations.
_ROOM_FOR_WIDE_SIDES: Final = 100
_ROOM_FOR_PEOPLE: Final = 72
_ROOM_FOR_ROOMS: Final = 50

_SIDES: Final = frozenset({"rooms", "people"})


class Frame:
    """The four panels, for who composes the screen. `hint` is told in the status bar."""

    def __init__(self, timeline: Timeline, trust: str, keys: Keymap) -> None:
        self.rooms, self.people = Panel(id="rooms"), Panel(id="people")
        self.title, self.status = Panel(id="title"), Panel(id="status")
        self.hint = ""
        self._timeline = timeline
        self._trust = trust
        self._keys = keys
        self._folded: frozenset[str] = frozenset()

    def draw(self, now: datetime) -> None:
        """Show how things stand."""
        for panel, lines in ((self.rooms, room_lines), (self.people, people_lines)):
            if panel.size.width:
                size = panel.content_size
                panel.show(lines(self._timeline, size.width, size.height))
        self.title.show([title_line(self._timeline, self.title.size.width)])
        status = status_line(
            self._timeline,
            now,
            self.status.size.width,
            hints=[self.hint] if self.hint else [],
            trust=self._trust,
            lists_rooms=self.rooms.display,
            keys=self._keys,
        )
        self.status.show([status])

    def fit(self, width: int) -> None:
        """Make room for the messages first."""
        for panel in (self.rooms, self.people):
            panel.set_class(width < _ROOM_FOR_WIDE_SIDES, "slim")
        self.rooms.set_class(width < _ROOM_FOR_ROOMS, "narrow")
        self.people.set_class(width < _ROOM_FOR_PEOPLE, "narrow")

    def fold(self, side: str) -> None:
        """Hide a side, or show it."""
        self._apply(self._folded ^ {side})

    def fold_both(self) -> None:
        """Hide both sides, or show both if both are hidden."""
        self._apply(frozenset() if self._folded == _SIDES else _SIDES)

    def _apply(self, folded: frozenset[str]) -> None:
        self._folded = folded
        for panel in (self.rooms, self.people):
            panel.set_class(panel.id in folded, "folded")
