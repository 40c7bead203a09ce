"""Gives memory back to the system that a rush of handshakes has left.

A handshake takes 20 KiB for a moment. When hundreds are under way at once, that lies in pieces
between what their connections keep, and the C library gives such pieces back only when it is asked
(malloc_trim(3), glibc alone): 0.25 KiB for each of 5,000 connections. In and out: nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

#: Handshakes after which it is worth the milliseconds that it takes.
RUSH: Final = 256


def find_give_back() -> Callable[[], None]:
    """What gives memory back on this system; it does nothing where there is no such thing."""
    from ctypes import CDLL, c_int, c_size_t

    try:
        trim = CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library
        return lambda: None
    trim.argtypes, trim.restype = (c_size_t,), c_int

    def give_back() -> None:
        trim(0)

    return give_back


class Rush:
    """Counts the handshakes under way; when a rush of them is over, memory is given back."""

    def __init__(self) -> None:
        self._give_back = find_give_back()
        #: Under way, and those that were since memory was given back.
        self._shaking = self._shaken = 0

    def begin(self) -> None:
        """One more is under way."""
        self._shaking += 1

    def end(self) -> None:
        """One of them is done, well or not."""
        self._shaking -= 1
        self._shaken += 1
        if not self._shaking and self._shaken >= RUSH:
            self._shaken = 0
            self._give_back()
