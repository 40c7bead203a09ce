"""The little Markdown of a chat: `*bold*`, `_italic_` and `` `code` ``, within one line.

Pure. The signs stay in the text, so that nothing is hidden, a copy says the same, and what was not
meant as emphasis does no harm. A sign counts at the edge of a word only: `2*3*4` and `snake_case`
are what they are. Within code nothing else counts.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final


class Emphasis(Enum):
    """How a piece of text is to be shown; the value is its sign."""

    PLAIN = ""
    BOLD = "*"
    ITALIC = "_"
    CODE = "`"


_MARKED: Final = re.compile(
    r"(?<![\w*_`])(?:`[^`]+`|\*(?=\S)[^*`]*[^*`\s]\*|_(?=\S)[^_`]*[^_`\s]_)(?![\w*_`])"
)


def emphasised(line: str) -> list[tuple[str, Emphasis]]:
    """The pieces of `line`, which joined are `line`, each with its emphasis."""
    pieces: list[tuple[str, Emphasis]] = []
    at = 0
    for found in _MARKED.finditer(line):
        if found.start() > at:
            pieces.append((line[at : found.start()], Emphasis.PLAIN))
        pieces.append((found[0], Emphasis(found[0][0])))
        at = found.end()
    if at < len(line):
        pieces.append((line[at:], Emphasis.PLAIN))
    return pieces
