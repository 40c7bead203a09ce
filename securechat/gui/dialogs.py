"""Small windows above the big one. None of them holds anything up: what is decided is called back.

Each goes away with Escape, gives the keyboard back, and can be used without a mouse.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import font, ttk
from typing import Final

from ..client.fuzzy import meant
from ..client.harmless import harmless_line
from ..settings import Ui
from .keys import COMPOSER, WINDOW
from .links import Link
from .look import MAX_SIZE, MIN_SIZE, USUAL_SIZE, Palette, clamp

_BELLS: Final = {
    "off": "nothing",
    "mentions": "my name, and private messages",
    "private": "private messages",
    "all": "every message",
}
_THEMES: Final = {
    "system": "as the system",
    "light": "light",
    "dark": "dark",
    "high-contrast": "high contrast",
}
_JOINS: Final = {"fold": "in short", "show": "one by one", "hide": "not at all"}


class Dialog(tk.Toplevel):
    """What all have in common; `body` is what to fill."""

    def __init__(self, master: tk.Misc, title: str) -> None:
        super().__init__(master)
        self._back_to = master.focus_get()
        self.withdraw()
        self.title(title)
        self.transient(master.winfo_toplevel())
        edge = ttk.Frame(self, style="Rule.TFrame", padding=1)
        edge.pack(fill="both", expand=True)
        self.body = ttk.Frame(edge, padding=16)
        self.body.pack(fill="both", expand=True)
        self.bind("<Escape>", lambda _: self.close())
        self.protocol("WM_DELETE_WINDOW", self.close)

    def present(self, focus: tk.Misc) -> None:
        """Show it in the middle of the window, with the keyboard on `focus`."""
        self.update_idletasks()
        above = self.master.winfo_toplevel()
        width = min(self.winfo_reqwidth(), self.winfo_screenwidth())
        height = min(self.winfo_reqheight(), self.winfo_screenheight())
        x = above.winfo_rootx() + (above.winfo_width() - width) // 2
        y = above.winfo_rooty() + (above.winfo_height() - height) // 3
        x = max(0, min(x, self.winfo_screenwidth() - width))
        y = max(0, min(y, self.winfo_screenheight() - height))
        self.geometry(f"{width}x{height}+{x}+{y}")
        self.deiconify()
        self.lift()
        focus.focus_force()

    def close(self) -> None:
        """Take it away."""
        back_to = self._back_to
        self.destroy()
        if back_to is not None and back_to.winfo_exists():
            back_to.focus_force()

    def add_buttons(self, accept: str, do: Callable[[], None]) -> None:
        """The row at the bottom: do it, or not."""
        row = ttk.Frame(self.body)
        row.pack(fill="x", pady=(16, 0))
        ttk.Button(row, text="Cancel", command=self.close).pack(side="right")
        button = ttk.Button(row, text=accept, command=do, style="Accent.TButton")
        button.pack(side="right", padx=(0, 8))


class Ask(Dialog):
    """Asks for one line. `done` gets it and says what is wrong with it, None: nothing; `then`
    comes when the dialog is gone."""

    def __init__(
        self,
        master: tk.Misc,
        title: str,
        question: str,
        accept: str,
        done: Callable[[str], str | None],
        then: Callable[[], None],
        initial: str = "",
    ) -> None:
        super().__init__(master, title)
        self._done = done
        self._then = then
        ttk.Label(self.body, text=question, wraplength=420).pack(anchor="w")
        self._entry = ttk.Entry(self.body, width=40, font="chat")
        self._entry.insert(0, initial)
        self._entry.select_range(0, "end")
        self._entry.pack(fill="x", pady=(8, 0))
        self._wrong = ttk.Label(self.body, style="Bad.TLabel", wraplength=420)
        self._wrong.pack(anchor="w", pady=(4, 0))
        self.add_buttons(accept, self._accept)
        self._entry.bind("<Return>", lambda _: self._accept())
        self.present(self._entry)

    def _accept(self) -> None:
        wrong = self._done(self._entry.get().strip())
        if wrong is None:
            self.close()
            self._then()
        else:
            self._wrong.configure(text=wrong)


class Secrets(Dialog):
    """Asks for what is not to be seen. `done` gets the answers, None if one would rather not."""

    def __init__(
        self,
        master: tk.Misc,
        questions: Sequence[str],
        done: Callable[[list[str] | None], None],
    ) -> None:
        super().__init__(master, "Not shown while you type")
        self._done = done
        self._entries: list[ttk.Entry] = []
        for question in questions:
            ttk.Label(self.body, text=question).pack(anchor="w", pady=(6, 2))
            entry = ttk.Entry(self.body, width=36, font="chat", show="•")
            entry.pack(fill="x")
            entry.bind("<Return>", self._next)
            self._entries.append(entry)
        self.add_buttons("OK", self._accept)
        self.present(self._entries[0])

    def _next(self, event: tk.Event[ttk.Entry]) -> None:
        at = self._entries.index(event.widget)
        if at + 1 < len(self._entries):
            self._entries[at + 1].focus_set()
        else:
            self._accept()

    def _accept(self) -> None:
        answers = [entry.get() for entry in self._entries]
        done, self._done = self._done, lambda _: None
        self.close()
        done(answers)

    def close(self) -> None:
        """Take it away; who has not answered would rather not."""
        done, self._done = self._done, lambda _: None
        super().close()
        done(None)


class Jump(Dialog):
    """Finds one of `names` by a few letters; what is no name at all is offered as a new one."""

    def __init__(
        self, master: tk.Misc, names: Sequence[str], palette: Palette, done: Callable[[str], None]
    ) -> None:
        super().__init__(master, "Go to")
        self._names = names
        self._done = done
        self._found: list[str] = []
        ttk.Label(self.body, text="A few letters of a room or person").pack(anchor="w")
        self._entry = ttk.Entry(self.body, width=36, font="chat")
        self._entry.pack(fill="x", pady=8)
        self._list = a_list(self.body, palette, width=36, height=10)
        self._list.configure(takefocus=False)
        self._list.pack(fill="both", expand=True)
        self._entry.bind("<KeyRelease>", lambda _: self._look())
        self._entry.bind("<Return>", lambda _: self._accept())
        self._entry.bind("<Down>", lambda _: self._move(1))
        self._entry.bind("<Up>", lambda _: self._move(-1))
        self._list.bind("<Double-Button-1>", lambda _: self._accept())
        self._look()
        self.present(self._entry)

    def _look(self) -> None:
        letters = self._entry.get().strip()
        found = meant(letters, self._names)
        if letters[:1] in ("#", "@") and letters not in found:
            found.append(letters)
        if found == self._found:
            return
        self._found = found
        self._list.delete(0, "end")
        self._list.insert("end", *map(harmless_line, found))
        self._list.selection_set(0)

    def _move(self, step: int) -> str:
        at = max(0, min(len(self._found) - 1, (chosen_in(self._list) or 0) + step))
        choose_in(self._list, at)
        return "break"

    def _accept(self) -> None:
        chosen = chosen_in(self._list)
        if chosen is not None:
            name = self._found[chosen]
            self.close()
            self._done(name)


class Links(Dialog):
    """Links to choose from, the first one chosen; `go` gets the address."""

    def __init__(
        self,
        master: tk.Misc,
        links: Sequence[Link],
        palette: Palette,
        go: Callable[[str], None],
    ) -> None:
        super().__init__(master, "Links")
        self._links = links
        self._go = go
        ttk.Label(self.body, text="Enter opens one in your browser.").pack(anchor="w")
        self._list = a_list(self.body, palette, width=70, height=min(len(links), 12))
        self._list.insert(
            "end", *(f"{link.address}   ({harmless_line(link.nick)})" for link in links)
        )
        self._list.pack(fill="both", expand=True, pady=(8, 0))
        self._list.bind("<Return>", lambda _: self._accept())
        self._list.bind("<Double-Button-1>", lambda _: self._accept())
        self.add_buttons("Open", self._accept)
        choose_in(self._list, 0)
        self.present(self._list)

    def _accept(self) -> None:
        chosen = chosen_in(self._list)
        if chosen is not None:
            self.close()
            self._go(self._links[chosen].address)


def a_list(master: tk.Misc, palette: Palette, *, width: int, height: int) -> tk.Listbox:
    """A list in these colours."""
    return tk.Listbox(
        master,
        width=width,
        height=height,
        font="chat",
        activestyle="none",
        exportselection=False,
        relief="flat",
        borderwidth=0,
        highlightthickness=0,
        background=palette.field,
        foreground=palette.text,
        selectbackground=palette.chosen,
        selectforeground=palette.on_chosen,
    )


def chosen_in(rows: tk.Listbox) -> int | None:
    """The number of the row that is selected."""
    chosen: tuple[int, ...] = rows.curselection()  # type: ignore[no-untyped-call]
    return chosen[0] if chosen else None


def choose_in(rows: tk.Listbox, number: int) -> None:
    """Select a row; the arrow keys go on from there."""
    rows.selection_clear(0, "end")
    rows.selection_set(number)
    rows.activate(number)
    rows.see(number)


class SettingsDialog(Dialog):
    """The settings, obeyed at once; `changed` gets all of them each time."""

    def __init__(self, master: tk.Misc, ui: Ui, changed: Callable[[Ui], None]) -> None:
        super().__init__(master, "Settings")
        self._ui = ui
        self._changed = changed
        self.body.columnconfigure(1, weight=1)
        self._row = 0
        first = self._choice("Colours", _THEMES, ui.theme, "theme")
        self._size(ui.font_size or USUAL_SIZE)
        self._choice("Bell rings for", _BELLS, ui.bell, "bell")
        self._choice("Comings and goings", _JOINS, ui.joins, "joins")
        self._notices = tk.BooleanVar(self, ui.notices)
        ttk.Checkbutton(
            self.body,
            text="Notices on the desktop, with what rings",
            variable=self._notices,
            command=lambda: self._set(notices=self._notices.get()),
        ).grid(row=self._row, column=0, columnspan=2, sticky="w", pady=6)
        ttk.Button(self.body, text="Close", command=self.close).grid(
            row=self._row + 1, column=1, sticky="e", pady=(16, 0)
        )
        self.present(first)

    def _choice(self, label: str, words: dict[str, str], chosen: str, key: str) -> ttk.Combobox:
        ttk.Label(self.body, text=label).grid(row=self._row, column=0, sticky="w", pady=6)
        box = ttk.Combobox(
            self.body, values=list(words.values()), state="readonly", width=28, font="chat"
        )
        box.current(list(words).index(chosen))
        box.grid(row=self._row, column=1, sticky="ew", padx=(16, 0), pady=6)
        box.bind("<<ComboboxSelected>>", lambda _: self._set(**{key: list(words)[box.current()]}))
        self._row += 1
        return box

    def _size(self, size: int) -> None:
        ttk.Label(self.body, text="Size of the text").grid(
            row=self._row, column=0, sticky="w", pady=6
        )
        sizes = [f"{one * 10} %" for one in range(MIN_SIZE, MAX_SIZE + 1)]
        box = ttk.Combobox(self.body, values=sizes, state="readonly", width=28, font="chat")
        box.current(clamp(size) - MIN_SIZE)
        box.grid(row=self._row, column=1, sticky="ew", padx=(16, 0), pady=6)
        box.bind("<<ComboboxSelected>>", lambda _: self._set(font_size=box.current() + MIN_SIZE))
        self._row += 1

    def _set(self, **values: object) -> None:
        self._ui = self._ui.over(values)
        self._changed(self._ui)


class Help(Dialog):
    """All keys, and the commands that can be typed."""

    def __init__(self, master: tk.Misc, palette: Palette, commands: Sequence[str]) -> None:
        super().__init__(master, "Keys and commands")
        text = tk.Text(
            self.body,
            width=86,
            height=30,
            font="chat-mono",
            wrap="word",
            relief="flat",
            highlightthickness=0,
            background=palette.background,
            foreground=palette.text,
        )
        bar = ttk.Scrollbar(self.body, command=text.yview, takefocus=False)
        text.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        text.pack(side="left", fill="both", expand=True)
        digit = font.nametofont("chat-mono", self).measure("0")
        for line, indent in help_lines(commands):
            text.insert("end", f"{line}\n", f"to{indent}")
            text.tag_configure(f"to{indent}", lmargin2=indent * digit)
        text.configure(state="disabled")
        self.present(text)


def help_lines(commands: Sequence[str]) -> list[tuple[str, int]]:
    """The help: the keys of the tables that are obeyed, and `commands`; what is too long for a line
    goes on below its column, which is the number."""
    keys = [*COMPOSER, *((key.shown, key.does) for key in WINDOW)]
    width = max(len(shown) for shown, _ in keys) + 2
    return [
        ("Keys", 0),
        ("", 0),
        *((f"  {shown:<{width}}{does}", width + 2) for shown, does in keys),
        ("", 0),
        ("What can be typed instead of a message", 0),
        ("", 0),
        *((f"  {line}", 6) for line in commands),
    ]
