"""The colour of a nick: always the same one, in every front end, on every machine.

Pure. Colours are numbers of the terminal's table of 256.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

#: Of the 256 colours those that stand out from white and from black alike (3.5 : 1 or more);
#: red is kept for errors.
NICK_COLOURS: Final = (166, 130, 100, 64, 28, 29, 30, 32, 27, 63, 98, 134, 164, 162, 168)


def nick_colour(nick: str, colours: Sequence[int] = NICK_COLOURS) -> int:
    """Which of `colours` the nick has; case makes no difference."""
    return colours[crc32(nick.casefold().encode("utf-8", "replace")) % len(colours)]
