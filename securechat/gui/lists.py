"""The lists at the sides: conversations with what is new in them, and who is here.

Rows are known by their place, so that no name of others ever is an identifier of Tk's; only rows
that have changed are drawn again.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Final, NamedTuple

from .look import Palette
from .pieces import NICK_TAGS

#: Rows that are drawn at most; the last then says how many more there are.
MAX_ROWS: Final = 500
#: Control, Alt and the Windows key in the state of an event.
_MODIFIERS: Final = 0x4 | 0x8 | 0x40


class Shown(NamedTuple):
    """One row: whom it stands for, what it says, and how it looks."""

    key: str
    text: str
    badge: str = ""
    tags: tuple[str, ...] = ()


class RowList(ttk.Frame):
    """A list of `Shown`. `choose` gets the key of a row that is activated, `menu` key and place,
    `typed` what is typed here, where nothing can be written.

    `follows`: moving to a row activates it already, as with the conversations.
    """

    def __init__(
        self,
        master: tk.Misc,
        *,
        choose: Callable[[str], None],
        menu: Callable[[str, int, int], None],
        typed: Callable[[str], None],
        follows: bool,
    ) -> None:
        super().__init__(master, style="Panel.TFrame")
        self._choose = choose
        self._menu = menu
        self._type = typed
        self._rows: list[Shown] = []
        self.tree = ttk.Treeview(
            self,
            show="tree",
            columns=("badge",),
            selectmode="browse",
            style="Side.Treeview",
        )
        self.tree.column("#0", stretch=True, width=120, minwidth=60)
        self.tree.column("badge", stretch=False, anchor="e", width=10, minwidth=10)
        bar = ttk.Scrollbar(self, command=self.tree.yview, takefocus=False)
        self.tree.configure(yscrollcommand=lambda *at: _show_if_needed(bar, *at))
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self.tree.grid(row=0, column=0, sticky="nsew")
        bar.grid(row=0, column=1, sticky="ns")
        if follows:
            self.tree.bind("<<TreeviewSelect>>", lambda _: self._activate())
        self.tree.bind("<Return>", lambda _: self._activate())
        self.tree.bind("<Double-Button-1>", lambda _: self._activate())
        for sequence in ("<Button-3>", "<Menu>", "<Shift-F10>"):
            self.tree.bind(sequence, self._ask_menu)
        self.tree.bind("<Key>", self._typed)
        self.tree.bind("<FocusIn>", lambda _: self._focus_first())
        if not follows:
            self.tree.bind("<FocusOut>", lambda _: self.tree.selection_set(()))

    @property
    def chosen(self) -> str | None:
        """The key of the row that is selected."""
        selected = self.tree.selection()
        at = int(selected[0]) if selected else len(self._rows)
        return self._rows[at].key if at < len(self._rows) else None

    def show(self, rows: Sequence[Shown], chosen: str | None = None) -> None:
        """Show these rows; `chosen` is to be selected, None leaves it to the person."""
        rows = list(rows[:MAX_ROWS])
        for at, row in enumerate(rows):
            if at >= len(self._rows):
                self.tree.insert(
                    "", "end", str(at), text=row.text, values=(f"{row.badge} ",), tags=row.tags
                )
            elif self._rows[at] != row:
                self.tree.item(str(at), text=row.text, values=(f"{row.badge} ",), tags=row.tags)
        surplus = [str(at) for at in range(len(rows), len(self._rows))]
        if surplus:
            self.tree.delete(*surplus)
        self._rows = rows
        for at, row in enumerate(rows):
            if row.key == chosen and self.tree.selection() != (str(at),):
                self.tree.selection_set(str(at))
                self.tree.focus(str(at))
                self.tree.see(str(at))

    def dress(self, palette: Palette, unit: int) -> None:
        """Take on colours; `unit` is the height of the text in pixels."""
        for tag, colour in zip(NICK_TAGS, palette.nicks, strict=True):
            self.tree.tag_configure(tag, foreground=colour)
        self.tree.tag_configure("faint", foreground=palette.faint)
        self.tree.tag_configure("new", font="chat-bold", foreground=palette.text)
        self.tree.tag_configure("loud", font="chat-bold", foreground=palette.badge)
        self.tree.column("badge", width=4 * unit)

    def _activate(self) -> None:
        chosen = self.chosen
        if chosen:
            self._choose(chosen)

    def _typed(self, event: tk.Event[ttk.Treeview]) -> str | None:
        """Who types here means the field where one writes."""
        if not is_letter(event):
            return None
        self._type(event.char)
        return "break"

    def _focus_first(self) -> None:
        if not self.tree.selection() and self._rows:
            row = self.tree.focus() or "0"
            self.tree.focus(row)
            self.tree.selection_set(row)  # else nobody would see where the keyboard is

    def _ask_menu(self, event: tk.Event[ttk.Treeview]) -> str:
        if event.num == 3:
            row = self.tree.identify_row(event.y)
            x, y = event.x, event.y
        else:
            row = self.tree.focus()
            box = self.tree.bbox(row) if row else ""
            x, y = (box[0] + 30, box[1] + box[3]) if box else (30, 30)
        if row:
            key = self._rows[int(row)].key
            if key:
                root_x, root_y = self.tree.winfo_rootx() + x, self.tree.winfo_rooty() + y
                self._menu(key, root_x, root_y)
        return "break"


def is_letter(event: tk.Event[tk.Misc]) -> bool:
    """Whether a key writes something: who holds Control or Alt does not."""
    return bool(event.char) and event.char.isprintable() and not int(event.state) & _MODIFIERS


def _show_if_needed(bar: ttk.Scrollbar, first: str, last: str) -> None:
    if float(first) <= 0.0 and float(last) >= 1.0:
        bar.grid_remove()
    else:
        bar.grid()
    bar.set(first, last)
