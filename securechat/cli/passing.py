"""A command whose output passes through us unchanged while its last lines are remembered.

In goes a command and how many lines to remember; out comes how it ended. It gets our stdin. What it
writes reaches our stdout and stderr as it comes, byte by byte; when nobody reads ours any more, it
is told as it would have been without us. SIGTERM and SIGHUP are passed on to it; SIGINT and SIGQUIT
come from the terminal to both of us, and are its to answer. Nothing is raised: a command that
cannot be started has ended with 126 or 127, as in a shell.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import IO, Final, NamedTuple

from ..client.parts import readable
from .report import complain

_PIECE: Final = 1 << 16
#: So much of a line is remembered.
_LONGEST_LINE: Final = 1_000

_NOT_RUNNABLE: Final = 126
_NOT_FOUND: Final = 127


class Finished(NamedTuple):
    """How a command ended: the exit code for a shell, the same in words, the last lines."""

    code: int
    outcome: str
    lines: list[str]
    started: bool = True


def pass_through(command: Sequence[str], remember: int) -> Finished:
    """Run `command` to its end."""
    sys.stdout.flush()
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        complain(f"{command[0]}: {error.strerror}")
        code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE
        return Finished(code, f"not started ({error.strerror})", [], started=False)
    memory = _Memory(remember)
    assert process.stdout is not None
    assert process.stderr is not None
    with _signals_passed_on(process):
        threads = [
            threading.Thread(target=_pass_on, args=(stream, sink, memory), name=name, daemon=True)
            for stream, sink, name in (
                (process.stdout, 1, "command-stdout"),
                (process.stderr, 2, "command-stderr"),
            )
        ]
        for thread in threads:
            thread.start()
        status = process.wait()
        for thread in threads:
            thread.join()
    if status >= 0:
        return Finished(status, f"exit {status}", memory.lines())
    return Finished(128 - status, f"ended by {_name_of(-status)}", memory.lines())


class _Memory:
    """The last lines of both streams, in the order in which they ended."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=most)

    def add(self, line: bytes) -> None:
        """One line, without its end."""
        text = readable(line.decode("utf-8", "replace"))
        with self._lock:
            self._lines.append(text[:_LONGEST_LINE])

    def lines(self) -> list[str]:
        """What is remembered."""
        with self._lock:
            return list(self._lines)


def _pass_on(stream: IO[bytes], sink: int, memory: _Memory) -> None:
    """One stream of the command, to its end, or to that of its reader."""
    rest = b""
    with stream:
        while piece := os.read(stream.fileno(), _PIECE):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                memory.add(line)
            rest = rest[-_PIECE:]
            try:
                _write(sink, piece)
            except OSError:  # closing our end is what tells the command
                break
    if rest:
        memory.add(rest)


def _write(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]


@contextmanager
def _signals_passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    def pass_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    def leave(_number: int, _frame: FrameType | None) -> None:
        """The command has it too."""

    handlers = {
        signal.SIGTERM: pass_on,
        signal.SIGHUP: pass_on,
        signal.SIGINT: leave,
        signal.SIGQUIT: leave,
    }
    before = {
        number: signal.signal(number, handler)
        for number, handler in handlers.items()
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup: the command ignores it, too
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
