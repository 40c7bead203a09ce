"""What keyboard and mouse do in any field: the right button offers to cut, copy, paste and select.

That is for who knows no keys for it. Ctrl-A selects all, which under X11 is Ctrl-/ to Tk and Ctrl-A
the way to the beginning of the line; and Enter presses a button, as the space bar does.
"""

from __future__ import annotations

import tkinter as tk
from functools import partial
from tkinter import ttk
from typing import Final

from .menus import PopUp, Row

_FIELDS: Final = ("TEntry", "TCombobox", "Text")
_MENU_KEYS: Final = ("<Button-3>", "<Menu>", "<Shift-F10>")
_OFFERS: Final = (
    ("Cut", "<<Cut>>"),
    ("Copy", "<<Copy>>"),
    ("Paste", "<<Paste>>"),
    ("Select all", "<<SelectAll>>"),
)
_SELECT_ALL: Final = ("<Control-a>", "<Control-Lock-A>")
#: What needs a field that can be written in.
_CHANGES: Final = frozenset({"<<Cut>>", "<<Paste>>"})


def bind_fields(root: tk.Tk) -> None:
    """Have all fields and buttons of the window do so."""
    pop_up = PopUp(root)
    for kind in _FIELDS:
        for sequence in _MENU_KEYS:
            root.bind_class(kind, sequence, partial(_offer, pop_up))
    root.bind_class("TButton", "<Return>", _press)
    root.event_delete("<<LineStart>>", *_SELECT_ALL)
    root.event_add("<<SelectAll>>", *_SELECT_ALL)


def _press(event: tk.Event[tk.Misc]) -> None:
    if isinstance(event.widget, ttk.Button):
        event.widget.invoke()


def _offer(pop_up: PopUp, event: tk.Event[tk.Misc]) -> str:
    field = event.widget
    field.focus_set()
    can_write = str(field.cget("state")) == "normal"
    rows = [
        Row(label, partial(field.event_generate, happens))
        for label, happens in _OFFERS
        if can_write or happens not in _CHANGES
    ]
    if event.num == 3:
        pop_up.show(rows, event.x_root, event.y_root)
    else:
        pop_up.show(rows, field.winfo_rootx() + 20, field.winfo_rooty() + field.winfo_height())
    return "break"
