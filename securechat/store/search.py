"""The index of words: a database of its own beside the messages, written by one thread.

In: the data folder. Out: `SearchIndex` for the one who writes it, `IndexReader` for those who ask.
Raised: `StoreRefused` when it cannot be opened, `StoreFull` when there is no room for it,
`StoreBroken` when it is damaged; it holds nothing of its own, so then it is made again.

The thread of the hub has nothing to do with it: messages are read from their database as any
reader does, in small pieces, and `progress` tells how far each conversation is taken in. What lies
behind that is read as it is (see `finder`). So a message is found as soon as it is stored, its
transaction costs nothing more, and a crash, or an old database, only leaves more to take in.

An entry's number is its message's moment, of 16 microseconds, and 15 bits that tell those of one
moment apart: the newest come first without sorting, and a span of time is a span of numbers. Words
are looked for in three columns: the text; `author`, its nick and its identity; and `scope`: `r` for
rooms (who may not read one is kept out afterwards), `i1 i2` for the sides of a direct conversation,
and the conversation itself, as `c7`. What is not in one's scope is not even touched.

What retention has removed goes from the index as from everywhere, when its turn comes. What
somebody had erased leaves no trace: `erased` in the other database tells of it, its entry is
dropped at once, and soon all of the index is written anew without its words.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import apsw

from ..phrases import Phrase, Query, fold_nick, words
from .connections import DATABASE_NAME, fail, refuse
from .migrations import PLACE_BITS, make_file, remove
from .pages import pair

log = logging.getLogger(__name__)

INDEX_NAME: Final = "search.db"
#: What it takes to read this index; one of another version is made again.
_VERSION: Final = 1
#: A moment in microseconds; and how many entries it may have, a batch and more, both as bits.
_MOMENT_BITS: Final = 4
_ENTRY_BITS: Final = 15
_MOST: Final = (1 << _ENTRY_BITS) - 1
_BUSY: Final = 2_000
#: How much longer than writing it anew took the index is left as it is.
_SELDOM: Final = 20

_SCHEMA: Final = """
    -- Whose messages these are, up to which row `erased` was heeded, and whether traces of what
    -- it tells of may still stand in the file.
    CREATE TABLE origin (
        epoch TEXT NOT NULL,
        erased INTEGER NOT NULL,
        stale INTEGER NOT NULL
    ) STRICT;

    -- Of each conversation the messages from `first` to `upto` are taken in.
    CREATE TABLE progress (
        conversation INTEGER PRIMARY KEY,
        first INTEGER NOT NULL,
        upto INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE entry (
        number INTEGER PRIMARY KEY,      -- moment << 15 | which of that moment
        place INTEGER NOT NULL UNIQUE
    ) STRICT;

    -- The texts are in the other database; here are only the words.
    CREATE VIRTUAL TABLE word USING fts5 (
        text, author, scope, content = '', contentless_delete = 1, tokenize = 'ascii'
    );
"""
_DUE: Final = """
    SELECT number, name, coalesce(progress.first, conversation.first), conversation.first,
        coalesce(upto, conversation.first - 1), head
    FROM chat.conversation AS conversation
    LEFT JOIN main.progress AS progress ON progress.conversation = number
    WHERE head > coalesce(upto, conversation.first - 1) OR conversation.first > progress.first
"""
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)


class Due(NamedTuple):
    """A conversation that the index is behind: `kept` to `head` are there, `upto` is taken in."""

    number: int
    name: str
    first: int
    kept: int
    upto: int
    head: int


def _connect(path: Path, flags: int) -> apsw.Connection:
    """A connection to the index, with the messages beside it as `chat`, which it cannot write."""
    db = apsw.Connection(str(path), flags=flags | apsw.SQLITE_OPEN_URI)
    try:
        db.set_busy_timeout(_BUSY)
        db.pragma("trusted_schema", 0)
        chat = path.with_name(DATABASE_NAME).absolute().as_uri()
        db.execute("ATTACH ? AS chat", (f"{chat}?mode=ro",))
    except BaseException:
        db.close()
        raise
    return db


# ------------------------------------------------------------------ writing


class SearchIndex:
    """The one writer; made by `open_index`."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._execute: Callable[..., Any] = db.cursor().execute
        self._executemany: Callable[..., Any] = db.cursor().executemany
        self._left = 0
        self._write_anew_at = 0.0

    def work(self, budget: int) -> int:
        """See `Indexer.work`; one transaction. When it is up to date, traces are taken away."""
        self._left = budget
        try:
            self._execute("BEGIN IMMEDIATE")
            self._drop_erased()
            for due in [Due(*row) for row in self._execute(f"{_DUE} LIMIT ?", (budget,))]:
                if self._left > 0:
                    self._take_out(due)
                    self._take_in(due)
            self._execute("COMMIT")
            if self._left == budget and time.monotonic() >= self._write_anew_at:
                self._write_anew()
        except apsw.InterruptError:  # by `stop`; it goes on at the next start
            self._roll_back()
            return 0
        except (apsw.Error, UnicodeDecodeError, ValueError) as error:
            failure = fail(self._path, error, self._db)
            self._roll_back()
            raise failure from error
        return budget - self._left

    def _roll_back(self) -> None:
        with suppress(apsw.Error):  # there may be no transaction any more
            self._execute("ROLLBACK")

    def _drop_erased(self) -> None:
        """Drop the entries of what was erased since the last time."""
        erased = self._execute(
            "SELECT number, place FROM chat.erased WHERE number > (SELECT erased FROM origin)"
            " ORDER BY number LIMIT ?",
            (self._left,),
        ).fetchall()
        for _, place in erased:
            self._drop(place, place)
        if erased:
            self._execute("UPDATE origin SET erased = ?, stale = 1", (erased[-1][0],))
            self._left -= len(erased)

    def _write_anew(self) -> None:
        """Leave nothing in the file of the words that were dropped, if some may be there.

        FTS5 takes words out only when it merges, and SQLite leaves bytes where it moved rows: so
        first all is merged, then the file is written anew. With a million messages that takes some
        seconds, so it is not done too often.
        """
        if not self._execute("SELECT stale FROM origin").fetchall()[0][0]:
            return
        began = time.monotonic()
        self._execute("INSERT INTO word (word) VALUES ('optimize')")
        self._execute("VACUUM")
        self._db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._execute("UPDATE origin SET stale = 0")
        now = time.monotonic()
        self._write_anew_at = now + _SELDOM * (now - began)

    def stop(self) -> None:
        """See `Indexer.stop`."""
        with suppress(apsw.ConnectionClosedError):
            self._db.interrupt()

    def _take_out(self, due: Due) -> None:
        """Drop what retention has removed, from the front."""
        if due.first >= due.kept:
            return
        base = due.number << PLACE_BITS
        stop = min(due.kept, due.first + self._left)
        self._drop(base + due.first, base + stop - 1)
        self._left -= stop - due.first
        self._note(due.number, stop, max(due.upto, stop - 1))

    def _take_in(self, due: Due) -> None:
        start = max(due.upto + 1, due.kept)
        stop = min(due.head, start + self._left - 1)
        if start > stop:
            return
        base = due.number << PLACE_BITS
        scope = _scope_of(due.number, due.name)
        numbers, entries = list[tuple[int, int]](), list[tuple[int, str, str, str]]()
        moments: dict[int, int] = {}
        for place, identity, ts, sender, text in self._execute(
            "SELECT place, identity, ts, sender, text FROM chat.message"
            " WHERE place BETWEEN ? AND ? AND text <> ''",
            (base + start, base + stop),
        ).fetchall():
            number = self._number(ts, moments)
            numbers.append((number, place))
            author = f"{_token_of_nick(fold_nick(sender))} i{identity}"
            entries.append((number, " ".join(words(text)), author, scope))
        self._executemany("INSERT INTO entry (number, place) VALUES (?, ?)", numbers)
        self._executemany(
            "INSERT INTO word (rowid, text, author, scope) VALUES (?, ?, ?, ?)", entries
        )
        self._left -= stop - start + 1
        self._note(due.number, due.kept, stop)

    def _number(self, ts: str, moments: dict[int, int]) -> int:
        """A number that no entry has, for a message of that time."""
        moment = _moment(ts)
        if moment not in moments:
            base = moment << _ENTRY_BITS
            taken = self._execute(
                "SELECT max(number) FROM entry WHERE number BETWEEN ? AND ?", (base, base + _MOST)
            ).fetchall()[0][0]
            moments[moment] = base if taken is None else taken + 1
        number = moments[moment]
        moments[moment] += 1
        return number

    def _note(self, conversation: int, first: int, upto: int) -> None:
        self._execute(
            "INSERT OR REPLACE INTO progress (conversation, first, upto) VALUES (?, ?, ?)",
            (conversation, first, upto),
        )

    def _drop(self, low: int, high: int) -> None:
        """Drop the entries of a span of places."""
        span = "SELECT number FROM entry WHERE place BETWEEN ? AND ?"
        self._execute(f"DELETE FROM word WHERE rowid IN ({span})", (low, high))
        self._execute("DELETE FROM entry WHERE place BETWEEN ? AND ?", (low, high))

    def discard(self) -> None:
        """See `Indexer.discard`."""
        self.close()
        remove(self._path)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def open_index(directory: Path) -> SearchIndex:
    """The index of the messages in `directory`, made again where it is not theirs; for one thread.

    Raises `StoreRefused`. The caller holds the folder's lock.
    """
    path = directory / INDEX_NAME
    try:
        try:
            return SearchIndex(_open(path), path)
        except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError, _NotOurs) as error:
            log.warning("%s: the index of words is made again (%s)", path, error)
            remove(path)
            return SearchIndex(_open(path), path)
    except (apsw.Error, OSError) as error:
        raise refuse(path, error) from error


