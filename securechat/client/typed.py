"""What was typed in one conversation: the draft in the composer, and the lines before it.

Pure. Up and Down walk through the lines; what was being typed when the walk began waits at its end
and comes back unharmed.
"""

from __future__ import annotations

from collections import deque
from typing import Final

MAX_LINES: Final = 500


class Typed:
    """One person's lines. `draft` is what stands in the composer while it shows another place."""

    def __init__(self) -> None:
        self.draft = ""
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._at: int | None = None
        self._waiting = ""

    def enter(self, text: str) -> None:
        """`text` was entered; the walk is over."""
        if not self._lines or self._lines[-1] != text:
            self._lines.append(text)
        self._at, self._waiting = None, ""

    def older(self, shown: str) -> str | None:
        """The line before, while `shown` is in the composer; None: there is none."""
        at = len(self._lines) if self._at is None else self._at
        if at == 0:
            return None
        if self._at is None:
            self._waiting = shown
        self._at = at - 1
        return self._lines[self._at]

    def newer(self) -> str | None:
        """The line behind, at last what was being typed; None: that is what is shown."""
        if self._at is None:
            return None
        if self._at + 1 < len(self._lines):
            self._at += 1
            return self._lines[self._at]
        self._at = None
        return self._waiting
