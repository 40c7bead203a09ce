"""What a search on the server found: the hits in a list, and what was said around the chosen one.

`Finds` stands between the chat and this dialog. A hit that is held here is shown where it was said;
of the others what was said around them comes from the server, into the lower half.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Final

from ..client.arguments import BadInput
from ..client.controller import Controller
from ..client.entries import Entry, Found
from ..client.harmless import harmless_line
from ..errors import ClientError
from .dialogs import Dialog, a_list, choose_in, chosen_in
from .look import Palette, tags_of
from .messages import arguments_of
from .pieces import rows_of_item

#: Messages before and behind a hit that are shown.
NEAR: Final = 15


def line_of(hit: Entry) -> str:
    """One hit, as a row of the list."""
    said = harmless_line(hit.text)
    where = harmless_line(hit.conversation or "")
    return f"{hit.at.astimezone():%Y-%m-%d %H:%M}  {where}  {harmless_line(hit.nick)}: {said}"


class Finds:
    """The searches of one chat. `go` shows a message where it was said; False: it is not here."""

    def __init__(
        self,
        master: tk.Misc,
        controller: Controller,
        look: Callable[[], tuple[Palette, int]],
        go: Callable[[Entry], bool],
    ) -> None:
        self._master = master
        self._controller = controller
        self._look = look
        self._go = go
        self._dialog: Hits | None = None

    def take(self, found: Sequence[Entry]) -> None:
        """Show what came: hits, or what stands around one."""
        if any(entry.found is Found.NEAR for entry in found) and self._dialog is not None:
            self._dialog.show_around(found)
        elif self._dialog is None:
            self._dialog = Hits(self._master, found, *self._look(), self)
        else:
            self._dialog.add(found)

    def open(self, hit: Entry) -> None:
        """Show a hit where it was said, or else what stands around it."""
        if self._go(hit):
            self.close()
            return
        try:
            self._controller.show_around(hit.conversation or "", hit.seq, NEAR)
        except (ClientError, ValueError):  # it has ended, or there is no such place to look
            return

    def fetch(self) -> str:
        """Ask for older hits; what to say meanwhile."""
        try:
            self._controller.find(None)
        except BadInput:
            return "There are no older ones."
        except ClientError:  # `Ended` is on its way and says why
            return ""
        return "…"

    def close(self) -> None:
        """Take the dialog away."""
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.close()

    def forget(self) -> None:
        """The dialog is gone."""
        self._dialog = None


class Hits(Dialog):
    """The list, newest first, and below it what was said around one of them."""

    def __init__(
        self, master: tk.Misc, found: Sequence[Entry], palette: Palette, unit: int, finds: Finds
    ) -> None:
        super().__init__(master, "Found")
        self._finds = finds
        self._hits: list[Entry] = []
        ttk.Label(self.body, text="Enter shows what was said there.").pack(anchor="w")
        self._list = a_list(self.body, palette, width=80, height=10)
        self._list.pack(fill="both", expand=True, pady=8)
        self._around = tk.Text(
            self.body,
            width=80,
            height=12,
            wrap="word",
            state="disabled",
            font="chat",
            relief="flat",
            borderwidth=0,
            highlightthickness=0,
            background=palette.field,
            foreground=palette.text,
        )
        for tag, options in tags_of(palette, unit).items():
            self._around.tag_configure(tag, options)
        self._said = ttk.Label(self.body, style="Faint.TLabel")
        row = ttk.Frame(self.body)
        row.pack(side="bottom", fill="x", pady=(8, 0))
        ttk.Button(row, text="Close", command=self.close).pack(side="right")
        ttk.Button(row, text="Older ones", command=self._fetch).pack(side="right", padx=8)
        self._said.pack(in_=row, side="left")
        self._around.pack(fill="both", expand=True)
        self._list.bind("<Return>", lambda _: self._open())
        self._list.bind("<Double-Button-1>", lambda _: self._open())
        self.add(found)
        choose_in(self._list, 0)
        self.present(self._list)

    def add(self, found: Sequence[Entry]) -> None:
        """Put older hits behind those that are there."""
        self._said.configure(text="")
        newest_first = list(reversed(found))
        self._hits += newest_first
        self._list.insert("end", *map(line_of, newest_first))

    def show_around(self, found: Sequence[Entry]) -> None:
        """Show what was said around one of the hits, which is marked."""
        text = self._around
        text.configure(state="normal")
        text.delete("1.0", "end")
        before = None
        for entry in found:
            rows = rows_of_item(entry, before, None, is_new=False, joins="fold")
            begins = text.index("end-1c")
            text.tk.call(str(text), "insert", "end", *arguments_of(rows))
            if entry.found is Found.HIT:
                text.tag_add("hit", begins, "end-1c")
            before = entry
        text.configure(state="disabled")
        ranges = text.tag_ranges("hit")
        if ranges:
            text.see(str(ranges[-1]))
            text.see(str(ranges[0]))

    def _open(self) -> None:
        chosen = chosen_in(self._list)
        if chosen is not None:
            self._finds.open(self._hits[chosen])

    def _fetch(self) -> None:
        self._said.configure(text=self._finds.fetch())

    def close(self) -> None:
        """Take it away."""
        self._finds.forget()
        super().close()
