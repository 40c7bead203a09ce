"""Where one types: several lines, what was typed before, completion, and pastes that are only text.

What is entered goes to `enter`, which says whether it was accepted; what was not stays to be
mended. Nothing that arrives touches what is typed here.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from ..client.complete import Completer
from ..client.harmless import harmless_text
from ..client.typed import Typed
from .look import Palette

_MAX_LINES: Final = 8


class Composer(ttk.Frame):
    """The field below the messages and its button. `hint` is told what may be meant by Tab."""

    def __init__(
        self,
        master: tk.Misc,
        completer: Completer,
        *,
        enter: Callable[[str], bool],
        hint: Callable[[str], None],
    ) -> None:
        super().__init__(master, style="Panel.TFrame", padding=(10, 8))
        self._completer = completer
        self._do = enter
        self._hint = hint
        self._typed = Typed()
        self.text = tk.Text(
            self,
            height=1,
            width=20,
            wrap="word",
            font="chat",
            relief="flat",
            borderwidth=0,
            highlightthickness=2,
            padx=8,
            pady=6,
            undo=True,
            maxundo=500,
        )
        self._button = ttk.Button(self, text="Send", command=self.enter, style="Accent.TButton")
        self._empty = tk.Label(self.text, font="chat", cursor="xterm", borderwidth=0, padx=0)
        self.columnconfigure(0, weight=1)
        self.text.grid(row=0, column=0, sticky="nsew")
        self._button.grid(row=0, column=1, sticky="se", padx=(8, 0))
        self._bind()

    def _bind(self) -> None:
        text = self.text
        text.bind("<Return>", self._on_return)
        text.bind("<KP_Enter>", self._on_return)
        for sequence in ("<Shift-Return>", "<Alt-Return>", "<Control-Return>"):
            text.bind(sequence, self._new_line)
        text.bind("<Tab>", self._complete)
        text.bind("<Up>", self._older)
        text.bind("<Down>", self._newer)
        text.bind("<<Paste>>", self._paste)
        for sequence in ("<Control-a>", "<<SelectAll>>"):
            text.bind(sequence, self._select_all)
        text.bind("<<Modified>>", self._changed)
        text.bind("<Configure>", lambda _: self._fit())
        self._empty.bind("<Button-1>", lambda _: text.focus_set())

    # ------------------------------------------------------------------ told by the window

    @property
    def typed(self) -> str:
        """What stands here."""
        return self.text.get("1.0", "end-1c")

    def show(self, typed: Typed, whereto: str) -> None:
        """Type into another conversation; what was typed here waits."""
        self.leave()
        self._typed = typed
        self._put(typed.draft)
        self._empty.configure(text=whereto)

    def leave(self) -> None:
        """Keep what stands here with its conversation."""
        self._typed.draft = self.typed

    def insert(self, text: str) -> None:
        """Type `text` where the cursor is."""
        self.text.insert("insert", text)
        self.text.focus_set()

    def dress(self, palette: Palette) -> None:
        """Take on colours."""
        self.text.configure(
            background=palette.field,
            foreground=palette.text,
            insertbackground=palette.text,
            insertwidth=2,
            selectbackground=palette.accent,
            selectforeground=palette.on_accent,
            highlightbackground=palette.border,
            highlightcolor=palette.accent,
        )
        self._empty.configure(background=palette.field, foreground=palette.faint)

    # ------------------------------------------------------------------ sending

    def enter(self) -> None:
        """Do what is typed."""
        text = self.typed
        if not text.strip():
            return
        typed = self._typed
        self._put("")  # first, for it may be another conversation that is shown afterwards
        if not self._do(text):
            if typed is self._typed:
                self._put(text)
            else:
                typed.draft = text
        self.text.focus_set()

    def _on_return(self, _event: tk.Event[tk.Text]) -> str:
        self.enter()
        return "break"

    def _new_line(self, _event: tk.Event[tk.Text]) -> str:
        self.text.insert("insert", "\n")
        self.text.see("insert")
        return "break"

    # ------------------------------------------------------------------ editing

    def _put(self, text: str) -> None:
        self.text.delete("1.0", "end")
        self.text.insert("1.0", text)
        self.text.edit_reset()
        self._fit()

    def _paste(self, _event: tk.Event[tk.Text]) -> str:
        """A paste is text, whatever is in it, and takes the place of what is selected."""
        try:
            pasted = self.clipboard_get()
        except tk.TclError:  # there is none, or who has it does not answer
            return "break"
        text = "\n".join(harmless_text(pasted.replace("\r\n", "\n").replace("\r", "\n")))
        if self.text.tag_ranges("sel"):
            self.text.delete("sel.first", "sel.last")
        self.text.insert("insert", text)
        self.text.see("insert")
        return "break"

    def _select_all(self, _event: tk.Event[tk.Text]) -> str:
        self.text.tag_add("sel", "1.0", "end-1c")
        return "break"

    def _older(self, _event: tk.Event[tk.Text]) -> str | None:
        if self.text.compare("insert", ">=", "2.0"):
            return None
        older = self._typed.older(self.typed)
        if older is not None:
            self._put(older)
        return "break"

    def _newer(self, _event: tk.Event[tk.Text]) -> str | None:
        if self.text.compare("insert", "<", "end-1c linestart"):
            return None
        newer = self._typed.newer()
        if newer is not None:
            self._put(newer)
        return "break"

    def _complete(self, _event: tk.Event[tk.Text]) -> str | None:
        """Complete what stands before the cursor; where there is nothing, Tab goes on."""
        left = self.text.get("insert linestart", "insert")
        found = self._completer.complete(left)
        if not found:
            if left.strip():
                return "break"
            following = self.text.tk_focusNext()
            if following is not None:
                following.focus_set()
            return "break"
        common = found[0] if len(found) == 1 else _common_start(found)
        self._hint("  ".join(found) if len(found) > 1 else "")
        if len(common) > len(left) or len(found) == 1:
            self.text.delete("insert linestart", "insert")
            self.text.insert("insert", common)
        return "break"

    def _changed(self, _event: tk.Event[tk.Text]) -> None:
        if self.text.edit_modified():
            self.text.edit_modified(False)
            self._fit()

    def _fit(self) -> None:
        """Be as high as what is typed, within bounds."""
        typed = self.typed
        if typed:
            self._empty.place_forget()
        else:
            self._empty.place(x=4, rely=0.5, anchor="w")
        # Not `Text.count`, which gives a tuple or a number, as Python's version is.
        counted = self.text.tk.call(str(self.text), "count", "-displaylines", "1.0", "end")
        lines = max(1, min(_MAX_LINES, int(counted)))
        if int(self.text.cget("height")) != lines:
            self.text.configure(height=lines)
            self.text.see("insert")


def _common_start(words: list[str]) -> str:
    """What all begin with."""
    first, last = min(words), max(words)
    length = 0
    while length < len(first) and length < len(last) and first[length] == last[length]:
        length += 1
    return first[:length]
