"""The ways out of the chat: links that are pointed at, clicked, or chosen from a list by keyboard.

Before one goes, one sees where to: a link shows its host while the pointer is on it, and the list
has whole addresses.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from queue import Empty

from .browser import Browser
from .dialogs import Links
from .links import Link, address_of, host_of
from .look import Palette


class Outward:
    """The ways out of one chat; `hint` says something below the messages."""

    def __init__(self, master: tk.Misc, hint: Callable[[str], None]) -> None:
        self._master = master
        self._hint = hint
        self._browser = Browser()

    def point(self, shown: str) -> None:
        """The pointer is on a link, "": no longer."""
        address = address_of(shown)
        self._hint("" if address is None else f"A click opens {host_of(address)} in your browser")

    def click(self, shown: str) -> None:
        """Go where a link leads that is shown so."""
        address = address_of(shown)
        if address is not None:
            self.go(address)

    def go(self, address: str) -> None:
        """Have the browser show a page."""
        self._hint(f"{host_of(address)} opens in your browser …")
        self._browser.open(address)

    def choose(self, links: Sequence[Link], palette: Palette) -> None:
        """Let one of them be chosen."""
        if links:
            Links(self._master, links, palette, self.go)
        else:
            self._hint("There are no links in this conversation.")

    def problem(self) -> str | None:
        """What went wrong in the meantime."""
        try:
            return self._browser.problems.get_nowait()
        except Empty:
            return None
