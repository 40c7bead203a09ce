"""The chat's screen: draws what the controller knows, and tells it what one does.

The client's events are taken from its queue in batches by a timer, for no longer at a time than a
key could wait. So nothing that arrives is between a key and its letter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from ..client.arguments import BadInput
from ..client.complete import Completer, world_of
from ..client.controller import Controller
from ..client.desks import Desks
from ..client.entries import Entry, Kind
from ..client.events import DraftState
from ..client.interface import Client
from ..client.rooms import next_active, rooms_of
from ..errors import ClientError, SettingsError
from .alarm import Alarm
from .choosing import Choosing
from .composer import Composer
from .field import KeyOrPaste
from .frame import Frame
from .keymap import by_key, obey
from .messages import Messages
from .overlays import Dialog, Help, Jump, Secrets
from .searching import Finds
from .seeking import Seeking
from .setup import THEMES, Joins, Setup

#: Seconds between two looks at the client's queue, and for how long one may take.
_TICK: Final = 0.03
_SLICE: Final = 0.01
#: Seconds after which what is half typed is safe from a crash.
_KEEP: Final = 3.0
#: Seconds between two looks at what changes by itself: countdowns and lag.
_CLOCK: Final = 0.5

_INTERRUPTED: Final = 130


class Chat(Screen[None], inherit_bindings=False):
    """All but the overlays. The app is ended with an exit code, or none if the client ended."""

    AUTO_FOCUS = "#composer"

    def __init__(
        self, client: Client, controller: Controller, setup: Setup, write: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._now = setup.clock
        self._keys = setup.keys
        self._rows, self._chosen_rows = by_key(setup.keys.chat), by_key(setup.keys.chosen)
        self._remember = setup.remember
        self._alarm = Alarm(write, setup.environ if setup.notices else {}, self._now())
        self._client = client
        self._controller = controller
        self._timeline = controller.timeline
        self._unfinished = setup.unfinished
        unfinished = {} if setup.unfinished is None else setup.unfinished.load()
        self._timeline.reopen(unfinished)
        hides_moves = setup.joins is Joins.HIDE
        self._desks = Desks(controller.focus, hides_moves=hides_moves, unfinished=unfinished)
        self._joins = setup.joins
        desk = self._desks[controller.focus]
        self._frame = Frame(self._timeline, setup.trust, setup.keys)
        name = setup.keys.label
        cure = f"{name('send-again')} sends it again, {name('drop')} drops it"
        self._messages = Messages(desk, cure, id="messages", zone=setup.zone)
        completer = Completer(lambda: world_of(self._timeline))
        self._composer = Composer(
            completer,
            self._enter,
            self._divert,
            self._press_chosen,
            self._press,
            self.action_jump,
            desk.typed,
            by_key(setup.keys.composer),
            id="composer",
        )
        self._finds = Finds(
            self,
            controller,
            go=self._go_to,
            oldest=self._oldest_held,
            after=self._composer.take,
        )
        how = f"search back: {name('search')} further, {name('escape')} ends"
        self._seeking = Seeking(
            *(self._messages, self._composer, self._tell, how, self._composer.take), id="search"
        )
        self._choosing = Choosing(self, controller, self._messages, self._composer, self._tell)

    def compose(self) -> ComposeResult:
        """Conversations, messages and people beside each other; below them, where one types."""
        with Horizontal(id="middle"):
            yield self._frame.rooms
            with Vertical(id="talk"):
                yield self._frame.title
                yield self._messages
            yield self._frame.people
        yield self._frame.status
        yield self._seeking
        yield self._composer

    def on_mount(self) -> None:
        """Begin to look at the client's queue."""
        self._messages.fold_moves(self._joins is Joins.FOLD)
        self.set_interval(_TICK, self._take_events)
        self.set_interval(_CLOCK, self._draw_sides)
        self.set_interval(_KEEP, self.keep_unfinished)

    def on_resize(self, event: events.Resize) -> None:
        """Make room for the messages first."""
        self._frame.fit(event.size.width)
        self.call_after_refresh(self._draw)

    # ------------------------------------------------------------------ the client

    def _take_events(self) -> None:
        until = time.monotonic() + _SLICE
        taken = False
        heard: list[Entry] = []
        while time.monotonic() < until and not self._controller.done:
            try:
                event = self._client.events.get_nowait()
            except Empty:
                break
            entries = self._controller.take(event, self._now())
            taken = True
            if self._finds.take(event, entries):
                continue
            self._desks.take(event, entries)
            heard += entries
        rung_by = self._controller.bell.rung_by(heard, self._now())
        if rung_by is not None:
            self._alarm.ring(rung_by, self._now())
        if self._controller.done:
            self.app.exit()
        elif taken:
            self._follow_focus()
            self._desks.forget_all_but(self._timeline.conversations)
            self._finds.pursue()
            self._draw()

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        unsent = self._timeline.unsent(self._timeline.focus)
        self._messages.update(unsent, self._timeline.nick)
        self._draw_sides()

    def _draw_sides(self) -> None:
        self._frame.draw(self._now())

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
            bell = self._controller.bell.level
            entries = self._controller.enter(text, self._now(), self._controller.focus)
        except BadInput as problem:
            self._show_entries([Entry(Kind.ERROR, self._now(), str(problem))])
            return False
        except ClientError:  # `Ended` is on its way and says why
            return False
        self._follow_focus()
        self._messages.to_end()
        if self._controller.clearing:
            self._controller.clearing = False
            self._desks[self._desks.shown].log.clear()
        self._show_entries(entries)
        if self._controller.bell.level is not bell:
            self._keep("bell", self._controller.bell.level.value)
        if self._controller.leaving is not None:
            self.app.exit(0)
        elif self._controller.asking is not None:
            questions = self._controller.asking.questions
            asked = Secrets(questions, self._controller.flaw, self._answer, self._composer.take)
            self.app.push_screen(asked)
        return True

    def _answer(self, secrets: list[str] | None) -> None:
        """Send what was typed unseen, or nothing."""
        if secrets is None:
            self._controller.leave_unanswered()
            return
        try:
            self._controller.answer(secrets)
        except BadInput as problem:
            self._show_entries([Entry(Kind.ERROR, self._now(), str(problem))])
        except ClientError:  # `Ended` is on its way and says why
            pass

    def on_composer_quit_wanted(self, message: Composer.QuitWanted) -> None:
        """Leave."""
        self.app.exit(_INTERRUPTED if message.interrupted else 0)

    def on_composer_end_wanted(self) -> None:
        """End had nowhere to go."""
        self.action_bottom()

    def on_composer_hint(self, message: Composer.Hint) -> None:
        """Tell it in the status bar."""
        self._tell(message.text)

    def _tell(self, hint: str) -> None:
        self._frame.hint = hint
        self._draw()

    def on_text_area_changed(self) -> None:
        """Who types on has read the hint."""
        if self._frame.hint and self._composer.text:
            self._frame.hint = ""
            self._draw_sides()

    def keep_unfinished(self) -> None:
        """Have what is half typed kept for the next start."""
        if self._unfinished is not None:
            self._composer.leave()
            self._unfinished.keep(self._desks.unfinished())

    # ------------------------------------------------------------------ keys (see keys.CHAT)

    @property
    def alarm(self) -> Alarm:
        """Is to be told of keys, and of the terminal's focus."""
        return self._alarm

    def _press(self, key: str) -> bool:
        """Obey a key of the table; whether it is one."""
        row = self._rows.get(key)
        if row is not None:
            obey(self, row)
        return row is not None

    def on_paste(self, event: events.Paste) -> None:
        """A paste into a terminal that has not told yet that it has the keyboard again."""
        event.stop()
        self._choosing.end()
        self._composer.post_message(event)

    def _divert(self, typed: KeyOrPaste) -> bool:
        """Hand on what was typed after the key that put something over the composer."""
        over = self.app.screen if isinstance(self.app.screen, Dialog) else self._seeking
        if over is self._seeking and not self._seeking.is_wanted:
            return False
        over.take(typed)
        return True

    def _press_chosen(self, key: str) -> bool:
        """A key while a message is chosen; one that does nothing there ends it."""
        if not self._choosing.is_going_on:
            return False
        row = self._chosen_rows.get(key)
        if row is not None:
            obey(self._choosing, row)
            self._fetch_older()
        elif key not in self._rows:
            self._choosing.end()
        return row is not None

    async def on_key(self, event: events.Key) -> None:
        """A key that the search left over, or that came to the messages."""
        if not (self._press_chosen(event.key) or self._press(event.key)):
            if self.focused is self._seeking:
                return  # it has bindings of its own
            await self._composer.take(event)
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
        names = rooms_of(self._timeline).names
        self.app.push_screen(Jump(names, self._look_at, self._composer.take))

    def action_choose(self) -> None:
        """Choose the newest message; other keys go on from there."""
        self._choosing.action_choose_step(0)

    def action_send_again(self) -> None:
        """Say again what was refused here."""
        self._for_refused(self._controller.send_again)

    def action_drop(self) -> None:
        """Forget what was refused here."""
        self._for_refused(self._controller.forget)

    def _for_refused(self, do: Callable[[str], None]) -> None:
        """Do it with all of this conversation that was refused."""
        with suppress(ClientError):  # `Ended` is on its way and says why
            for draft in self._timeline.unsent(self._timeline.focus):
                if draft.state is DraftState.REFUSED:
                    do(draft.id)
        self._follow_focus()
        self._draw()

    def action_fold_rooms(self) -> None:
        """Hide the conversations, or show them."""
        self._frame.fold("rooms")
        self.call_after_refresh(self._draw)

    def action_fold_people(self) -> None:
        """Hide the people, or show them."""
        self._frame.fold("people")
        self.call_after_refresh(self._draw)

    def action_bare(self) -> None:
        """Hide all but the messages, or show all."""
        self._frame.fold_both()
        self.call_after_refresh(self._draw)

    def action_fold_moves(self) -> None:
        """Show comings and goings one by one, or in short."""
        folded = not self._messages.folds_moves
        self._messages.fold_moves(folded)
        self._keep("joins", (Joins.FOLD if folded else Joins.SHOW).value)

    def action_next_theme(self) -> None:
        """Take the next theme."""
        names, themes = list(THEMES), list(THEMES.values())
        name = names[(themes.index(self.app.theme) + 1) % len(names)]
        self.app.theme = THEMES[name]
        self._keep("theme", name)

    def _keep(self, key: str, value: str) -> None:
        """For the next start."""
        try:
            self._remember(key, value)
        except SettingsError as problem:
            self._show_entries([Entry(Kind.ERROR, self._now(), str(problem))])

    def action_redraw(self) -> None:
        """Draw everything anew."""
        self._draw()
        self.refresh(layout=True)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(Help(self._keys.help_lines()))

    def action_search(self) -> None:
        """Open the search, or search further back."""
        self._seeking.open_or_go_on()

    def action_escape(self) -> None:
        """Leave the search, or what is scrolled to, for the newest."""
        self._seeking.end()
        self._messages.to_end()
