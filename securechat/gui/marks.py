"""The mark of a server: the fingerprint of its key, as all call it, for who never heard of keys.

`FirstVisit` asks whether it is the right one, `NewMark` for another one, as whoever runs the server
has told it: what is shown is never taken over by a click, for a stranger in between shows it, too.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from ..client.harmless import harmless_line
from ..client.known_servers import parse_fingerprint
from ..errors import KeyChanged

_FIRST_VISIT: Final = (
    "Every server has a fingerprint of its own that nobody can copy. To be sure that you talk to "
    "the right one, and that nobody in between reads along, ask whoever runs the chat for it (by "
    "phone, or face to face) and compare. It shows this one:"
)
_NEW_MARK: Final = (
    "Ask whoever runs the chat, by phone or face to face. If they say that it has a new "
    "fingerprint, type the one that they tell you:"
)


class FirstVisit(ttk.Frame):
    """The question of the first meeting; `answer` gets whether it is the right server."""

    def __init__(
        self, master: tk.Misc, server: str, mark: str, answer: Callable[[bool], None]
    ) -> None:
        super().__init__(master, padding=(0, 14, 0, 0))
        bold = ttk.Label(self, text=f"This is your first visit to {server}.", style="Bold.TLabel")
        bold.pack(anchor="w")
        ttk.Label(self, text=_FIRST_VISIT).pack(anchor="w", pady=(4, 8))
        ttk.Label(self, text=mark, style="Mono.TLabel").pack(anchor="w")
        copy = ttk.Button(self, text="Copy the fingerprint", command=lambda: self._copy(mark))
        copy.pack(anchor="w", pady=(8, 0))
        same = ttk.Button(
            self,
            text="It is the same: go in",
            command=lambda: answer(True),
            style="Accent.TButton",
        )
        same.pack(anchor="w", pady=(16, 0))
        self._other = ttk.Button(
            self, text="It is another one, or I cannot ask", command=lambda: answer(False)
        )
        self._other.pack(anchor="w", pady=(8, 0))

    def take_keyboard(self) -> None:
        """Who presses Enter unseen does not agree."""
        self._other.focus_force()

    def _copy(self, mark: str) -> None:
        self.clipboard_clear()
        self.clipboard_append(mark)


class NewMark(ttk.Frame):
    """Takes the mark that a server has from now on; `keep` gets it."""

    def __init__(self, master: tk.Misc, keep: Callable[[str], None]) -> None:
        super().__init__(master, padding=(0, 14, 0, 0))
        self._keep = keep
        ttk.Label(self, text=_NEW_MARK).pack(anchor="w")
        self._field = ttk.Entry(self, font="chat-mono")
        self._field.pack(fill="x", pady=8)
        self._field.bind("<Return>", lambda _: self._accept())
        self._wrong = ttk.Label(self, style="Bad.TLabel")
        self._wrong.pack(anchor="w")
        ttk.Button(self, text="Trust this fingerprint", command=self._accept).pack(anchor="w")

    def _accept(self) -> None:
        try:
            mark = parse_fingerprint(self._field.get().strip())
        except ValueError:
            self._wrong.configure(text="A fingerprint begins with SHA256: and has 43 letters more.")
        else:
            self._keep(mark)


def stop_in_plain_words(problem: KeyChanged) -> str:
    """Why one does not get in, with both marks."""
    if not problem.shown:
        return harmless_line(str(problem))
    return (
        "Stop: this is not the server that you know. Somebody may have put another one in its "
        "place to read along, or whoever runs it has set it up anew. Nothing was sent to it.\n\n"
        f"The fingerprint that you know:\n{problem.known}\nThe one that it shows:\n{problem.shown}"
    )
