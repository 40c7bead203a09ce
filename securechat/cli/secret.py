"""A line typed on a terminal that does not show it.

In: a terminal's descriptor. Out: what was typed. Raised: `BrokenOff` for Ctrl-C, Ctrl-D or a closed
terminal, and what the handler of a signal raises.

Not `getpass`, which leaves Ctrl-C to signals, and signals to handlers that mean readline.
"""

from __future__ import annotations

import os
import re
import termios
from collections.abc import Callable
from typing import Final

_LFLAG: Final = 3  # of what termios.tcgetattr returns
_LONGEST: Final = 4_096

#: What arrows and their like send; nobody means them.
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.)")
_ENDS: Final = frozenset({"\r", "\n"})
_BREAKS: Final = frozenset({"\x03", "\x04"})
_ERASES: Final = frozenset({"\x7f", "\x08"})
_KILLS: Final = frozenset({"\x15", "\x17"})  # Ctrl-U, Ctrl-W


class BrokenOff(Exception):
    """Whoever was asked would rather not say."""


def read(terminal: int, prompt: str, write: Callable[[str], None]) -> str:
    """One line; the terminal is as it was when this returns."""
    before = termios.tcgetattr(terminal)
    silent = [*before[:6], list(before[6])]
    silent[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
    silent[6][termios.VMIN], silent[6][termios.VTIME] = 1, 0
    termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)  # what was typed before is not meant
    write(prompt)
    try:
        return _type(terminal)
    finally:
        write("\r\n")
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _type(terminal: int) -> str:
    typed, rest = "", b""
    while len(typed) <= _LONGEST:
        data = os.read(terminal, 1_024)
        if not data:
            raise BrokenOff
        text, rest = _decode(rest + data)
        for char in _ESCAPES.sub("", text):
            if char in _ENDS:
                return typed
            if char in _BREAKS:
                raise BrokenOff
            if char in _ERASES:
                typed = typed[:-1]
            elif char in _KILLS:
                typed = ""
            elif char.isprintable():
                typed += char
    raise BrokenOff


def _decode(data: bytes) -> tuple[str, bytes]:
    """As much as is whole, and what is only begun; bytes that are no UTF-8 are passed over."""
    for left in range(min(4, len(data) + 1)):
        try:
            return data[: len(data) - left].decode(), data[len(data) - left :]
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                break
    return data.decode(errors="ignore"), b""