class _NotOurs(Exception):
    """The index is one of other messages, or of another version."""


def _open(path: Path) -> apsw.Connection:
    is_new = not path.exists()
    if is_new:
        make_file(path)
    db = _connect(path, apsw.SQLITE_OPEN_READWRITE)
    try:
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", 1)  # NORMAL: what a power cut takes is taken in again
        db.pragma("secure_delete", 1)
        db.pragma("cache_size", -8_192)
        if is_new:
            db.execute("BEGIN IMMEDIATE")
            db.execute(_SCHEMA)
            db.execute(
                "INSERT INTO origin SELECT value, (SELECT coalesce(max(number), 0) FROM erased), 0"
                " FROM chat.meta WHERE key = 'epoch'"
            )
            db.pragma("user_version", _VERSION)
            db.execute("COMMIT")
        else:
            _check_origin(db)
    except BaseException:
        db.close()
        raise
    return db


# ------------------------------------------------------------------ reading


class IndexLost(Exception):
    """The index is not to be believed; what it says of itself."""


class IndexReader:
    """What is in the index, for one thread; all of it raises `IndexLost`.

    As a context it is seen as it was at the first look, until the block ends.
    """

    def __init__(self, path: Path) -> None:
        with _believing():
            self._db = _connect(path, apsw.SQLITE_OPEN_READONLY)
        self._execute: Callable[..., Any] = self._db.cursor().execute
        try:
            with _believing():
                _check_origin(self._db)
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
            return [Due(*row) for row in self._execute(_DUE)]

    def hits(self, query: Query, scopes: list[int] | None) -> Iterator[tuple[int, int]]:
        """The moments and places of what is looked for, newest first; those of one moment in no
        order. `scopes`: in these conversations only.

        More may come than the query means: messages that were removed since, those in rooms that
        are hidden from the reader, and those at the edges of a span of time.
        """
        low, high = 0, (1 << 63) - 1
        if query.since:
            low = _moment(query.since) << _ENTRY_BITS
        for end in (query.until, query.before[0] if query.before else ""):
            if end:
                high = min(high, _moment(end) << _ENTRY_BITS | _MOST)
        with _believing():
            for number, place in self._execute(
                "SELECT number, place FROM word JOIN entry ON entry.number = word.rowid"
                " WHERE word MATCH ? AND word.rowid BETWEEN ? AND ? ORDER BY word.rowid DESC",
                (_match(query, scopes), low, high),
            ):
                yield number >> _ENTRY_BITS, place

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


