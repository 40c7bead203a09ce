"""A line being typed with readline, and rows that get above it at any time without disturbing it.

Readline has no call for the second half, so it is done between two key presses: `wake` signals the
main thread, and Python runs the signal's handler while readline waits for a key. What `show` has
collected is put on the screen there:

- typed text of one row: rows are inserted above it (`screen.insert_above`), and the terminal keeps
  text and cursor by itself;
- typed text of several rows: one must know where in it the cursor is, and readline tells that to a
  completer only. So the terminal is asked whether it is well (`screen.ASK`); the answer comes as if
  it were typed, is bound to the completer, and there all is drawn anew below the new rows. Where no
  answer comes, or the editor has no such bindings (libedit), rows wait until the line is sent or
  fits one row again.

`plain` (screen readers, dumb terminals): no prompt, no escape sequence; what comes while something
is typed waits until it is sent.

All but `wake` is for the main thread. Only one `Prompt` can be in use: readline is global.
"""

from __future__ import annotations

import os
import readline
import signal
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any, Final

from . import screen

#: Ignored by default, so that one which comes too late does no harm.
_WAKE: Final = signal.SIGURG
#: Seconds after which the terminal is asked once more how it is.
_ASK_AGAIN: Final = 1.0
#: Rows that wait for their place at most; older ones are not shown any more.
_MAX_WAITING: Final = 10_000

_SETTINGS: Final = (
    "tab: complete",
    "set bell-style none",  # a completer that finds nothing is how the cursor is found
    "set horizontal-scroll-mode off",
    "set show-all-if-ambiguous on",
    "set page-completions off",
)
_ESCAPE_SETTINGS: Final = (
    "set enable-bracketed-paste on",  # a paste of several lines is one text, not several commands
    '"' + screen.WELL.replace("\x1b", r"\e") + '": possible-completions',
)
_LIBEDIT_SETTINGS: Final = ("bind ^I rl_complete",)
_POSSIBLE_COMPLETIONS: Final = ord("?")


class _Suspended(Exception):
    """Ctrl-Z while something is typed: readline must give the terminal back before we stop."""


class Interrupted(Exception):
    """Ctrl-C; `typed` is what it cleared."""

    def __init__(self, typed: str) -> None:
        super().__init__()
        self.typed = typed


