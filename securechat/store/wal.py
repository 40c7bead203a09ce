"""SQLite's log of what was committed: when it is brought into the database, and when it is cut off.

In: the writing connection, whose checkpoints belong to this alone. Raised: what `judge` makes of
SQLite's errors; a disk without room, or a reader that holds the log, is none, for what was
committed is safe in the log too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from .ahead import Ahead
from .connections import BUSY, lacks_room
from .files import sync_folder

log = logging.getLogger(__name__)

#: Pages in the log behind which a commit is followed by a checkpoint: 16 MiB, some milliseconds.
CHECKPOINT_PAGES: Final = 4_096
#: Pages in the log that are worth a warning: someone reads one snapshot for very long.
MANY_PAGES: Final = 4 * CHECKPOINT_PAGES


def bring_in_log(db: apsw.Connection, path: Path) -> None:
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


class Wal:
    """The log of one writing connection; `judge` tells what an error of SQLite means."""

    def __init__(
        self,
        db: apsw.Connection,
        path: Path,
        judge: Callable[[BaseException], BaseException],
        vfs: str | None = None,
    ) -> None:
        self._db = db
        self._path = path
        self._judge = judge
        self._pages = 0
        self._checkpoint_at = CHECKPOINT_PAGES
        self._ahead = (
            Ahead(path, int(db.pragma("page_size")), CHECKPOINT_PAGES) if vfs is None else None
        )
        db.set_wal_hook(self._note_pages)  # in place of SQLite's, which hides a failed checkpoint

    def _note_pages(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._pages = pages
        if pages < CHECKPOINT_PAGES:  # it began anew
            self._checkpoint_at = CHECKPOINT_PAGES
        if self._ahead is not None and pages > self._ahead.until:
            self._ahead.lengthen(pages)
        return apsw.SQLITE_OK

    def checkpoint_if_due(self) -> None:
        """Bring the log into the database when it is long.

        SQLite's automatic checkpoint would do the same, but nobody would hear of its errors.
        """
        if self._pages < self._checkpoint_at:
            return
        self._checkpoint_at = self._pages + CHECKPOINT_PAGES
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:
            if not lacks_room(error, self._db) and not isinstance(error, apsw.BusyError):
                raise self._judge(error) from error
            log.warning("%s: the log could not be brought in: %s", self._path, error)
        if self._pages >= MANY_PAGES:
            log.warning("%s: the log has %d pages, a reader holds it", self._path, self._pages)

    def cut(self) -> bool:
        """Bring all of it into the database and cut it off; False while a reader needs it.

        What the connection has in its cache goes too: it may be older than what `scrub` writes past
        it.
        """
        self._db.set_busy_timeout(0)
        try:
            self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._db.release_memory()
        except apsw.Error as error:
            if not lacks_room(error, self._db) and not isinstance(error, apsw.BusyError):
                raise self._judge(error) from error
            return False
        finally:
            self._db.set_busy_timeout(BUSY)
        if self._ahead is not None:
            self._ahead.forget()
        return True
