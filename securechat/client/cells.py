"""How wide text is on a terminal, and where it breaks into rows.

Pure. Rows hold no line break; they may hold SGR colours, which take no room.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from unicodedata import category, east_asian_width

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_WORD: Final = re.compile(r" +|[^ ]+")


def cells(text: str) -> int:
    """How many columns `text` takes on one row, colours left out."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(map(width_of, COLOUR.sub("", text)))


def width_of(char: str) -> int:
    """How many columns one character takes."""
    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def wrap(
    text: str,
    width: int,
    indent: int,
    lead: int = 0,
    measure: Callable[[str], int] = cells,
    whole: re.Pattern[str] | None = None,
) -> list[slice]:
    """Break one line into rows of at most `width` cells, at spaces where it has any.

    The rows come as slices of `text`; the first is to stand behind `lead` spaces, all others
    behind `indent`, so that nothing in a long line can look like the beginning of another one.
    `measure` says how wide a text is, for who draws by another table than ours. What `whole` finds
    is never broken: such a row is wider than `width`, and the terminal goes on in the next one.
    """
    rows: list[slice] = []
    start = stop = at = 0  # the row so far, without the spaces behind it, and with them
    used, room = 0, width - lead
    for piece in _pieces(text, width - indent, measure, whole):
        size = measure(piece)
        if used and used + size > room and not piece.isspace():
            rows.append(slice(start, stop))
            start, used, room = at, 0, width - indent
        at, used = at + len(piece), used + size
        if not piece.isspace():
            stop = at
    return [*rows, slice(start, stop)]


def _pieces(
    text: str, most: int, measure: Callable[[str], int], whole: re.Pattern[str] | None
) -> Iterator[str]:
    """What may stand on a row of its own: spaces, words, each letter of a word wider than `most`.

    Scripts with wide letters know no spaces: each letter is a word.
    """
    for word in _WORD.findall(text):
        is_long = measure(word) > most
        if is_long and whole is not None and (found := whole.search(word)) is not None:
            yield from (*word[: found.start()], found[0], *word[found.end() :])
        elif is_long or (not word.isascii() and any(width_of(char) > 1 for char in word)):
            yield from word
        else:
            yield word
