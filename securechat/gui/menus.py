"""What can be done with a room, a person or a message, as rows of a menu.

Pure but for `pop_up`. A row is a label and the line that it types, or None where the window does it
itself. A row is there only if the server announces the feature and we know the command.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ..client import slash


class Choice(NamedTuple):
    """One row: `line` is entered as if typed; with `asks`, what is still missing is asked for."""

    label: str
    line: str
    asks: str = ""


class _Offer(NamedTuple):
    label: str
    line: str
    feature: str | None = None
    asks: str = ""


_PERSON: Final = (
    _Offer("Write to {name} alone", "/query {name}"),
    _Offer("Who is {name}?", "/whois {name}", "whois"),
)
_ROOM: Final = (_Offer("Leave {name}", "/leave {name}"),)


def of_person(nick: str, features: frozenset[str]) -> list[Choice]:
    """What can be done with somebody."""
    return list(_choices(_PERSON, nick, features))


def of_conversation(name: str, features: frozenset[str]) -> list[Choice]:
    """What can be done with a room, or a person that one talks with."""
    if name.startswith("@"):
        aside = Choice("Put aside", f"/leave {name}")
        return [*list(_choices(_PERSON, name[1:], features))[1:], aside]
    return list(_choices(_ROOM, name, features))


def _choices(offers: Sequence[_Offer], name: str, features: frozenset[str]) -> Iterator[Choice]:
    for label, line, feature, asks in offers:
        command = line.split()[0][1:]
        if (feature is None or feature in features) and _is_known(command):
            yield Choice(label.format(name=name), line.format(name=name), asks)


def _is_known(command: str) -> bool:
    try:
        slash.find(command)
    except slash.BadInput:
        return False
    return True


class PopUp:
    """The one context menu; a new one takes the place of the last."""

    def __init__(self, master: tk.Misc) -> None:
        self._master = master
        self._menu: tk.Menu | None = None

    def show(self, rows: Sequence[tuple[str, Callable[[], None]] | None], x: int, y: int) -> None:
        """Rows of label and what to do; None is a line between. At a place on the screen."""
        if self._menu is not None:
            self._menu.destroy()
        self._menu = menu = tk.Menu(self._master, tearoff=False)
        for row in rows:
            if row is None:
                menu.add_separator()
            else:
                menu.add_command(label=row[0], command=row[1])
        menu.tk_popup(x, y)
