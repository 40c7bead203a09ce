"""What `/search` found, over the chat: a list of hits, and what was said around one of them.

`Finds` stands between the chat's screen and the two: it takes what came of the client's events,
opens what shows it, and asks the controller for more. To a hit that is not too far back in a
conversation it leads by way of history: page after page is fetched until it is held.

Both come when the server answers, perhaps in the middle of a word: whoever types on is not
disturbed. What is typed goes where it would have gone, and they are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Final

from rich.markup import escape
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen

from ..client.arguments import BadInput
from ..client.controller import Controller
from ..client.entries import Entry, Found, Kind
from ..client.events import ClientEvent, Heard
from ..client.harmless import harmless_line
from ..errors import ClientError
from ..protocol.envelopes import HistoryPage, SearchPage
from .drawing import Line, Lines, Span, Tint, fitted, rows_of_item
from .field import After, KeyOrPaste
from .panel import Panel

#: Messages before and behind a hit that are shown.
NEAR: Final = 25
#: Messages that are fetched at most to come to one.
FAR: Final = 2_000

_MOVES: Final[list[BindingType]] = [
    Binding("escape,ctrl+c", "dismiss", "close", show=False),
    Binding("up,ctrl+p", "move(-1)", "up", show=False),
    Binding("down,ctrl+n", "move(1)", "down", show=False),
    Binding("pageup", "move(-10)", "page up", show=False),
    Binding("pagedown", "move(10)", "page down", show=False),
    Binding("enter", "open", "open", show=False),
]


class Finds:
    """The searches of one screen.

    `go` shows a message where it was said, False: it is not held there. `oldest` is the number of
    the oldest message of a conversation that is held, 0: none is. `after` gets what is typed while
    something is shown that is not for typing into.
    """

    def __init__(
        self,
        screen: Screen[None],
        controller: Controller,
        *,
        go: Callable[[Entry], bool],
        oldest: Callable[[str], int],
        after: After,
    ) -> None:
        self._screen = screen
        self._after = after
        self._controller = controller
        self._go, self._oldest = go, oldest
        self._hits: Hits | None = None
        self._sought: Entry | None = None
        self._asked_before = 0

    def take(self, event: ClientEvent, entries: Sequence[Entry]) -> bool:
        """Show what was found; False: there is nothing of that kind in it."""
        found = [entry for entry in entries if entry.found is not None]
        if not found or not isinstance(event, Heard):
            return False
        if isinstance(event.system, SearchPage):
            self._show_hits(found[::-1], more=event.system.more)
        elif isinstance(event.system, HistoryPage):
            self._screen.app.push_screen(Around(found, self._type_on), self._take_there)
        return True

    def _show_hits(self, found: list[Entry], *, more: bool) -> None:
        if self._hits is not None and self._hits.is_current:
            self._hits.add(found, more=more)
            return
        self._hits = Hits(
            found,
            self._type_on,
            more=more,
            open=self._open,
            fetch=self._fetch,
            is_in=self._is_in,
        )
        self._screen.app.push_screen(self._hits)

    def _open(self, hit: Entry) -> None:
        """Show a hit where it was said, or else with what stands around it."""
        if self._go(hit):
            self._close_hits()
            return
        name = hit.conversation or ""
        with suppress(ClientError):  # `Ended` is on its way and says why
            if not self._is_in(name):
                self._controller.go_to(name)
            self._controller.show_around(name, hit.seq, NEAR)

    def _is_in(self, name: str) -> bool:
        known = self._controller.timeline.conversations.get(name)
        return name[0] == "@" or (known is not None and known.joined)

    def _fetch(self) -> None:
        with suppress(ClientError, BadInput):
            self._controller.find(None)

    def _take_there(self, hit: Entry | None) -> None:
        """Out of what stands around: go where it was said."""
        if hit is None or hit.conversation is None:
            return
        self._close_hits()
        if not self._go(hit):
            with suppress(ClientError):  # `Ended` is on its way and says why
                self._controller.go_to(hit.conversation)
            self._sought, self._asked_before = hit, 0
            self.pursue()

    def pursue(self) -> None:
        """Come closer to a message that is sought, now that there may be more history."""
        hit = self._sought
        if hit is None:
            return
        oldest = self._oldest(hit.conversation or "")
        if self._go(hit) or not 0 <= oldest - hit.seq <= FAR:
            self._sought = None
        elif oldest != self._asked_before:
            self._asked_before = oldest
            self._controller.fetch_older(hit.conversation or "", oldest)

    async def _type_on(self, typed: KeyOrPaste) -> None:
        self._close_hits()
        await self._after(typed)

    def _close_hits(self) -> None:
        if self._hits is not None and self._hits.is_current:
            self._hits.dismiss()
        self._hits = None


class Overlay(ModalScreen[Entry | None], inherit_bindings=False):
    """Something to look at; `type_on` gets what is typed, which ends it."""

    def __init__(self, type_on: After) -> None:
        super().__init__()
        self._type_on = type_on
        self._is_left = False

    async def on_key(self, event: events.Key) -> None:
        """A letter is typed; behind it, so is all else."""
        if self._is_left or event.is_printable:
            await self._leave(event)

    async def on_paste(self, event: events.Paste) -> None:
        """The same of a paste."""
        await self._leave(event)

    async def _leave(self, typed: KeyOrPaste) -> None:
        typed.stop()
        if not self._is_left:
            self._is_left = True
            self.dismiss()
        await self._type_on(typed)


class Hits(Overlay):
    """The hits, newest first, one row each; older ones come at the end of the list."""

    BINDINGS: ClassVar[list[BindingType]] = _MOVES

    def __init__(
        self,
        found: Sequence[Entry],
        type_on: After,
        *,
        more: bool,
        open: Callable[[Entry], None],
        fetch: Callable[[], None],
        is_in: Callable[[str], bool],
    ) -> None:
        super().__init__(type_on)
        self._is_in = is_in
        self._found = list(found)
        self._more = more
        self._open_hit, self._fetch = open, fetch
        self._at = 0

    def compose(self) -> ComposeResult:
        """A box with a list."""
        with Vertical(id="hits"):
            yield Panel(id="list")

    def on_mount(self) -> None:
        """Show the list when it has its size."""
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        """Cut the rows anew."""
        self.call_after_refresh(self._draw)

    def add(self, found: Sequence[Entry], *, more: bool) -> None:
        """Put older ones at the end."""
        self._found += found
        self._more = more
        self._draw()

    def action_move(self, step: int) -> None:
        """Mark another one; behind the last one older ones come."""
        if self._at + step >= len(self._found) and self._more:
            self._more = False  # until they are there
            self._fetch()
        self._at = max(0, min(self._at + step, len(self._found) - 1))
        self._draw()

    def action_open(self) -> None:
        """Show the one that is marked among the others."""
        self._open_hit(self._found[self._at])

    def _draw(self) -> None:
        panel, box = self.query_one(Panel), self.query_one("#hits")
        more = " and more" if self._more else ""
        box.border_title = f"{self._at + 1} of {len(self._found)}{more} found"
        name = self._found[self._at].conversation or ""
        enters = "" if self._is_in(name) else f"joins {escape(harmless_line(name))} and "
        box.border_subtitle = f"Enter {enters}shows it among the others, Esc closes"
        height, width = max(1, panel.size.height), panel.size.width
        first = max(0, min(self._at - height // 2, len(self._found) - height))
        rows = list(enumerate(self._found))[first : first + height]
        panel.show([_hit_line(hit, at == self._at, width) for at, hit in rows])


class Around(Overlay):
    """What was said around a hit; the result is the hit, if one wants to be there."""

    BINDINGS: ClassVar[list[BindingType]] = _MOVES

    def __init__(self, found: Sequence[Entry], type_on: After) -> None:
        super().__init__(type_on)
        self._found = found
        self._hit = next((it for it in found if it.found is Found.HIT), found[-1])
        self._top: int | None = None

    def compose(self) -> ComposeResult:
        """A box with messages."""
        with Vertical(id="around"):
            yield Panel(id="list")

    def on_mount(self) -> None:
        """Show them when the box has its size."""
        box = self.query_one("#around")
        day = self._hit.at.astimezone().strftime("%A, %Y-%m-%d")
        box.border_title = f"{escape(harmless_line(self._hit.conversation or ''))}, {day}"
        box.border_subtitle = "Enter goes there, Esc closes"
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        """Wrap anew."""
        self._top = None
        self.call_after_refresh(self._draw)

    def action_move(self, rows: int) -> None:
        """Scroll."""
        self._top = (self._top or 0) + rows
        self._draw()

    def action_open(self) -> None:
        """Go where it was said."""
        self.dismiss(self._hit)

    def _draw(self) -> None:
        panel = self.query_one(Panel)
        height, width = max(1, panel.size.height), max(2, panel.size.width)
        rows: Lines = []
        middle = 0
        for entry in self._found:
            lines = rows_of_item(entry, width, None, folded=False)
            if entry is self._hit:
                middle = len(rows)
                lines = [[Span("".join(it.text for it in line), Tint.MENTION)] for line in lines]
            rows += lines
        top = middle - height // 2 if self._top is None else self._top
        self._top = max(0, min(top, len(rows) - height))
        panel.show(rows[self._top : self._top + height])


def _hit_line(hit: Entry, marked: bool, width: int) -> Line:
    time = hit.at.astimezone().strftime("%Y-%m-%d %H:%M")
    nick, place = harmless_line(hit.nick), harmless_line(hit.conversation or "")
    author = f"* {nick} " if hit.kind is Kind.ACTION else f"<{nick}> "
    lead = f"{'▸' if marked else ' '} {time} {place} "
    text = fitted(author + harmless_line(hit.text), max(1, width - len(lead)))
    tint = Tint.STRONG if marked else Tint.PLAIN
    return [Span(lead, Tint.STRONG if marked else Tint.FAINT), Span(text, tint)]
