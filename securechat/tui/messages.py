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

from ..client.entries import Entry
from ..client.events import Draft
from .desks import Desk
from .drawing import Line, Lines, Tint, day_of, rows_of_draft, rows_of_item, rule
from .log import SPOKEN, Item, head_of
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


class Messages(Widget, can_focus=True):
    """`show` names the desk, `update` says that something may have changed.

    `cure` tells what can be done about a message that was not sent. It has the focus while one
    chooses a message; the keys for that are the screen's.
    """

    def __init__(self, desk: Desk, cure: str, *, id: str, zone: tzinfo | None = None) -> None:
        super().__init__(id=id)
        self._cure = cure
        self._desk = desk
        self._zone = zone
        self._drafts: Sequence[Draft] = ()
        self._nick = ""
        self._view = Viewport(self)
        self._hit: int | None = None
        self._chosen: int | str | None = None  # an item's number, or a draft's id
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
        self._desk, self._hit, self._chosen = desk, None, None
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

    def choose(self, step: int) -> Entry | Draft | None:
        """Mark the message `step` places on, at first the newest; None: there is none below."""
        at = self._chosen_number()
        number = self.end - 1 if at is None else at + step
        while self.first <= number < self.end:
            found = self._said(number)
            if found is not None:
                self._chosen = found.id if isinstance(found, Draft) else number
                if all(row.number != number for row in self._view.visible(self.size.height)[:-1]):
                    self._view.show(number, self.size.height)
                self._lay_out()
                return found
            number += step or -1
        return self.chosen if number < self.first else None

    def choose_none(self) -> None:
        """Mark nothing any longer."""
        self._chosen = None
        self._lay_out()

    @property
    def chosen(self) -> Entry | Draft | None:
        """The message that is marked, if it still is there."""
        number = self._chosen_number()
        return None if number is None else self._said(number)

    def _chosen_number(self) -> int | None:
        if isinstance(self._chosen, str):  # drafts move when others are stored
            ids = [draft.id for draft in self._drafts]
            return self._desk.log.end + ids.index(self._chosen) if self._chosen in ids else None
        return self._chosen

    def _said(self, number: int) -> Entry | Draft | None:
        log = self._desk.log
        if number >= log.end:
            return self._drafts[number - log.end] if number < self.end else None
        item = log[number] if number >= log.first else None
        return item if isinstance(item, Entry) and item.kind in SPOKEN else None

    def fold_moves(self, folded: bool) -> None:
        """Show who came and went in short, or one by one."""
        self._folded = folded
        self._lay_out()

    @property
    def folds_moves(self) -> bool:
        """Whether who came and went is shown in short."""
        return self._folded

    @property
    def hit(self) -> int | None:
        """The item that was found last."""
        return self._hit

    def find(self, needle: str, *, further: bool) -> bool:
        """Show the latest item that holds `needle`, or the one before it; whether there is one."""
        log = self._desk.log
        before = self._hit if further and self._hit is not None else log.end
        found = log.find(needle, before)
        if found is not None:
            self.seek(found)
        return found is not None

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
        is_chosen = self._chosen is not None and number == self._chosen_number()
        if number >= log.end:
            rows = self._draft_rows(self._drafts[number - log.end])
            return self._dressed(rows, is_hit=is_chosen)
        item = log[number]
        look = _Look(
            width=self.size.width,
            theme=self.app.theme,
            folded=self._folded,
            is_hit=is_chosen or number == self._hit,
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
        return rows_of_draft(draft, self._nick, self.size.width, self._cure)

    def _dressed(self, lines: Lines, *, is_hit: bool = False) -> list[Strip]:
        return [self._strip(line, is_hit=is_hit) for line in lines]

    def _strip(self, line: Line, *, is_hit: bool = False) -> Strip:
        width = self.size.width
        return strip_of(line, width, self.rich_style, self.app.theme, is_hit=is_hit)

    def _day(self, number: int) -> str:
        return day_of(head_of(self._desk.log[number]), self._zone).strftime("%A, %Y-%m-%d")
