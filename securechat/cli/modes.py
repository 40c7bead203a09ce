"""The modes of the terminal while lines are typed on it with readline.

They are ours from `take` to `give_back`, between two lines too: keys come one by one, so that no
Ctrl-D is lost there, and the system echoes none of them. What is typed before readline is there
waits unseen, and readline shows it behind its prompt; an echo of the system's would put it into the
middle of the rows that arrive.

Readline shows nothing where it finds echo switched off, so it is told to: `rl_tty_set_echoing`
(GNU readline 7) is for that, and Python has no name for it. Where it is not found (libedit), echo
stays on between two lines.

For the main thread. Raised by `take`: `termios.error`, if stdin is no terminal.
"""

from __future__ import annotations

import ctypes
import readline
import termios
from collections.abc import Callable
from typing import Any, Final

_STDIN: Final = 0
_IFLAG, _LFLAG, _CC = 0, 3, 6  # of what termios.tcgetattr returns
#: How Enter arrives between two lines; readline takes CR for itself, libedit swaps them.
_OUR_ENTER: Final = termios.ICRNL
_ENTERS: Final = termios.ICRNL | termios.INLCR


class Modes:
    """Who takes them gives them back, before whatever else shall have the terminal."""

    def __init__(self) -> None:
        self._set_echoing = _find_set_echoing()
        self._before: list[Any] = []

    def take(self) -> None:
        """Make them ours, and keep what was there."""
        modes = termios.tcgetattr(_STDIN)
        self._before = [*modes[:_CC], list(modes[_CC])]
        modes[_IFLAG] = modes[_IFLAG] & ~_ENTERS | _OUR_ENTER
        modes[_LFLAG] &= ~(termios.ICANON | termios.ECHO)
        if self._set_echoing is None:
            modes[_LFLAG] |= termios.ECHO
        modes[_CC][termios.VMIN], modes[_CC][termios.VTIME] = 1, 0
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, modes)

    def give_back(self) -> None:
        """Have it as it was before."""
        try:
            termios.tcsetattr(_STDIN, termios.TCSADRAIN, self._before)
        except termios.error:
            pass  # the terminal is gone, and its modes with it

    def show_typing(self) -> None:
        """Have readline show what is typed; for its startup hook, when it has read the modes."""
        if self._set_echoing is not None:
            self._set_echoing(1)

    def is_typing(self) -> bool:
        """Whether readline has the terminal at this moment: it changes how Enter arrives."""
        try:
            enters: int = termios.tcgetattr(_STDIN)[_IFLAG] & _ENTERS
        except termios.error:
            return False
        return enters != _OUR_ENTER


def _find_set_echoing() -> Callable[[int], int] | None:
    """`rl_tty_set_echoing` of the library that the module `readline` stands on."""
    library = ctypes.CDLL(getattr(readline, "__file__", None))
    try:
        found: Callable[[int], int] = library.rl_tty_set_echoing
    except AttributeError:
        return None
    return found
