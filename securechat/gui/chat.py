"""The chat in the window: lists, messages, composer, and what a person does with them.

The client's events come through `take`, in slices; all that is known is in `Model` and below. The
methods that `keys.WINDOW` names are obeyed wherever the keyboard is.
"""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from queue import Empty
from tkinter import ttk
from typing import Final

from ..client import slash
from ..client.complete import Completer, world_of
from ..client.controller import Client, Controller
from ..client.entries import Entry
from ..client.harmless import harmless_line
from ..client.log import Moves
from ..client.rooms import next_active, rooms_of
from . import menus
from .composer import Composer
from .dialogs import Ask, Help, Jump
from .finder import Finder
from .lists import MAX_ROWS, RowList, Shown
from .look import Palette
from .messages import Messages
from .model import Model
from .pieces import AGAIN, DROP, nick_tag
from .sides import (
    lines_of,
    people_heading,
    people_of,
    placeholder,
    state_of,
    title_of,
    window_title,
)
from .unfinished import Unfinished

#: Milliseconds between two looks at what changes by itself: countdowns and lag.
_CLOCK: Final = 500
#: Windows narrower than so many heights of the text show no people, and then no conversations.
_ROOM_FOR_PEOPLE: Final = 52
_ROOM_FOR_ROOMS: Final = 34


