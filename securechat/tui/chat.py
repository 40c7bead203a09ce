"""The chat's screen: draws what the controller knows, and tells it what one does.

The client's events are taken from its queue in batches by a timer, for no longer at a time than a
key could wait. So nothing that arrives is between a key and its letter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input

from ..client.complete import Completer, world_of
from ..client.controller import Client, Controller
from ..client.entries import Entry, Kind
from ..client.slash import BadInput
from ..errors import ClientError
from .composer import Composer
from .desks import Desks
from .keys import CHAT, by_key, obey
from .messages import Messages
from .overlays import Help, Jump, Secrets
from .palette import THEMES
from .panel import Panel
from .searching import Finds
from .sides import next_active, people_lines, room_lines, rooms_of, status_line, title_line

#: Seconds between two looks at the client's queue, and for how long one may take.
_TICK: Final = 0.03
_SLICE: Final = 0.01
#: Seconds between two looks at what changes by itself: countdowns and lag.
_CLOCK: Final = 0.5
#: Seconds between two bells.
_BELL_PAUSE: Final = 2.0
#: Windows narrower than this show no people, and narrower than that no conversations.
_ROOM_FOR_PEOPLE: Final = 72
_ROOM_FOR_ROOMS: Final = 50

_INTERRUPTED: Final = 130


_ROWS: Final = by_key(CHAT)


class Chat(Screen[None], inherit_bindings=False):
    """All but the overlays. The app is ended with an exit code, or none if the client ended."""

    AUTO_FOCUS = "#composer"

    def __init__(self, client: Client, controller: Controller) -> None:
        super().__init__()
        self._client = client
        self._controller = controller
        self._timeline = controller.timeline
        self._desks = Desks(controller.focus)
        self._hidden: set[str] = set()
        self._hint = ""
        self._rang_at = float("-inf")
        desk = self._desks[controller.focus]
        self._rooms, self._people = Panel(id="rooms"), Panel(id="people")
        self._title, self._status = Panel(id="title"), Panel(id="status")
        self._messages = Messages(desk, id="messages")
        self._search = Input(id="search", placeholder="search back: Ctrl-R further, Esc ends")
        self._finds = Finds(self, controller, go=self._go_to, oldest=self._oldest_held)
        completer = Completer(lambda: world_of(self._timeline))
        self._composer = Composer(completer, self._enter, self._press, desk.typed, id="composer")

    def compose(self) -> ComposeResult:
        """Conversations, messages and people beside each other; below them, where one types."""
        with Horizontal(id="middle"):
            yield self._rooms
            with Vertical(id="talk"):
                yield self._title
                yield self._messages
            yield self._people
        yield self._status
        yield self._search
        yield self._composer

    def on_mount(self) -> None:
        """Begin to look at the client's queue."""
        self._search.display = False
        self.set_interval(_TICK, self._take_events)
        self.set_interval(_CLOCK, self._draw_sides)

    def on_resize(self, event: events.Resize) -> None:
        """Make room for the messages first."""
        self._rooms.set_class(event.size.width < _ROOM_FOR_ROOMS, "narrow")
        self._people.set_class(event.size.width < _ROOM_FOR_PEOPLE, "narrow")
        self.call_after_refresh(self._draw)

    # ------------------------------------------------------------------ the client

    def _take_events(self) -> None:
        until = time.monotonic() + _SLICE
        taken = rings = False
        while time.monotonic() < until and not self._controller.done:
            try:
                event = self._client.events.get_nowait()
            except Empty:
                break
            entries = self._controller.take(event, _now())
            taken = True
            if self._finds.take(event, entries):
                continue
            self._desks.take(event, entries)
            rings = rings or any(entry.mention for entry in entries)
        if rings:
            self._ring()
        if self._controller.done:
            self.app.exit()
        elif taken:
            self._follow_focus()
            self._desks.forget_all_but(self._timeline.conversations)
            self._finds.pursue()
            self._draw()

    def _ring(self) -> None:
        now = time.monotonic()
        if now - self._rang_at >= _BELL_PAUSE:
            self._rang_at = now
            self.app.bell()

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        focus = self._timeline.focus
        unstored = [*self._timeline.refused.values(), *self._timeline.drafts.values()]
        mine = [draft for draft in unstored if draft.conversation == focus]
        self._messages.update(mine, self._timeline.nick)
        self._draw_sides()

    def _draw_sides(self) -> None:
        timeline = self._timeline
        for panel, lines in ((self._rooms, room_lines), (self._people, people_lines)):
            if panel.size.width:
                panel.show(lines(timeline, panel.content_size.width, panel.content_size.height))
        self._title.show([title_line(timeline, self._title.size.width)])
        extra = [self._hint] if self._hint else []
        self._status.show([status_line(timeline, _now(), self._status.size.width, extra)])

    def _show_entries(self, entries: Iterable[Entry]) -> None:
        self._desks.put(entries)
        self._draw()

    def _follow_focus(self) -> None:
        """Show what the controller looks at."""
        focus = self._timeline.focus
        if focus == self._desks.shown:
            return
        self._desks.look_at(focus)
        self._messages.show(self._desks[focus])
        self._composer.show(self._desks[focus].typed)

    def _look_at(self, name: str | None) -> None:
        if name is not None:
            self._timeline.look_at(name)
            self._follow_focus()
            self._draw()

    def _go_to(self, hit: Entry) -> bool:
        """Show a message where it was said; False: it is not held here."""
        log = self._desks[hit.conversation].log
        found = log.number_of(hit.seq)
        if hit.conversation not in self._timeline.conversations or found is None:
            return False
        self._look_at(hit.conversation)
        self._messages.seek(found)
        return True

    def _oldest_held(self, name: str) -> int:
        return self._desks[name].log.oldest_seq

    def _fetch_older(self) -> None:
        focus = self._timeline.focus
        if focus is not None and self._messages.is_near_top():
            self._controller.fetch_older(focus, self._desks[focus].log.oldest_seq)

    # ------------------------------------------------------------------ the composer

    def _enter(self, text: str) -> bool:
        """Do what was typed; whether that could be done."""
        try:
            entries = self._controller.enter(text, _now(), self._controller.focus)
        except BadInput as problem:
            self._show_entries([Entry(Kind.ERROR, _now(), str(problem))])
            return False
        except ClientError:  # `Ended` is on its way and says why
            return False
        self._follow_focus()
        self._messages.to_end()
        self._show_entries(entries)
        if self._controller.leaving is not None:
            self.app.exit(0)
        elif self._controller.asking is not None:
            questions = [one.text for one in self._controller.asking.questions]
            self.app.push_screen(Secrets(questions), self._answer)
        return True

    def _answer(self, secrets: list[str] | None) -> None:
        """Send what was typed unseen, or nothing."""
        if secrets is None:
            self._controller.leave_unanswered()
            return
        try:
            self._controller.answer(secrets)
        except BadInput as problem:
            self._show_entries([Entry(Kind.ERROR, _now(), str(problem))])
        except ClientError:  # `Ended` is on its way and says why
            pass

    def on_composer_quit_wanted(self, message: Composer.QuitWanted) -> None:
        """Leave."""
        self.app.exit(_INTERRUPTED if message.interrupted else 0)

    def on_composer_jump_wanted(self) -> None:
        """Ctrl-K had nothing to cut."""
        self.action_jump()

    def on_composer_end_wanted(self) -> None:
        """End had nowhere to go."""
        self.action_bottom()

    def on_composer_hint(self, message: Composer.Hint) -> None:
        """Tell it in the status bar."""
        self._hint = message.text
        self._draw_sides()

    def on_text_area_changed(self) -> None:
        """Who types on has read the hint."""
        if self._hint and self._composer.text:
            self._hint = ""
            self._draw_sides()

    # ------------------------------------------------------------------ keys (see keys.CHAT)

    def _press(self, key: str) -> bool:
        """Obey a key of the table; whether it is one."""
        row = _ROWS.get(key)
        if row is not None:
            obey(self, row)
        return row is not None

    def on_key(self, event: events.Key) -> None:
        """A key that the search, which has the focus, left over."""
        if self._press(event.key):
            event.stop()

    def action_page(self, pages: int) -> None:
        """Scroll by windows."""
        self._messages.scroll_rows(pages)
        self._fetch_older()

    def action_top(self) -> None:
        """Go to the oldest that is held."""
        self._messages.to_top()
        self._fetch_older()

    def action_bottom(self) -> None:
        """Go to the newest."""
        self._messages.to_end()

    def action_show(self, number: int) -> None:
        """Show the conversation of that number."""
        names = rooms_of(self._timeline).names
        if number <= len(names):
            self._look_at(names[number - 1])

    def action_step(self, step: int) -> None:
        """Show the next conversation, or the one before."""
        self._look_at(rooms_of(self._timeline).after(self._timeline.focus, step))

    def action_next_active(self) -> None:
        """Show where something is new."""
        self._look_at(next_active(self._timeline))

    def action_jump(self) -> None:
        """Ask for a few letters."""
        self.app.push_screen(Jump(rooms_of(self._timeline).names), self._look_at)

    def action_send_again(self) -> None:
        """Say again what was refused here."""
        self._for_refused(self._controller.send_again)

    def action_drop(self) -> None:
        """Forget what was refused here."""
        self._for_refused(self._controller.forget)

    def _for_refused(self, do: Callable[[str], None]) -> None:
        """Do it with all of this conversation that was refused."""
        refused = self._timeline.refused.values()
        here = [draft.id for draft in refused if draft.conversation == self._timeline.focus]
        with suppress(ClientError):  # `Ended` is on its way and says why
            for draft_id in here:
                do(draft_id)
        self._draw()

    def action_fold_rooms(self) -> None:
        """Hide the conversations, or show them."""
        self._fold("rooms")

    def action_fold_people(self) -> None:
        """Hide the people, or show them."""
        self._fold("people")

    def action_bare(self) -> None:
        """Hide all but the messages, or show all."""
        sides = {"rooms", "people"}
        self._hidden = set() if sides <= self._hidden else sides
        self._apply_hidden()

    def action_fold_moves(self) -> None:
        """Show comings and goings one by one, or in short."""
        self._messages.fold_moves()

    def action_next_theme(self) -> None:
        """Take the next theme."""
        at = THEMES.index(self.app.theme) if self.app.theme in THEMES else -1
        self.app.theme = THEMES[(at + 1) % len(THEMES)]

    def action_redraw(self) -> None:
        """Draw everything anew."""
        self._draw()
        self.refresh(layout=True)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(Help())

    # ------------------------------------------------------------------ searching

    def action_search(self) -> None:
        """Open the search, or search further back."""
        if not self._search.display:
            self._search.display = True
            self._search.value = ""
            self._search.focus()
        else:
            self._seek(self._search.value, self._messages.hit)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search from the newest, with each letter."""
        self._seek(event.value, None)

    def on_input_submitted(self) -> None:
        """Stay where it was found, and type on."""
        self._end_search()

    def action_escape(self) -> None:
        """Leave the search, or what is scrolled to, for the newest."""
        self._end_search()
        self._messages.to_end()

    def _seek(self, needle: str, before: int | None) -> None:
        log = self._desks[self._desks.shown].log
        found = log.find(needle, log.end if before is None else before) if needle else None
        self._hint = "" if found is not None or not needle else f"not found: {needle}"
        if found is not None:
            self._messages.seek(found)
        self._draw_sides()

    def _end_search(self) -> None:
        self._search.display = False
        self._hint = ""
        self._composer.focus()
        self._draw_sides()

    # ------------------------------------------------------------------ parts

    def _fold(self, side: str) -> None:
        self._hidden ^= {side}
        self._apply_hidden()

    def _apply_hidden(self) -> None:
        for panel in (self._rooms, self._people):
            panel.set_class(panel.id in self._hidden, "folded")
        self.call_after_refresh(self._draw)


def _now() -> datetime:
    return datetime.now(UTC)
