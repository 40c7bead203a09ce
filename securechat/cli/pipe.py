"""Pipe mode: each line that comes in is said, each thing that happens is one line that goes out.

For scripts and for terminals without a screen. Lines in are UTF-8 (or what the locale says); slash
commands work, and the next line waits for a command's answer, so `/join garden` and then `hello`
does what it says. Lines out are records (see `render`); how the link is, refusals and mistakes go
to stderr. At the end of the input it waits until everything is stored and answered, then leaves.

The exit code is 0, or 1 if something was refused or nobody reads the output any more; what ends
the client, or leaves the last messages unconfirmed, is raised and has its own.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from ..client.arguments import BadInput
from ..client.controller import Controller
from ..client.courier import told_of_stall
from ..client.entries import Entry, Kind, counted, is_whole
from ..client.events import STORAGE, ClientEvent, Draft, DraftState, Heard
from ..client.interface import Client
from ..errors import ClientError, GaveUp
from .render import record
from .report import complain, forget_stdout

#: No more is read while so many drafts are on their way.
MAX_UNSETTLED: Final = 500
#: Seconds without any progress, at the end of the input, after which the rest is given up.
PATIENCE: Final = 30.0
#: A longer line is certainly no message; it is not kept, only refused.
MAX_LINE: Final = 1 << 20

_STDIN: Final = 0
_PIECE: Final = 1 << 16


def run(client: Client, nick: str, rooms: Sequence[str]) -> int:
    """Chat from stdin to stdout until either, or the client, ends; returns the exit code.

    Raises the ClientError that ended the client.
    """
    return _Pipe(client, nick, rooms).run()


def lines(source: int, most: int = MAX_LINE) -> Iterator[bytes]:
    """The lines of a descriptor as they come, without their ends; of a longer one, `most` bytes."""
    rest, skipping = b"", False
    while piece := _read(source):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if not skipping:
                yield line.removesuffix(b"\r")
            skipping = False
        if len(rest) > most:
            if not skipping:
                yield rest[:most]
            rest, skipping = b"", True
    if rest and not skipping:
        yield rest


def _read(source: int) -> bytes:
    try:
        return os.read(source, _PIECE)
    except OSError:  # a closed stdin, or a terminal that is gone: nothing more will come
        return b""


class _Pipe:
    """The main thread writes what the client tells; a daemon thread reads and says."""

    def __init__(self, client: Client, nick: str, rooms: Sequence[str]) -> None:
        self._client = client
        self._controller = Controller(client, nick, tuple(rooms), interactive=False)
        #: Guards the controller and the output; notified when either side may go on.
        self._changed = threading.Condition()
        self._lines: dict[str, int] = {}  # by the id of what each one sent, until it is answered
        self._was_online = self._stalled = False
        self._failed = False
        self._unread = False
        self._gave_up: ClientError | None = None

    def run(self) -> int:
        self._client.start()
        threading.Thread(target=self._read_all, name="stdin", daemon=True).start()
        leaving = False
        while not self._controller.done:
            event = self._client.events.get()
            with self._changed:
                self._take(event)
                self._was_online |= self._controller.timeline.online
                self._changed.notify_all()
            if self._unread and not leaving:
                leaving = True
                self._client.close()
        error = self._controller.error or self._gave_up
        if error is not None:
            raise error
        return 1 if self._failed or self._unread else 0

    # ------------------------------------------------------------------ in

    def _read_all(self) -> None:
        """The thread's work; whatever happens, the client is closed and the main thread ends."""
        reason = None
        encoding = sys.stdin.encoding if sys.stdin is not None else "utf-8"
        try:
            for number, line in enumerate(lines(_STDIN), 1):
                self._client.settle(None, MAX_UNSETTLED)
                if not self._take_line(number, line, encoding):
                    break
            leaving = self._controller.leaving
            reason = leaving.reason if leaving is not None else None
            self._wait_for_the_rest()
        finally:
            self._client.close(reason)

    def _take_line(self, number: int, line: bytes, encoding: str) -> bool:
        """Carry one line out, when it is its turn; False: it was the last one."""
        controller = self._controller
        with self._changed:
            # What is said needs no link: it is kept on disk, and sent when there is one.
            asks = line.startswith(b"/") and not line.startswith(b"//")
            self._changed.wait_for(self._may_go_on if asks else self._is_answered)
            if controller.done or self._unread:
                return False
            try:
                text = line.decode(encoding)
                entries = controller.enter(text, _now(), controller.focus)
                if controller.latest is not None:
                    self._lines[controller.latest] = number
                self._write(entries)
            except UnicodeDecodeError:
                self._fail(f"line {number} is not {encoding}: not sent; convert it with iconv")
            except BadInput as problem:
                self._fail(f"line {number}: {problem}")
            except ClientError:
                return False  # `Ended` is on its way and says why
            if controller.asking is not None:
                controller.leave_unanswered()
                self._fail(f"line {number}: not sent: a password is typed on a terminal only")
            return controller.leaving is None

    def _is_answered(self) -> bool:
        return self._controller.done or (self._was_online and not self._controller.unanswered)

    def _may_go_on(self) -> bool:
        return self._is_answered() and (self._controller.done or self._controller.timeline.online)

    def _wait_for_the_rest(self) -> None:
        """Wait for answers and echoes as long as they come."""
        controller = self._controller
        with self._changed:
            self._changed.wait_for(self._is_answered)
        with self._changed:
            before = len(controller.timeline.drafts)
        while not self._client.settle(PATIENCE):
            with self._changed:
                if controller.done:
                    return
                left = len(controller.timeline.drafts)
            if left == before:
                told = counted(left, "message was", "messages were")
                why = f" ({STORAGE}: the server has no room)" if self._stalled else ""
                self._gave_up = GaveUp(
                    f"{told} not confirmed within {PATIENCE:.0f} s{why}; what was not is kept, and"
                    " sent by the next command that reaches the server."
                )
                return
            before = left

    # ------------------------------------------------------------------ out

    def _take(self, event: ClientEvent) -> None:
        """One event of the client: write what it brings, with the line of the input it answers."""
        number = None
        if isinstance(event, Draft):
            number = self._lines.get(event.id)
            self._watch(event)
        elif isinstance(event, Heard) and event.system.re is not None:
            number = self._lines.get(event.system.re)
            if is_whole(event.system):
                self._lines.pop(event.system.re, None)
        self._write(self._controller.take(event, _now()), number)

    def _watch(self, draft: Draft) -> None:
        """Say once that the server has no room, until it has again."""
        if draft.state in (DraftState.SENT, DraftState.REFUSED):
            self._lines.pop(draft.id, None)
            self._stalled = False
        elif draft.code == STORAGE and not self._stalled:
            self._stalled = True
            complain(_of_line(self._lines.get(draft.id), told_of_stall(draft.reason)))

    def _write(self, entries: Iterable[Entry], number: int | None = None) -> None:
        """`number`: the line of the input that they answer, if it is one."""
        for entry in entries:
            if entry.kind is Kind.REFUSED:
                self._fail(_of_line(number, f"not sent ({entry.note}): {entry.text}"))
            elif entry.kind is Kind.ERROR:
                self._fail(_of_line(number, entry.text))
            elif entry.kind is Kind.STATE:
                complain(entry.text)
            elif entry.kind is not Kind.UNSENT and not self._unread:
                self._put(record(entry, sys.stdout.encoding))

    def _put(self, line: str) -> None:
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self._unread = True
            forget_stdout()

    def _fail(self, problem: str) -> None:
        self._failed = True
        complain(problem)


def _of_line(number: int | None, problem: str) -> str:
    return problem if number is None else f"line {number}: {problem}"


def _now() -> datetime:
    return datetime.now(UTC)
