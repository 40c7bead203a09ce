"""Which rows of a long list are in the window: the arithmetic of scrolling.

Pure. The list is only asked for its numbers and for how many rows an item takes, and only for items
near the window: what scrolling, drawing and resizing cost does not depend on the length.

The window hangs on the item at its lower edge. So nothing moves when items are added behind or put
in front, and that item stays when the width, and with it all heights, changes.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..client.log import Position


class Rows(Protocol):
    """A list of items from number `first` up to, and without, `end`."""

    @property
    def first(self) -> int:
        """The number of the first item."""

    @property
    def end(self) -> int:
        """The number behind the last item."""

    def height(self, number: int) -> int:
        """How many rows that item takes, one at least."""


class Row(NamedTuple):
    """Row `part` of item `number`."""

    number: int
    part: int


class Viewport:
    """A window on `rows`. `position` is None while it stays at the end, whatever comes."""

    def __init__(self, rows: Rows, position: Position | None = None) -> None:
        self._rows = rows
        self.position = position

    def visible(self, height: int) -> list[Row]:
        """The rows in a window of `height`, from the top; fewer only if the list has no more."""
        self._stay_inside(height)
        number, hidden = self.position or Position(self._rows.end - 1, 0)
        return self._upwards(number, hidden, height)[::-1]

    def scroll(self, by: int, height: int) -> None:
        """Move the window by so many rows, up if negative, as far as there are rows."""
        number, hidden = self.position or Position(self._rows.end - 1, 0)
        hidden -= by
        while hidden < 0 and number < self._rows.end - 1:
            number += 1
            hidden += self._rows.height(number)
        while number > self._rows.first and hidden >= self._rows.height(number):
            hidden -= self._rows.height(number)
            number -= 1
        self._hang(number, hidden)
        self._stay_inside(height)

    def to_end(self) -> None:
        """Go to the end and stay there."""
        self.position = None

    def to_top(self, height: int) -> None:
        """Go to the first item that there is."""
        self.position = Position(self._rows.first, 0)
        self._stay_inside(height)

    def show(self, number: int, height: int) -> None:
        """Bring an item into the middle of the window."""
        self.position = Position(number, 0)
        self.scroll(height // 2, height)

    def newer(self) -> int:
        """How many items are below the window."""
        return 0 if self.position is None else self._rows.end - 1 - self.position.number

    def is_near_top(self, height: int) -> bool:
        """Whether less than one more window is above this one."""
        top = self.visible(height)[:1]
        return not top or len(self._upwards(*self._above(top[0]), height)) < height

    def _above(self, row: Row) -> Position:
        if row.part:
            return Position(row.number, self._rows.height(row.number) - row.part)
        return Position(row.number - 1, 0)

    def _upwards(self, number: int, hidden: int, count: int) -> list[Row]:
        """`count` rows, from the one that hangs at the lower edge up."""
        found: list[Row] = []
        while number >= self._rows.first and len(found) < count:
            shown = self._rows.height(number) - hidden
            found += [Row(number, part) for part in reversed(range(shown))]
            number, hidden = number - 1, 0
        return found[:count]

    def _stay_inside(self, height: int) -> None:
        """Bring the position to where it is possible: items went, shrank, or are too few above."""
        if self.position is None:
            return
        number, hidden = self.position
        if number < self._rows.first:
            number, hidden = self._rows.first, 0
        if number >= self._rows.end:
            self.position = None
            return
        hidden = min(hidden, self._rows.height(number) - 1)
        missing = height - len(self._upwards(number, hidden, height))
        hidden -= missing
        while hidden < 0 and number < self._rows.end - 1:
            number += 1
            hidden += self._rows.height(number)
        self._hang(number, hidden)

    def _hang(self, number: int, hidden: int) -> None:
        at_end = number >= self._rows.end - 1 and hidden <= 0
        self.position = None if at_end else Position(number, max(0, hidden))