@contextmanager
def _believing() -> Iterator[None]:
    try:
        yield
    except (apsw.Error, _NotOurs) as error:
        raise IndexLost(str(error)) from error


def _check_origin(db: apsw.Connection) -> None:
    """See that the index is one of the messages beside it, and of our version."""
    if db.pragma("user_version") != _VERSION:
        raise _NotOurs("it is of another version")
    epochs = "SELECT epoch FROM origin UNION SELECT value FROM chat.meta WHERE key = 'epoch'"
    if len(db.execute(epochs).fetchall()) != 1:
        raise _NotOurs("it is of other messages")


def _match(query: Query, scopes: list[int] | None) -> str:
    """The query as FTS5 has it; nothing in it comes from outside but words, which have no signs."""
    parts = [f"scope : (r OR i{query.reader})"]
    if scopes is not None:
        parts.append(f"scope : ({' OR '.join(f'c{number}' for number in scopes)})")
    if query.authors:
        authors = " OR ".join(f"{_token_of_nick(a.nick)} OR i{a.identity}" for a in query.authors)
        parts.append(f"author : ({authors})")
    parts += [f"text : {_quoted(phrase)}" for phrase in query.phrases]
    return " AND ".join(parts)


def _quoted(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{" *" if phrase.open else ""}'


def _scope_of(number: int, name: str) -> str:
    if name[0] == "#":
        return f"r c{number}"
    return " ".join([*(f"i{side}" for side in sorted(set(pair(name)))), f"c{number}"])


def _token_of_nick(folded: str) -> str:
    """A nick as one word, whatever is in it."""
    return f"n{folded.encode().hex()}"


def _moment(ts: str) -> int:
    """The moment of a `ts`; raises ValueError."""
    return max(0, (datetime.fromisoformat(ts) - _EPOCH) // _MICROSECOND) >> _MOMENT_BITS
