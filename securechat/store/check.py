"""Is a database sound: what SQLite says of its pages, and what its rows say of each other.

In: the data folder, or the `execute` of one snapshot. Out: the problems, in words. Raised:
`StoreRefused` when the database cannot even be opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from ..errors import StoreRefused
from .connections import DATABASE_NAME, Damaged, explain
from .journal import read_journal
from .lock import holder_of
from .migrations import PLACE_BITS, SEQ_MASK
from .reading import reading
from .retention import OVERHEAD

#: What is told of one database at most; the first few say where to look.
_MOST_PROBLEMS: Final = 20


class Checked(NamedTuple):
    """What a check found: no `problems`, or the first of them; and how much was looked at."""

    problems: tuple[str, ...]
    messages: int
    conversations: int
    #: The process id of the server that runs meanwhile (0: not told), or None.
    server: int | None


def check(directory: Path) -> Checked:
    """Look at all of the database; raises `StoreRefused` when it cannot even be opened.

    Reads every page: ten million messages take about half a minute.
    """
    path = directory / DATABASE_NAME
    try:
        with reading(path) as execute:
            problems, messages, conversations = examine(execute)
    except Damaged as error:  # it advises to look at it with what has just looked
        raise StoreRefused(error.checked) from error
    return Checked(problems, messages, conversations, holder_of(directory))


def examine(execute: Callable[..., Any]) -> tuple[tuple[str, ...], int, int]:
    """The problems, and how many messages and conversations were looked at."""
    try:
        problems = complaints(execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})"))
        if problems:  # what follows would only say the same in other words
            return tuple(problems), 0, 0
        problems += [f"{row[0]}: a row points nowhere" for row in execute(_DANGLING)]
        counted = {row[0]: _Counted(*row) for row in execute(_COUNT)}
        books = [_Book(*row) for row in execute(_BOOKS)]
        epoch = execute("SELECT value FROM meta WHERE key = 'epoch'").fetchall()
        waiting = _look_through_journal(execute, problems)
    except (apsw.CorruptError, UnicodeDecodeError) as error:
        return (f"the file is damaged: {explain(error)}",), 0, 0
    if not epoch:
        problems.append("the epoch is missing")
    for book in books:
        problems += _compare(book, counted.pop(book.number, None))
    problems += [f"conversation {number} has messages, but no name" for number in counted]
    messages = sum(book.head - book.first + 1 for book in books) + sum(waiting.values())
    names = {book.name for book in books} | waiting.keys()
    return tuple(problems[:_MOST_PROBLEMS]), messages, len(names)


def _look_through_journal(execute: Callable[..., Any], problems: list[str]) -> Counter[str]:
    """How many messages of each conversation wait in the journal; adds to `problems`."""
    waiting: Counter[str] = Counter()
    drafts: set[tuple[int, str]] = set()
    try:
        for _, new in list(read_journal(execute)):
            draft = (new.identity, new.id)
            if draft in drafts or execute(_IN_PLACE, draft).fetchall():
                problems.append(f"{new.conversation}: the journal holds a draft twice")
            drafts.add(draft)
            waiting[new.conversation] += 1
    except ValueError as error:
        problems.append(f"the journal holds what we never wrote: {error}")
    return waiting


def complaints(rows: Iterable[Any]) -> list[str]:
    """What SQLite's checks say, a line for each thing; nothing when all is well."""
    lines = [line for row in rows for line in str(row[0]).splitlines()]
    return [line for line in lines if line != "ok" and not line.startswith("***")]


_IN_PLACE: Final = "SELECT 1 FROM message WHERE identity = ? AND id = ?"
_DANGLING: Final = "PRAGMA foreign_key_check"
_COUNT: Final = f"""
    SELECT place >> {PLACE_BITS}, min(place) & {SEQ_MASK}, max(place) & {SEQ_MASK}, count(*),
        count(text), min(CASE WHEN text IS NOT NULL THEN place END) & {SEQ_MASK},
        sum(octet_length(text) + {OVERHEAD})
    FROM message GROUP BY place >> {PLACE_BITS}
"""
_BOOKS: Final = f"""
    SELECT number, name, first, head, weight, oldest,
        (SELECT ts FROM message WHERE place = (number << {PLACE_BITS} | first) AND text IS NOT NULL)
    FROM conversation
"""


class _Counted(NamedTuple):
    """The rows of one conversation, as they are; the last two are None where no text is left."""

    number: int
    low: int
    high: int
    rows: int
    texts: int
    first_text: int | None
    weight: int | None


class _Book(NamedTuple):
    """What the database says of one conversation, and the `ts` of the first message there is."""

    number: int
    name: str
    first: int
    head: int
    weight: int
    oldest: str | None
    first_ts: str | None


def _compare(book: _Book, counted: _Counted | None) -> Iterator[str]:
    """What is wrong with a conversation: what is said of it, against what is there."""
    name, first, head = book.name, book.first, book.head
    found = counted or _Counted(book.number, first, first - 1, 0, 0, None, None)
    if found.high != head:
        yield f"{name}: the last message is {found.high}, it should be {head}"
    if found.rows != found.high - found.low + 1:
        yield f"{name}: from {found.low} to {found.high} there are only {found.rows} messages"
    if found.texts != head - first + 1 or (found.first_text or first) != first:
        yield f"{name}: {found.texts} texts are there, they should be those from {first} to {head}"
    if (found.weight or 0) != book.weight:
        yield f"{name}: the messages weigh {found.weight or 0} bytes, not {book.weight} as written"
    if book.oldest != book.first_ts:
        yield f"{name}: the first message is of {book.first_ts}, not of {book.oldest} as written"
