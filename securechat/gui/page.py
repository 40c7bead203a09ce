"""Which part of a log stands in the text widget, and what to insert and delete to keep it so.

Pure. The widget holds some hundred items however long the log is: it is trimmed at the other end
when it grows, and refilled when one scrolls there. Behind the last item stand the drafts that are
not stored yet. In come a log and the drafts, out come `Edit`s, to be carried out in order; lines
are counted from 1, and each row is one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from ..client.events import Draft
from ..client.log import Item, Log
from .pieces import Row

#: Items in the widget at most, and how many are put in at a time when one scrolls to an end.
MAX_SHOWN: Final = 400
STEP: Final = 100


class Insert(NamedTuple):
    """Put rows in front of line `line`."""

    line: int
    rows: list[Row]


class Delete(NamedTuple):
    """Take `lines` lines away, from line `line` on."""

    line: int
    lines: int


class Replace(NamedTuple):
    """Put rows in the place of `lines` lines, from line `line` on."""

    line: int
    lines: int
    rows: list[Row]


Edit: TypeAlias = Insert | Delete | Replace

#: Draws an item that stands behind another one; the last says whether *new messages* begin here.
DrawItem: TypeAlias = Callable[[Item, Item | None, bool], list[Row]]
#: Draws a draft of ours behind the draft or the item before it.
DrawDraft: TypeAlias = Callable[[Draft, Draft | Item | None], list[Row]]


@dataclass(slots=True)
class _Block:
    """What was drawn for an item: of what, and how many lines."""

    made_of: tuple[Item, Item | None, bool]
    lines: int


class _Unsent(NamedTuple):
    """What was drawn for a draft behind `before`."""

    draft: Draft
    before: Draft | Item | None
    lines: int


class Page:
    """A window of a log, from item `first` up to, and without, `end`.

    What is in the widget already is not drawn again, unless it has changed.
    """

    def __init__(self, log: Log, draw_item: DrawItem, draw_draft: DrawDraft) -> None:
        self.log = log
        self.first = self.end = max(log.first, log.end - STEP)
        self._draw_item = draw_item
        self._draw_draft = draw_draft
        self._blocks: deque[_Block] = deque()
        self._tail: list[_Unsent] = []
        self._drafts: Sequence[Draft] = ()

    @property
    def is_at_end(self) -> bool:
        """Whether the newest item is in the widget."""
        return self.end == self.log.end

    # ------------------------------------------------------------------ changes

    def update(self, drafts: Sequence[Draft], *, follow: bool) -> list[Edit]:
        """Catch up with the log. `follow`: somebody looks at the end, and wants to go on so."""
        self._drafts = drafts
        if follow and self.log.end - self.end > STEP:
            return self._begin_at(self.log.end - STEP)
        edits = [*self._drop_from_top(max(0, self.log.first - self.first)), *self._redraw()]
        if follow or len(self._blocks) < MAX_SHOWN:
            edits += self._append(self.log.end if follow else self.first + MAX_SHOWN)
        if follow and len(self._blocks) > MAX_SHOWN:
            edits += self._drop_from_top(len(self._blocks) - (MAX_SHOWN - STEP))
        return edits + self._draw_tail()

    def show_older(self) -> list[Edit]:
        """Put older items in front, as far as the log has them."""
        first = max(self.log.first, self.first - STEP)
        rows: list[Row] = []
        blocks = []
        for number in range(first, self.first):
            blocks.append(self._draw(number, rows))
        if not blocks:
            return []
        self._blocks.extendleft(reversed(blocks))
        self.first = first
        surplus = max(0, len(self._blocks) - MAX_SHOWN)
        return [Insert(1, rows), *self._drop_from_end(surplus), *self._redraw()]

    def show_newer(self) -> list[Edit]:
        """Put newer items behind, and take as many away in front."""
        if self.is_at_end:
            return []
        edits = self._append(min(self.log.end, self.end + STEP))
        edits += self._drop_from_top(max(0, len(self._blocks) - MAX_SHOWN))
        return edits + self._draw_tail()

    def show_end(self) -> list[Edit]:
        """See to it that the newest item is there."""
        return [] if self.is_at_end else self._begin_at(self.log.end - STEP)

    def show(self, number: int) -> list[Edit]:
        """See to it that item `number`, and some around it, are there."""
        if self.first <= number < self.end:
            return []
        return self._begin_at(number - STEP // 2)

    def redraw(self) -> list[Edit]:
        """Draw everything anew: what decides how it is drawn has changed."""
        first, end = self.first, self.end
        cleared = self._clear()
        self.first = self.end = first
        return [*cleared, *self._append(end), *self._draw_tail()]

    # ------------------------------------------------------------------ places

    def line_of(self, number: int) -> int:
        """The line with which item `number`, which is shown, begins."""
        return 1 + sum(self._blocks[at].lines for at in range(number - self.first))

    def number_at(self, line: int) -> int | None:
        """The item that line is part of."""
        below = 0
        for number, block in enumerate(self._blocks, self.first):
            below += block.lines
            if line <= below:
                return number
        return None

    def item_at(self, line: int) -> Item | None:
        """What stands in that line, if it is an item of the log."""
        number = self.number_at(line)
        return None if number is None else self.log[number]

    def draft_at(self, line: int) -> Draft | None:
        """The draft of ours in that line."""
        below = self._lines()
        for unsent in self._tail:
            if below < line <= below + unsent.lines:
                return unsent.draft
            below += unsent.lines
        return None

    # ------------------------------------------------------------------ parts

    def _begin_at(self, first: int) -> list[Edit]:
        cleared = self._clear()
        self.first = self.end = max(self.log.first, first)
        end = min(self.log.end, self.first + STEP)
        return [*cleared, *self._append(end), *self._draw_tail()]

    def _clear(self) -> list[Edit]:
        lines = self._lines() + self._tail_lines()
        self._blocks.clear()
        self._tail.clear()
        return [Delete(1, lines)] if lines else []

    def _append(self, end: int) -> list[Edit]:
        end = min(end, self.log.end)
        if end <= self.end:
            return []
        line, rows = self._lines() + 1, list[Row]()
        for number in range(self.end, end):
            self._blocks.append(self._draw(number, rows))
        self.end = end
        return [Insert(line, rows)]

    def _drop_from_top(self, count: int) -> list[Edit]:
        dropped = [self._blocks.popleft() for _ in range(min(count, len(self._blocks)))]
        self.first += count
        self.end = max(self.end, self.first)
        lines = sum(block.lines for block in dropped)
        return [Delete(1, lines)] if lines else []

    def _drop_from_end(self, count: int) -> list[Edit]:
        edits = self._drop_tail(0) if count else []
        dropped = [self._blocks.pop() for _ in range(count)]
        self.end -= count
        lines = sum(block.lines for block in dropped)
        return [*edits, Delete(self._lines() + 1, lines)] if lines else edits

    def _redraw(self) -> list[Edit]:
        """Draw anew what has changed in itself, or by what stands in front of it."""
        edits: list[Edit] = []
        line = 1
        for at, block in enumerate(self._blocks):
            if block.made_of != (made_of := self._made_of(self.first + at)):
                rows = self._draw_item(*made_of)
                edits.append(Replace(line, block.lines, rows))
                block.made_of, block.lines = made_of, len(rows)
            line += block.lines
        return edits

    def _draw_tail(self) -> list[Edit]:
        """Draw the drafts from the first one that is not there as it should be."""
        drafts = self._drafts if self.is_at_end else ()
        before: Draft | Item | None = self.log[self.end - 1] if self._blocks else None
        kept = 0
        for draft, there in zip(drafts, self._tail, strict=False):
            if there.draft != draft or there.before is not before:
                break
            kept, before = kept + 1, there.draft
        edits = self._drop_tail(kept)
        rows: list[Row] = []
        line = self._lines() + self._tail_lines() + 1
        for draft in drafts[kept:]:
            drawn = self._draw_draft(draft, before)
            self._tail.append(_Unsent(draft, before, len(drawn)))
            rows += drawn
            before = draft
        return [*edits, Insert(line, rows)] if rows else edits

    def _drop_tail(self, kept: int) -> list[Edit]:
        lines = sum(unsent.lines for unsent in self._tail[kept:])
        del self._tail[kept:]
        line = self._lines() + self._tail_lines() + 1
        return [Delete(line, lines)] if lines else []

    def _draw(self, number: int, rows: list[Row]) -> _Block:
        made_of = self._made_of(number)
        drawn = self._draw_item(*made_of)
        rows += drawn
        return _Block(made_of, len(drawn))

    def _made_of(self, number: int) -> tuple[Item, Item | None, bool]:
        before = self.log[number - 1] if number > self.log.first else None
        return self.log[number], before, self.log.marker == number

    def _lines(self) -> int:
        return sum(block.lines for block in self._blocks)

    def _tail_lines(self) -> int:
        return sum(unsent.lines for unsent in self._tail)


def line_after(line: int, edits: Sequence[Edit]) -> int:
    """Where line `line` is once the edits are carried out; what goes in its place, if it goes."""
    for edit in edits:
        match edit:
            case Insert(at, rows) if at <= line:
                line += len(rows)
            case Delete(at, lines) if at <= line:
                line = max(at, line - lines)
            case Replace(at, lines, rows) if at + lines <= line:
                line += len(rows) - lines
            case Replace(at, _, rows) if at <= line:
                line = min(line, at + len(rows) - 1)
    return max(1, line)
