"""Reading: pages of one conversation, out of a database that is being written to.

In: a connection, the key of a conversation, from where and how much. Out: `Page`s of payloads as
`protocol.codec` makes them. Raised: `StoreBroken` where the file is damaged or a message that
should be there is not, so that nobody is given a history with a hole in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, zip_longest
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import apsw

from ..errors import StoreBroken
from ..phrases import Query
from ..protocol.codec import encode_posted, encode_removed
from ..records import Found, Page
from .connections import fail
from .journal import Entry
from .migrations import PLACE_BITS, SEQ_MASK

if TYPE_CHECKING:
    from .finder import Finder

#: The columns of a message that `Painter` takes.
ROW: Final = "place, identity, id, ts, sender, address, reply_to, action, text"
_PAGE: Final = f"SELECT {ROW} FROM message WHERE place BETWEEN ? AND ? ORDER BY place {{}}"
_FORWARD: Final = _PAGE.format("ASC")
_BACKWARD: Final = _PAGE.format("DESC")


class SqliteReader:
    """Pages, each out of one snapshot of the database; for one thread.

    `view(conversation)` gives the newest messages, which wait to be brought into the database.
    """

    def __init__(
        self,
        db: apsw.Connection,
        path: Path,
        guard: Lock,
        view: Callable[[str], Sequence[Entry]],
        finder: Finder,
        *,
        owned: bool = True,
    ) -> None:
        self._db = db
        self._path = path
        self._guard = guard
        self._view = view
        self._finder = finder
        self._owned = owned
        self._execute: Callable[..., Any] = db.cursor().execute

    def after(self, conversation: str, after: int, upto: int, limit: int, size: int) -> Page:
        """See `Reader.after`; raises `StoreBroken` when the file is damaged."""
        with self._look_at(conversation) as found:
            start, stop = max(after + 1, found.first), min(upto, found.head)
            wanted = range(start, stop + 1)[:limit]
            payloads = self._read(found, wanted, size)
        more = start + len(payloads) <= stop
        last = start + len(payloads) - 1 if more else max(upto, after)
        return Page(payloads, last, more, found.first - 1 if after < found.first - 1 else None)

    def before(self, conversation: str, before: int | None, limit: int, size: int) -> Page:
        """See `Reader.before`; raises as `after` does."""
        with self._look_at(conversation) as found:
            first, head = found.first, found.head
            stop = head if before is None else max(min(before - 1, head), first - 1)
            there = range(first, stop + 1)
            payloads = self._read(found, there[::-1][:limit], size)
        more = len(payloads) < len(there)
        at_the_beginning = not more and len(payloads) < limit and first > 1
        return Page(payloads[::-1], stop, more, first - 1 if at_the_beginning else None)

    def search(self, query: Query, limit: int, size: int) -> Found:
        """See `Reader.search`; raises as `after` does."""
        with self._snapshot():
            return self._finder.find(self._execute, query, limit, size)

    @contextmanager
    def _look_at(self, name: str) -> Iterator[_Found]:
        """A conversation at one moment: the journal first, or what moves on between is missed."""
        waiting = self._view(name)
        behind = len(waiting)
        with self._snapshot():
            number, first, head = self._find(name)
            if behind:
                head = waiting[0][1] - 1
            yield _Found(name, number, first, head, waiting, behind)

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

    def _read(self, found: _Found, wanted: range, size: int) -> list[bytes]:
        """The messages numbered `wanted`, as many as fit into `size`; at least one."""
        payloads: list[bytes] = []
        if not wanted:
            return payloads
        painter = Painter(found.name, self._execute)
        for seq, row in zip_longest(wanted, self._rows(found, wanted)):
            if row is None or row[0] & SEQ_MASK != seq:
                raise StoreBroken(
                    f"{self._path}: message {seq} of {found.name} is missing. Run "
                    "`securechat db check` before the server is started again."
                )
            payload = painter.paint(row)
            size -= len(payload) + 4
            if size < 0 and payloads:
                break
            payloads.append(payload)
        return payloads

    def _rows(self, found: _Found, wanted: range) -> Iterable[Sequence[Any]]:
        low, high = sorted((wanted[0], wanted[-1]))
        order = _FORWARD if wanted.step > 0 else _BACKWARD
        base, end = found.number << PLACE_BITS, min(high, found.in_place)
        placed = self._execute(order, (base + low, base + end)) if low <= end else ()
        entries = found.waiting_between(low, high)[:: wanted.step]
        waiting = (row_of(base, found.name, entry) for entry in entries)
        return chain(placed, waiting) if wanted.step > 0 else chain(waiting, placed)

    def close(self) -> None:
        """Let go of the connection."""
        self._finder.close()
        if self._owned:
            self._db.close()


class _Found(NamedTuple):
    """One conversation: in the database up to `in_place`, behind that so many of `waiting`."""

    name: str
    number: int
    first: int
    in_place: int
    waiting: Sequence[Entry]
    behind: int

    @property
    def head(self) -> int:
        """The last message that there is."""
        return self.in_place + self.behind

    def waiting_between(self, low: int, high: int) -> Sequence[Entry]:
        """Those of the numbers `low` to `high` that wait."""
        begin = max(low - self.in_place - 1, 0)
        return self.waiting[begin : max(high - self.in_place, 0)]


def row_of(base: int, name: str, entry: Entry) -> tuple[object, ...]:
    """An entry of the journal of `name` as a row of the columns `ROW`, its place above `base`."""
    (_, identity, id, to, sender, text, reply_to, action), seq, ts = entry
    address = None if to == name else to
    return (base + seq, identity, id, ts, sender, address, reply_to, action, text)


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
