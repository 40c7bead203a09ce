"""Line mode: a chat in an ordinary terminal, typed into with readline (see `prompt`).

One thread waits for the client's events and wakes the main thread, which does all the rest: it
reads, draws, and owns the controller. What one has said is shown when it comes back from the
server, stored; what takes longer is shown as on its way.

Keys: Up and Down bring back what was typed, Tab completes, Ctrl-C clears what is typed and leaves
(130) if nothing is, Ctrl-D leaves.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from queue import Empty
from typing import Final

from ..client.actions import Question, Secretly
from ..client.arguments import BadInput
from ..client.bell import BellLevel
from ..client.complete import Completer, world_of
from ..client.controller import Controller
from ..client.entries import Entry, Kind, counted
from ..client.events import ClientEvent
from ..client.farewell import GOODBYE, take_leave
from ..client.harmless import harmless_line
from ..client.interface import Client
from ..client.slash import has_secret
from ..errors import ClientError
from .prompt import Interrupted, Prompt, screen_size
from .render import Look, day_of, day_row, plain, rows

#: Seconds between two wake-ups for the same events: the first may have come at a bad moment.
_NUDGE: Final = 0.02
#: Seconds after which a look is taken at what is under way.
_TICK: Final = 1.0
#: Events that are handed over at once; the others wait in the client, which reads no more.
_BATCH: Final = 1_000

_INTERRUPTED: Final = 130


def run(
    client: Client,
    nick: str,
    rooms: Sequence[str],
    look: Look,
    *,
    is_plain: bool,
    bell: BellLevel = BellLevel.MENTIONS,
    words: Sequence[str] = (),
) -> int:
    """Chat on the terminal that is stdin and stdout until the person leaves; returns the exit code.

    `look.width` is not used: the terminal is asked. Raises the ClientError that ended the client.
    """
    line = _Line(client, nick, rooms, look, is_plain)
    line.ring_for(bell, words)
    return line.run()


class _PromptIsOld(Exception):
    """Raised out of reading to show another prompt; only while nothing is typed."""


class _Over(Exception):
    """Raised out of reading when the client has ended."""


class _Line:
    def __init__(
        self, client: Client, nick: str, rooms: Sequence[str], look: Look, is_plain: bool
    ) -> None:
        self._client = client
        self._controller = Controller(client, nick, tuple(rooms))
        self._look = look
        self._is_plain = is_plain
        self._here = self._controller.focus  # where what is typed goes
        completer = Completer(lambda: world_of(self._controller.timeline))
        self._prompt = Prompt(self._on_wake, completer.complete, plain=is_plain)
        self._inbox: deque[ClientEvent] = deque()
        self._taken = threading.Event()
        self._day: date | None = None

    def ring_for(self, level: BellLevel, words: Sequence[str]) -> None:
        """Ring for this, until `/bell` says otherwise; `words` call us, beside our nick."""
        self._controller.bell.level = level
        self._controller.timeline.heed(words)

    def run(self) -> int:
        with self._prompt:
            self._client.start()
            while not (self._controller.timeline.online or self._controller.done):
                self._show(self._controller.take(self._client.events.get(), _now()))
            threading.Thread(target=self._wait_for_events, name="events", daemon=True).start()
            code = self._talk()
        if self._controller.error is not None:
            raise self._controller.error
        return code

    # ------------------------------------------------------------------ the person

    def _talk(self) -> int:
        """Read and do, line by line, until either side leaves."""
        while True:
            self._take_all()
            if self._controller.done:
                return 0
            self._stand_here()
            try:
                self._do(self._prompt.read(self._prompt_text()))
                if self._controller.asking is not None:
                    self._ask_secretly(self._controller.asking)
            except (_PromptIsOld, _Over):
                continue
            except EOFError:
                return self._leave(None)
            except Interrupted as interrupted:
                if not interrupted.typed:
                    self._client.close(timeout=GOODBYE)
                    return _INTERRUPTED
            except UnicodeDecodeError as problem:
                self._complain(f"Not sent: it is not {problem.encoding}. Set your locale to UTF-8.")
            if self._controller.leaving is not None:
                return self._leave(self._controller.leaving.reason)

    def _stand_here(self) -> None:
        """What is typed from now on goes where the prompt says; where there is none, a line does.

        Only while nothing is typed: a line that was begun goes where it was meant for.
        """
        here = self._controller.focus
        if self._is_plain and here != self._here:
            where = f"you write to {here} now" if here else "you are in no room now: /join one"
            self._show([Entry(Kind.STATE, _now(), where)])
        self._here = here

    def _do(self, line: str) -> None:
        if has_secret(line):
            self._prompt.forget_line()
        try:
            self._show(self._controller.enter(line, _now(), self._here))
            self._clear_if_wanted()
        except BadInput as problem:
            self._complain(str(problem))
        except ClientError:
            pass  # `Ended` is on its way and says why

    def _ask_secretly(self, action: Secretly) -> None:
        try:
            typed: list[str] = []
            for question in action.questions:
                typed.append(self._ask_one(question, typed))
            self._controller.answer(typed)
        except Interrupted:
            self._controller.leave_unanswered()
            self._complain("Nothing was sent.")
        except BadInput as problem:
            self._complain(str(problem))
        except ClientError:
            pass  # `Ended` is on its way and says why

    def _ask_one(self, question: Question, typed: Sequence[str]) -> str:
        """A secret, a new one judged before it is asked for once more; raises Interrupted."""
        while True:
            secret = self._prompt.read_secret(f"{question.text}: ")
            flaw = self._controller.flaw((*typed, secret)) if question.is_new else None
            if flaw is None:
                return secret
            self._complain(f"{flaw} Nothing was sent; Ctrl-C breaks off.")

    def _clear_if_wanted(self) -> None:
        if self._controller.clearing:
            self._controller.clearing = False
            if not self._prompt.clear():
                self._complain("Plain lines are never cleared; leave out --plain for that.")

    def _leave(self, reason: str | None) -> int:
        """Leave when all that was said is stored, or will not be soon."""
        timeline = self._controller.timeline
        take_leave(self._client, reason, timeline.farewell)
        deadline = time.monotonic() + GOODBYE
        while not self._controller.done and time.monotonic() < deadline:
            self._take_all()
            time.sleep(_NUDGE / 4)
        left = len(timeline.drafts)
        if left:
            told = counted(left, "message was", "messages were")
            self._complain(f"{told} not sent; the next start with this nick sends them.")
        return 1 if left else 0

    def _prompt_text(self) -> str:
        timeline = self._controller.timeline
        where = harmless_line(timeline.focus or "no room")
        away = ", away" if timeline.absences.mine is not None else ""
        text = f"[{where}{away}] " if timeline.online else f"[{where}, offline] "
        text = plain(text, self._look.encoding)
        return f"\x1b[1m{text}\x1b[0m" if self._look.colour else text

    # ------------------------------------------------------------------ the client

    def _wait_for_events(self) -> None:
        """The thread: hand events over, and see to it that they are taken."""
        events = self._client.events
        while not self._controller.done:
            try:
                self._inbox.append(events.get(timeout=_TICK))
                while len(self._inbox) < _BATCH:
                    self._inbox.append(events.get_nowait())
            except Empty:
                pass
            self._wake()  # even for nothing: other signals may wait, too, for readline to be idle
            while self._inbox:
                self._wake()

    def _wake(self) -> None:
        self._taken.clear()
        self._prompt.wake()
        self._taken.wait(_NUDGE)

    def _on_wake(self) -> None:
        """In the main thread, while a line is typed."""
        self._take_all()
        if self._controller.done:
            raise _Over
        if self._prompt.is_stale(self._prompt_text()):
            raise _PromptIsOld
        if self._prompt.is_blank():
            self._stand_here()

    def _take_all(self) -> None:
        entries: list[Entry] = []
        while self._inbox:
            entries += self._controller.take(self._inbox.popleft(), _now())
        entries += self._controller.timeline.overdue(_now())
        self._show(entries)
        self._taken.set()

    # ------------------------------------------------------------------ the screen

    def _show(self, entries: Iterable[Entry]) -> None:
        width, height = screen_size()
        # With the typed line, half of the screen: what is inserted above it must leave room.
        look = replace(self._look, width=max(8, width - 1), whole=width * (height - 2) // 2)
        drawn: list[str] = []
        entries = tuple(entries)
        for entry in entries:
            if entry.found is None:  # those have their day on them
                day = day_of(entry, look)
                if self._day not in (None, day):
                    drawn.append(day_row(day, look))
                self._day = day
            drawn += rows(entry, look, self._controller.focus)
        rung_by = self._controller.bell.rung_by(entries, _now())
        self._prompt.show(drawn, bell=rung_by is not None)

    def _complain(self, text: str) -> None:
        self._show([Entry(Kind.ERROR, _now(), text)])


def _now() -> datetime:
    return datetime.now(UTC)
