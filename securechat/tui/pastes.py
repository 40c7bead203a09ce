"""Bracketed pastes made safe for a parser that looks for keys in them.

A terminal puts ESC [200~ and ESC [201~ around what is pasted (xterm, "Bracketed Paste Mode"); what
stands between is text, whatever it is. Textual (8.2) reads on for keys there: an ESC makes keys of
what follows, Enter too. So nothing in a paste that could be one goes on to it: control characters
become what `harmless` would show for them, `\\x1b`, all but those that set text.

Text in, text out, both in pieces of any size. Outside a paste nothing is held back, for a lone ESC
is a key, and its time counts; inside, only what may be the beginning of the end.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

START: Final = "\x1b[200~"
END: Final = "\x1b[201~"

_SHOWN: Final = MappingProxyType(
    {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n\r"}
)
#: What may go on with END, at the end of a piece.
_CUT_OFF: Final = re.compile(r"\x1b(\[(2(0(1)?)?)?)?\Z")


class Pastes:
    """What a terminal sends, with nothing but text in its pastes."""

    def __init__(self) -> None:
        self._is_inside = False
        self._held = ""  # inside: the beginning of what may be END
        self._tail = ""  # outside: what went before, and may be the beginning of START

    def take(self, text: str) -> str:
        """The next piece, as it may go on."""
        safe = []
        while text:
            piece, text = self._take_inside(text) if self._is_inside else self._take_outside(text)
            safe.append(piece)
        return "".join(safe)

    def _take_outside(self, text: str) -> tuple[str, str]:
        known = self._tail + text
        at = known.find(START)
        if at < 0:
            self._tail = known[-(len(START) - 1) :]
            return text, ""
        self._is_inside, cut = True, at + len(START) - len(self._tail)
        self._tail = ""
        return text[:cut], text[cut:]

    def _take_inside(self, text: str) -> tuple[str, str]:
        text, self._held = self._held + text, ""
        pasted, end, rest = text.partition(END)
        if end:
            self._is_inside = False
        elif cut_off := _CUT_OFF.search(pasted):
            self._held, pasted = cut_off.group(), pasted[: cut_off.start()]
        return pasted.translate(_SHOWN) + end, rest
