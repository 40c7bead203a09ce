"""The tables, and how a database file comes to be one of ours and up to date.

In: a connection and the path of its file. Out: a database of the newest version, or nothing
changed. Raised: `StoreRefused` for a file that is not ours, is damaged or newer; what SQLite raises
besides is for the caller to translate (`apsw.Error`).

`MIGRATIONS` only ever grows at its end: what stands in it has run somewhere. A database carries the
number of those that it has seen (PRAGMA user_version), and a number that says whose it is
(application_id). Before one of them runs on a database that holds something, the whole of it is
copied beside it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from ..errors import StoreRefused
from .files import copy_online, make_file, remove, sync_folder, unused_name

#: "SCht", in the header of every database of ours (see `file`(1) and sqlite.org/fileformat.html).
APPLICATION_ID: Final = 0x53436874

#: A message's key is its conversation's number and its own in one integer: a table ordered by it
#: is ordered by conversation and `seq`, and costs a third less per insert than one WITHOUT ROWID.
PLACE_BITS: Final = 40
SEQ_MASK: Final = (1 << PLACE_BITS) - 1


class Migration(NamedTuple):
    """One step: a name for a person, and SQL that is run in a transaction."""

    name: str
    sql: str


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(
        "messages, conversations, identities, presence, topics",
        """
        CREATE TABLE meta (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Those who lapsed stay, without a token: direct messages show their names.
        CREATE TABLE identity (
            number INTEGER PRIMARY KEY,
            nick TEXT NOT NULL,
            token BLOB,
            used REAL NOT NULL,
            former TEXT                  -- JSON: [[nick, until], ...]
        ) STRICT;

        -- `first` to `head` are there, those below `first` retention has removed.
        CREATE TABLE conversation (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            first INTEGER NOT NULL,
            head INTEGER NOT NULL,
            weight INTEGER NOT NULL,     -- of the messages that are there, bytes
            oldest TEXT,                 -- the `ts` of `first`; NULL when nothing is there
            last_ts TEXT NOT NULL
        ) STRICT;
        CREATE INDEX conversation_oldest ON conversation (oldest) WHERE oldest IS NOT NULL;

        -- `text` of a message; of one that was removed, for a while, the digest of its draft.
        CREATE TABLE message (
            place INTEGER PRIMARY KEY,   -- conversation << 40 | seq
            identity INTEGER NOT NULL,
            id TEXT NOT NULL,
            ts TEXT NOT NULL,
            sender TEXT NOT NULL,
            address TEXT,                -- as drafted; NULL where it is the conversation's name
            reply_to INTEGER,
            action INTEGER NOT NULL,
            text TEXT,
            digest BLOB,
            CHECK ((text IS NULL) <> (digest IS NULL))
        ) STRICT;
        -- In this order, because a client's ids grow: each sender appends to a leaf of its own.
        CREATE UNIQUE INDEX message_draft ON message (identity, id);

        -- Up to where, in a conversation, digests stand since that day or longer.
        CREATE TABLE removal (
            day INTEGER NOT NULL,        -- Unix time / 86,400
            conversation INTEGER NOT NULL REFERENCES conversation (number),
            upto INTEGER NOT NULL,
            PRIMARY KEY (day, conversation)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE presence (
            room TEXT NOT NULL,
            identity INTEGER NOT NULL,
            PRIMARY KEY (room, identity)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE topic (
            room TEXT PRIMARY KEY,
            text TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
    ),
    Migration(
        "a journal of the newest messages",
        """
        -- A row for each transaction: JSON, the fields of `records.NewMessage` for each message.
        CREATE TABLE journal (
            number INTEGER PRIMARY KEY,
            ts TEXT NOT NULL,
            messages TEXT NOT NULL
        ) STRICT;
        """,
    ),
    Migration(
        "which texts were erased, for the index of words",
        """
        CREATE TABLE erased (
            number INTEGER PRIMARY KEY,
            place INTEGER NOT NULL
        ) STRICT;
        CREATE TRIGGER message_erased AFTER UPDATE OF text ON message BEGIN
            INSERT INTO erased (place) VALUES (new.place);
        END;
        """,
    ),
    Migration(
        "accounts, their sessions, invites",
        """
        -- `name` is also its identity's nick, unless that was changed since.
        CREATE TABLE account (
            identity INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            key TEXT NOT NULL UNIQUE,
            skeletons TEXT NOT NULL,     -- JSON: [skeleton, ...]
            unicode TEXT NOT NULL,       -- the version of the table that they were made by
            role TEXT NOT NULL CHECK (role IN ('guest', 'member', 'admin', 'owner')),
            password TEXT,               -- a PHC string
            created REAL NOT NULL
        ) STRICT;

        -- Guests have one token, in `identity`; an account has one for each device.
        CREATE TABLE session (
            token BLOB PRIMARY KEY,      -- SHA-256
            identity INTEGER NOT NULL,
            client TEXT NOT NULL,
            created REAL NOT NULL,
            used REAL NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE invite (
            token BLOB PRIMARY KEY,      -- SHA-256
            nick TEXT,
            room TEXT,
            uses INTEGER NOT NULL,       -- those left
            created REAL NOT NULL,
            expires REAL NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
    ),
    Migration(
        "who rules which room, bans and mutes, the audit",
        """
        CREATE TABLE room_rule (
            room TEXT PRIMARY KEY,
            owner INTEGER NOT NULL,      -- an identity; 0: nobody
            state INTEGER NOT NULL,      -- bits: 1 private, 2 read-only, 4 topic locked
            moderators TEXT NOT NULL,    -- JSON: [identity, ...]
            admitted TEXT NOT NULL       -- JSON: [identity, ...]
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE sanction (
            number INTEGER PRIMARY KEY,
            act TEXT NOT NULL CHECK (act IN ('ban', 'mute')),
            room TEXT NOT NULL,          -- '': the whole server
            identity INTEGER NOT NULL,   -- 0: none
            nick TEXT NOT NULL,
            account TEXT NOT NULL,
            network TEXT NOT NULL,
            until REAL,
            since REAL NOT NULL,
            by TEXT NOT NULL,
            reason TEXT NOT NULL
        ) STRICT;

        -- Only ever grows.
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            ts TEXT NOT NULL,
            identity INTEGER NOT NULL,
            nick TEXT NOT NULL,          -- as it was then
            act TEXT NOT NULL,
            room TEXT NOT NULL,
            subject TEXT NOT NULL,
            reason TEXT NOT NULL,
            until REAL
        ) STRICT;
        """,
    ),
    Migration(
        "which texts were erased last, for who comes back",
        """
        CREATE TABLE erasure (
            number INTEGER PRIMARY KEY,
            conversation TEXT NOT NULL,
            seq INTEGER NOT NULL,
            identity INTEGER NOT NULL,   -- who removed it, known then as `nick`
            nick TEXT NOT NULL
        ) STRICT;
        CREATE INDEX erasure_conversation ON erasure (conversation, number);

        -- Of those so far the audit knows the rooms, and of no direct conversation which it was.
        INSERT INTO erasure (conversation, seq, identity, nick)
            SELECT room, CAST(substr(subject, 9) AS INTEGER), identity, nick FROM audit
            WHERE act = 'remove' AND room <> '' AND subject GLOB 'message [1-9]*' ORDER BY number;
        """,
    ),
)


def create(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Make a new, empty database at `path`, with a new epoch; nothing may be there.

    It is made under another name and gets its own when it is whole and on disk: a file at `path`
    is a database or damaged, never half made. The caller holds the folder's lock.
    """
    made = path.with_name(path.name + ".new")
    remove(made)
    make_file(made)
    db = apsw.Connection(str(made), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        db.pragma("synchronous", "FULL")
        db.execute("BEGIN IMMEDIATE")
        db.pragma("application_id", APPLICATION_ID)
        _apply(db, 0, migrations)
        renew_epoch(db)
        db.execute("COMMIT")
        db.pragma("journal_mode", "wal")  # kept in the file's header
    finally:
        db.close()
    made.rename(path)
    sync_folder(path.parent)


def renew_epoch(db: apsw.Connection) -> str:
    """Give the database a new epoch and return it: cursors of before hold no more."""
    epoch = secrets.token_hex(16)
    db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('epoch', ?)", (epoch,))
    return epoch


def is_foreign(path: Path) -> bool:
    """Whether the file is not a database of securechat's, by its header; raises OSError.

    It is read past SQLite, which changes files beside it. Ours have their `application_id` (bytes
    68 to 71, https://sqlite.org/fileformat2.html#database_header) since before they had a log.
    """
    with path.open("rb") as file:
        header = file.read(72)
    return int.from_bytes(header[68:], "big") != APPLICATION_ID


def recognise(db: apsw.Connection, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """The version of the database; raises `StoreRefused` unless it is one that we can read."""
    cure = "Restore a backup (`securechat db restore FILE`), or give another folder with --data."
    if db.pragma("application_id") != APPLICATION_ID:
        if path.stat().st_size == 0:
            raise StoreRefused(f"{path}: the file is empty, so it was truncated. {cure}")
        raise StoreRefused(
            f"{path}: this is not a database of securechat's. "
            "Move it away, or give another folder with --data."
        )
    version = db.pragma("user_version")
    assert isinstance(version, int)
    if version < 1:
        raise StoreRefused(f"{path}: the database is damaged, its version is {version}. {cure}")
    if version > len(migrations):
        raise StoreRefused(
            f"{path}: the database has version {version}, this securechat knows up to "
            f"{len(migrations)}. Use a newer securechat, or restore a backup of this version "
            "(`securechat db restore FILE`)."
        )
    return version


def migrate(
    db: apsw.Connection, path: Path, migrations: Sequence[Migration] = MIGRATIONS
) -> Path | None:
    """Bring a database of ours up to date, all or nothing; returns the copy made before.

    None: it was up to date. Raises `StoreRefused` as `recognise` does, or when there is no room
    for the copy.
    """
    version = recognise(db, path, migrations)
    if version == len(migrations):
        return None
    kept = unused_name(path, f".before-v{len(migrations)}")
    try:
        copy_online(db, kept)
    except (apsw.Error, OSError) as error:
        raise StoreRefused(
            f"{kept}: the database must be copied before it is brought to version "
            f"{len(migrations)}, and that failed ({error}). Make room for a second copy."
        ) from error
    db.execute("BEGIN IMMEDIATE")
    try:
        _apply(db, version, migrations)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return kept


def _apply(db: apsw.Connection, version: int, migrations: Sequence[Migration]) -> None:
    for migration in migrations[version:]:
        db.execute(migration.sql)
    db.pragma("user_version", len(migrations))