class Prompt(AbstractContextManager["Prompt"]):
    """The typed line; a context manager that takes the terminal's signals and gives them back.

    `on_wake` is called in the main thread, for a `wake`, while a line is being typed; it may call
    `show`, and what it raises comes out of `read`. `complete` gets the line up to the cursor and
    returns what may stand in its place.
    """

    def __init__(
        self,
        on_wake: Callable[[], None],
        complete: Callable[[str], list[str]],
        *,
        plain: bool,
    ) -> None:
        self.shown = ""  # the prompt that is on the screen
        self._on_wake = on_wake
        self._complete = complete
        self._plain = plain
        self._libedit = "libedit" in (readline.__doc__ or "")
        self._rows: deque[str] = deque(maxlen=_MAX_WAITING)
        self._asked_at: float | None = None
        self._matches: list[str] = []
        self._busy = False  # with the screen, in a handler of a signal or a completer
        self._meanwhile: BaseException | None = None  # what came while we were
        self._typed = ""  # when a signal came
        self._again = ""  # what the next line begins with
        self._main = threading.main_thread().ident or 0
        self._handlers: list[tuple[signal.Signals, Any]] = []

    def __enter__(self) -> Prompt:
        for name, handler in self._signals():
            self._handlers.append((name, signal.signal(name, handler)))
        readline.set_startup_hook(self._type_again)
        readline.set_completer(self._handle_completion)
        readline.set_completer_delims("")  # the completer gets, and gives, the whole line
        for setting in self._settings():
            readline.parse_and_bind(setting)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        readline.set_startup_hook(None)
        readline.set_completer(None)
        while self._handlers:
            signal.signal(*self._handlers.pop())

    def _signals(self) -> tuple[tuple[signal.Signals, Any], ...]:
        return (
            (_WAKE, self._handle_wake),
            (signal.SIGINT, self._handle_interrupt),
            (signal.SIGTSTP, self._handle_suspend),
        )

    def _settings(self) -> tuple[str, ...]:
        if self._libedit:
            return _LIBEDIT_SETTINGS
        return _SETTINGS if self._plain else _SETTINGS + _ESCAPE_SETTINGS

    # ------------------------------------------------------------------ typing

    def read(self, prompt: str) -> str:
        """Read one line; raises EOFError (Ctrl-D), Interrupted (Ctrl-C), UnicodeDecodeError.

        The typed line is taken off the screen, except with `plain`.
        """
        self.shown = "" if self._plain else prompt
        self._meanwhile = None
        try:
            line = self._input()
        except EOFError:
            self._write("\n")
            raise
        except KeyboardInterrupt:
            self._write("\n" if self._plain else f"^C{screen.CLEAR_AFTER}\r\n")
            raise Interrupted(self._typed) from None
        except BaseException:
            self._write("" if self._plain else screen.CLEAR_BELOW)
            raise
        finally:
            self._asked_at = None
        if not self._plain:
            self._write(screen.erase(self.shown, line, self._width()))
        return line

    def _input(self) -> str:
        """One line, with a pause for each time that the process is stopped."""
        while True:
            try:
                return input(screen.hide_colours(self.shown))
            except _Suspended:
                self._write("\n")
                self._stop()
                self._meanwhile = None
                self._again = self._typed

    def _type_again(self) -> None:
        """Called by readline when it begins a line: with what was typed before we were stopped."""
        if self._again:
            readline.insert_text(self._again)
            self._again = ""

    def is_stale(self, prompt: str) -> bool:
        """Whether another prompt is on the screen, and could be replaced with nobody noticing."""
        return not self._plain and prompt != self.shown and not readline.get_line_buffer()

    def wake(self) -> None:
        """From any thread: have `on_wake` called soon. Call again if it was not."""
        signal.pthread_kill(self._main, _WAKE)

    def _is_typing(self) -> bool:
        """Whether readline has the terminal: it reads key by key, everybody else line by line."""
        try:
            return not termios.tcgetattr(sys.stdin.fileno())[3] & termios.ICANON
        except termios.error:  # the terminal is gone
            return False

    def _handle_wake(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_typing() or self._busy:
            return
        self._busy = True
        try:
            self._on_wake()
            self._put()
        finally:
            self._busy = False
        if self._meanwhile is not None:
            raise self._meanwhile

    def _handle_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._break_off(KeyboardInterrupt())

    def _handle_suspend(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_typing():
            self._break_off(_Suspended())
        else:
            self._stop()

    def _break_off(self, error: BaseException) -> None:
        """End `input` with `error`; not before what is being shown just now is on the screen."""
        self._typed = readline.get_line_buffer() if self._is_typing() else ""
        if not self._busy:
            raise error
        self._meanwhile = error

    def _stop(self) -> None:
        """Stop as by Ctrl-Z; returns when the shell has us go on."""
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)

    def _handle_completion(self, left: str, state: int) -> str | None:
        if state == 0:
            self._busy = True
            try:
                self._matches = self._find(left)
            finally:
                self._busy = False
        return self._matches[state] if state < len(self._matches) else None

    def _find(self, left: str) -> list[str]:
        if self._asked_at is not None and readline.get_completion_type() == _POSSIBLE_COMPLETIONS:
            self._asked_at = None
            self._draw(readline.get_endidx())
            return []
        return self._complete(left)

    # ------------------------------------------------------------------ showing

    def show(self, rows: Iterable[str], *, bell: bool = False) -> None:
        """Put `rows` above what is being typed, now or as soon as that can be done."""
        self._rows.extend(rows)
        self._put()
        if bell and not self._plain:
            self._write("\a")

    @property
    def is_behind(self) -> bool:
        """Whether rows wait for their place: call `wake` now and then."""
        return bool(self._rows)

    def _put(self) -> None:
        if not self._rows:
            return
        if not self._is_typing():
            self._print()
        elif self._plain:
            if not readline.get_line_buffer():
                self._print()
        elif screen.fits_one_row(self.shown, readline.get_line_buffer(), self._width()):
            self._write(screen.insert_above(tuple(self._rows), self._height()))
            self._rows.clear()
        elif not self._libedit:
            self._ask()

    def _ask(self) -> None:
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at >= _ASK_AGAIN:
            self._asked_at = now
            self._write(screen.ASK)

    def _draw(self, point: int) -> None:
        typed = readline.get_line_buffer()
        self._write(screen.redraw_below(self._rows, self.shown, typed, point, self._width()))
        self._rows.clear()

    def _print(self) -> None:
        self._write("".join(f"{row}\n" for row in self._rows))
        self._rows.clear()

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _width(self) -> int:
        return screen_size()[0]

    def _height(self) -> int:
        return screen_size()[1]


def screen_size() -> os.terminal_size:
    """Columns and lines of the terminal; 80 by 24 where it does not know."""
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        size = os.terminal_size((0, 0))
    return os.terminal_size((size.columns or 80, size.lines or 24))
