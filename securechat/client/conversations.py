"""A room or a direct conversation as front ends show it, and which of many may be forgotten.

Pure; the values that `timeline` keeps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .entries import Entry

MAX_CONVERSATIONS: Final = 500
MAX_PEOPLE: Final = 1_000


@dataclass(slots=True)
class Conversation:
    """A room or a direct conversation, as a front end shows it."""

    name: str
    joined: bool
    lines: deque[Entry]
    topic: str = ""
    count: int = 0
    unread: int = 0
    mentions: int = 0
    people: dict[str, None] = field(default_factory=dict)
    speakers: dict[str, None] = field(default_factory=dict)  # the latest last

    def latest_speakers(self) -> list[str]:
        """Who spoke here, other than us, the latest first."""
        return list(reversed(self.speakers))

    def came(self, nick: str) -> None:
        """Somebody joined."""
        self.count += 1
        _put_last(self.people, nick)

    def went(self, nick: str) -> None:
        """Somebody left, be it we."""
        self.people.pop(nick, None)
        self.count = max(0, self.count - 1)

    def spoke(self, nick: str) -> None:
        """Somebody else said something."""
        _put_last(self.speakers, nick)

    def holds(self, nicks: Iterable[str]) -> None:
        """A list tells who is here, all of them."""
        names = list(nicks)
        self.people = dict.fromkeys(names[:MAX_PEOPLE])
        self.count = len(names)

    def rename(self, old: str, nick: str) -> None:
        """Somebody goes by another nick."""
        for names in (self.people, self.speakers):
            if old in names:
                rename_key(names, old, nick)


def dispensable(conversations: Mapping[str, Conversation], focus: str | None) -> list[str]:
    """The oldest that is neither shown, nor a room of ours, nor unread, if there are too many."""
    if len(conversations) < MAX_CONVERSATIONS:
        return []
    idle = [
        name
        for name, known in conversations.items()
        if name != focus and not (known.joined and name.startswith("#"))
    ]
    read = [name for name in idle if not conversations[name].unread]
    return (read or idle)[:1]


def rename_key(table: dict[str, Any], old: str, new: str) -> None:
    """Give a key another name and keep its place, which is its rank."""
    table.pop(new, None)
    items = [(new if key == old else key, value) for key, value in table.items()]
    table.clear()
    table.update(items)


def _put_last(names: dict[str, None], name: str) -> None:
    names.pop(name, None)
    names[name] = None
    if len(names) > MAX_PEOPLE:
        del names[next(iter(names))]
