"""The durable store: SQLite with a write-ahead log, where a commit that returns is on disk.

In: a data folder, which is locked for one server, and the records of `securechat.records`. Out:
outcomes and pages. Raised: `StoreRefused` at open; `StoreFull` when nothing was kept and a later
try may succeed; `StoreBroken` when a write or a sync failed or a page is damaged, and then at each
call, because SQLite itself would go on as if nothing had been lost.

One connection writes and checkpoints, and belongs to the hub; each commit is a transaction.
Readers have connections of their own that cannot write. They see a snapshot only while they make
one page, and so keep the log from being used again for moments only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

import apsw

from ..errors import StoreBroken, StoreFull
from ..records import (
    KeepAct,
    Kept,
    Lookup,
    NewMessage,
    Outcome,
    Record,
    RemoveMessage,
    Snapshot,
    Stored,
)
from .connections import (
    DATABASE_NAME,
    Damaged,
    connect_reader,
    connect_writer,
    fail,
    find_or_make,
    refuse,
)
from .contents import Contents
from .conversations import Conversation, Growth
from .drafts import CONFLICT, UNKNOWN, placed_ids, recall
from .finder import Finder
from .journal import MANY, MANY_CHARACTERS, WRITE, Entry, Journal, Runs, encode_messages
from .keepers import new_keepers
from .lock import FolderLock
from .migrations import PLACE_BITS, migrate
from .pages import SqliteReader
from .places import bring_in
from .removal import erase, forget, remember
from .retention import KEEP_ALL, Retention, sweep
from .scrub import Scrub
from .search import SearchIndex, open_index
from .traces import Traces, finish_erasing
from .wal import Wal, bring_in_log

log = logging.getLogger(__name__)

_T = TypeVar("_T")


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
        bring_in_log(db, path)
        kept = migrate(db, path)
        finish_erasing(db, path, vfs)
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
        #: The stamp of the transaction, for what is rarely kept.
        self._ts = ""
        self._keepers = new_keepers(self._execute, lambda: self._ts)
        #: The texts that the transaction erased.
        self._erased: list[str] = []
        self._wal = Wal(db, path, self._judge, vfs)
        self._traces = Traces(
            partial(Scrub, path, vfs, int(db.pragma("page_size"))),
            self._wal,
            judge=self._judge,
            note_gone=lambda: self._transact(lambda: forget(self._execute)),
        )
        self._journal = Journal()
        self._runs = Runs(partial(placed_ids, self._execute))
        contents = self._read_contents()
        self._snapshot: Snapshot | None = contents.snapshot
        self._conversations = contents.conversations
        self._next_number = contents.next_number
        #: Of the messages that are in their places.
        self._weight = contents.weight
        #: So many waiting messages are brought into their places; later, while there is no room.
        self._tidy_at = MANY
        #: Characters in the rows of the journal that were written since it was empty.
        self._waiting_size = 0
        self._no_room = False

    # -------------------------------------------------------------- what is there

    def load(self) -> Snapshot:
        """What was there when the store was opened; called once, before anything else."""
        snapshot = self._snapshot
        assert snapshot is not None, "a store is loaded once"
        self._snapshot = None
        return snapshot

    def _read_contents(self) -> Contents:
        try:
            return Contents(self._execute, self._journal, self._runs)
        except (ValueError, LookupError) as error:
            raise Damaged(self._path, f"it holds what we never wrote: {error}") from error

    def first_kept(self, conversation: str) -> int:
        """The number at which the history begins that retention has left; for the hub."""
        found = self._conversations.get(conversation)
        return found.first if found is not None else 1

    # -------------------------------------------------------------- one transaction

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        """See `Store.commit`."""
        if not records:
            return []
        grown: dict[str, Growth] = {}
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
                self._traces.add()
            self._wal.checkpoint_if_due()
            if len(self._journal) >= self._tidy_at or self._waiting_size >= MANY_CHARACTERS:
                self._tidy()
        return outcomes

    def tidy(self) -> None:
        """See `Store.tidy`."""
        with self._guard:
            self._tidy()

    def _tidy(self) -> None:
        """Bring what waits in the journal into its places; where there is no room, later."""
        self._waiting_size = 0  # where there is no room, as much again is waited for
        if not len(self._journal):
            return
        try:
            self._weight += self._transact(
                lambda: bring_in(self._cursor, self._journal, self._conversations)
            )
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
        self._wal.checkpoint_if_due()

    def _tidy_or_refuse(self) -> None:
        """The same for who must find all messages in their places; raises `StoreFull`."""
        self._tidy()
        if len(self._journal):
            raise StoreFull(f"{self._path}: the disk is full, nothing was erased. Free some space.")

    def retain(self, now: float, budget_rows: int) -> int:
        """Remove what retention does not keep, at most `budget_rows` rows; how many it were.

        To be called by the hub now and then, again soon when it used the budget up. `now` is
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
            rows = swept.rows
            if self._traces.may_be_left and self._traces.clear():
                rows = max(rows, budget_rows)
            self._wal.checkpoint_if_due()
        return rows

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
        self, records: Sequence[Record], ts: str, grown: dict[str, Growth]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for record in records:
            if type(record) is NewMessage:
                outcomes.append(self._append(record, ts, grown))
            elif type(record) is Lookup:
                outcomes.append(recall(self._execute, self._journal, *record))
            elif type(record) is RemoveMessage:
                outcomes.append(self._erase(record, grown))
            else:
                self._keepers[type(record)](record)
                outcomes.append(_KEPT)
        if grown:
            fresh = [entry[0] for growth in grown.values() for entry in growth.entries]
            row = encode_messages(fresh)
            self._execute(WRITE, (ts, row))
            self._waiting_size += len(row)
        return outcomes

    def _append(self, new: NewMessage, ts: str, grown: dict[str, Growth]) -> Outcome:
        conversation, identity, id, to, _, text, _, _ = new
        if not self._runs.passes(identity, id):
            outcome = recall(self._execute, self._journal, identity, id, to, text)
            if outcome is not UNKNOWN:
                return outcome
        growth = grown.get(conversation)
        if growth is None:
            growth = grown[conversation] = self._grow(conversation, grown)
        growth.head = seq = growth.head + 1
        entry = (new, seq, ts)
        growth.entries.append(entry)
        self._journal.take(entry)
        return _make(Stored, (seq, ts))  # type: ignore[no-any-return]

    def _grow(self, name: str, grown: Mapping[str, Growth]) -> Growth:
        found = self._conversations.get(name)
        if found is None:
            taken = (growth.before.number + 1 for growth in grown.values())
            found = Conversation(max(self._next_number, *taken, 0))
        return Growth(found)

    def _erase(self, record: RemoveMessage, grown: Mapping[str, Growth]) -> Outcome:
        """Erase a text; one that this very transaction brought is not written at all."""
        growth = grown.get(record.conversation)
        if growth is not None and record.seq > growth.before.head:
            return self._erase_new(record, growth)
        found = self._conversations.get(record.conversation)
        if found is None:
            return UNKNOWN
        outcome, text = erase(self._execute, found.number << PLACE_BITS | record.seq, record)
        if text:
            self._erased.append(text)
            self._execute(
                "UPDATE conversation SET weight = weight - ? WHERE number = ?",
                (len(text.encode()), found.number),
            )
            self._note_removal(record)
        return outcome

    def _erase_new(self, record: RemoveMessage, growth: Growth) -> Outcome:
        new = growth.find(record.seq)
        if new is None:
            return UNKNOWN
        if record.author not in (None, new.identity):
            return CONFLICT
        self._journal.take(growth.erase(record))
        self._note_removal(record)
        return _KEPT

    def _note_removal(self, record: RemoveMessage) -> None:
        self._keepers[KeepAct](record.act)
        remember(self._execute, record.removal)

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


#: A `NamedTuple` made without its `__new__`, which is Python and takes twice the time.
_make: Final[Callable[[Any, tuple[object, ...]], Any]] = tuple.__new__
_KEPT: Final = Kept()
