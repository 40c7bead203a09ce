"""What is asked of the C library about memory, where it is glibc: few heaps, nothing kept idle.

In and out: nothing. Where the C library is another one, or has no such call, nothing happens.

glibc gives each thread a heap of its own, in which what the thread has freed waits for that thread
alone. But here a message is read by one thread, stored by the next and written by a third, and each
of them once needed much: after a busy room in which 100 people did not read, 54 of 106 MB were
free, in six heaps, and who caught up made their readers' heaps grow all the same (+35 MB; with one
heap +6). The interpreter lets one thread allocate at a time, but for what OpenSSL and SQLite take:
with one io thread, one heap costs no CPU; four of them would wait for each other there (10 to 20 %
more for each delivery), so there are as many heaps as io threads.

A handshake takes 20 KiB for a moment. When hundreds are under way at once, that lies in pieces
between what their connections keep, and the C library gives such pieces back only when it is asked
(malloc_trim(3)): 0.25 KiB for each of 5,000 connections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

#: Handshakes after which it is worth the milliseconds that it takes.
RUSH: Final = 256
#: `M_ARENA_MAX` of mallopt(3): how many heaps there may be.
_ARENA_MAX: Final = -8


def share_heaps(most: int) -> None:
    """Have all threads take memory from `most` heaps together; to be called before they start."""
    from ctypes import c_int

    set_option = _find("mallopt", c_int, c_int)
    if set_option is not None:
        set_option(_ARENA_MAX, most)


def find_give_back() -> Callable[[], None]:
    """What gives memory back on this system; it does nothing where there is no such thing."""
    from ctypes import c_size_t

    trim = _find("malloc_trim", c_size_t)
    if trim is None:
        return lambda: None

    def give_back() -> None:
        trim(0)

    return give_back


def _find(name: str, *arguments: type[Any]) -> Callable[..., int] | None:
    """A function of the C library that takes `arguments` and returns an int, if it is there."""
    from ctypes import CDLL, c_int

    try:
        function: Any = getattr(CDLL(None), name)
    except (OSError, AttributeError):  # another C library
        return None
    function.argtypes, function.restype = arguments, c_int
    return function  # type: ignore[no-any-return]


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
