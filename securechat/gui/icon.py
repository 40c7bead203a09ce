"""The window's icon for the task bar: a lock in a speech bubble, drawn without a file."""

from __future__ import annotations

import tkinter as tk
from typing import Final

_SIZE: Final = 64
_BUBBLE: Final = "#005fb8"
_LOCK: Final = "#ffffff"
#: Rectangles: left, top, right, bottom, and the colour.
_PARTS: Final = (
    (6, 6, 58, 46, _BUBBLE),
    (3, 9, 61, 43, _BUBBLE),
    (16, 46, 28, 52, _BUBBLE),
    (16, 52, 22, 58, _BUBBLE),
    (25, 14, 39, 26, _LOCK),
    (29, 18, 35, 26, _BUBBLE),
    (21, 25, 43, 39, _LOCK),
)


def draw(root: tk.Tk) -> tk.PhotoImage:
    """Draw it; it lives as long as the image that is given back."""
    image = tk.PhotoImage(master=root, width=_SIZE, height=_SIZE)
    for left, top, right, bottom, colour in _PARTS:
        image.put(colour, to=(left, top, right, bottom))
    return image
