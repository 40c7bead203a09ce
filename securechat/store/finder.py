"""Answering a search: what waits in the journal, what the index knows, and what is in between.

In: a `Query`, and reads of the database as it is at one moment. Out: a `Found`. Raised: what those
reads raise; nothing for the index, for without it every message is looked at.

A message moves on from the journal to its place and into the index. They are looked at in that
order, so none slips by; one that is met twice has one place. Whatever the index says of a message,
it is held against the query itself before it is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from ..phrases import Query
from ..records import Found
from .finding import Hit, page_of
from .index_file import INDEX_NAME, Due
from .index_reader import IndexLost, IndexReader
from .journal import Entry
from .migrations import PLACE_BITS
from .pages import ROW, Painter, row_of

log = logging.getLogger(__name__)

_Execute: TypeAlias = Callable[..., Any]
#: The `ts` and the place of a message.
_Spot: TypeAlias = tuple[str, int]

_MESSAGE: Final = f"SELECT {ROW} FROM message WHERE place = ? AND text <> ''"
_SPAN: Final = (
    "SELECT place, identity, ts, sender, text FROM message"
    " WHERE place BETWEEN ? AND ? AND text <> ''"
)
#: Every conversation as if the index had not begun with it.
_ALL: Final = "SELECT number, name, first, first, first - 1, head FROM conversation"


class Finder:
    """Finds in the database at `path`, for one thread. `indexed`: an index may stand beside it.

    `waiting` gives what is in the journal: the number, the name and the entries of conversations.
    """

    def __init__(
        self,
        path: Path,
        waiting: Callable[[], Iterable[tuple[int, str, Sequence[Entry]]]],
        *,
        indexed: bool,
    ) -> None:
        self._waiting = waiting
        self._path = path.with_name(INDEX_NAME)
        self._indexed = indexed
        self._index: IndexReader | None = None

    def find(self, execute: _Execute, query: Query, limit: int, size: int) -> Found:
        """The newest messages that `query` looks for.

        `execute` reads at a moment that begins with its first read, so that what it sees is at
        least as new as the index is.
        """
        waiting = {place: (name, row) for place, name, row in _wait(query, self._waiting())}
        try:
            spots = self._find_indexed(execute, query, limit)
        except IndexLost as error:
            log.warning("%s: not used until the next start (%s)", self._path, error)
            self.close()
            self._indexed = False
            spots = self._find_indexed(execute, query, limit)
        spots |= {(row[3], place) for place, (_, row) in waiting.items()}
        return page_of(_paint(execute, sorted(spots, reverse=True), waiting), limit, size)

    def _find_indexed(self, execute: _Execute, query: Query, limit: int) -> set[_Spot]:
        index = self._open()
        if index is None:
            return set(_scan(execute, query, (Due(*row) for row in execute(_ALL).fetchall())))
        with index:
            due = index.due()
            scopes = _scopes_of(execute, query)
            places = index.hits(query, scopes) if scopes != [] else ()
            return {*_newest(execute, query, places, limit), *_scan(execute, query, due)}

    def _open(self) -> IndexReader | None:
        if self._index is None and self._indexed and self._path.exists():
            self._index = IndexReader(self._path)
        return self._index

    def close(self) -> None:
        """Let go of the index."""
        if self._index is not None:
            self._index.close()
            self._index = None


def _scopes_of(execute: _Execute, query: Query) -> list[int] | None:
    """The numbers of the conversations that are looked into; None: all."""
    if not query.conversations:
        return None
    found = "SELECT number FROM conversation WHERE name = ?"
    return [
        row[0]
        for name in query.conversations
        if query.covers(name)
        for row in execute(found, (name,)).fetchall()
    ]


def _newest(
    execute: _Execute, query: Query, places: Iterable[tuple[int, int]], limit: int
) -> list[_Spot]:
    """The first of `places` that are what is looked for: more than `limit`, if there are.

    Those of one moment come in no order, so it does not end between them.
    """
    spots: list[_Spot] = []
    names: dict[int, str] = {}
    last = -1
    for moment, place in places:
        if len(spots) > limit and moment != last:
            break
        last = moment
        for _, identity, _, ts, sender, *_, text in execute(_MESSAGE, (place,)).fetchall():
            if query.covers(_name_of(execute, place, names)) and query.matches(
                identity, sender, ts, place, text
            ):
                spots.append((ts, place))
    return spots


def _scan(execute: _Execute, query: Query, due: Iterable[Due]) -> Iterator[_Spot]:
    """What is looked for among all that the index has not got to."""
    for one in due:
        start = max(one.upto + 1, one.kept)
        if start > one.head or not query.covers(one.name):
            continue
        base = one.number << PLACE_BITS
        for place, identity, ts, sender, text in execute(_SPAN, (base + start, base + one.head)):
            if query.matches(identity, sender, ts, place, text):
                yield ts, place


def _wait(
    query: Query, waiting: Iterable[tuple[int, str, Sequence[Entry]]]
) -> Iterator[tuple[int, str, tuple[Any, ...]]]:
    """What is looked for in the journal: the place, the conversation's name and the row of each."""
    for number, name, entries in waiting:
        if query.covers(name):
            for entry in tuple(entries):
                new, seq, ts = entry
                place = (number << PLACE_BITS) + seq
                if query.matches(new.identity, new.sender, ts, place, new.text):
                    yield place, name, row_of(number << PLACE_BITS, name, entry)


def _paint(
    execute: _Execute, spots: Iterable[_Spot], waiting: Mapping[int, tuple[str, tuple[Any, ...]]]
) -> Iterator[Hit]:
    names: dict[int, str] = {}
    painters: dict[str, Painter] = {}
    for ts, place in spots:
        if place in waiting:
            name, row = waiting[place]
        else:
            name = _name_of(execute, place, names)
            [row] = execute(_MESSAGE, (place,)).fetchall()
        if name not in painters:
            painters[name] = Painter(name, execute)
        yield ts, place, painters[name].paint(row)


def _name_of(execute: _Execute, place: int, names: dict[int, str]) -> str:
    """The key of the conversation that a place is in."""
    number = place >> PLACE_BITS
    if number not in names:
        rows = execute("SELECT name FROM conversation WHERE number = ?", (number,)).fetchall()
        names[number] = rows[0][0]
    return names[number]
