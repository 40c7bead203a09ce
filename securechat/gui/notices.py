"""Notices on the desktop, through `notify-send` where it is there, from a thread of their own.

What others said is made harmless, is never an option of the command, never markup (`<b>`, which
servers of notices obey in the body) and never an escape (`\\n`, which notify-send does).
"""

from __future__ import annotations

import html
import shutil
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Final

from ..client.entries import Entry
from ..client.harmless import harmless_line
from .aside import call_aside

_LONGEST: Final = 200
_PATIENCE: Final = 5.0


def command_of(entry: Entry) -> list[str]:
    """The command that shows a notice of what was said."""
    nick, room = harmless_line(entry.nick), harmless_line(entry.conversation or "")
    title = nick if room.startswith("@") else f"{nick} in {room}"
    text = harmless_line(entry.text, " ")
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    body = html.escape(text, quote=False).replace("\\", "\\\\")
    return ["notify-send", "--app-name=securechat", "--icon=dialog-information", "--", title, body]


class Notices:
    """Shows notices one after the other; does nothing where there is no `notify-send`."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Sequence[str] | None] | None = None

    def show(self, entry: Entry) -> None:
        """Show what was said; returns at once."""
        if shutil.which("notify-send") is None:
            return
        if self._queue is None:
            self._queue = SimpleQueue()
            threading.Thread(
                target=_work, args=(self._queue,), name="gui-notices", daemon=True
            ).start()
        self._queue.put(command_of(entry))

    def close(self) -> None:
        """Show no more."""
        if self._queue is not None:
            self._queue.put(None)
            self._queue = None


def _work(queue: SimpleQueue[Sequence[str] | None]) -> None:
    while (command := queue.get()) is not None:
        call_aside(command, _PATIENCE)
