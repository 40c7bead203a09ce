"""The little Markdown of a chat: `*bold*`, `_italic_`, `` `code` ``, blocks of code, and links.

Pure. The signs stay in the text, so that nothing is hidden, a copy says the same, and what was not
meant as emphasis does no harm. A sign counts at the edge of a word only: `2*3*4` and `snake_case`
are what they are. Within code, and within links, nothing else counts. A block begins at a line of
three or more backticks, and ends at a line of no fewer, or with the text (CommonMark, 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final, TypeAlias


class Emphasis(Enum):
    """How a piece of text is to be shown; the value is its sign."""

    PLAIN = ""
    BOLD = "*"
    ITALIC = "_"
    CODE = "`"
    LINK = "h"


Pieces: TypeAlias = list[tuple[str, Emphasis]]

#: What ends a sentence or closes a bracket around a link is not of the link.
_MARKED: Final = re.compile(
    r"\bhttps?://\S*[^\s.,;:!?'\"<>()\[\]{}*_`]"
    r"|(?<![\w*_`])(?:```.+?```|`[^`]+`"
    r"|\*(?=\S)[^*`]*[^*`\s]\*|_(?=\S)[^_`]*[^_`\s]_)(?![\w*_`])",
    re.IGNORECASE,
)
_FENCE: Final = re.compile(r" {0,3}(`{3,})[^`]*")


def emphasised(lines: Iterable[str]) -> list[Pieces]:
    """The pieces of each line of a text, which joined are that line, each with its emphasis."""
    found: list[Pieces] = []
    fence = 0
    for line in lines:
        backticks = _FENCE.fullmatch(line)
        length = len(backticks[1]) if backticks else 0
        if fence:
            found.append([(line, Emphasis.CODE)])
            is_bare = not line.strip().strip("`")
            fence = 0 if is_bare and length >= fence else fence
        elif length:
            found.append([(line, Emphasis.CODE)])
            fence = length
        else:
            found.append(_within(line))
    return found


def _within(line: str) -> Pieces:
    pieces: Pieces = []
    at = 0
    for found in _MARKED.finditer(line):
        if found.start() > at:
            pieces.append((line[at : found.start()], Emphasis.PLAIN))
        pieces.append((found[0], Emphasis(found[0][0].lower())))
        at = found.end()
    if at < len(line):
        pieces.append((line[at:], Emphasis.PLAIN))
    return pieces
