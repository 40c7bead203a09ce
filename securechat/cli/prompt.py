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
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any, Final

from . import screen, secret
from .modes import Modes
from .report import Terminated

_STDIN: Final = 0
_STDOUT: Final = 1
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
        self._busy = False  # with the screen, in the handler of a signal
        self._meanwhile: BaseException | None = None  # what came at a moment not good for it
        self._ending: BaseException | None = None  # what is on its way out of `input`
        self._typed = ""  # when a signal came
        self._main = threading.main_thread().ident or 0
        self._modes = Modes()
        self._resumed = ""  # what was typed when the process was stopped
        self._handlers: list[tuple[signal.Signals, Any]] = []

    def __enter__(self) -> Prompt:
        self._modes.take()
        for name, handler in self._signals():
            self._handlers.append((name, signal.signal(name, handler)))
        # Else a write of readline's own that it cuts short loses what it was to write, a letter of
        # the prompt; `select`, in which readline waits for keys, returns all the same (signal(7)).
        signal.siginterrupt(_WAKE, False)
        readline.set_startup_hook(self._handle_startup)
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
        self._modes.give_back()

    def _signals(self) -> tuple[tuple[signal.Signals, Any], ...]:
        return (
            (_WAKE, self._handle_wake),
            (signal.SIGINT, self._handle_interrupt),
            (signal.SIGTERM, self._handle_terminate),
            (signal.SIGTSTP, self._handle_suspend),
        )

    def _settings(self) -> tuple[str, ...]:
        if self._libedit:
            return _LIBEDIT_SETTINGS
        return _SETTINGS if self._plain else _SETTINGS + _ESCAPE_SETTINGS

    # ------------------------------------------------------------------ typing

    def read(self, prompt: str) -> str:
        """Read one line; raises EOFError (Ctrl-D), Interrupted (Ctrl-C), Terminated (SIGTERM),
        UnicodeDecodeError, and what `on_wake` raises.

        The typed line is taken off the screen, except with `plain`.
        """
        self.shown = "" if self._plain else prompt
        try:
            line = self._read()
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

    def _read(self) -> str:
        """One line, with a pause for each time that the process is stopped."""
        while True:
            try:
                return _input(screen.hide_colours(self.shown))
            except _Suspended:
                self._resumed = self._typed
            finally:
                self._ending = self._meanwhile = None
            self._write("\n")
            self._stop()

    def read_secret(self, prompt: str) -> str:
        """Read one line that is not shown; raises Interrupted (Ctrl-C, Ctrl-D), and `Terminated`.

        What arrives meanwhile waits. Readline has no part in it, nor has its history.
        """
        try:
            return secret.read(_STDIN, prompt, self._write)
        except secret.BrokenOff:
            raise Interrupted("") from None

    def forget_line(self) -> None:
        """Let Up not bring back the line that was read last."""
        last = readline.get_current_history_length() - 1
        if last >= 0:
            readline.remove_history_item(last)

    def is_stale(self, prompt: str) -> bool:
        """Whether another prompt is on the screen, and could be replaced with nobody noticing."""
        return not self._plain and prompt != self.shown and self.is_blank()

    def is_blank(self) -> bool:
        """Whether nothing is typed."""
        return not readline.get_line_buffer()

    def wake(self) -> None:
        """From any thread: have `on_wake` called, and rows that wait shown, if that can be now.

        Call it again if it was not. Call it now and then anyway: a signal that comes while
        readline is busy with a key is handled only when the next one comes.
        """
        signal.pthread_kill(self._main, _WAKE)

    # ------------------------------------------------------------------ terminal and signals

    def _handle_startup(self) -> None:
        """Readline has taken the terminal, and shows its prompt next."""
        self._modes.show_typing()
        if self._resumed:
            readline.insert_text(self._resumed)
            self._resumed = ""

    def _handle_wake(self, _number: int, frame: FrameType | None) -> None:
        if not _is_in_readline(frame):
            return
        self._go_on_ending()
        if not self._modes.is_typing():
            return
        error: BaseException | None = None
        self._busy = True
        try:
            self._on_wake()
            self._put()
        except BaseException as raised:
            error = raised
        self._busy = False
        self._ending = self._meanwhile or error
        self._go_on_ending()

    def _handle_interrupt(self, _number: int, frame: FrameType | None) -> None:
        self._break_off(KeyboardInterrupt(), frame)

    def _handle_terminate(self, _number: int, frame: FrameType | None) -> None:
        self._break_off(Terminated(), frame)

    def _handle_suspend(self, _number: int, frame: FrameType | None) -> None:
        if self._modes.is_typing():
            self._break_off(_Suspended(), frame)
        else:
            self._stop()

    def _break_off(self, error: BaseException, frame: FrameType | None) -> None:
        """End what runs with `error`; what must not be torn apart ends first, at the next wake."""
        if _is_in_readline(frame):
            self._go_on_ending()
        if not self._modes.is_typing():
            self._typed = ""
            raise error
        self._typed = readline.get_line_buffer()
        if self._busy or not _is_in_readline(frame):
            self._meanwhile = error
        else:
            self._ending = error
            self._go_on_ending()

    def _go_on_ending(self) -> None:
        """Raise what is on its way out of `input` already, if something is.

        `input` looks for signals once more on its way out, and a handler that just returns while an
        exception is set makes that a SystemError.
        """
        if self._ending is not None:
            raise self._ending

    def _stop(self) -> None:
        """Stop as by Ctrl-Z; returns when the shell has us go on."""
        self._modes.give_back()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)
        self._modes.take()

    def _handle_completion(self, left: str, state: int) -> str | None:
        if state == 0:
            self._matches = self._find(left)
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

    def clear(self) -> bool:
        """Empty the screen, between two lines; False if `plain`, where nothing ever moves."""
        if not self._plain:
            self._write(screen.CLEAR_ALL)
        return not self._plain

    def _put(self) -> None:
        if not self._rows:
            return
        if not self._modes.is_typing():
            self._print()
        elif self._plain:
            if not readline.get_line_buffer():
                self._print()
        elif screen.fits_one_row(self.shown, readline.get_line_buffer(), self._width()):
            self._write(screen.insert_above(tuple(self._rows), *screen_size()))
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
        """Write all of it: a signal can cut a write short, and an unbuffered sys.stdout (python -u,
        PYTHONUNBUFFERED) would then drop the rest.
        """
        data = text.encode(sys.stdout.encoding, "backslashreplace")
        while data:
            data = data[os.write(_STDOUT, data) :]

    def _width(self) -> int:
        return screen_size()[0]


def _input(prompt: str) -> str:
    """Nothing but `input`: a signal while this runs did not come in the middle of anything else.

    It can come there while readline has a completer or a hook run; those are other functions.
    """
    return input(prompt)


def _is_in_readline(frame: FrameType | None) -> bool:
    """Whether a signal came between two keys; what its handler raises comes out of `_input`."""
    return frame is not None and frame.f_code is _INPUT


_INPUT: Final = _input.__code__


def screen_size() -> os.terminal_size:
    """Columns and lines of the terminal; 80 by 24 where it does not know."""
    try:
        size = os.get_terminal_size(_STDOUT)
    except OSError:
        size = os.terminal_size((0, 0))
    return os.terminal_size((size.columns or 80, size.lines or 24))
