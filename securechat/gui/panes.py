"""Three panes side by side, with borders that can be moved: conversations, messages, people.

Widths are in heights of the text, so that they go with its size. The messages come first: where a
window is narrow, people go, then conversations, and no side takes more than a third of it.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final, NamedTuple

from .look import Palette

#: Windows narrower than this show no people, and then no conversations.
_ROOM_FOR_PEOPLE: Final = 52
_ROOM_FOR_ROOMS: Final = 34
_NARROWEST: Final = 5
_MOST: Final = 1 / 3


class Widths(NamedTuple):
    """Of the sides."""

    rooms: int = 14
    people: int = 13


class Panes(tk.PanedWindow):
    """`left`, `middle` and `right` are what to fill; `widths` is what a person wants."""

    def __init__(self, master: tk.Misc) -> None:
        # Not ttk's, whose panes cannot be hidden and forget their widths when they come back.
        super().__init__(
            master,
            orient="horizontal",
            borderwidth=0,
            sashrelief="flat",
            sashpad=0,
            showhandle=False,
            opaqueresize=True,
        )
        self.left = ttk.Frame(self, style="Panel.TFrame", padding=(0, 8, 0, 0))
        self.middle = ttk.Frame(self)
        self.right = ttk.Frame(self, style="Panel.TFrame", padding=(0, 8, 0, 0))
        self.widths = Widths()
        self._unit = 14
        self._has_people = True
        self._moved: Callable[[Widths], None] = lambda _: None
        self.add(self.left, stretch="never")
        self.add(self.middle, stretch="always")
        self.add(self.right, stretch="never")
        self.bind("<Configure>", lambda _: self._arrange())
        self.bind("<ButtonRelease-1>", lambda _: self.after_idle(self._released))

    def remember(self, widths: Widths, moved: Callable[[Widths], None]) -> None:
        """Be so wide; `moved` gets what a person makes of it."""
        self.widths, self._moved = widths, moved
        self._arrange()

    def dress(self, palette: Palette, unit: int) -> None:
        """Take on colours; the text is `unit` pixels high."""
        self.configure(background=palette.border, sashwidth=max(3, unit // 4))
        self._unit = unit
        self._arrange()

    def show_people(self, wanted: bool) -> None:
        """Whether there are people to be shown."""
        if wanted is not self._has_people:
            self._has_people = wanted
            self._arrange()

    @property
    def is_narrow(self) -> bool:
        """Whether there is room for the messages alone."""
        return self.winfo_width() < _ROOM_FOR_ROOMS * self._unit

    def widen(self, side: ttk.Frame, by: int) -> None:
        """Move the border of a side by keyboard."""
        rooms, people = self.widths
        wanted = Widths(rooms + by, people) if side is self.left else Widths(rooms, people + by)
        widest = max(_NARROWEST, int(self.winfo_width() * _MOST / self._unit))
        bounded = (max(_NARROWEST, min(widest, one)) for one in wanted)
        self._take(Widths(*bounded))

    def _released(self) -> None:
        """A border may have been moved by mouse."""
        rooms, people = self.widths
        if self.left.winfo_ismapped():
            rooms = max(_NARROWEST, round(self.left.winfo_width() / self._unit))
        if self.right.winfo_ismapped():
            people = max(_NARROWEST, round(self.right.winfo_width() / self._unit))
        self._take(Widths(rooms, people))

    def _take(self, widths: Widths) -> None:
        is_changed = widths != self.widths
        self.widths = widths
        self._arrange()
        if is_changed:
            self._moved(widths)

    def _arrange(self) -> None:
        wide = self.winfo_width()
        most = max(1, int(wide * _MOST))
        rooms, people = (min(most, one * self._unit) for one in self.widths)
        has_room = wide >= _ROOM_FOR_PEOPLE * self._unit
        self._show(self.left, rooms, not self.is_narrow)
        self._show(self.right, people, self._has_people and has_room)

    def _show(self, side: ttk.Frame, width: int, wanted: bool) -> None:
        self.paneconfigure(side, width=width, hide=not wanted)  # type: ignore[no-untyped-call]
