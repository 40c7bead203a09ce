"""The file of the index of words: its tables, what stands in them, and whose messages they are of.

In: the path of the index, beside the messages. Out: connections, on which the messages are `chat`
and cannot be written; numbers and words as the tables have them. Raised: what SQLite raises, and
`NotOurs`.

An entry's number is its message's moment, of 16 microseconds, and 15 bits that tell those of one
moment apart: the newest come first without sorting, and a span of time is a span of numbers. Words
are looked for in three columns: the text; `author`, its nick and its identity; and `scope`: `r` for
rooms (who may not read one is kept out afterwards), `i1 i2` for the sides of a direct conversation,
and the conversation itself, as `c7`. What is not in one's scope is not even touched.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from .connections import DATABASE_NAME
from .files import make_file
from .pages import pair

INDEX_NAME: Final = "search.db"
#: What it takes to read this index; one of another version is made again.
_VERSION: Final = 1
#: A moment in microseconds; and how many entries it may have, a batch and more, both as bits.
_MOMENT_BITS: Final = 4
ENTRY_BITS: Final = 15
MOST: Final = (1 << ENTRY_BITS) - 1
_BUSY: Final = 2_000

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
DUE: Final = """
    SELECT number, name, coalesce(progress.first, conversation.first), conversation.first,
        coalesce(upto, conversation.first - 1), head
    FROM chat.conversation AS conversation
    LEFT JOIN main.progress AS progress ON progress.conversation = number
    WHERE head > coalesce(upto, conversation.first - 1) OR conversation.first > progress.first
"""
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)


class NotOurs(Exception):
    """The index is one of other messages, or of another version."""


class Due(NamedTuple):
    """A conversation that the index is behind: `kept` to `head` are there, `upto` is taken in."""

    number: int
    name: str
    first: int
    kept: int
    upto: int
    head: int


def connect_index(path: Path, flags: int) -> apsw.Connection:
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


def open_file(path: Path) -> apsw.Connection:
    """The connection that writes it; it is made where there is none. Raises `NotOurs`."""
    is_new = not path.exists()
    if is_new:
        make_file(path)
    db = connect_index(path, apsw.SQLITE_OPEN_READWRITE)
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
            check_origin(db)
    except BaseException:
        db.close()
        raise
    return db


def check_origin(db: apsw.Connection) -> None:
    """See that the index is one of the messages beside it, and of our version; raises `NotOurs`."""
    if db.pragma("user_version") != _VERSION:
        raise NotOurs("it is of another version")
    epochs = "SELECT epoch FROM origin UNION SELECT value FROM chat.meta WHERE key = 'epoch'"
    if len(db.execute(epochs).fetchall()) != 1:
        raise NotOurs("it is of other messages")


def scope_of(number: int, name: str) -> str:
    """The words of the column `scope` for a message of that conversation."""
    if name[0] == "#":
        return f"r c{number}"
    return " ".join([*(f"i{side}" for side in sorted(set(pair(name)))), f"c{number}"])


def token_of_nick(folded: str) -> str:
    """A nick as one word, whatever is in it."""
    return f"n{folded.encode().hex()}"


def moment_of(ts: str) -> int:
    """The moment of a `ts`; raises ValueError."""
    return max(0, (datetime.fromisoformat(ts) - _EPOCH) // _MICROSECOND) >> _MOMENT_BITS
