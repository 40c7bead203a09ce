"""All that is there when a store is opened: what its tables hold, and what waits in the journal.

In: the `execute` of a cursor, on a database that is up to date. Out: `Contents`, with the
`Snapshot` that the hub begins with. Raised: what SQLite raises, and `ValueError` or `LookupError`
for rows that we never wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from ..records import KeepIdentity, NewMessage, Snapshot
from .accounts import read_accounts
from .conversations import Conversation
from .journal import Entry, Journal, Runs, read_journal
from .pages import pair
from .removal import read_removals
from .rulings import read_rulings

_Execute: TypeAlias = Callable[..., Any]


class Contents:
    """What was found; `journal` and `runs` take in what the run before has left to be tidied."""

    def __init__(self, execute: _Execute, journal: Journal, runs: Runs) -> None:
        self._journal = journal
        self._runs = runs
        self.conversations: dict[str, Conversation] = {}
        #: The number of the next conversation.
        self.next_number = 1
        #: Of the messages that are in their places.
        self.weight = 0
        #: Of direct conversations, when somebody last spoke there.
        self._last_ts: dict[str, str] = {}
        self._highest_identity = 0
        self._read_conversations(execute)
        self._read_journal(execute)
        self.snapshot = self._read_snapshot(execute)

    def _read_conversations(self, execute: _Execute) -> None:
        for number, name, first, head, weight, ts in execute(
            "SELECT number, name, first, head, weight, last_ts FROM conversation"
        ):
            self.conversations[name] = Conversation(number, first, head)
            self.next_number = max(self.next_number, number + 1)
            self.weight += weight
            self._note_spoken(name, ts)

    def _read_journal(self, execute: _Execute) -> None:
        for ts, new in read_journal(execute):
            self._enter_again(new, ts)
            self._note_identities(new.identity)
            self._note_spoken(new.conversation, ts)

    def _note_spoken(self, name: str, ts: str) -> None:
        if name[0] == "@":
            self._last_ts[name] = ts
            self._note_identities(*pair(name))

    def _note_identities(self, *numbers: int) -> None:
        self._highest_identity = max(self._highest_identity, *numbers)

    def _enter_again(self, new: NewMessage, ts: str) -> None:
        """Take in what the run before has left in the journal; raises `LookupError`."""
        if self._journal.find(new.identity, new.id) is not None:
            raise LookupError("the journal holds a draft twice")
        name = new.conversation
        before = self.conversations.get(name) or Conversation(self.next_number)
        self.next_number = max(self.next_number, before.number + 1)
        entry: Entry = (new, before.head + 1, ts)
        self.conversations[name] = before._replace(head=entry[1])
        self._journal.take(entry)
        self._journal.publish(name, (entry,))
        self._runs.note_left(new.identity, new.id)

    def _read_snapshot(self, execute: _Execute) -> Snapshot:
        # An identity that could not be stored (the disk was full) may have spoken nevertheless.
        ((known, spoken),) = execute(
            "SELECT (SELECT max(number) FROM identity), (SELECT max(identity) FROM message)"
        ).fetchall()
        living = execute(
            "SELECT number, nick, token, used, former FROM identity WHERE token IS NOT NULL"
        ).fetchall()
        return Snapshot(
            identities=tuple(_restore_identity(*row) for row in living),
            next_identity=max(self._highest_identity, known or 0, spoken or 0) + 1,
            heads={name: found.head for name, found in self.conversations.items()},
            last_ts=self._last_ts,
            topics=dict(execute("SELECT room, text FROM topic").fetchall()),
            presence=tuple(execute("SELECT identity, room FROM presence").fetchall()),
            epoch=execute("SELECT value FROM meta WHERE key = 'epoch'").fetchall()[0][0],
            **read_accounts(execute),
            **read_rulings(execute),
            removals=read_removals(execute),
        )


def _restore_identity(
    number: int, nick: str, token: bytes, used: float, former: str | None
) -> KeepIdentity:
    listed = tuple((str(old), float(until)) for old, until in json.loads(former or "[]"))
    return KeepIdentity(number, nick, token, used, listed)
