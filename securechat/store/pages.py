"""Reading: pages of one conversation, out of a database that is being written to.

In: a connection, the key of a conversation, from where and how much. Out: `Page`s of payloads as
`protocol.codec` makes them. Raised: `StoreBroken` where the file is damaged or a message that
should be there is not, so that nobody is given a history with a hole in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from threading import Lock
from typing import Any, Final

import apsw

from ..errors import StoreBroken
from ..protocol.codec import encode_posted, encode_removed
from ..records import Page
from .connections import fail
from .migrations import PLACE_BITS, SEQ_MASK

#: The columns of a message that `Painter` takes.
ROW: Final = "place, identity, id, ts, sender, address, reply_to, action, text"
_PAGE: Final = f"SELECT {ROW} FROM message WHERE place BETWEEN ? AND ? ORDER BY place {{}}"
_FORWARD: Final = _PAGE.format("ASC")
_BACKWARD: Final = _PAGE.format("DESC")


class SqliteReader:
    """Pages, each out of one snapshot of the database; for one thread."""

    def __init__(self, db: apsw.Connection, path: Path, guard: Lock, *, owned: bool = True) -> None:
        self._db = db
        self._path = path
        self._guard = guard
        self._owned = owned
        self._execute: Callable[..., Any] = db.cursor().execute

    def after(self, conversation: str, after: int, upto: int, limit: int, size: int) -> Page:
        """See `Reader.after`; raises `StoreBroken` when the file is damaged."""
        with self._snapshot():
            number, first, head = self._find(conversation)
            start, stop = max(after + 1, first), min(upto, head)
            places = range(number << PLACE_BITS | start, (number << PLACE_BITS | stop) + 1)
            payloads = self._read(conversation, places[:limit], size)
        more = start + len(payloads) <= stop
        last = start + len(payloads) - 1 if more else max(upto, after)
        return Page(payloads, last, more, first - 1 if after < first - 1 else None)

    def before(self, conversation: str, before: int | None, limit: int, size: int) -> Page:
        """See `Reader.before`; raises as `after` does."""
        with self._snapshot():
            number, first, head = self._find(conversation)
            stop = head if before is None else max(min(before - 1, head), first - 1)
            places = range(number << PLACE_BITS | first, (number << PLACE_BITS | stop) + 1)
            payloads = self._read(conversation, places[::-1][:limit], size)
        more = len(payloads) < len(places)
        at_the_beginning = not more and len(payloads) < limit and first > 1
        return Page(payloads[::-1], stop, more, first - 1 if at_the_beginning else None)

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        with self._guard:
            try:
                self._execute("BEGIN")
                yield
            except (apsw.Error, UnicodeDecodeError) as error:
                raise fail(self._path, error, self._db) from error
            finally:
                with suppress(apsw.Error):  # it has read nothing more that could be wrong
                    self._execute("COMMIT")

    def _find(self, conversation: str) -> tuple[int, int, int]:
        """Its number, the first message that is there and the last one."""
        found = self._execute(
            "SELECT number, first, head FROM conversation WHERE name = ?", (conversation,)
        ).fetchall()
        return found[0] if found else (0, 1, 0)

    def _read(self, name: str, places: range, size: int) -> list[bytes]:
        """The messages at `places`, in that order, as many as fit into `size`; at least one."""
        payloads: list[bytes] = []
        if not places:
            return payloads
        painter = Painter(name, self._execute)
        low, high = sorted((places[0], places[-1]))
        rows = self._execute(_FORWARD if places.step > 0 else _BACKWARD, (low, high))
        for place, row in zip_longest(places, rows):
            if row is None or row[0] != place:
                raise StoreBroken(
                    f"{self._path}: message {place & SEQ_MASK} of {name} is missing. Run "
                    "`securechat db check` before the server is started again."
                )
            payload = painter.paint(row)
            size -= len(payload) + 4
            if size < 0 and payloads:
                break
            payloads.append(payload)
        return payloads

    def close(self) -> None:
        """Let go of the connection."""
        if self._owned:
            self._db.close()


class Painter:
    """Turns the rows of one conversation into payloads.

    A direct conversation shows both sides' present nicks; who was never stored, as they were then.
    """

    def __init__(self, name: str, execute: Callable[..., Any]) -> None:
        self._name = name
        self._nicks: dict[int, str] = {}
        self._low = self._high = 0
        if name[0] == "@":
            self._low, self._high = pair(name)
            self._nicks = dict(
                execute(
                    "SELECT number, nick FROM identity WHERE number IN (?, ?)",
                    (self._low, self._high),
                ).fetchall()
            )

    def paint(self, row: Sequence[Any]) -> bytes:
        """The posted chat in a row of the columns `ROW`."""
        place, identity, id, ts, sender, address, reply_to, action, text = row
        to = self._name
        if self._high:
            other = self._high if identity == self._low else self._low
            nick = self._nicks.get(other)
            to = f"@{nick}" if nick is not None else address
            sender = self._nicks.get(identity, sender)
        if not text:  # no text that was ever said is empty: this one was erased
            return encode_removed(id, to, sender, place & SEQ_MASK, ts, reply_to, bool(action))
        return encode_posted(id, to, sender, place & SEQ_MASK, ts, text, reply_to, bool(action))


def pair(name: str) -> tuple[int, int]:
    """The two identities of a direct conversation; raises ValueError."""
    low, high = name[1:].split(":")
    return int(low), int(high)
