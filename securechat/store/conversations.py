"""What the write side knows of conversations: how far each reaches, and how it grows.

Values for the hub, without a database: `Conversation` is what is committed, `Growth` what
one transaction adds to it.
"""

from __future__ import annotations

from typing import NamedTuple

from ..records import NewMessage, RemoveMessage
from .journal import Entry
from .removal import ERASED


class Conversation(NamedTuple):
    """The messages `first` to `head` of one conversation are there."""

    number: int
    first: int = 1
    head: int = 0


class Growth:
    """One conversation in one transaction."""

    __slots__ = ("before", "entries", "head")

    def __init__(self, before: Conversation) -> None:
        self.before = before
        self.head = before.head
        self.entries: list[Entry] = []

    def find(self, seq: int) -> NewMessage | None:
        """The message of that number, if it came in this transaction and says something."""
        index = seq - self.before.head - 1
        if not 0 <= index < len(self.entries):
            return None
        new = self.entries[index][0]
        return new if new.text else None

    def erase(self, record: RemoveMessage) -> Entry:
        """Have a message that `find` found say nothing, so that its text is not written at all."""
        index = record.seq - self.before.head - 1
        new, seq, ts = self.entries[index]
        self.entries[index] = entry = (new._replace(text=ERASED), seq, ts)
        return entry
