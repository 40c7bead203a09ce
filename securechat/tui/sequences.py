"""What terminals send for keys, and for some that Textual's own table would lose.

Textual (8.2) takes ESC and a digit for what iTerm sends for Option and that digit, so Alt-1 would
type `¡`; and it takes ESC and Return for Return alone. Both are what most terminals send for Alt.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser

from .pastes import Pastes


class _WithAlt(Enum):
    """Keys in the form of Textual's `Keys`, which has none of these."""

    ENTER = "alt+enter"
    DIGIT_1 = "alt+1"
    DIGIT_2 = "alt+2"
    DIGIT_3 = "alt+3"
    DIGIT_4 = "alt+4"
    DIGIT_5 = "alt+5"
    DIGIT_6 = "alt+6"
    DIGIT_7 = "alt+7"
    DIGIT_8 = "alt+8"
    DIGIT_9 = "alt+9"


_SEQUENCES: Final[dict[str, tuple[_WithAlt]]] = {
    "\x1b\r": (_WithAlt.ENTER,),
    **{f"\x1b{key.value[-1]}": (key,) for key in _WithAlt if key is not _WithAlt.ENTER},
}


def know_alt() -> None:
    """Teach Textual's parser these keys; again does nothing."""
    table: Any = ANSI_SEQUENCES_KEYS
    table.update(_SEQUENCES)


def keys_of(text: str) -> list[events.Key | events.Paste]:
    """The keys and pastes for which a terminal sends `text`; one that is cut off is left out."""
    parsed = XTermParser().feed(Pastes().take(text)) if text else ()
    return [event for event in parsed if isinstance(event, events.Key | events.Paste)]