class Chat(ttk.Frame):
    """One chat. `heard` gets what others said just now, `titled` the title of the window."""

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
        super().__init__(master)
        self._client = client
        self._controller = controller
        self._unfinished = unfinished
        self._palette = palette
        self._heard = heard
        self._titled = titled
        self.model = Model(controller)
        self.model.resume(unfinished.load())
        self._timeline = controller.timeline
        self._unit = 14
        self._pop_up = menus.PopUp(self)
        self._menu_button = ttk.Menubutton(self, text="Menu")
        self._lay_out(menu)
        self._timer = self.after(_CLOCK, self._tick)
        self.messages.show(self.model)
        self._show_typed()
        self.draw()

    # ------------------------------------------------------------------ parts

    def _lay_out(self, menu: Callable[[tk.Menu], None]) -> None:
        self.columnconfigure(2, weight=1)
        self.rowconfigure(0, weight=1)
        self._left = ttk.Frame(self, style="Panel.TFrame", padding=(0, 8, 0, 0))
        self._right = ttk.Frame(self, style="Panel.TFrame", padding=(0, 8, 0, 0))
        middle = ttk.Frame(self)
        self._left.grid(row=0, column=0, sticky="nsew")
        ttk.Frame(self, style="Rule.TFrame", width=1).grid(row=0, column=1, sticky="ns")
        middle.grid(row=0, column=2, sticky="nsew")
        self._rule = ttk.Frame(self, style="Rule.TFrame", width=1)
        self._rule.grid(row=0, column=3, sticky="ns")
        self._right.grid(row=0, column=4, sticky="nsew")
        self._lay_out_middle(middle)
        self._lay_out_left()
        self._lay_out_right()
        self._lay_out_state()
        inside = tk.Menu(self._menu_button, tearoff=False)
        menu(inside)
        self._menu_button.configure(menu=inside)
        self.bind("<Configure>", self._resized)

    def _lay_out_left(self) -> None:
        ttk.Label(self._left, text="Conversations", style="Panel.TLabel").pack(
            anchor="w", padx=12, pady=(2, 6)
        )
        ttk.Button(self._left, text="Join a room", command=self.join_room).pack(
            side="bottom", fill="x", padx=10, pady=10
        )
        self.rooms = RowList(
            self._left, choose=self.look_at, menu=self._menu_of_conversation, follows=True
        )
        self.rooms.pack(fill="both", expand=True)

    def _lay_out_right(self) -> None:
        self._people_heading = ttk.Label(self._right, style="Panel.TLabel")
        self._people_heading.pack(anchor="w", padx=12, pady=(2, 6))
        self.people = RowList(
            self._right, choose=self._write_to, menu=self._menu_of_person, follows=False
        )
        self.people.pack(fill="both", expand=True)

    def _lay_out_middle(self, middle: ttk.Frame) -> None:
        middle.columnconfigure(0, weight=1)
        middle.rowconfigure(1, weight=1)
        head = ttk.Frame(middle, padding=(14, 8, 10, 8))
        head.grid(row=0, column=0, sticky="ew")
        head.columnconfigure(1, weight=1)
        self._title = ttk.Label(head, style="Title.TLabel")
        self._title.grid(row=0, column=0, sticky="w")
        self._topic = ttk.Label(head, style="Faint.TLabel", width=1, anchor="w")
        self._topic.grid(row=0, column=1, sticky="ew", padx=(12, 12))
        self._topic.bind("<Double-Button-1>", lambda _: self.change_topic())
        self._menu_button.grid(in_=head, row=0, column=2, sticky="e")
        self._menu_button.lift()
        self.messages = Messages(middle, click=self._clicked, menu=self._menu_of_message)
        self.messages.grid(row=1, column=0, sticky="nsew")
        self.finder = Finder(middle, look=self._look_for, done=self._found_enough)
        self.finder.grid(row=2, column=0, sticky="ew")
        self.finder.grid_remove()
        self.composer = Composer(
            middle,
            Completer(lambda: world_of(self._timeline)),
            enter=self.enter,
            hint=self._hint,
        )
        self.composer.grid(row=3, column=0, sticky="ew")

    def _lay_out_state(self) -> None:
        bar = ttk.Frame(self, padding=(12, 4))
        bar.grid(row=1, column=0, columnspan=5, sticky="ew")
        bar.columnconfigure(1, weight=1)
        self._nick = ttk.Label(bar, style="Bold.TLabel", cursor="hand2")
        self._nick.grid(row=0, column=0, sticky="w")
        self._nick.bind("<Button-1>", lambda _: self.change_nick())
        self._told = ttk.Label(bar, style="Faint.TLabel", width=1, anchor="w")
        self._told.grid(row=0, column=1, sticky="ew", padx=16)
        self._state = ttk.Label(bar, style="Faint.TLabel")
        self._state.grid(row=0, column=2, sticky="e")

    def dress(self, palette: Palette, unit: int) -> None:
        """Take on colours, and sizes that go with text of `unit` pixels."""
        self._unit = unit
        self.messages.dress(palette, unit)
        self.composer.dress(palette)
        for rows in (self.rooms, self.people):
            rows.dress(palette, unit)
            rows.tree.column("#0", width=unit * (10 if rows is self.rooms else 9))
        inside = self.nametowidget(self._menu_button.cget("menu"))
        inside.configure(
            background=palette.panel,
            foreground=palette.text,
            activebackground=palette.accent,
            activeforeground=palette.on_accent,
            font="chat",
            borderwidth=1,
            relief="flat",
        )
        self._arrange(self.winfo_width())

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            self._arrange(event.width)

    def _arrange(self, width: int) -> None:
        """Make room for the messages first."""
        units = width / self._unit
        _show_if(self._left, units >= _ROOM_FOR_ROOMS)
        is_room = (self._timeline.focus or "").startswith("#")
        for part in (self._right, self._rule):
            _show_if(part, units >= _ROOM_FOR_PEOPLE and is_room)

    # ------------------------------------------------------------------ the client

    def take(self, until: float) -> None:
        """Take events in, until that moment of `time.monotonic` at the latest."""
        said: list[Entry] = []
        is_changed = False
        while time.monotonic() < until and not self._controller.done:
            try:
                event = self._client.events.get_nowait()
            except Empty:
                break
            said += self.model.take(event, _now())
            is_changed = True
        if is_changed:
            self.draw()
        if said:
            self._heard(said)

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Show what has changed."""
        if self._timeline.focus != self.model.desks.shown:
            self._follow_focus()
        self.messages.update_page()
        self.messages.note(placeholder(self._timeline) if self.model.is_empty else "")
        self._draw_sides()
        self._draw_state()

    def _follow_focus(self) -> None:
        self.messages.leave()
        if self.model.follow_focus():
            self.messages.show(self.model)
            self._show_typed()
            self.finder.hide()
            self._arrange(self.winfo_width())

    def _show_typed(self) -> None:
        name = harmless_line(self._timeline.focus or "")
        whereto = f"Write to {name.removeprefix('@')}" if name else "Join a room first"
        self.composer.show(self.model.desk.typed, whereto)

    def _draw_sides(self) -> None:
        timeline = self._timeline
        rooms = [
            Shown(
                one.name,
                one.text,
                one.badge,
                ("loud",) if one.is_loud else ("new",) if one.is_new else (),
            )
            for one in lines_of(timeline)
        ]
        self.rooms.show(rooms, timeline.focus)
        nicks = people_of(timeline)
        people = [
            Shown(nick, harmless_line(nick), "", (nick_tag(nick),))
            for nick in nicks[: MAX_ROWS - 1]
        ]
        if len(nicks) > len(people):
            people.append(Shown("", f"and {len(nicks) - len(people):,} more", "", ("faint",)))
        self.people.show(people)
        self._people_heading.configure(text=people_heading(timeline))
        title, about = title_of(timeline)
        self._title.configure(text=title)
        self._topic.configure(text=about)
        self._nick.configure(text=harmless_line(timeline.nick))

    def _draw_state(self) -> None:
        state = state_of(self._timeline, _now())
        style = "Bad.TLabel" if state.is_bad else "Faint.TLabel"
        if (self._state.cget("text"), str(self._state.cget("style"))) != (state.text, style):
            self._state.configure(text=state.text, style=style)
        self._titled(window_title(self._timeline))

    def _tick(self) -> None:
        self._timer = self.after(_CLOCK, self._tick)
        self._draw_state()
        self._keep_typed()

    def _keep_typed(self) -> None:
        self.composer.leave()
        self._unfinished.keep(self.model.unfinished())

    def _hint(self, text: str) -> None:
        self._told.configure(text=text)

    # ------------------------------------------------------------------ what one does

    def enter(self, text: str) -> bool:
        """Do what was typed; whether that could be done."""
        done = self.model.enter(text, _now())
        self._hint("")
        self.draw()
        if done:
            self.messages.to_end()
        return done

    def tell(self, problem: str) -> None:
        """Say that something went wrong here."""
        self.model.tell(problem, _now())
        self.draw()

    def look_at(self, name: str) -> None:
        """Show a conversation."""
        if name != self._timeline.focus:
            self.model.look_at(name)
            self.draw()

    def _write_to(self, nick: str) -> None:
        if nick != self._timeline.nick:
            self.enter(f"/query {nick}")
            self.composer.text.focus_set()

    def _clicked(self, tag: str) -> None:
        for start, do in ((AGAIN, self.model.send_again), (DROP, self.model.drop)):
            if tag.startswith(start):
                do(tag.removeprefix(start), _now())
        self.draw()

    def close(self) -> None:
        """Look no longer; what is half typed is kept."""
        self.after_cancel(self._timer)
        self._keep_typed()

    # ------------------------------------------------------------------ searching

    def find(self) -> None:
        """Open the search, or go on in it."""
        self.finder.show()

    def _look_for(self, needle: str, at: int | None, older: bool) -> int | None:
        number = self.model.find(needle, at, older=older)
        if number is not None:
            self.messages.show_item(number)
        return number

    def _found_enough(self) -> None:
        self.messages.unmark()
        self.composer.text.focus_set()

    # ------------------------------------------------------------------ menus

    def _menu_of_conversation(self, name: str, x: int, y: int) -> None:
        self._offer(menus.of_conversation(name, self.model.features), x, y)

    def _menu_of_person(self, nick: str, x: int, y: int) -> None:
        self._offer(menus.of_person(nick, self.model.features), x, y)

    def _menu_of_message(self, line: int, x: int, y: int) -> None:
        rows: list[tuple[str, Callable[[], None]] | None] = []
        text = self.messages.text
        if text.tag_ranges("sel"):
            rows.append(("Copy", lambda: text.event_generate("<<Copy>>")))
        draft = self.model.page.draft_at(line)
        if draft is not None and draft.id in self._timeline.refused:
            rows.append(("Send again", lambda: self._clicked(f"{AGAIN}{draft.id}")))
            rows.append(("Drop", lambda: self._clicked(f"{DROP}{draft.id}")))
        item = self.model.page.item_at(line)
        if item is not None and not isinstance(item, Moves) and item.nick:
            rows.append(("Copy this message", lambda: self._copy(item.text)))
            rows.append(("Quote", lambda: self._quote(item)))
            if not item.own:
                rows.append(None)
                rows += self._rows(menus.of_person(item.nick, self.model.features))
        if rows:
            self._pop_up.show(rows, x, y)

    def _offer(self, choices: list[menus.Choice], x: int, y: int) -> None:
        if choices:
            self._pop_up.show(self._rows(choices), x, y)

    def _rows(self, choices: list[menus.Choice]) -> list[tuple[str, Callable[[], None]] | None]:
        return [(harmless_line(one.label), partial(self._choose, one)) for one in choices]

    def _choose(self, choice: menus.Choice) -> None:
        if not choice.asks:
            self.enter(choice.line)
            return
        Ask(
            self,
            choice.label,
            choice.asks,
            "OK",
            lambda text: self._entered(f"{choice.line} {text}".rstrip()),
        )

    def _copy(self, text: str) -> None:
        self.clipboard_clear()
        self.clipboard_append(text)

    def _quote(self, entry: Entry) -> None:
        first = harmless_line(entry.text)[:200]
        self.composer.insert(f"> {harmless_line(entry.nick)}: {first}\n")

    # ------------------------------------------------------------------ keys (see keys.WINDOW)

    def jump(self) -> None:
        """Ask for a few letters."""
        known = rooms_of(self._timeline).names
        people = [f"@{nick}" for nick in people_of(self._timeline) if nick != self._timeline.nick]
        names = [*known, *(name for name in people if name not in known)]
        Jump(self, names, self._palette(), self._go_to)

    def _go_to(self, name: str) -> None:
        if name in self._timeline.conversations:
            self.look_at(name)
        else:
            self.enter(f"/query {name[1:]}" if name.startswith("@") else f"/join {name}")

    def join_room(self) -> None:
        """Ask which room."""
        Ask(
            self,
            "Join a room",
            "Which room? If there is none of that name yet, it is made.",
            "Join",
            lambda text: self._entered(f"/join {text}"),
        )

    def change_nick(self) -> None:
        """Ask for a nick."""
        Ask(
            self,
            "Another nick",
            "What shall others call you from now on?",
            "Change",
            lambda text: self._entered(f"/nick {text}"),
            self._timeline.nick,
        )

    def change_topic(self) -> None:
        """Ask for a topic."""
        focus = self._timeline.focus
        if focus is None or not focus.startswith("#"):
            return
        Ask(
            self,
            "Topic",
            f"What is {focus} about? Leave it empty to take the topic away.",
            "Set",
            lambda text: self._entered(f"/topic {text or '-'}"),
            self._timeline.conversation(focus).topic,
        )

    def _entered(self, line: str) -> str | None:
        """Enter a line that a dialog made; what is wrong with it."""
        try:
            slash.parse(line, self._timeline.focus)
        except slash.BadInput as problem:
            return str(problem)
        self.enter(line)
        return None

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
        panes = (self.composer.text, self.messages.text, self.people.tree, self.rooms.tree)
        seen = [pane for pane in panes if pane.winfo_ismapped()]
        focus = self.focus_get()
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
        self._menu_button.focus_set()
        self._menu_button.event_generate("<space>")

    def help(self) -> None:
        """Show the keys and the commands."""
        Help(self, self._palette(), slash.overview())

    def escape(self) -> None:
        """Back to where one types."""
        self.finder.hide()
        self.messages.unmark()
        self.composer.text.focus_set()


def _show_if(part: tk.Grid, wanted: bool) -> None:
    if wanted:
        part.grid()
    else:
        part.grid_remove()


def _now() -> datetime:
    return datetime.now(UTC)
