"""The search below the messages: one field, and which way to look."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk


class Finder(ttk.Frame):
    """`look` gets the needle, where to go on (None: at the end) and whether towards older ones;
    `everywhere` gets it for the server."""

    def __init__(
        self,
        master: tk.Misc,
        *,
        look: Callable[[str, int | None, bool], int | None],
        everywhere: Callable[[str], None],
        done: Callable[[], None],
    ) -> None:
        super().__init__(master, padding=(12, 6))
        self._look = look
        self._done = done
        self._everywhere = everywhere
        self._at: int | None = None
        self.columnconfigure(1, weight=1)
        ttk.Label(self, text="Search", style="Faint.TLabel").grid(row=0, column=0, padx=(0, 8))
        self.entry = ttk.Entry(self, font="chat", width=8)
        self.entry.grid(row=0, column=1, sticky="ew")
        ttk.Button(self, text="Close", command=self.end).grid(row=0, column=2, padx=(6, 0))
        below = ttk.Frame(self)
        below.grid(row=1, column=1, columnspan=2, sticky="w", pady=(6, 0))
        ttk.Button(below, text="Older", command=self.older).grid(row=0, column=0)
        ttk.Button(below, text="Newer", command=self.newer).grid(row=0, column=1, padx=6)
        self._far = ttk.Button(below, text="Everywhere", command=self._look_everywhere)
        self._far.grid(row=0, column=2)
        self._said = ttk.Label(below, style="Faint.TLabel")
        self._said.grid(row=0, column=3, padx=8)
        self.entry.bind("<Return>", lambda _: self.older())
        self.entry.bind("<Shift-Return>", lambda _: self.newer())
        self.entry.bind("<Escape>", lambda _: self.end())
        self.entry.bind("<KeyRelease>", self._typed)
        self._needle = ""

    def show(self, *, reaches_everywhere: bool) -> None:
        """Open it, or look for older ones when it is open; the server may search, too."""
        if reaches_everywhere:
            self._far.grid()
        else:
            self._far.grid_remove()
        if self.winfo_ismapped():
            self.older()
        self.grid()
        self.entry.focus_set()
        self.entry.select_range(0, "end")

    def hide(self) -> None:
        """Take it away."""
        self.grid_remove()
        self._at = None
        self._said.configure(text="")

    def end(self) -> None:
        """Close it and go back to where one types."""
        self.hide()
        self._done()

    def _look_everywhere(self) -> None:
        if self.entry.get().strip():
            self._everywhere(self.entry.get().strip())

    def older(self) -> None:
        """The next older message that has it."""
        self._go(older=True)

    def newer(self) -> None:
        """The next newer one."""
        self._go(older=False)

    def _typed(self, _event: tk.Event[ttk.Entry]) -> None:
        """Other letters: look again, from the end."""
        if self.entry.get() != self._needle:
            self._at = None
            self._go(older=True)

    def _go(self, *, older: bool) -> None:
        self._needle = needle = self.entry.get()
        if not needle.strip():
            self._said.configure(text="")
            return
        found = self._look(needle, self._at, older)
        if found is None:
            more = "no more" if self._at is not None else "nothing here"
            self._said.configure(text=more)
        else:
            self._at = found
            self._said.configure(text="")
