"""What is removed when, and the removing: old texts go, their numbers and what proves them stay.

In: a cursor of the writing connection inside a transaction, a `Retention`, the time (Unix seconds)
and how many rows may be touched. Out: `Swept`, the conversations whose histories begin later now.
Raised: what SQLite raises, and `StoreBroken`.

A removed message leaves a row with everything but its text, and in place of that a digest of the
draft, so that the draft is recognised when it is sent again. After 30 days that row goes too.

A message weighs its text in UTF-8 plus `OVERHEAD`, which is what one costs in the file beside its
text. The weight of all messages that are there is what `keep_mb` bounds; what removed ones leave
behind for their 30 days, about `OVERHEAD` each, comes on top, and the file keeps its size: the room
is used again. Bytes of a removed text may stand in the file until then (no PRAGMA secure_delete:
history is removed to save room, not to hide it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import apsw

from ..errors import StoreBroken
from .migrations import PLACE_BITS

#: What a message costs in the file beside its text, bytes (measured: 150 to 165 for ids of 36).
OVERHEAD: Final = 160
MEGABYTE: Final = 1_000_000
#: Whole days for which a removed message's draft is still recognised.
DIGEST_DAYS: Final = 30
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Keep:
    """What one room keeps; None: no bound of its own."""

    days: float | None = None
    mb: float | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """What the server keeps; None: no bound.

    `keep_days` is for every conversation but the rooms named in `rooms`, whose own `days` count
    instead (None there: for ever). `keep_mb`, in megabytes, is for all of the server together, and
    a room's `mb` for that room beside it; the oldest messages go first.
    """

    keep_days: float | None = None
    keep_mb: float | None = None
    rooms: Mapping[str, Keep] = field(default_factory=lambda: MappingProxyType({}))


KEEP_ALL: Final = Retention()


class Cut(NamedTuple):
    """The history of `conversation` begins at `first` now, and is lighter by `weight` bytes."""

    conversation: str
    first: int
    weight: int


class Swept(NamedTuple):
    """What one sweep did; `rows` is how many it touched, at most as many as it might."""

    cuts: tuple[Cut, ...]
    rows: int


def weigh(text: str) -> int:
    """What a message with that text weighs, bytes."""
    return (len(text) if text.isascii() else len(text.encode())) + OVERHEAD


def digest(address: str, text: str) -> bytes:
    """What is kept of a draft whose text is gone; an address has no NUL."""
    return hashlib.blake2b(f"{address}\0{text}".encode(), digest_size=16).digest()


def to_ts(seconds: float) -> str:
    """A Unix time as the `ts` of a message; those compare as the times do."""
    try:
        when = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):  # before the year 1: nothing is older
        return ""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def sweep(cursor: apsw.Cursor, retention: Retention, weight: int, now: float, budget: int) -> Swept:
    """Remove what `retention` does not keep, at most `budget` rows of it.

    `weight` is that of all messages.
    """
    return _Sweep(cursor, retention, weight, now, budget).run()


class _Conversation(NamedTuple):
    number: int
    name: str
    first: int
    head: int
    weight: int
    oldest: str


_COLUMNS: Final = "SELECT number, name, first, head, weight, oldest FROM conversation "


class _Sweep:
    """One sweep; `left` is how many rows may still be touched."""

    def __init__(
        self, cursor: apsw.Cursor, retention: Retention, weight: int, now: float, budget: int
    ) -> None:
        self._execute: Callable[..., Any] = cursor.execute
        self._executemany = cursor.executemany
        self._retention = retention
        self._weight = weight
        self._now = now
        self._budget = self._left = budget
        self._cuts: dict[str, Cut] = {}

    def run(self) -> Swept:
        self._rooms_by_age()
        self._others_by_age()
        self._rooms_by_weight()
        self._all_by_weight()
        self._drop_digests()
        return Swept(tuple(self._cuts.values()), self._budget - self._left)

    # -------------------------------------------------------------- which texts

    def _find(self, condition: str, *values: object) -> list[_Conversation]:
        return [_Conversation(*row) for row in self._execute(_COLUMNS + condition, values)]

    def _cutoff(self, days: float) -> str:
        return to_ts(self._now - days * _DAY)

    def _rooms_by_age(self) -> None:
        for name, keep in self._retention.rooms.items():
            if keep.days is not None and self._left > 0:
                cutoff = self._cutoff(keep.days)
                for room in self._find("WHERE name = ? AND oldest < ?", name, cutoff):
                    self._cut(room, before=cutoff)

    def _others_by_age(self) -> None:
        if self._retention.keep_days is None:
            return
        cutoff = self._cutoff(self._retention.keep_days)
        ruled = self._retention.rooms
        while self._left > 0:
            # Rooms with a rule of their own may stand in front for ever: look behind all of them.
            found = self._find("WHERE oldest < ? ORDER BY oldest LIMIT ?", cutoff, len(ruled) + 1)
            due = [conversation for conversation in found if conversation.name not in ruled]
            if not due:
                return
            for conversation in due:
                if self._left > 0:
                    self._cut(conversation, before=cutoff)

    def _rooms_by_weight(self) -> None:
        for name, keep in self._retention.rooms.items():
            if keep.mb is not None and self._left > 0:
                bound = int(keep.mb * MEGABYTE)
                for room in self._find("WHERE name = ? AND weight > ?", name, bound):
                    self._cut(room, excess=room.weight - bound)

    def _all_by_weight(self) -> None:
        if self._retention.keep_mb is None:
            return
        bound = int(self._retention.keep_mb * MEGABYTE)
        while self._weight > bound and self._left > 0:
            oldest, *others = self._find("WHERE oldest IS NOT NULL ORDER BY oldest LIMIT 2")
            upto = others[0].oldest if others else None
            self._cut(oldest, excess=self._weight - bound, upto=upto)

    # -------------------------------------------------------------- the removing

    def _cut(
        self,
        conversation: _Conversation,
        *,
        before: str | None = None,
        upto: str | None = None,
        excess: int | None = None,
    ) -> None:
        """Remove texts from the front: stamped before `before` or up to `upto`, worth `excess`.

        The first always meets what is asked, so each call gets somewhere; where it is not there,
        the database is damaged (`StoreBroken`).
        """
        number, name, first, head, *_ = conversation
        base = number << PLACE_BITS
        freed, left, oldest = 0, list[tuple[object, ...]](), None
        for place, identity, id, ts, sender, address, reply_to, action, text in self._execute(
            "SELECT place, identity, id, ts, sender, address, reply_to, action, text FROM message"
            " WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?",
            (base + first, base + head, self._left + 1),
        ):
            if (
                len(left) == self._left
                or (before is not None and ts >= before)
                or (upto is not None and ts > upto)
                or (excess is not None and freed >= excess)
            ):
                oldest = ts
                break
            freed += weigh(text)
            gone = digest(address or name, text)
            left.append((place, identity, id, ts, sender, address, reply_to, action, gone))
        if not left:
            raise StoreBroken(
                f"the messages of {name} are not what the database says of them; its file is "
                "damaged. Run `securechat db check`."
            )
        stop = first + len(left)
        # Not an UPDATE: that would leave the pages as they are, however little is left in them.
        self._execute(
            "DELETE FROM message WHERE place BETWEEN ? AND ?", (base + first, base + stop - 1)
        )
        self._executemany(
            "INSERT INTO message (place, identity, id, ts, sender, address, reply_to, action,"
            " digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            left,
        )
        self._execute(
            "UPDATE conversation SET first = ?, weight = weight - ?, oldest = ? WHERE number = ?",
            (stop, freed, oldest, number),
        )
        self._execute(
            "INSERT INTO removal (day, conversation, upto) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET upto = excluded.upto",
            (int(self._now // _DAY), number, stop - 1),
        )
        self._left -= stop - first
        self._weight -= freed
        earlier = self._cuts.get(name)
        self._cuts[name] = Cut(name, stop, freed + (earlier.weight if earlier else 0))

    def _drop_digests(self) -> None:
        """Drop what removed messages left behind, when its days are over."""
        over = int(self._now // _DAY) - DIGEST_DAYS
        while self._left > 0:
            due = self._execute(
                "SELECT day, conversation, upto FROM removal WHERE day < ?"
                " ORDER BY day, conversation LIMIT 1",
                (over,),
            ).fetchall()
            if not due:
                return
            ((day, number, upto),) = due
            base = number << PLACE_BITS
            start = self._execute(
                "SELECT min(place) FROM message WHERE place BETWEEN ? AND ?", (base, base + upto)
            ).fetchall()[0][0]
            if start is None:
                self._execute(
                    "DELETE FROM removal WHERE day = ? AND conversation = ?", (day, number)
                )
                self._left -= 1
                continue
            stop = min(start + self._left, base + upto + 1)
            self._execute("DELETE FROM message WHERE place BETWEEN ? AND ?", (start, stop - 1))
            self._left -= stop - start
