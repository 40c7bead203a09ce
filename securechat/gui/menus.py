"""What can be done with a room, a person or a message, as rows of a menu.

Pure but for `PopUp`. A row is a label and the line that it types. It is there only if the server
announces the feature and we know the command; whether one may is the server's to say.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from ..client import commands
from ..client.arguments import BadInput
from ..client.harmless import harmless_line

_ORDER: Final = "Keep order"
_WHY: Final = "Why? It may be left empty."
_HOW_LONG: Final = "For how long, and why? For example: 1h flooding. Empty: until it is undone."


class Choice(NamedTuple):
    """One row: `line` is entered as if typed; with `asks`, what is still missing is asked for.

    `group`: the menu below this one that it stands in.
    """

    label: str
    line: str
    asks: str = ""
    group: str = ""


class _Offer(NamedTuple):
    label: str
    line: str
    feature: str | None = None
    asks: str = ""
    group: str = ""


_PERSON: Final = (
    _Offer("Write to {name} alone", "/query {name}"),
    _Offer("Who is {name}?", "/whois {name}", "whois"),
    _Offer("Ignore {name}", "/ignore {name}"),
    _Offer("Hear {name} again", "/unignore {name}"),
    _Offer("Put {name} out …", "/kick {name}", "moderation", _WHY, _ORDER),
    _Offer("Mute {name} for 10 minutes", "/mute {name} 10m", "moderation", "", _ORDER),
    _Offer("Mute {name} …", "/mute {name}", "moderation", _HOW_LONG, _ORDER),
    _Offer("Let {name} speak again", "/unmute {name}", "moderation", "", _ORDER),
    _Offer("Ban {name} …", "/ban {name}", "moderation", _HOW_LONG, _ORDER),
    _Offer("Undo the ban", "/unban {name}", "moderation", "", _ORDER),
    _Offer("Let {name} into this room", "/admit {name}", "private-rooms", "", _ORDER),
    _Offer("Make {name} a moderator", "/appoint {name}", "moderation", "", _ORDER),
    _Offer("{name} is no moderator", "/dismiss {name}", "moderation", "", _ORDER),
)
_ROOM: Final = (
    _Offer("How {name} is ruled", "/rules {name}", "private-rooms"),
    _Offer("Who is muted or banned in {name}", "/bans {name}", "moderation"),
    _Offer("Leave {name}", "/leave {name}"),
)
_MESSAGE: Final = (_Offer("Remove this message …", "/remove {name}", "removal", _WHY),)


def of_person(nick: str, features: frozenset[str]) -> list[Choice]:
    """What can be done with somebody."""
    return list(_choices(_PERSON, nick, features))


def of_conversation(name: str, features: frozenset[str]) -> list[Choice]:
    """What can be done with a room, or a person that one talks with."""
    if not name.startswith("@"):
        return list(_choices(_ROOM, name, features))
    person = of_person(name[1:], features)[1:]  # one writes to them already
    return [*(one for one in person if not one.group), Choice("Put aside", f"/leave {name}")]


def of_message(seq: int, features: frozenset[str]) -> list[Choice]:
    """What can be done with a message."""
    return list(_choices(_MESSAGE, str(seq), features)) if seq else []


def _choices(offers: Iterable[_Offer], name: str, features: frozenset[str]) -> Iterator[Choice]:
    for label, line, feature, asks, group in offers:
        if (feature is None or feature in features) and _is_known(line.split()[0][1:]):
            shown = harmless_line(label.format(name=name))
            yield Choice(shown, line.format(name=name), asks, group)


def _is_known(command: str) -> bool:
    try:
        commands.find(command)
    except BadInput:
        return False
    return True


class Row(NamedTuple):
    """One row of a menu, for Tk; `group` as in `Choice`. None is a line between two."""

    label: str
    do: Callable[[], None]
    group: str = ""


Rows: TypeAlias = Sequence[Row | None]


class PopUp:
    """The one context menu; a new one takes the place of the last."""

    def __init__(self, master: tk.Misc) -> None:
        self._master = master
        self._menu: tk.Menu | None = None

    def show(self, rows: Rows, x: int, y: int) -> None:
        """Show it at a place on the screen."""
        if self._menu is not None:
            self._menu.destroy()
        self._menu = menu = tk.Menu(self._master, tearoff=False)
        groups: dict[str, tk.Menu] = {}
        for row in rows:
            if row is None:
                menu.add_separator()
                continue
            inside = menu
            if row.group:
                if row.group not in groups:
                    groups[row.group] = tk.Menu(menu, tearoff=False)
                    menu.add_cascade(label=row.group, menu=groups[row.group])
                inside = groups[row.group]
            inside.add_command(label=row.label, command=row.do)
        menu.tk_popup(x, y)
