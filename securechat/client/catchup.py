"""What is still to come after a link was won back, and how much of it came.

Pure. It ends when each conversation that was joined again is level, the direct ones are known, and
each draft that was sent again has its answer.
"""

from __future__ import annotations

from .events import CaughtUp


class CatchUp:
    """One catching up. `quiet`: it is not worth a word if nothing was missed.

    `before` is the one that a lost link cut short: what it counted counts.
    """

    __slots__ = ("_drafts", "_listing", "_missed", "_quiet", "_sent", "_waiting")

    def __init__(self, *, quiet: bool, before: CatchUp | None) -> None:
        self._quiet = quiet
        self._listing = True
        self._waiting: set[str] = set()
        self._drafts: set[str] = set()
        self._missed: int = before._missed if before is not None else 0
        self._sent: int = before._sent if before is not None else 0

    def expect(self, conversation: str) -> None:
        """`conversation` was joined and may be behind."""
        self._waiting.add(conversation)

    def expect_draft(self, id: str) -> None:
        """A draft was sent again."""
        self._drafts.add(id)

    def miss(self) -> None:
        """One message came that was said while we were away."""
        self._missed += 1

    def level(self, conversation: str) -> None:
        """`conversation` is level, or will never be."""
        self._waiting.discard(conversation)

    def rename(self, old: str, new: str) -> None:
        """The conversation `old` goes by another name."""
        if old in self._waiting:
            self._waiting.remove(old)
            self._waiting.add(new)

    def settle(self, id: str, *, sent: bool) -> None:
        """A draft has its answer."""
        if id in self._drafts:
            self._drafts.remove(id)
            self._sent += sent

    def end_listing(self) -> None:
        """All direct conversations that are behind were named."""
        self._listing = False

    @property
    def finished(self) -> bool:
        """Whether nothing is to come any more."""
        return not (self._listing or self._waiting or self._drafts)

    def result(self) -> CaughtUp | None:
        """What to say in the end, if anything."""
        if self._quiet and not self._missed and not self._sent:
            return None
        return CaughtUp(self._missed, self._sent)
