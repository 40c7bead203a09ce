"""The chat as the window shows it, without a window: what comes in, and which lines change.

No widget, no thread; time is handed in. The client's events go into `take`, what a person does
into the other methods; `edits` then says what to change in the text widget. Nothing is raised:
what cannot be done is said among the messages, and kept where it can be mended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Final

from ..client import slash
from ..client.arguments import BadInput
from ..client.controller import Controller
from ..client.desks import Desk, Desks
from ..client.entries import Entry, Kind
from ..client.events import ClientEvent, Draft, DraftState, Online
from ..client.log import SPOKEN, Item, head_of
from ..errors import ClientError
from ..settings.model import Joins
from .links import Link, newest
from .page import Edit, Page
from .pieces import Row, rows_of_draft, rows_of_item

#: So many items are searched for links, and so many of these are offered.
_LOOKED_THROUGH: Final = 2_000
_MOST_LINKS: Final = 50


class Model:
    """One run of a chat. `features` are what the server announces, `found` what a search
    brought, until somebody has taken it. `unfinished`: what an earlier run left half typed, by
    conversation. `zone`: None is local time."""

    def __init__(
        self,
        controller: Controller,
        unfinished: Mapping[str, str] = MappingProxyType({}),
        zone: tzinfo | None = None,
    ) -> None:
        self.controller = controller
        self.timeline = controller.timeline
        self.timeline.reopen(unfinished)
        self.desks = Desks(controller.focus, unfinished=unfinished)
        self.features: frozenset[str] = frozenset()
        self.found: list[Entry] = []
        self.joins: Joins = "fold"
        self._zone = zone
        self.page = self._open_page()

    @property
    def desk(self) -> Desk:
        """The conversation that is shown."""
        return self.desks[self.desks.shown]

    # ------------------------------------------------------------------ the client

    def take(self, event: ClientEvent, now: datetime) -> list[Entry]:
        """Take one event of the client in; what came of it."""
        entries = self.controller.take(event, now)
        if isinstance(event, Online):
            self.features = frozenset(event.welcome.features)
        self.desks.take(event, entries)
        self.found += (entry for entry in entries if entry.found is not None)
        self.desks.forget_all_but(self.timeline.conversations)
        return entries

    # ------------------------------------------------------------------ the person

    def enter(self, text: str, now: datetime) -> bool:
        """Do what was typed; whether that could be done."""
        return self._try(
            lambda: self.controller.enter(text, now, self.controller.focus), now, typed=text
        )

    def answer(self, secrets: list[str] | None, now: datetime) -> None:
        """Say what was asked for unseen; None: rather not."""
        if secrets is None:
            self.controller.leave_unanswered()
            return

        def try_it() -> list[Entry]:
            self.controller.answer(secrets)
            return []

        self._try(try_it, now)

    def look_at(self, name: str | None) -> None:
        """Show a conversation."""
        self.timeline.look_at(name)

    def tell(self, text: str, now: datetime) -> None:
        """Say that something went wrong here, where one looks."""
        self.desks.put([Entry(Kind.ERROR, now, text)])

    def send_again(self, draft_id: str, now: datetime) -> None:
        """Say once more what was refused."""
        self._with_refused(draft_id, self.controller.send_again, now)

    def drop(self, draft_id: str, now: datetime) -> None:
        """Forget what was refused."""
        self._with_refused(draft_id, self.controller.forget, now)

    def refused_here(self) -> list[str]:
        """The ids of what was refused in this conversation."""
        return [one.id for one in self._drafts() if one.state is DraftState.REFUSED]

    def fetch_older(self) -> None:
        """Ask the server for what was said before the oldest that is held."""
        if self.desks.shown is not None:
            self.controller.fetch_older(self.desks.shown, self.desk.log.oldest_seq)

    def _with_refused(self, draft_id: str, do: Callable[[str], None], now: datetime) -> None:
        def try_it() -> list[Entry]:
            if draft_id in self.timeline.refused:
                do(draft_id)
            return []

        self._try(try_it, now)

    def _try(self, do: Callable[[], list[Entry]], now: datetime, typed: str = "") -> bool:
        try:
            told = do()
            if self.controller.clearing:
                self.controller.clearing = False
                self.desk.log.clear()
            self.desks.put(told)
        except BadInput as problem:
            self.desks.put([Entry(Kind.ERROR, now, str(problem))])
            return False
        except ClientError:  # `Ended` is on its way and says why
            return False
        if typed and not slash.has_secret(typed):
            self.desk.typed.enter(typed)
        return True

    # ------------------------------------------------------------------ what is shown

    def follow_focus(self) -> bool:
        """Show what the controller looks at; whether that is another conversation than before."""
        focus = self.timeline.focus
        if focus == self.desks.shown:
            return False
        self.desks.look_at(focus)
        self.page = self._open_page()
        return True

    def edits(self, *, follow: bool) -> list[Edit]:
        """What to change in the text widget, which is empty when another conversation is shown."""
        return self.page.update(self._drafts(), follow=follow)

    def find(self, needle: str, number: int | None, *, older: bool) -> int | None:
        """The nearest item that holds `needle`, before or behind item `number` (None: the end)."""
        log = self.desk.log
        if older:
            return log.find(needle, log.end if number is None else number)
        return log.find_after(needle, log.end if number is None else number)

    def links(self) -> list[Link]:
        """The links of this conversation, newest first."""
        log = self.desk.log
        numbers = range(log.end - 1, max(log.first, log.end - _LOOKED_THROUGH) - 1, -1)
        entries = (item for item in map(log.__getitem__, numbers) if isinstance(item, Entry))
        return newest((one for one in entries if one.kind in SPOKEN), _MOST_LINKS)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there to be shown."""
        return self.desk.log.end == self.desk.log.first and not self._drafts()

    def _open_page(self) -> Page:
        return Page(self.desk.log, self._draw_item, self._draw_draft)

    def _draw_item(self, item: Item, before: Item | None, is_new: bool) -> list[Row]:
        return rows_of_item(item, before, self._zone, is_new=is_new, joins=self.joins)

    def _draw_draft(self, draft: Draft, before: Draft | Item | None) -> list[Row]:
        nick = self.timeline.nick
        if isinstance(before, Draft):
            goes_on = not before.action and before.state is not DraftState.REFUSED
        else:
            head = None if before is None else head_of(before)
            goes_on = head is not None and head.kind is Kind.MESSAGE and head.nick == nick
        return rows_of_draft(draft, nick, goes_on=goes_on)

    def _drafts(self) -> list[Draft]:
        return self.timeline.unsent(self.desks.shown)
