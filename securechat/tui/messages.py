"""The messages of the conversation that is shown: a window on a log, drawn by Textual's line API.

Only what is in the window, and near it, is ever laid out; so an append, a resize and a scroll cost
the same with ten messages and with 100,000. Behind the log stand the drafts that are not stored.

It is no `ScrollView`: that one wants the height of all there is in rows, which at each width
is the work of laying all of it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from textual.strip import Strip
from textual.widget import Widget

from ..client.desks import Desk
from ..client.events import Draft
from ..client.log import Item, head_of
from .drawing import Line, Lines, Tint, day_of, rows_of_draft, rows_of_item, rule
from .palette import strip_of
from .viewport import Viewport

#: Items of which the rows are kept; more than any terminal shows at once.
_MAX_LAID_OUT: Final = 2_000


class _Look(NamedTuple):
    """All that the rows of an item depend on, beside the item."""

    width: int
    theme: str
    folded: bool
    is_hit: bool
    is_first_new: bool
    is_first_of_day: bool


class Messages(Widget):
    """`show` names the desk, `update` says that something may have changed."""

    def __init__(self, desk: Desk, *, id: str, zone: tzinfo | None = None) -> None:
        super().__init__(id=id)
        self._desk = desk
        self._zone = zone
        self._drafts: Sequence[Draft] = ()
        self._nick = ""
        self._view = Viewport(self)
        self._hit: int | None = None
        self._folded = True
        self._laid_out: dict[int, tuple[Item, _Look, list[Strip]]] = {}
        self._shown: list[Strip] = []

    # ------------------------------------------------------------------ the rows (for Viewport)

    @property
    def first(self) -> int:
        """The number of the first item."""
        return self._desk.log.first

    @property
    def end(self) -> int:
        """The number behind the last item, drafts included."""
        return self._desk.log.end + len(self._drafts)

    def height(self, number: int) -> int:
        """How many rows an item takes."""
        return len(self._strips(number))

    # ------------------------------------------------------------------ told by the screen

    def show(self, desk: Desk) -> None:
        """Show another desk, where it was left."""
        self._desk.position = self._view.position
        self._desk, self._hit = desk, None
        self._laid_out.clear()
        self._view = Viewport(self, desk.position)

    def update(self, drafts: Sequence[Draft], nick: str) -> None:
        """Lay out and draw what is in the window; `drafts` are those of this conversation."""
        self._drafts, self._nick = drafts, nick
        self._lay_out()

    def scroll_rows(self, pages: float) -> None:
        """Scroll by so many windows, up if negative."""
        self._view.scroll(round(pages * max(1, self.size.height - 2)), self.size.height)
        self._lay_out()

    def to_top(self) -> None:
        """Scroll to the oldest message that is held."""
        self._view.to_top(self.size.height)
        self._lay_out()

    def to_end(self) -> None:
        """Scroll to the newest and stay there."""
        self._hit = None
        self._view.to_end()
        self._lay_out()

    def seek(self, number: int) -> None:
        """Show that item, as found."""
        self._hit = number
        self._view.show(number, self.size.height)
        self._lay_out()

    def fold_moves(self) -> None:
        """Show who came and went one by one, or in short again."""
        self._folded = not self._folded
        self._lay_out()

    @property
    def hit(self) -> int | None:
        """The item that was found last."""
        return self._hit

    @property
    def is_at_end(self) -> bool:
        """Whether the newest is shown, and what comes will be."""
        return self._view.position is None

    def is_near_top(self) -> bool:
        """Whether it is time to fetch older messages."""
        return self._view.is_near_top(self.size.height)

    @property
    def text(self) -> str:
        """What is in the window, as text."""
        return "\n".join(strip.text.rstrip() for strip in self._shown)

    # ------------------------------------------------------------------ drawing

    def on_resize(self) -> None:
        """The window has another size; what is at its lower edge stays there."""
        self._lay_out()

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._laid_out.clear()
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        """The line API of Textual."""
        if y < len(self._shown):
            return self._shown[y]
        return self._strip([])

    def _lay_out(self) -> None:
        height = self.size.height
        if not height or not self.size.width:
            return
        rows = self._view.visible(height)
        strips = [self._strips(row.number)[row.part] for row in rows]
        strips = [self._strip([])] * (height - len(strips)) + strips
        newer = self._view.newer()
        if not self.is_at_end:
            told = f"{newer:,} newer, End" if newer else "End: to the end"
            strips[-1] = self._strip(rule(told, self.size.width, Tint.STRONG))
        self._shown = strips
        self.refresh()

    def _strips(self, number: int) -> list[Strip]:
        log = self._desk.log
        if number >= log.end:
            return self._dressed(self._draft_rows(self._drafts[number - log.end]))
        item = log[number]
        look = _Look(
            width=self.size.width,
            theme=self.app.theme,
            folded=self._folded,
            is_hit=number == self._hit,
            is_first_new=number == log.marker,
            is_first_of_day=number == log.first or self._day(number) != self._day(number - 1),
        )
        known = self._laid_out.get(number)
        if known is not None and known[0] is item and known[1] == look:
            return known[2]
        if len(self._laid_out) >= _MAX_LAID_OUT:
            self._laid_out.clear()
        strips = self._dressed(self._rules(number, look)) + self._dressed(
            rows_of_item(item, look.width, self._zone, folded=look.folded), is_hit=look.is_hit
        )
        self._laid_out[number] = (item, look, strips)
        return strips

    def _rules(self, number: int, look: _Look) -> Lines:
        """What stands above an item."""
        rules = []
        if look.is_first_of_day:
            rules.append(rule(self._day(number), look.width))
        if look.is_first_new:
            rules.append(rule("new messages", look.width, Tint.STRONG))
        return rules

    def _draft_rows(self, draft: Draft) -> Lines:
        return rows_of_draft(draft, self._nick, self.size.width)

    def _dressed(self, lines: Lines, *, is_hit: bool = False) -> list[Strip]:
        return [self._strip(line, is_hit=is_hit) for line in lines]

    def _strip(self, line: Line, *, is_hit: bool = False) -> Strip:
        width = self.size.width
        return strip_of(line, width, self.rich_style, self.app.theme, is_hit=is_hit)

    def _day(self, number: int) -> str:
        return day_of(head_of(self._desk.log[number]), self._zone).strftime("%A, %Y-%m-%d")
