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
from .look import Palette, menu_of
from .messages import Messages
from .panes import Panes
from .pieces import nick_tag
from .sides import lines_of, people_heading, people_of, state_of, title_of

#: Letters of a nick below the messages, where there is little room.
_LONGEST_NICK: Final = 14


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

    def typed(self, char: str) -> None:
        """Type where nothing can be written."""

    def pointed(self, shown: str) -> None:
        """Point at a link; "": no longer."""

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
        self.panes = Panes(self)
        self._menu_button = ttk.Menubutton(self, text="Menu")
        self._menu = tk.Menu(self._menu_button, tearoff=False)
        self._lay_out(hands, completer, menu)

    def _lay_out(self, hands: Hands, completer: Completer, menu: Callable[[tk.Menu], None]) -> None:
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self.panes.grid(row=0, column=0, sticky="nsew")
        self._lay_out_left(self.panes.left, hands)
        self._lay_out_middle(self.panes.middle, hands, completer)
        self._lay_out_right(self.panes.right, hands)
        self._lay_out_state(hands)
        menu(self._menu)
        self._menu_button.configure(menu=self._menu)

    def _lay_out_left(self, left: ttk.Frame, hands: Hands) -> None:
        ttk.Label(left, text="Conversations", style="Panel.TLabel").pack(
            anchor="w", padx=12, pady=(2, 6)
        )
        ttk.Button(left, text="Join a room", command=hands.join_room).pack(
            side="bottom", fill="x", padx=10, pady=10
        )
        self.rooms = RowList(
            left,
            choose=hands.look_at,
            menu=hands.menu_of_conversation,
            typed=hands.typed,
            follows=True,
        )
        self.rooms.pack(fill="both", expand=True)
        self._let_widen(self.rooms, left, "<Left>", "<Right>")

    def _lay_out_right(self, right: ttk.Frame, hands: Hands) -> None:
        self._people_heading = ttk.Label(right, style="Panel.TLabel")
        self._people_heading.pack(anchor="w", padx=12, pady=(2, 6))
        self.people = RowList(
            right,
            choose=hands.write_to,
            menu=hands.menu_of_person,
            typed=hands.typed,
            follows=False,
        )
        self.people.pack(fill="both", expand=True)
        self._let_widen(self.people, right, "<Right>", "<Left>")

    def _let_widen(self, rows: RowList, side: ttk.Frame, narrower: str, wider: str) -> None:
        def move(by: int) -> str:
            self.panes.widen(side, by)
            return "break"

        rows.tree.bind(narrower, lambda _: move(-1))
        rows.tree.bind(wider, lambda _: move(1))

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
        self.messages = Messages(
            middle,
            click=hands.clicked,
            point=hands.pointed,
            menu=hands.menu_of_message,
            typed=hands.typed,
        )
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
        bar.grid(row=1, column=0, sticky="ew")
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
        for key, value in menu_of(palette).items():
            self._menu[key.lower()] = value
        self.panes.dress(palette, unit)

    def open_menu(self) -> None:
        """Open the menu below its button; who has the keyboard gets it back when it is closed."""
        inside, button = self._menu, self._menu_button
        right = button.winfo_rootx() + button.winfo_width()
        inside.tk_popup(
            right - inside.winfo_reqwidth(), button.winfo_rooty() + button.winfo_height()
        )

    def hint(self, text: str) -> None:
        """Say something to whoever types."""
        self._told.configure(text=text)

    # ------------------------------------------------------------------ drawing

    def draw(self, timeline: Timeline, now: datetime) -> None:
        """Show what stands around the messages."""
        self.panes.show_people((timeline.focus or "").startswith("#"))
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
        self._nick.configure(text=self._short(harmless_line(timeline.nick)) + away)
        self.draw_state(timeline, now)

    def draw_state(self, timeline: Timeline, now: datetime) -> None:
        """Show how things stand."""
        state = state_of(timeline, now)
        style = "Bad.TLabel" if state.is_bad else "Faint.TLabel"
        text = state.brief if self.panes.is_narrow else state.text
        if (self._state.cget("text"), str(self._state.cget("style"))) != (text, style):
            self._state.configure(text=text, style=style)

    def _short(self, nick: str) -> str:
        """Leave room for how things stand."""
        is_too_long = self.panes.is_narrow and len(nick) > _LONGEST_NICK
        return f"{nick[: _LONGEST_NICK - 1]}…" if is_too_long else nick


def _person(nick: str, *, is_away: bool) -> Shown:
    shown = harmless_line(nick)
    if is_away:
        return Shown(nick, f"{shown} (away)", "", ("faint",))
    return Shown(nick, shown, "", (nick_tag(nick),))
