"""What is typed while a program that takes each key by itself is still being loaded.

A terminal hands over lines, shows what is typed, and makes the CR of Enter an LF, which for the
full screen is Ctrl-J: another line instead of sending. `keys_from_now_on` ends that before the
loading begins, and gives what was typed earlier, with its Enters as Enter.

Ctrl-C stays a signal: nobody else would look at it meanwhile.
"""

from __future__ import annotations

import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_STDIN: Final = 0
_IFLAG, _LFLAG = 0, 3  # of what termios.tcgetattr returns
#: More than anybody types before a program has begun; a terminal holds no more than that, either.
_MOST: Final = 4_096


@contextmanager
def keys_from_now_on() -> Iterator[str]:
    """Have each key arrive as it is, unseen; gives what was typed before, and the terminal back.

    Where the terminal is gone, nothing was typed on it.
    """
    try:
        before = termios.tcgetattr(_STDIN)
        modes = termios.tcgetattr(_STDIN)
        modes[_IFLAG] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR)
        modes[_LFLAG] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        termios.tcsetattr(_STDIN, termios.TCSANOW, modes)
        typed = _typed()
    except (OSError, termios.error):
        yield ""
        return
    try:
        yield typed
    finally:
        _give_back(before)


def _give_back(modes: list[Any]) -> None:
    try:
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, modes)
    except termios.error:
        pass  # the terminal is gone, and its modes with it


def _typed() -> str:
    """What waits to be read. NUL stands where Ctrl-D was pressed on an unfinished line."""
    data = b""
    while len(data) < _MOST and select.select([_STDIN], [], [], 0)[0]:
        part = os.read(_STDIN, _MOST)
        if not part:
            break
        data += part
    return data.decode(errors="ignore").replace("\0", "").replace("\n", "\r")
