"""The newest messages: written as they come, and brought into their places many at a time.

A message belongs into two trees, that of its conversation and that of the drafts. One batch touches
a leaf of each of them for every room and every sender, and to write those whole leaves costs more
than all else (200 rooms of 5: 600 pages a batch, two thirds of what storing took). So a transaction
writes its messages as one row at the end of a table, `journal`, and the store brings them into the
table `message` when there are `MANY`, or when nobody waits: then each leaf is written once for all.

In: messages that are being stored, rows that an earlier run left. Out: the entries, for repeats and
readers; SQL rows for their places. Raised: `ValueError` for a row that we never wrote.

The hub writes, readers read at the same time: an entry is added behind its transaction, a
conversation's list only grows at its end, and when its messages have reached their places it is let
go, not emptied. Who takes the list first and looks at the database then misses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

from ..records import NewMessage

#: So many messages wait at most before they are brought into their places, and so much of them, in
#: characters: they wait in memory, too.
MANY: Final = 4_096
MANY_CHARACTERS: Final = 4 * 1024 * 1024
#: Ids of one run of a client that are looked through to learn its highest; more are not worth it.
_LOOK_THROUGH: Final = 1_000
#: Runs whose highest id is remembered.
_MOST_RUNS: Final = 65_536
_BEYOND_ALL: Final = 1 << 63

#: What was said, its `seq` and its `ts`: a bare tuple, made once for each message.
Entry: TypeAlias = tuple[NewMessage, int, str]

WRITE: Final = "INSERT INTO journal (ts, messages) VALUES (?, ?)"
_READ: Final = "SELECT ts, messages FROM journal ORDER BY number"


def encode_messages(messages: Iterable[NewMessage]) -> str:
    """The messages of one transaction as the journal keeps them: a JSON array of arrays.

    Made without an encoder, in two thirds of its time: this runs once per message. Everything but
    the text has passed the checks of a draft and a nick, which leave nothing to escape in it.
    """
    rows = [
        f'["{conversation}",{identity},"{id}","{to}","{sender}",{encode_basestring(text)},'
        f"{'null' if reply_to is None else reply_to},{'true' if action else 'false'}]"
        for conversation, identity, id, to, sender, text, reply_to, action in messages
    ]
    return f"[{','.join(rows)}]"


def decode_messages(text: str) -> list[NewMessage]:
    """What `encode_messages` made `text` of; raises ValueError where it did not."""
    rows = json.loads(text)
    if not isinstance(rows, list):
        raise ValueError("a row of the journal is no list")
    return [_to_message(row) for row in rows]


def _to_message(row: object) -> NewMessage:
    kinds = (str, int, str, str, str, str, int | None, bool)
    if (
        not isinstance(row, list)
        or len(row) != len(kinds)
        or not all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True))
    ):
        raise ValueError("a row of the journal is no message")
    return NewMessage(*row)


def read_journal(execute: Callable[..., Any]) -> Iterator[tuple[str, NewMessage]]:
    """All that waits in the journal, oldest first: (ts, message); raises ValueError."""
    for ts, text in execute(_READ):
        for message in decode_messages(text):
            yield ts, message


class Journal:
    """What waits to be brought into its place, as the hub and the readers see it."""

    def __init__(self) -> None:
        self._drafts: dict[tuple[int, str], Entry] = {}
        #: Those that are not in `_drafts` yet: few are ever looked for.
        self._fresh: list[Entry] = []
        self._waiting: dict[str, list[Entry]] = {}
        #: Know a draft that is being stored; `publish` or `take_back` follows.
        self.take: Final[Callable[[Entry], None]] = self._fresh.append

    def __len__(self) -> int:
        return len(self._drafts) + len(self._fresh)

    # -------------------------------------------------------------- the hub

    def find(self, identity: int, id: str) -> Entry | None:
        """The draft, if it waits here or is being stored at this moment."""
        if self._fresh:
            self._drafts.update({(entry[0][1], entry[0][2]): entry for entry in self._fresh})
            self._fresh.clear()
        return self._drafts.get((identity, id))

    def take_back(self, entries: Iterable[Entry]) -> None:
        """They were not stored after all."""
        for new, _, _ in entries:
            if self.find(new.identity, new.id) is not None:
                del self._drafts[new.identity, new.id]

    def publish(self, conversation: str, entries: Sequence[Entry]) -> None:
        """They are on disk: from now on readers see them."""
        self._waiting.setdefault(conversation, []).extend(entries)

    def conversations(self) -> Iterable[tuple[str, list[Entry]]]:
        """All that waits, by conversation, in the order of `seq`."""
        return self._waiting.items()

    def clear(self) -> None:
        """All of it has reached its place; whoever reads a list at this moment keeps it."""
        self._drafts = {}
        self._fresh.clear()
        self._waiting = {}

    # -------------------------------------------------------------- any thread

    def view(self, conversation: str) -> Sequence[Entry]:
        """What waits in a conversation, oldest first; a list that grows at its end."""
        return self._waiting.get(conversation, ())


class Runs:
    """Tells from an id alone that it is new, which saves a look at the disk for each message.

    Clients number what they say: a prefix for each run, a counter behind it (docs/protocol.md). An
    id whose counter is above all that were ever stored with its prefix cannot have been stored.
    `placed(identity, low, high, limit)` gives ids within bounds that have reached their places, at
    most `limit`; whoever looks, looks through what waits in the journal first.
    """

    def __init__(self, placed: Callable[[int, str, str, int], Sequence[str]]) -> None:
        self._placed = placed
        self._highest: dict[tuple[int, str], int] = {}
        #: Of what waited in the journal when the store was opened, which `placed` does not give.
        self._left: dict[tuple[int, str], int] = {}

    def note_left(self, identity: int, id: str) -> None:
        """An earlier run has left this id in the journal."""
        run, counter = _split(identity, id)
        self._left[run] = max(self._left.get(run, -1), counter)

    def passes(self, identity: int, id: str) -> bool:
        """Whether `id` has certainly not been stored. It counts as stored from now on.

        False says nothing: look.
        """
        prefix, _, digits = id.rpartition("-")  # as `_split` does it, for it runs once per message
        if len(digits) > 18 or not digits.isdecimal():
            return False
        run, counter = (identity, prefix), int(digits)
        highest = self._highest.get(run)
        if highest is None:
            highest = self._highest[run] = self._measure(run)
        if counter <= highest:
            return False
        self._highest[run] = counter
        return True

    def forget(self) -> None:
        """Keep within bounds; only when nothing waits in the journal, for `placed` gives the rest.

        What was noted as left then has reached its place, too.
        """
        self._left.clear()
        if len(self._highest) >= _MOST_RUNS:
            self._highest.clear()

    def _measure(self, run: tuple[int, str]) -> int:
        """The highest counter that was stored, -1 where there is none; of very many: beyond all."""
        identity, prefix = run
        # "." is what follows "-" in ASCII: between them lie the ids that begin with "prefix-".
        low, high = (f"{prefix}-", f"{prefix}.") if prefix else ("", "~")
        ids = self._placed(identity, low, high, _LOOK_THROUGH)
        if len(ids) == _LOOK_THROUGH:
            return _BEYOND_ALL
        highest = self._left.get(run, -1)
        for id in ids:
            its_run, counter = _split(identity, id)
            if its_run == run:
                highest = max(highest, counter)
        return highest


def _split(identity: int, id: str) -> tuple[tuple[int, str], int]:
    """The run of an id and its counter; -1 where it has none."""
    prefix, _, digits = id.rpartition("-")
    counter = int(digits) if len(digits) <= 18 and digits.isdecimal() else -1
    return (identity, prefix), counter
