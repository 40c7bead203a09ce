"""The chat in the window: lists, messages, composer, and what a person does with them.

The client's events come through `take`, in slices; all that is known is in `Model` and below. The
methods that `keys.WINDOW` names are obeyed wherever the keyboard is.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from datetime import UTC, datetime
from queue import Empty
from typing import Final

from ..client import slash
from ..client.complete import Completer, world_of
from ..client.controller import Controller
from ..client.entries import Entry
from ..client.harmless import harmless_line
from ..client.interface import Client
from ..client.rooms import next_active, rooms_of
from ..client.unfinished import Unfinished
from .dialogs import Help, Secrets
from .found import Finds
from .layout import Layout
from .look import Palette
from .model import Model
from .offers import Offers
from .outward import Outward
from .pieces import AGAIN, DROP, WEB
from .questions import Questions
from .sides import placeholder, window_title

#: Milliseconds between two looks at what changes by itself: countdowns and lag.
_CLOCK: Final = 500


class Chat:
    """One chat, and the widgets it is shown with, in `frame`.

    `heard` gets what came in, `titled` the title of the window.
    """

    def __init__(
        self,
        master: tk.Misc,
        client: Client,
        controller: Controller,
        unfinished: Unfinished,
        palette: Callable[[], Palette],
        *,
        heard: Callable[[list[Entry]], None],
        titled: Callable[[str], None],
        menu: Callable[[tk.Menu], None],
    ) -> None:
        self._client = client
        self._controller = controller
        self._unfinished = unfinished
        self._palette = palette
        self._heard = heard
        self._titled = titled
        self.model = Model(controller, unfinished.load())
        self._timeline = controller.timeline
        completer = Completer(lambda: world_of(self._timeline))
        self.frame = Layout(master, self, completer, menu)
        self.messages, self.composer = self.frame.messages, self.frame.composer
        self.finder = self.frame.finder
        self._questions = Questions(
            self.frame, self._timeline, self.enter, self.composer.text.focus_set
        )
        self._outward = Outward(self.frame, self.frame.hint)
        self._offers = Offers(self.frame, self, self._questions, self._outward)
        self._finds = Finds(
            self.frame,
            controller,
            lambda: (self._palette(), self.frame.unit),
            self._go_to_message,
        )
        self._timer = self.frame.after(_CLOCK, self._tick)
        self.messages.show(self.model)
        self._show_typed()
        self.draw()

    # ------------------------------------------------------------------ the client

    def take(self, until: float) -> None:
        """Take events in, until that moment of `time.monotonic` at the latest."""
        heard: list[Entry] = []
        is_changed = False
        while time.monotonic() < until and not self._controller.done:
            try:
                event = self._client.events.get_nowait()
            except Empty:
                break
            heard += self.model.take(event, _now())
            is_changed = True
        if is_changed:
            self.draw()
        if self.model.found:
            found, self.model.found = self.model.found, []
            self._finds.take(found)
        if heard:
            self._heard(heard)

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Show what has changed."""
        if self._timeline.focus != self.model.desks.shown:
            self._follow_focus()
        self.messages.update_page()
        self.messages.note(placeholder(self._timeline) if self.model.is_empty else "")
        self.frame.draw(self._timeline, _now())
        self._titled(window_title(self._timeline))

    def _follow_focus(self) -> None:
        self.messages.leave()
        if self.model.follow_focus():
            self.messages.show(self.model)
            self._show_typed()
            self.finder.hide()

    def _show_typed(self) -> None:
        name = harmless_line(self._timeline.focus or "")
        whereto = f"Write to {name.removeprefix('@')}" if name else "Join a room first"
        self.composer.show(self.model.desk.typed, whereto)

    def _tick(self) -> None:
        self._timer = self.frame.after(_CLOCK, self._tick)
        self.frame.draw_state(self._timeline, _now())
        self._titled(window_title(self._timeline))
        self._keep_typed()
        problem = self._outward.problem()
        if problem is not None:
            self.tell(problem)

    def _keep_typed(self) -> None:
        self.composer.leave()
        self._unfinished.keep(self.model.desks.unfinished())

    # ------------------------------------------------------------------ what one does

    def enter(self, text: str) -> bool:
        """Do what was typed; whether that could be done."""
        done = self.model.enter(text, _now())
        self.frame.hint("")
        self.draw()
        if done:
            self.messages.to_end()
        asking = self._controller.asking
        if asking is not None:
            Secrets(self.frame, [one.text for one in asking.questions], self._answer)
        return done

    def _answer(self, secrets: list[str] | None) -> None:
        self.model.answer(secrets, _now())
        self.draw()

    def tell(self, problem: str) -> None:
        """Say that something went wrong here."""
        self.model.tell(problem, _now())
        self.draw()

    def look_at(self, name: str) -> None:
        """Show a conversation."""
        if name != self._timeline.focus:
            self.model.look_at(name)
            self.draw()

    def write_to(self, nick: str) -> None:
        """Talk with one person."""
        if nick != self._timeline.nick:
            self.enter(f"/query {nick}")
            self.composer.text.focus_set()

    def clicked(self, tag: str) -> None:
        """Do what a word among the messages offers."""
        if tag.startswith(WEB):
            self._outward.click(tag.removeprefix(f"{WEB}:"))
            return
        for start, do in ((AGAIN, self.model.send_again), (DROP, self.model.drop)):
            if tag.startswith(start):
                do(tag.removeprefix(start), _now())
        self.draw()

    def typed(self, char: str) -> None:
        """Write it where one writes."""
        self.composer.insert(char)

    def pointed(self, shown: str) -> None:
        """Say where the link below the pointer leads."""
        self._outward.point(shown)

    def close(self) -> None:
        """Look no longer; what is half typed is kept."""
        self.frame.after_cancel(self._timer)
        self._keep_typed()

    # ------------------------------------------------------------------ searching

    def find(self) -> None:
        """Open the search, or go on in it."""
        self.finder.show(reaches_everywhere="search" in self.model.features)

    def look_for(self, needle: str, at: int | None, older: bool) -> int | None:
        """Bring the next message that has it into view; its number."""
        number = self.model.find(needle, at, older=older)
        if number is not None:
            self.messages.show_item(number)
        return number

    def look_everywhere(self, needle: str) -> None:
        """Have the server search, in all that we may read."""
        self.enter(f"/search {needle}")

    def _go_to_message(self, hit: Entry) -> bool:
        number = self.model.desks[hit.conversation].log.number_of(hit.seq)
        if hit.conversation not in self._timeline.conversations or number is None:
            return False
        self.look_at(hit.conversation)
        self.messages.show_item(number)
        return True

    def found_enough(self) -> None:
        """Go back to where one types."""
        self.messages.unmark()
        self.composer.text.focus_set()

    # ------------------------------------------------------------------ menus

    def menu_of_conversation(self, name: str, x: int, y: int) -> None:
        """Offer what can be done with a conversation."""
        self._offers.of_conversation(name, x, y)

    def menu_of_person(self, nick: str, x: int, y: int) -> None:
        """Offer what can be done with a person."""
        self._offers.of_person(nick, x, y)

    def menu_of_message(self, line: int, x: int, y: int) -> None:
        """Offer what can be done with what stands in a line of the messages."""
        self._offers.of_message(line, x, y)

    # ------------------------------------------------------------------ keys (see keys.WINDOW)

    def jump(self) -> None:
        """Ask for a few letters."""
        self._questions.jump(self._palette(), self._go_to)

    def _go_to(self, name: str) -> None:
        if name in self._timeline.conversations:
            self.look_at(name)
        else:
            self.enter(f"/query {name[1:]}" if name.startswith("@") else f"/join {name}")
        self.composer.text.focus_set()

    def join_room(self) -> None:
        """Ask which room."""
        self._questions.join_room()

    def change_nick(self) -> None:
        """Ask for a nick."""
        self._questions.change_nick()

    def change_topic(self) -> None:
        """Ask for a topic."""
        self._questions.change_topic()

    def next_conversation(self) -> None:
        """Show the next conversation."""
        self._step(1)

    def previous_conversation(self) -> None:
        """Show the conversation before."""
        self._step(-1)

    def _step(self, step: int) -> None:
        name = rooms_of(self._timeline).after(self._timeline.focus, step)
        if name is not None:
            self.look_at(name)

    def show_number(self, number: int) -> None:
        """Show the conversation of that number."""
        names = rooms_of(self._timeline).names
        if number <= len(names):
            self.look_at(names[number - 1])

    def next_active(self) -> None:
        """Show where something is new."""
        name = next_active(self._timeline)
        if name is not None:
            self.look_at(name)

    def open_link(self) -> None:
        """Choose one of the links that were said here."""
        self._outward.choose(self.model.links(), self._palette())

    def page_up(self) -> None:
        """Older messages."""
        self.messages.page_by(-1)

    def page_down(self) -> None:
        """Newer messages."""
        self.messages.page_by(1)

    def to_top(self) -> None:
        """The oldest that is held."""
        self.messages.to_top()

    def to_end(self) -> None:
        """The newest."""
        self.messages.to_end()

    def next_pane(self) -> None:
        """Move the keyboard on."""
        self._move_focus(1)

    def previous_pane(self) -> None:
        """Move the keyboard back."""
        self._move_focus(-1)

    def _move_focus(self, step: int) -> None:
        panes = (
            self.composer.text,
            self.messages.text,
            self.frame.people.tree,
            self.frame.rooms.tree,
        )
        seen = [pane for pane in panes if pane.winfo_ismapped()]
        focus = self.frame.focus_get()
        at = next((at for at, pane in enumerate(seen) if pane is focus), -step)
        seen[(at + step) % len(seen)].focus_set()

    def send_again(self) -> None:
        """Say again what was refused here."""
        self._for_refused(self.model.send_again)

    def drop(self) -> None:
        """Forget what was refused here."""
        self._for_refused(self.model.drop)

    def _for_refused(self, do: Callable[[str, datetime], None]) -> None:
        for draft_id in self.model.refused_here():
            do(draft_id, _now())
        self.draw()

    def leave_here(self) -> None:
        """Leave this room, or put this person aside."""
        if self._timeline.focus is not None:
            self.enter("/leave")

    def open_menu(self) -> None:
        """Open the menu."""
        self.frame.open_menu()

    def help(self) -> None:
        """Show the keys and the commands."""
        Help(self.frame, self._palette(), slash.overview())

    def escape(self) -> None:
        """Back to where one types."""
        self.finder.hide()
        self.messages.unmark()
        self.composer.text.focus_set()


def _now() -> datetime:
    return datetime.now(UTC)
