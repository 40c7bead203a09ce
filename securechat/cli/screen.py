"""The arithmetic of a terminal: where text ends on it, how rows get above a prompt.

Pure: text goes in, text with escape sequences (ECMA-48, and DEC's save and restore cursor) comes
out. Rows are strings without line break, each narrower than the terminal unless a long link is in
it; they may hold SGR colours, which take no room.

Readline cannot be told to draw anew and does not tell where its cursor is. So what arrives is put
above the typed line in a way after which everything is as readline believes it to be: the cursor
in the same column of the same row of the same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..client.cells import COLOUR, cells, width_of

_ESC: Final = "\x1b"
_TAB_STOP: Final = 8

#: Asks "are you well?" (DSR); every terminal answers `WELL`, as if it had been typed.
ASK: Final = f"{_ESC}[5n"
WELL: Final = f"{_ESC}[0n"

CLEAR_ALL: Final = f"{_ESC}[H{_ESC}[2J"
CLEAR_AFTER: Final = f"{_ESC}[J"
CLEAR_BELOW: Final = f"\r{CLEAR_AFTER}"


class Place(NamedTuple):
    """A row and a column, both from 0."""

    row: int
    column: int


_ORIGIN: Final = Place(0, 0)


def place_after(text: str, width: int, start: Place = _ORIGIN) -> Place:
    """Where the cursor is after `text` (as `drawn`) was drawn from `start` on a terminal.

    Readline goes to the next row as soon as one is full.
    """
    row, column = start
    for char in text:
        if char == "\n":
            row, column = row + 1, 0
            continue
        step = width_of(char)
        if column + step > width:  # a wide character is not cut in two
            row, column = row + 1, 0
        column += step
        if column == width:
            row, column = row + 1, 0
    return Place(row, column)


def drawn(prompt: str, typed: str, width: int) -> list[str]:
    """How readline shows each character of `typed`: control characters as ^X, tabs as spaces."""
    shown: list[str] = []
    place = place_after(COLOUR.sub("", prompt), width)
    for char in typed:
        if char == "\t":
            char = " " * (_TAB_STOP - place.column % _TAB_STOP)
        elif char != "\n" and (char < " " or char == "\x7f"):
            char = "^" + chr(ord(char) ^ 0x40)
        shown.append(char)
        place = place_after(char, width, place)
    return shown


def insert_above(rows: Sequence[str], width: int, height: int) -> str:
    """Put `rows` above the row of the cursor; it keeps its text and the cursor its column.

    The row may stand anywhere; what is below it must be blank. Room is made by moving down (IND
    scrolls at the bottom and keeps the column) and up again; then lines are inserted (IL), and
    the cursor's column is restored from what was saved. A row wider than the terminal goes on in
    the next ones by itself; it must not fill all of them.
    """
    step = max(1, height - 2)
    told: list[str] = []
    batch: list[str] = []
    count = 0
    for row in rows:
        takes = max(1, -(-cells(row) // width))
        if batch and count + takes > step:
            told.append(_insert(batch, count))
            batch, count = [], 0
        batch.append(row)
        count += takes
    return "".join([*told, _insert(batch, count)]) if batch else ""


def _insert(rows: Sequence[str], count: int) -> str:
    return (
        f"{_ESC}D" * count
        + f"{_ESC}[{count}A{_ESC}7{_ESC}[{count}L\r"
        + "\r\n".join(rows)
        + f"{_ESC}8{_ESC}[{count}B"
    )


def redraw_below(rows: Iterable[str], prompt: str, typed: str, point: int, width: int) -> str:
    """Put `rows` above typed text that takes several rows, and draw that anew below them.

    The cursor stands at character `point` of `typed`, before and after. `prompt` may hold colours.
    """
    shown = drawn(prompt, typed, width)
    cursor = _end(prompt, shown[:point], width)
    end = _end(prompt, shown, width)
    fills_row = end.column == 0 and not typed.endswith("\n")
    return (
        _up(cursor.row)
        + CLEAR_BELOW
        + "".join(f"{row}\r\n" for row in rows)
        + prompt
        + "".join(shown).replace("\n", "\r\n")
        + ("\r\n" if fills_row else "")
        + _up(end.row - cursor.row)
        + "\r"
        + (f"{_ESC}[{cursor.column}C" if cursor.column else "")
    )


def fits_one_row(prompt: str, typed: str, width: int) -> bool:
    """Whether readline shows prompt and text on one row, its cursor included."""
    return _end(prompt, drawn(prompt, typed, width), width).row == 0


def erase(prompt: str, typed: str, width: int) -> str:
    """Take a line off the screen that was just entered: the cursor, below it, goes to its place."""
    end = _end(prompt, drawn(prompt, typed, width), width)
    return _up(end.row + (end.column > 0)) + CLEAR_BELOW


def _end(prompt: str, shown: Iterable[str], width: int) -> Place:
    return place_after(COLOUR.sub("", prompt) + "".join(shown), width)


def hide_colours(prompt: str) -> str:
    """`prompt` with its colours marked for readline as taking no room."""
    return COLOUR.sub(lambda colour: f"\x01{colour[0]}\x02", prompt)


def _up(rows: int) -> str:
    return f"{_ESC}[{rows}A" if rows else ""
