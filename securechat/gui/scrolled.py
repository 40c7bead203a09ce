"""A form in the middle of a window: as wide as it wants while there is room, and never cut off.

What is too high is scrolled, by wheel and bar, and by whoever moves the keyboard to a part of it.
"""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

#: The widest that a form gets, in heights of the text, and where it stands if there is room.
_WIDEST: Final = 36
_HEIGHT: Final = 0.42


class Scrolled(ttk.Frame):
    """`body` is what to fill; its labels wrap at its edge."""

    def __init__(self, master: tk.Misc) -> None:
        super().__init__(master)
        self._unit = 14
        self._canvas = tk.Canvas(self, borderwidth=0, highlightthickness=0, width=1, height=1)
        self._bar = ttk.Scrollbar(self, command=self._canvas.yview, takefocus=False)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self._canvas.pack(fill="both", expand=True)
        self.body = ttk.Frame(self._canvas, padding=16)
        self._item = self._canvas.create_window(0, 0, window=self.body, anchor="n")
        self._canvas.bind("<Configure>", lambda _: self._fit())
        self.body.bind("<Configure>", lambda _: self._fit())
        top = self.winfo_toplevel()
        top.bind("<FocusIn>", self._reveal, add=True)
        top.bind("<Button-4>", lambda event: self._wheel(event, -1), add=True)
        top.bind("<Button-5>", lambda event: self._wheel(event, 1), add=True)
        top.bind(
            "<MouseWheel>", lambda event: self._wheel(event, -1 if event.delta > 0 else 1), add=True
        )

    def dress(self, background: str, unit: int) -> None:
        """Take on a colour, and sizes that go with text of `unit` pixels."""
        self._unit = unit
        self._canvas.configure(background=background, yscrollincrement=unit)
        self._fit()

    def _fit(self) -> None:
        wide, high = self._canvas.winfo_width(), self._canvas.winfo_height()
        width = min(wide, _WIDEST * self._unit)
        wrap = max(1, width - 2 * 16)
        for widget in _below(self.body):
            if isinstance(widget, ttk.Label) and str(widget.cget("wraplength")) != str(wrap):
                widget.configure(wraplength=wrap)
        needed = self.body.winfo_reqheight()
        self._canvas.itemconfigure(self._item, width=width)
        self._canvas.coords(self._item, wide // 2, max(0, int((high - needed) * _HEIGHT)))
        self._canvas.configure(scrollregion=(0, 0, wide, max(needed, high)))
        if needed > high:
            self._bar.place(relx=1.0, relheight=1.0, anchor="ne")  # it takes no room from the form
        else:
            self._bar.place_forget()

    def _is_ours(self, widget: object) -> bool:
        return isinstance(widget, tk.Misc) and str(widget).startswith(f"{self.body}.")

    def _wheel(self, event: tk.Event[tk.Misc], steps: int) -> None:
        is_cut = self.body.winfo_reqheight() > self._canvas.winfo_height()
        if is_cut and self._is_ours(event.widget):
            self._canvas.yview_scroll(steps * 3, "units")

    def _reveal(self, event: tk.Event[tk.Misc]) -> None:
        """Bring what has the keyboard into view."""
        if not self._is_ours(event.widget) or not self._canvas.winfo_ismapped():
            return
        self.update_idletasks()
        top = event.widget.winfo_rooty() - self.body.winfo_rooty()
        bottom, high = top + event.widget.winfo_height(), self._canvas.winfo_height()
        seen = self._canvas.canvasy(0)
        needed = max(1, self.body.winfo_reqheight())
        if bottom > seen + high:
            self._canvas.yview_moveto((bottom + self._unit - high) / needed)
        elif top < seen:
            self._canvas.yview_moveto(max(0, top - 3 * self._unit) / needed)


def _below(widget: tk.Misc) -> list[tk.Misc]:
    found: list[tk.Misc] = list(widget.winfo_children())
    for one in found:
        found += one.winfo_children()  # which is walked through, too
    return found
