"""Asking the index of words; what it says may be out of date, and is to be looked at again.

In: the path of the index, a `Query`. Out: places, newest first, and what is not in the index yet.
Raised: `IndexLost`, and then it is not to be asked any more: `finder` does without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import apsw

from ..phrases import Phrase, Query
from .index_file import (
    DUE,
    ENTRY_BITS,
    MOST,
    Due,
    NotOurs,
    check_origin,
    connect_index,
    moment_of,
    token_of_nick,
)


class IndexLost(Exception):
    """The index is not to be believed; what it says of itself."""


class IndexReader:
    """What is in the index, for one thread; all of it raises `IndexLost`.

    As a context it is seen as it was at the first look, until the block ends.
    """

    def __init__(self, path: Path) -> None:
        with _believing():
            self._db = connect_index(path, apsw.SQLITE_OPEN_READONLY)
        self._execute: Callable[..., Any] = self._db.cursor().execute
        try:
            with _believing():
                check_origin(self._db)
        except IndexLost:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        with _believing():
            self._execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(apsw.Error):  # it has read nothing more that could be wrong
            self._execute("COMMIT")

    def due(self) -> list[Due]:
        """The conversations of which messages are not in the index."""
        with _believing():
            return [Due(*row) for row in self._execute(DUE)]

    def hits(self, query: Query, scopes: list[int] | None) -> Iterator[tuple[int, int]]:
        """The moments and places of what is looked for, newest first; those of one moment in no
        order. `scopes`: in these conversations only.

        More may come than the query means: messages that were removed since, those in rooms that
        are hidden from the reader, and those at the edges of a span of time.
        """
        low, high = 0, (1 << 63) - 1
        if query.since:
            low = moment_of(query.since) << ENTRY_BITS
        for end in (query.until, query.before[0] if query.before else ""):
            if end:
                high = min(high, moment_of(end) << ENTRY_BITS | MOST)
        with _believing():
            for number, place in self._execute(
                "SELECT number, place FROM word JOIN entry ON entry.number = word.rowid"
                " WHERE word MATCH ? AND word.rowid BETWEEN ? AND ? ORDER BY word.rowid DESC",
                (_match(query, scopes), low, high),
            ):
                yield number >> ENTRY_BITS, place

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


@contextmanager
def _believing() -> Iterator[None]:
    try:
        yield
    except (apsw.Error, NotOurs) as error:
        raise IndexLost(str(error)) from error


def _match(query: Query, scopes: list[int] | None) -> str:
    """The query as FTS5 has it; nothing in it comes from outside but words, which have no signs."""
    parts = [f"scope : (r OR i{query.reader})"]
    if scopes is not None:
        parts.append(f"scope : ({' OR '.join(f'c{number}' for number in scopes)})")
    if query.authors:
        authors = " OR ".join(f"{token_of_nick(a.nick)} OR i{a.identity}" for a in query.authors)
        parts.append(f"author : ({authors})")
    parts += [f"text : {_quoted(phrase)}" for phrase in query.phrases]
    return " AND ".join(parts)


def _quoted(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{" *" if phrase.open else ""}'
