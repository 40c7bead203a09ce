"""What is where in the window of a chat: lists at the sides, messages and composer between them.

Only widgets: what a person does with them goes to `Hands`.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from datetime import datetime
from tkinter import ttk
from typing import Final, Protocol

from ..client.complete import Completer
from ..client.harmless import harmless_line
from ..client.timeline import Timeline
from .composer import Composer
from .finder import Finder
from .lists import MAX_ROWS, RowList, Shown
from .look import Palette
from .messages import Messages
from .pieces import nick_tag
from .sides import lines_of, people_heading, people_of, state_of, title_of

#: Windows narrower than so many heights of the text show no people, and then no conversations.
_ROOM_FOR_PEOPLE: Final = 52
_ROOM_FOR_ROOMS: Final = 34


class Hands(Protocol):
    """What a person does with the widgets."""

    def enter(self, text: str) -> bool:
        """Send what is typed; whether that could be done."""

    def look_at(self, name: str) -> None:
        """Choose a conversation."""

    def write_to(self, nick: str) -> None:
        """Choose a person."""

    def clicked(self, tag: str) -> None:
        """Click a word that can be clicked."""

    def look_for(self, needle: str, at: int | None, older: bool) -> int | None:
        """Search."""

    def look_everywhere(self, needle: str) -> None:
        """Search on the server."""

    def found_enough(self) -> None:
        """Close the search."""

    def menu_of_conversation(self, name: str, x: int, y: int) -> None:
        """Ask what can be done with a conversation."""

    def menu_of_person(self, nick: str, x: int, y: int) -> None:
        """Ask what can be done with a person."""

    def menu_of_message(self, line: int, x: int, y: int) -> None:
        """Ask what can be done with what stands in a line."""

    def join_room(self) -> None:
        """Want to join a room."""

    def change_nick(self) -> None:
        """Want another nick."""

    def change_topic(self) -> None:
        """Want another topic."""


class Layout(ttk.Frame):
    """All of the window but its frame. `menu` fills the menu; `unit`: pixels of the text."""

    def __init__(
        self,
        master: tk.Misc,
        hands: Hands,
        completer: Completer,
        menu: Callable[[tk.Menu], None],
    ) -> None:
        super().__init__(master)
        self.unit = 14
        self._is_room = True
        self._menu_button = ttk.Menubutton(self, text="Menu")
        self._lay_out(hands, completer, menu)

    def _lay_out(self, hands: Hands, completer: Completer, menu: Callable[[tk.Menu], None]) -> None:
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
        self._lay_out_middle(middle, hands, completer)
        self._lay_out_left(hands)
        self._lay_out_right(hands)
        self._lay_out_state(hands)
        inside = tk.Menu(self._menu_button, tearoff=False)
        menu(inside)
        self._menu_button.configure(menu=inside)
        self.bind("<Configure>", self._resized)

    def _lay_out_left(self, hands: Hands) -> None:
        ttk.Label(self._left, text="Conversations", style="Panel.TLabel").pack(
            anchor="w", padx=12, pady=(2, 6)
        )
        ttk.Button(self._left, text="Join a room", command=hands.join_room).pack(
            side="bottom", fill="x", padx=10, pady=10
        )
        self.rooms = RowList(
            self._left, choose=hands.look_at, menu=hands.menu_of_conversation, follows=True
        )
        self.rooms.pack(fill="both", expand=True)

    def _lay_out_right(self, hands: Hands) -> None:
        self._people_heading = ttk.Label(self._right, style="Panel.TLabel")
        self._people_heading.pack(anchor="w", padx=12, pady=(2, 6))
        self.people = RowList(
            self._right, choose=hands.write_to, menu=hands.menu_of_person, follows=False
        )
        self.people.pack(fill="both", expand=True)

    def _lay_out_middle(self, middle: ttk.Frame, hands: Hands, completer: Completer) -> None:
        middle.columnconfigure(0, weight=1)
        middle.rowconfigure(1, weight=1)
        head = ttk.Frame(middle, padding=(14, 8, 10, 8))
        head.grid(row=0, column=0, sticky="ew")
        head.columnconfigure(1, weight=1)
        self._title = ttk.Label(head, style="Title.TLabel")
        self._title.grid(row=0, column=0, sticky="w")
        self._topic = ttk.Label(head, style="Faint.TLabel", width=1, anchor="w")
        self._topic.grid(row=0, column=1, sticky="ew", padx=(12, 12))
        self._topic.bind("<Double-Button-1>", lambda _: hands.change_topic())
        self._menu_button.grid(in_=head, row=0, column=2, sticky="e")
        self._menu_button.lift()
        self.messages = Messages(middle, click=hands.clicked, menu=hands.menu_of_message)
        self.messages.grid(row=1, column=0, sticky="nsew")
        self.finder = Finder(
            middle,
            look=hands.look_for,
            everywhere=hands.look_everywhere,
            done=hands.found_enough,
        )
        self.finder.grid(row=2, column=0, sticky="ew")
        self.finder.grid_remove()
        self.composer = Composer(
            middle,
            completer,
            enter=hands.enter,
            hint=self.hint,
        )
        self.composer.grid(row=3, column=0, sticky="ew")

    def _lay_out_state(self, hands: Hands) -> None:
        bar = ttk.Frame(self, padding=(12, 4))
        bar.grid(row=1, column=0, columnspan=5, sticky="ew")
        bar.columnconfigure(1, weight=1)
        self._nick = ttk.Label(bar, style="Bold.TLabel", cursor="hand2")
        self._nick.grid(row=0, column=0, sticky="w")
        self._nick.bind("<Button-1>", lambda _: hands.change_nick())
        self._told = ttk.Label(bar, style="Faint.TLabel", width=1, anchor="w")
        self._told.grid(row=0, column=1, sticky="ew", padx=16)
        self._state = ttk.Label(bar, style="Faint.TLabel")
        self._state.grid(row=0, column=2, sticky="e")

    def dress(self, palette: Palette, unit: int) -> None:
        """Take on colours, and sizes that go with text of `unit` pixels."""
        self.unit = unit
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
        self.arrange()

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            self.arrange()

    def arrange(self) -> None:
        """Make room for the messages first; people are there only where there is a room."""
        units = self.winfo_width() / self.unit
        _show_if(self._left, units >= _ROOM_FOR_ROOMS)
        for part in (self._right, self._rule):
            _show_if(part, units >= _ROOM_FOR_PEOPLE and self._is_room)

    def open_menu(self) -> None:
        """Open the menu as the keyboard does."""
        self._menu_button.focus_set()
        self._menu_button.event_generate("<space>")

    def hint(self, text: str) -> None:
        """Say something to whoever types."""
        self._told.configure(text=text)

    # ------------------------------------------------------------------ drawing

    def draw(self, timeline: Timeline, now: datetime) -> None:
        """Show what stands around the messages."""
        is_room = (timeline.focus or "").startswith("#")
        if is_room is not self._is_room:
            self._is_room = is_room
            self.arrange()
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
            _person(nick, is_away=nick in timeline.absences.others)
            for nick in nicks[: MAX_ROWS - 1]
        ]
        if len(nicks) > len(people):
            people.append(Shown("", f"and {len(nicks) - len(people):,} more", "", ("faint",)))
        self.people.show(people)
        self._people_heading.configure(text=people_heading(timeline))
        title, about = title_of(timeline)
        self._title.configure(text=title)
        self._topic.configure(text=about)
        away = " (away)" if timeline.absences.mine is not None else ""
        self._nick.configure(text=harmless_line(timeline.nick) + away)
        self.draw_state(timeline, now)

    def draw_state(self, timeline: Timeline, now: datetime) -> None:
        """Show how things stand."""
        state = state_of(timeline, now)
        style = "Bad.TLabel" if state.is_bad else "Faint.TLabel"
        if (self._state.cget("text"), str(self._state.cget("style"))) != (state.text, style):
            self._state.configure(text=state.text, style=style)


def _person(nick: str, *, is_away: bool) -> Shown:
    shown = harmless_line(nick)
    if is_away:
        return Shown(nick, f"{shown} (away)", "", ("faint",))
    return Shown(nick, shown, "", (nick_tag(nick),))


def _show_if(part: tk.Grid, wanted: bool) -> None:
    if wanted:
        part.grid()
    else:
        part.grid_remove()
