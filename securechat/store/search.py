"""The index of words: a database of its own beside the messages, written by one thread.

In: the data folder. Out: `SearchIndex` for the one who writes it; `index_file` tells what stands in
it, `index_reader` asks it. Raised: `StoreRefused` when it cannot be opened, `StoreFull` when there
is no room for it, `StoreBroken` when it is damaged; it holds nothing of its own, so then it is made
again.

The thread of the hub has nothing to do with it: messages are read from their database as any
reader does, in small pieces, and `progress` tells how far each conversation is taken in. What lies
behind that is read as it is (see `finder`). So a message is found as soon as it is stored, its
transaction costs nothing more, and a crash, or an old database, only leaves more to take in.

What retention has removed goes from the index as from everywhere, when its turn comes. What
somebody had erased leaves no trace: `erased` in the other database tells of it, its entry is
dropped at once, and soon all of the index is written anew without its words.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import apsw

from ..phrases import fold_nick, words
from .base import Taken
from .connections import fail, refuse
from .files import remove
from .index_file import (
    DUE,
    ENTRY_BITS,
    INDEX_NAME,
    MOST,
    Due,
    NotOurs,
    moment_of,
    open_file,
    scope_of,
    token_of_nick,
)
from .migrations import PLACE_BITS

__all__ = ["INDEX_NAME", "SearchIndex", "open_index"]

log = logging.getLogger(__name__)

#: How much longer than writing it anew took the index is left as it is.
_SELDOM: Final = 20
#: Characters for which a message counts as one more: 500 of 4,000 took 350 ms at once, and 13 MB.
_LONG: Final = 512
_SAID: Final = (
    "SELECT place, identity, ts, sender, text FROM chat.message"
    " WHERE place BETWEEN ? AND ? AND text <> '' ORDER BY place"
)


class SearchIndex:
    """The one writer; made by `open_index`."""

    def __init__(self, db: apsw.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._execute: Callable[..., Any] = db.cursor().execute
        self._executemany: Callable[..., Any] = db.cursor().executemany
        #: Of the budget of `work`; and what it has got through, messages.
        self._left = self._done = 0
        self._write_anew_at = 0.0

    def work(self, budget: int) -> Taken:
        """See `Indexer.work`; one transaction. When it is up to date, traces are taken away."""
        self._left, self._done = budget, 0
        try:
            self._execute("BEGIN IMMEDIATE")
            self._drop_erased()
            for due in [Due(*row) for row in self._execute(f"{DUE} LIMIT ?", (budget,))]:
                if self._left > 0:
                    self._take_out(due)
                    self._take_in(due)
            self._execute("COMMIT")
            if self._left == budget and time.monotonic() >= self._write_anew_at:
                self._write_anew()
        except apsw.InterruptError:  # by `stop`; it goes on at the next start
            self._roll_back()
            return Taken(0, False)
        except (apsw.Error, UnicodeDecodeError, ValueError) as error:
            failure = fail(self._path, error, self._db)
            self._roll_back()
            raise failure from error
        return Taken(self._done, self._left <= 0)

    def _count(self, messages: int, surcharge: int = 0) -> None:
        self._done += messages
        self._left -= messages + surcharge

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
            self._count(len(erased))

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
        self._count(stop - due.first)
        self._note(due.number, stop, max(due.upto, stop - 1))

    def _take_in(self, due: Due) -> None:
        start = max(due.upto + 1, due.kept)
        stop = min(due.head, start + self._left - 1)
        if start > stop:
            return
        base = due.number << PLACE_BITS
        scope = scope_of(due.number, due.name)
        numbers, entries = list[tuple[int, int]](), list[tuple[int, str, str, str]]()
        moments: dict[int, int] = {}
        surcharge = 0
        with closing(self._db.cursor()) as cursor:
            for place, identity, ts, sender, text in cursor.execute(
                _SAID, (base + start, base + stop)
            ):
                if place - base - start + surcharge >= self._left:
                    stop = place - base - 1
                    break
                surcharge += len(text) // _LONG
                number = self._number(ts, moments)
                numbers.append((number, place))
                author = f"{token_of_nick(fold_nick(sender))} i{identity}"
                entries.append((number, " ".join(words(text)), author, scope))
        self._executemany("INSERT INTO entry (number, place) VALUES (?, ?)", numbers)
        self._executemany(
            "INSERT INTO word (rowid, text, author, scope) VALUES (?, ?, ?, ?)", entries
        )
        self._count(stop - start + 1, surcharge)
        self._note(due.number, due.kept, stop)

    def _number(self, ts: str, moments: dict[int, int]) -> int:
        """A number that no entry has, for a message of that time."""
        moment = moment_of(ts)
        if moment not in moments:
            base = moment << ENTRY_BITS
            taken = self._execute(
                "SELECT max(number) FROM entry WHERE number BETWEEN ? AND ?", (base, base + MOST)
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
            return SearchIndex(open_file(path), path)
        except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError, NotOurs) as error:
            log.warning("%s: the index of words is made again (%s)", path, error)
            remove(path)
            return SearchIndex(open_file(path), path)
    except (apsw.Error, OSError) as error:
        raise refuse(path, error) from error
