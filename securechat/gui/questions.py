"""What is asked in a small window, then entered as a command: a room, a nick, a topic, a reason."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from typing import Final

from ..client import slash
from ..client.arguments import BadInput
from ..client.rooms import rooms_of
from ..client.timeline import Timeline
from .dialogs import Ask, Jump
from .look import Palette
from .menus import Choice
from .sides import people_of

_ROOM: Final = "A room's name is one word: 1 to 32 of a-z, 0-9, _ and -, for example garden."
_NICK: Final = "A nick is one word of 1 to 32 letters, digits and signs, for example bob."


class Questions:
    """The dialogs of one chat; `enter` does a line as if it were typed, `write` goes where one
    writes."""

    def __init__(
        self,
        master: tk.Misc,
        timeline: Timeline,
        enter: Callable[[str], object],
        write: Callable[[], None],
    ) -> None:
        self._master = master
        self._write = write
        self._timeline = timeline
        self._enter = enter

    def jump(self, palette: Palette, go: Callable[[str], None]) -> None:
        """Ask for a few letters of a conversation, or of somebody."""
        known = rooms_of(self._timeline).names
        people = [f"@{nick}" for nick in people_of(self._timeline) if nick != self._timeline.nick]
        names = [*known, *(name for name in people if name not in known)]
        Jump(self._master, names, palette, go)

    def join_room(self) -> None:
        """Ask which room."""
        why = "Which room? If there is none of that name yet, it is made."
        self._ask("Join a room", why, "Join", lambda text: f"/join {text}", wrong=_ROOM)

    def change_nick(self) -> None:
        """Ask for a nick."""
        why, nick = "What shall others call you from now on?", self._timeline.nick
        self._ask("Another nick", why, "Change", lambda text: f"/nick {text}", nick, wrong=_NICK)

    def change_topic(self) -> None:
        """Ask for a topic."""
        focus = self._timeline.focus
        if focus is None or not focus.startswith("#"):
            return
        why = f"What is {focus} about? Leave it empty to take the topic away."
        topic = self._timeline.conversation(focus).topic
        self._ask("Topic", why, "Set", lambda text: f"/topic {text or '-'}", topic)

    def rest_of(self, choice: Choice) -> None:
        """Ask for what a row of a menu still lacks."""
        line = choice.line
        self._ask(choice.label, choice.asks, "OK", lambda text: f"{line} {text}".rstrip())

    def _ask(
        self,
        title: str,
        why: str,
        button: str,
        line_of: Callable[[str], str],
        text: str = "",
        wrong: str | None = None,
    ) -> None:
        Ask(
            self._master,
            title,
            why,
            button,
            lambda said: self._entered(line_of(said), wrong),
            self._write,
            initial=text,
        )

    def _entered(self, line: str, wrong: str | None) -> str | None:
        """Enter a line that a dialog made; what is wrong with it, in the dialog's own words."""
        try:
            slash.parse(line, self._timeline.focus)
        except BadInput as problem:
            return wrong or str(problem)
        self._enter(line)
        return None
