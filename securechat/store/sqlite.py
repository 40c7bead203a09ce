"""The durable store: SQLite with a write-ahead log, where a commit that returns is on disk.

In: a data folder, which is locked for one server, and the records of `securechat.records`. Out:
outcomes and pages. Raised: `StoreRefused` at open; `StoreFull` when nothing was kept and a later
try may succeed; `StoreBroken` when a write or a sync failed or a page is damaged, and then at each
call, because SQLite itself would go on as if nothing had been lost.

One connection writes and checkpoints, and belongs to the hub thread; each commit is a transaction.
Readers have connections of their own that cannot write. They see a snapshot only while they make
one page, and so keep the log from being used again for moments only.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple, TypeVar

import apsw

from ..errors import StoreBroken, StoreFull
from ..records import (
    Conflict,
    ForgetIdentity,
    KeepAct,
    KeepIdentity,
    KeepPresence,
    KeepTopic,
    Kept,
    Known,
    Lookup,
    NewMessage,
    Outcome,
    Record,
    RemoveMessage,
    Snapshot,
    Stored,
    Together,
    Unknown,
)
from .accounts import account_keepers, read_accounts
from .connections import (
    BUSY,
    DATABASE_NAME,
    connect_reader,
    connect_writer,
    damaged,
    fail,
    find_or_make,
    lacks_room,
    refuse,
)
from .finder import Finder
from .journal import MANY, WRITE, Entry, Journal, Runs, encode_messages, read_journal
from .lock import FolderLock
from .migrations import PLACE_BITS, migrate, sync_folder
from .pages import ROW, Painter, SqliteReader, pair, row_of
from .removal import ERASED, erase, forget, is_noted
from .retention import KEEP_ALL, Retention, digest, sweep, weigh
from .rulings import read_rulings, ruling_keepers
from .scrub import Scrub
from .search import SearchIndex, open_index

log = logging.getLogger(__name__)

_T = TypeVar("_T")

#: Pages in the log behind which a commit is followed by a checkpoint: 16 MiB, some milliseconds.
_CHECKPOINT_PAGES: Final = 4_096
#: Pages of the file that are seen to at a time after a text was erased: 4 MiB, some milliseconds.
_SCRUB_PAGES: Final = 1_024
#: Pages in the log that are worth a warning: someone reads one snapshot for very long.
_MANY_PAGES: Final = 4 * _CHECKPOINT_PAGES

_INSERT: Final = (
    "INSERT INTO message (place, identity, id, ts, sender, address, reply_to, action, text)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_GROW: Final = (
    "INSERT INTO conversation (number, name, first, head, weight, oldest, last_ts)"
    " VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET head = excluded.head,"
    " weight = weight + excluded.weight, oldest = coalesce(oldest, excluded.oldest),"
    " last_ts = excluded.last_ts"
)
_IDS: Final = "SELECT id FROM message WHERE identity = ? AND id >= ? AND id < ? LIMIT ?"
_RECALL: Final = (
    f"SELECT name, digest, {ROW} FROM message JOIN conversation ON number = place >> {PLACE_BITS}"
    " WHERE identity = ? AND id = ?"
)
_KEEP_IDENTITY: Final = (
    "INSERT INTO identity (number, nick, token, used, former) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET nick = excluded.nick, token = excluded.token,"
    " used = excluded.used, former = excluded.former"
)


class _Conversation(NamedTuple):
    """The messages `first` to `head` of one conversation are there."""

    number: int
    first: int = 1
    head: int = 0


class _Growth:
    """One conversation in one transaction."""

    __slots__ = ("before", "entries", "head")

    def __init__(self, before: _Conversation) -> None:
        self.before = before
        self.head = before.head
        self.entries: list[Entry] = []


def open_store(
    directory: Path, *, vfs: str | None = None, retention: Retention = KEEP_ALL
) -> SqliteStore:
    """The store in `directory`, made when there is none; raises `StoreRefused`.

    `vfs` names another SQLite VFS for a database that exists; a new one is always made by the
    system's. Close the store to give the folder free.
    """
    path = directory / DATABASE_NAME
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refuse(directory, error) from error
    lock = FolderLock.acquire(directory)
    try:
        find_or_make(path)
        return _open(path, lock, vfs, retention)
    except BaseException:
        lock.release()
        raise


def _open(path: Path, lock: FolderLock, vfs: str | None, retention: Retention) -> SqliteStore:
    db, shared = connect_writer(path, vfs)
    try:
        _bring_in_log(db, path)
        kept = migrate(db, path)
        _finish_erasing(db, path, vfs)
        if kept is not None:
            log.warning("%s: brought up to date; as it was before: %s", path, kept)
        return SqliteStore(db, path, lock, retention, vfs=vfs, shared=shared)
    except BaseException as error:
        ours = isinstance(error, apsw.Error | OSError)
        failure = refuse(path, error, db) if ours else error
        db.close()
        if failure is error:
            raise
        raise failure from error


def _bring_in_log(db: apsw.Connection, path: Path) -> None:
    """Have what a killed server left in the log written into the database and synced.

    Its last transaction may have been written but not yet synced when it died, or its sync may have
    failed: a draft must not be answered as stored because the system still remembers it. The log is
    a new file now, and SQLite does not look whether its own sync of the folder came off.
    """
    try:
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError:  # a tool reads what was there before; as much as can be done beside it
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        log.warning("%s: another program reads the database, the log stays long meanwhile", path)
    sync_folder(path.parent)


def _finish_erasing(db: apsw.Connection, path: Path, vfs: str | None) -> None:
    """Overwrite traces of erased texts that a server left which died before it was done."""
    if not is_noted(db.execute):
        return
    scrub = Scrub(path, vfs, int(db.pragma("page_size")))
    while not scrub.run(_SCRUB_PAGES):
        pass
    db.release_memory()
    forget(db.execute)


class SqliteStore:
    """The write side; made by `open_store`."""

    def __init__(
        self,
        db: apsw.Connection,
        path: Path,
        lock: FolderLock,
        retention: Retention,
        *,
        vfs: str | None,
        shared: bool,
    ) -> None:
        self._db = db
        self._page_size = int(db.pragma("page_size"))
        self._path = path
        self._lock = lock
        self._retention = retention
        self._vfs = vfs
        self._shared = shared
        #: Held by each transaction; matters only when readers must use this connection too.
        self._guard = Lock()
        self._broken: str | None = None
        #: One cursor for all: making one costs as much as half an insert.
        self._cursor = db.cursor()
        self._execute: Callable[..., Any] = self._cursor.execute
        self._keepers: dict[type[Any], Callable[[Any], None]] = {
            KeepIdentity: self._keep_identity,
            ForgetIdentity: self._forget_identity,
            KeepPresence: self._keep_presence,
            KeepTopic: self._keep_topic,
            Together: self._keep_together,
            **account_keepers(self._execute),
            **ruling_keepers(self._execute, lambda: self._ts),
        }
        #: The stamp of the transaction, for what is rarely kept.
        self._ts = ""
        #: The texts that the transaction erased.
        self._erased: list[str] = []
        #: A text was erased that may still stand in the log.
        self._log_is_stale = False
        #: The walk on which traces of erased texts are overwritten; None: there are none.
        self._scrub: Scrub | None = None
        self._wal_pages = 0
        self._checkpoint_at = _CHECKPOINT_PAGES
        db.set_wal_hook(self._note_wal)  # in place of SQLite's own, which hides a failed checkpoint
        self._conversations: dict[str, _Conversation] = {}
        self._next_number = 1
        #: Of the messages that are in their places.
        self._weight = 0
        self._journal = Journal()
        self._runs = Runs(self._placed_ids)
        #: So many waiting messages are brought into their places; later, while there is no room.
        self._tidy_at = MANY
        self._no_room = False
        self._snapshot: Snapshot | None = self._read_snapshot()

    # -------------------------------------------------------------- what is there

    def load(self) -> Snapshot:
        """What was there when the store was opened; called once, before anything else."""
        snapshot = self._snapshot
        assert snapshot is not None, "a store is loaded once"
        self._snapshot = None
        return snapshot

    def _read_snapshot(self) -> Snapshot:
        try:
            return self._read_tables()
        except (ValueError, LookupError) as error:
            raise damaged(self._path, f"it holds what we never wrote: {error}") from error

    def _read_tables(self) -> Snapshot:
        execute = self._execute
        heads: dict[str, int] = {}
        last_ts: dict[str, str] = {}
        highest = 0
        for number, name, first, head, weight, ts in execute(
            "SELECT number, name, first, head, weight, last_ts FROM conversation"
        ):
            self._conversations[name] = _Conversation(number, first, head)
            self._next_number = max(self._next_number, number + 1)
            self._weight += weight
            heads[name] = head
            if name[0] == "@":
                last_ts[name] = ts
                highest = max(highest, *pair(name))
        for ts, new in read_journal(execute):
            name, entry = new.conversation, self._enter_again(new, ts)
            heads[name] = entry[1]
            highest = max(highest, new.identity)
            if name[0] == "@":
                last_ts[name] = ts
                highest = max(highest, *pair(name))
        # An identity that could not be stored (the disk was full) may have spoken nevertheless.
        ((known, spoken),) = execute(
            "SELECT (SELECT max(number) FROM identity), (SELECT max(identity) FROM message)"
        ).fetchall()
        living = execute(
            "SELECT number, nick, token, used, former FROM identity WHERE token IS NOT NULL"
        ).fetchall()
        return Snapshot(
            identities=tuple(_restore_identity(*row) for row in living),
            next_identity=max(highest, known or 0, spoken or 0) + 1,
            heads=heads,
            last_ts=last_ts,
            topics=dict(execute("SELECT room, text FROM topic").fetchall()),
            presence=tuple(execute("SELECT identity, room FROM presence").fetchall()),
            epoch=execute("SELECT value FROM meta WHERE key = 'epoch'").fetchall()[0][0],
            **read_accounts(execute),
            **read_rulings(execute),
        )

    def _enter_again(self, new: NewMessage, ts: str) -> Entry:
        """Take in what the run before has left in the journal; raises `LookupError`."""
        if self._journal.find(new.identity, new.id) is not None:
            raise LookupError("the journal holds a draft twice")
        name = new.conversation
        before = self._conversations.get(name) or _Conversation(self._next_number)
        self._next_number = max(self._next_number, before.number + 1)
        entry = (new, before.head + 1, ts)
        self._conversations[name] = before._replace(head=entry[1])
        self._journal.take(entry)
        self._journal.publish(name, (entry,))
        self._runs.note_left(new.identity, new.id)
        return entry

    def first_kept(self, conversation: str) -> int:
        """The number at which the history begins that retention has left; for the hub thread."""
        found = self._conversations.get(conversation)
        return found.first if found is not None else 1

    # -------------------------------------------------------------- one transaction

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        """See `Store.commit`."""
        if not records:
            return []
        grown: dict[str, _Growth] = {}
        self._ts, self._erased = ts, []
        with self._guard:
            if any(type(record) is RemoveMessage for record in records):
                self._tidy_or_refuse()
            try:
                outcomes = self._transact(lambda: self._keep_all(records, ts, grown))
            except BaseException:
                for growth in grown.values():
                    self._journal.take_back(growth.entries)
                raise
            for name, growth in grown.items():
                self._conversations[name] = growth.before._replace(head=growth.head)
                self._next_number = max(self._next_number, growth.before.number + 1)
                self._journal.publish(name, growth.entries)
            if self._erased:
                self._weight -= sum(len(text.encode()) for text in self._erased)
                self._begin_scrub()
            self._checkpoint_if_due()
            if len(self._journal) >= self._tidy_at:
                self._tidy()
        return outcomes

    def tidy(self) -> None:
        """See `Store.tidy`."""
        with self._guard:
            self._tidy()

    def _tidy(self) -> None:
        """Bring what waits in the journal into its places; where there is no room, later."""
        if not len(self._journal):
            return
        try:
            self._weight += self._transact(self._bring_in)
        except StoreFull:
            self._tidy_at = len(self._journal) + MANY
            if not self._no_room:
                self._no_room = True
                log.warning("%s: no room to put the newest messages in order yet", self._path)
            return
        self._no_room = False
        self._tidy_at = MANY
        self._journal.clear()
        self._runs.forget()
        self._checkpoint_if_due()

    def _tidy_or_refuse(self) -> None:
        """The same for who must find all messages in their places; raises `StoreFull`."""
        self._tidy()
        if len(self._journal):
            raise StoreFull(f"{self._path}: the disk is full, nothing was erased. Free some space.")

    def _bring_in(self) -> int:
        """Inside a transaction; returns the weight of what was brought in, bytes."""
        total = 0
        for name, entries in self._journal.conversations():
            number = self._conversations[name].number
            base = number << PLACE_BITS
            self._cursor.executemany(_INSERT, [row_of(base, name, entry) for entry in entries])
            weight = sum([weigh(entry[0].text) for entry in entries])
            (_, head, last_ts), oldest = entries[-1], entries[0][2]
            self._execute(_GROW, (number, name, head, weight, oldest, last_ts))
            total += weight
        self._execute("DELETE FROM journal")
        return total

    def retain(self, now: float, budget_rows: int) -> int:
        """Remove what retention does not keep, at most `budget_rows` rows; how many it were.

        To be called by the hub thread now and then, again soon when it used the budget up. `now` is
        Unix time. Raises as `commit` does.
        """
        with self._guard:
            self._tidy()
            swept = self._transact(
                lambda: sweep(self._cursor, self._retention, self._weight, now, budget_rows)
            )
            for cut in swept.cuts:
                before = self._conversations[cut.conversation]
                self._conversations[cut.conversation] = before._replace(first=cut.first)
                self._weight -= cut.weight
            if self._scrub is not None:
                swept = swept._replace(rows=max(swept.rows, self._scrub_on(budget_rows)))
            self._checkpoint_if_due()
        return swept.rows

    def _transact(self, work: Callable[[], _T]) -> _T:
        """Do `work` in a transaction that is on disk when this returns, or has never been."""
        if self._broken is not None:
            raise StoreBroken(self._broken)
        try:
            self._execute("BEGIN IMMEDIATE")
            result = work()
            self._execute("COMMIT")
        except BaseException as error:
            failure = self._judge(error)
            self._roll_back()
            if failure is error:
                raise
            raise failure from error
        return result

    def _judge(self, error: BaseException) -> BaseException:
        """`error` as what it means; after `StoreBroken` nothing is written any more."""
        failure = error
        if isinstance(error, apsw.Error | UnicodeDecodeError):
            failure = fail(self._path, error, self._db)
        if isinstance(failure, StoreBroken):
            self._broken = str(failure)
            # What is in the log stays there for the next start to look at.
            self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        return failure

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            try:
                self._execute("ROLLBACK")
            except apsw.Error as error:
                raise self._judge(error) from error

    # -------------------------------------------------------------- records

    def _keep_all(
        self, records: Sequence[Record], ts: str, grown: dict[str, _Growth]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for record in records:
            if type(record) is NewMessage:
                outcomes.append(self._append(record, ts, grown))
            elif type(record) is Lookup:
                outcomes.append(self._recall(*record))
            elif type(record) is RemoveMessage:
                outcomes.append(self._erase(record, grown))
            else:
                self._keepers[type(record)](record)
                outcomes.append(_KEPT)
        if grown:
            fresh = [entry[0] for growth in grown.values() for entry in growth.entries]
            self._execute(WRITE, (ts, encode_messages(fresh)))
        return outcomes

    def _append(self, new: NewMessage, ts: str, grown: dict[str, _Growth]) -> Outcome:
        conversation, identity, id, to, _, text, _, _ = new
        if self._journal.find(identity, id) or not self._runs.passes(identity, id):
            outcome = self._recall(identity, id, to, text)
            if outcome is not _UNKNOWN:
                return outcome
        growth = grown.get(conversation)
        if growth is None:
            growth = grown[conversation] = self._grow(conversation, grown)
        growth.head = seq = growth.head + 1
        entry = (new, seq, ts)
        growth.entries.append(entry)
        self._journal.take(entry)
        return _make(Stored, (seq, ts))  # type: ignore[no-any-return]

    def _grow(self, name: str, grown: Mapping[str, _Growth]) -> _Growth:
        found = self._conversations.get(name)
        if found is None:
            taken = (growth.before.number + 1 for growth in grown.values())
            found = _Conversation(max(self._next_number, *taken, 0))
        return _Growth(found)

    def _recall(self, identity: int, id: str, to: str, text: str) -> Outcome:
        """What became of a draft that may have been stored before."""
        entry = self._journal.find(identity, id)
        if entry is not None:
            new = entry[0]
            if new.to != to or new.text not in (text, ERASED):
                return _CONFLICT
            name = new.conversation
            return Known(Painter(name, self._execute).paint(row_of(0, name, entry)))
        found = self._execute(_RECALL, (identity, id)).fetchall()
        if not found:
            return _UNKNOWN
        name, gone, *row = found[0]
        if gone is not None:
            erased = gone == digest(to, ERASED)
            same = erased or gone == digest(to, text)
            row[-1] = ERASED if erased else text
        else:  # nobody can tell any more what an erased draft said: it is known by its id
            same = (row[5] or name) == to and row[-1] in (text, ERASED)
        if not same:
            return _CONFLICT
        return Known(Painter(name, self._execute).paint(row))

    def _placed_ids(self, identity: int, low: str, high: str, limit: int) -> Sequence[str]:
        return [id for (id,) in self._execute(_IDS, (identity, low, high, limit))]

    def _erase(self, record: RemoveMessage, grown: Mapping[str, _Growth]) -> Outcome:
        """Erase a text; one that this very transaction brought is not written at all."""
        growth = grown.get(record.conversation)
        if growth is not None and record.seq > growth.before.head:
            return self._erase_new(record, growth)
        found = self._conversations.get(record.conversation)
        if found is None:
            return _UNKNOWN
        outcome, text = erase(self._execute, found.number << PLACE_BITS | record.seq, record)
        if text:
            self._erased.append(text)
            self._execute(
                "UPDATE conversation SET weight = weight - ? WHERE number = ?",
                (len(text.encode()), found.number),
            )
            self._keepers[KeepAct](record.act)
        return outcome

    def _erase_new(self, record: RemoveMessage, growth: _Growth) -> Outcome:
        index = record.seq - growth.before.head - 1
        if index >= len(growth.entries) or not growth.entries[index][0].text:
            return _UNKNOWN
        new, seq, ts = growth.entries[index]
        if record.author not in (None, new.identity):
            return _CONFLICT
        growth.entries[index] = entry = (new._replace(text=ERASED), seq, ts)
        self._journal.take(entry)
        self._keepers[KeepAct](record.act)
        return _KEPT

    def _keep_identity(self, record: KeepIdentity) -> None:
        number, nick, token, used, former = record
        listed = json.dumps(former) if former else None
        self._execute(_KEEP_IDENTITY, (number, nick, token, used, listed))

    def _forget_identity(self, record: ForgetIdentity) -> None:
        self._execute(
            "UPDATE identity SET token = NULL, former = NULL WHERE number = ?", (record.identity,)
        )
        self._execute("DELETE FROM presence WHERE identity = ?", (record.identity,))

    def _keep_presence(self, record: KeepPresence) -> None:
        statement = (
            "INSERT INTO presence (room, identity) VALUES (?, ?) ON CONFLICT DO NOTHING"
            if record.present
            else "DELETE FROM presence WHERE room = ? AND identity = ?"
        )
        self._execute(statement, (record.room, record.identity))

    def _keep_together(self, record: Together) -> None:
        for change in record.changes:
            self._keepers[type(change)](change)

    def _keep_topic(self, record: KeepTopic) -> None:
        if record.text:
            self._execute("INSERT OR REPLACE INTO topic (room, text) VALUES (?, ?)", record)
        else:
            self._execute("DELETE FROM topic WHERE room = ?", (record.room,))

    # -------------------------------------------------------------- the log

    def _cut_log(self) -> None:
        """Bring the log into the database and cut it off, for a text stands in it that is erased.

        While a reader needs it that must wait; `retain` comes back to it. What this connection has
        in its cache goes too: it may be older than what `scrub` writes past it.
        """
        self._db.set_busy_timeout(0)
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._log_is_stale = False
            self._db.release_memory()
        except apsw.Error as error:
            if not lacks_room(error, self._db) and not isinstance(error, apsw.BusyError):
                raise self._judge(error) from error
        finally:
            self._db.set_busy_timeout(BUSY)

    def _begin_scrub(self) -> None:
        """See to it that nothing is left of erased texts; a small file is done with at once."""
        if self._scrub is None:
            self._scrub = Scrub(self._path, self._vfs, self._page_size)
        self._scrub.begin_again()
        self._scrub_on(0)

    def _scrub_on(self, enough: int) -> int:
        """See to a stretch of the file; returns `enough` when there is more of it."""
        assert self._scrub is not None
        self._log_is_stale = True
        self._cut_log()
        if self._log_is_stale:  # a reader holds it; it will be asked again
            return 0
        try:
            done = self._scrub.run(_SCRUB_PAGES)
        except apsw.Error as error:
            raise self._judge(error) from error
        if not done:
            return enough
        self._scrub = None
        self._transact(lambda: forget(self._execute))
        return 0

    def _note_wal(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        if pages < _CHECKPOINT_PAGES:  # it began anew
            self._checkpoint_at = _CHECKPOINT_PAGES
        return apsw.SQLITE_OK

    def _checkpoint_if_due(self) -> None:
        """Bring the log into the database when it is long; what was committed is safe either way.

        A disk without room for it is no harm yet. Raises `StoreBroken`, as SQLite's automatic
        checkpoint would not, whose errors nobody hears of.
        """
        if self._wal_pages < self._checkpoint_at:
            return
        self._checkpoint_at = self._wal_pages + _CHECKPOINT_PAGES
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            if not lacks_room(error, self._db) and not isinstance(error, apsw.BusyError):
                raise self._judge(error) from error
            log.warning("%s: the log could not be brought in: %s", self._path, error)
        if self._wal_pages >= _MANY_PAGES:
            log.warning("%s: the log has %d pages, a reader holds it", self._path, self._wal_pages)

    # -------------------------------------------------------------- readers and the end

    def reader(self) -> SqliteReader:
        """A reader for the thread that calls this; raises `StoreRefused`."""
        view = self._view
        finder = Finder(self._path, self._waiting, indexed=self._has_index)
        if not self._shared:
            return SqliteReader(self._db, self._path, self._guard, view, finder, owned=False)
        db = connect_reader(self._path, self._vfs)
        return SqliteReader(db, self._path, Lock(), view, finder)

    def _view(self, conversation: str) -> Sequence[Entry]:
        return self._journal.view(conversation)

    def _waiting(self) -> Iterator[tuple[int, str, Sequence[Entry]]]:
        """All that waits in the journal, with the numbers of the conversations; any thread."""
        for name, entries in list(self._journal.conversations()):
            yield self._conversations[name].number, name, entries

    @property
    def _has_index(self) -> bool:
        """Whether there may be one: it stands on the system's own disk."""
        return self._shared and self._vfs is None

    def indexer(self) -> SearchIndex | None:
        """See `Store.indexer`; raises `StoreRefused`."""
        return open_index(self._path.parent) if self._has_index else None

    def close(self) -> None:
        """Close for good and give the folder free; all readers must be closed before."""
        try:
            if self._broken is None:
                self.tidy()
        except StoreBroken as error:
            log.error("%s", error)
        try:
            self._db.close()
        finally:
            self._lock.release()


def _restore_identity(
    number: int, nick: str, token: bytes, used: float, former: str | None
) -> KeepIdentity:
    listed = tuple((str(old), float(until)) for old, until in json.loads(former or "[]"))
    return KeepIdentity(number, nick, token, used, listed)


#: A `NamedTuple` made without its `__new__`, which is Python and takes twice the time.
_make: Final[Callable[[Any, tuple[object, ...]], Any]] = tuple.__new__
_KEPT: Final = Kept()
_UNKNOWN: Final = Unknown()
_CONFLICT: Final = Conflict()
