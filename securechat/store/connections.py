"""Connections to a database file, and SQLite's errors as ours.

In: the path of a database, the name of a VFS (None: the system's). Out: connections with every
setting made and read back. Raised: `StoreRefused` at open; what is raised later is for the
caller to translate, with `refuse` while something is being opened and `fail` where it is used.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import apsw

from ..errors import StoreBroken, StoreFull, StoreRefused
from .migrations import create, is_foreign, recognise

log = logging.getLogger(__name__)

DATABASE_NAME: Final = "securechat.db"

#: How long to wait for a lock that a tool holds, ms.
BUSY: Final = 2_000

#: Set, and then read back: a database that does not take them is not written to.
WRITER_PRAGMAS: Final[Mapping[str, int]] = {
    "synchronous": 2,  # FULL: a commit is on disk when it returns
    "fullfsync": 1,  # macOS: fsync alone does not reach the disk
    "checkpoint_fullfsync": 1,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "temp_store": 2,  # in memory
    "cache_size": -32_768,  # KiB
    "journal_size_limit": 64 * 1024 * 1024,
}
READER_PRAGMAS: Final[Mapping[str, int]] = {
    "query_only": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
}

#: Errors of a disk that has no room, or not for this user.
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: What fails where there is no room, and leaves nothing half done that SQLite does not undo. A sync
#: is not among them: what it did not say before it failed may be lost.
_WANT_ROOM: Final = frozenset(
    {
        apsw.SQLITE_IOERR_WRITE,
        apsw.SQLITE_IOERR_TRUNCATE,
        apsw.SQLITE_IOERR_SHMOPEN,
        apsw.SQLITE_IOERR_SHMSIZE,
        apsw.SQLITE_IOERR_SHMMAP,
    }
)

#: SQLite's names of its errors, by number.
_CODES: Final = {**apsw.mapping_result_codes, **apsw.mapping_extended_result_codes}


def find_or_make(path: Path) -> None:
    """See that there is a database that its owner alone can read; raises `StoreRefused`."""
    if path.is_symlink():
        raise StoreRefused(
            f"{path}: the database is a symbolic link, past which the folder's lock would not "
            "hold. Give the folder that it points into with --data."
        )
    try:
        if not path.exists():
            _refuse_remains(path)
            create(path)
            log.info("%s: made a new database", path)
        elif path.is_file() and path.stat().st_mode & 0o077 and not is_foreign(path):
            path.chmod(0o600)
            log.warning("%s: others could read the database; now only its owner can", path)
    except (apsw.Error, OSError) as error:
        raise refuse(path, error) from error
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreRefused(
            f"{path}: this user may not read and write the database. Run securechat as its owner, "
            "or give another folder with --data."
        )


def _refuse_remains(path: Path) -> None:
    """A database that is gone while its log or an earlier one is there was not there never."""
    patterns = (f"{path.name}-wal", f"{path.name}.before-*", f"{path.name}.replaced-*")
    remains = sorted(
        one for pattern in patterns for one in path.parent.glob(pattern) if one.stat().st_size > 0
    )
    if remains:
        raise StoreRefused(
            f"{path}: the database is gone, but {remains[0].name} is there. Restore one "
            "(`securechat db restore FILE`), or move that away too to begin anew."
        )


def connect_writer(path: Path, vfs: str | None = None) -> tuple[apsw.Connection, bool]:
    """A connection that writes, and whether others may read beside it; raises `StoreRefused`.

    The database is recognised as ours before anything is set. A VFS without shared memory can only
    do WAL for one connection, which then locks the file for itself (locking_mode=EXCLUSIVE).
    """
    try:
        try:
            return _connect_writer(path, vfs, exclusive=False), True
        except apsw.CantOpenError:
            if vfs is None:
                raise
            return _connect_writer(path, vfs, exclusive=True), False
    except apsw.Error as error:
        raise refuse(path, error) from error


def _connect_writer(path: Path, vfs: str | None, *, exclusive: bool) -> apsw.Connection:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    try:
        db.set_busy_timeout(BUSY)
        if exclusive:
            db.pragma("locking_mode", "exclusive")
        recognise(db, path)
        if vfs is None:
            _refuse_shortened(db, path)
        if db.pragma("journal_mode", "wal") != "wal":
            raise StoreRefused(
                f"{path}: SQLite cannot keep a write-ahead log there. "
                "Keep the data on a local disk, with --data."
            )
        _set(db, path, WRITER_PRAGMAS)
    except BaseException as error:
        ours = isinstance(error, apsw.Error) and (vfs is None or exclusive)
        failure = refuse(path, error, db) if ours else error
        db.close()
        if failure is error:
            raise
        raise failure from error
    return db


def connect_reader(path: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that cannot write, to a database that may be in use; raises `StoreRefused`."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
        try:
            db.set_busy_timeout(BUSY)
            _set(db, path, READER_PRAGMAS)
        except BaseException:
            db.close()
            raise
    except apsw.Error as error:
        raise refuse(path, error) from error
    return db


def _set(db: apsw.Connection, path: Path, pragmas: Mapping[str, int]) -> None:
    for name, value in pragmas.items():
        db.pragma(name, value)
        kept = db.pragma(name)
        if kept != value:
            raise StoreRefused(
                f"{path}: SQLite {apsw.sqlite_lib_version()} does not take {name}={value} (it is "
                f"{kept}), and without it messages may be lost. Install apsw as it comes from PyPI."
            )


def _refuse_shortened(db: apsw.Connection, path: Path) -> None:
    """SQLite sees that whole pages are missing, but not that the last one is cut."""
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size > 0:
        return  # the missing part may be in it
    size, pages = path.stat().st_size, db.pragma("page_count")
    if size < pages * db.pragma("page_size"):
        raise Damaged(path, "the file is shorter than it says")


# ------------------------------------------------------------------ errors


class Damaged(StoreRefused):
    """A file that is not what it should be, left as it is; `checked` is told to who has looked."""

    def __init__(self, path: Path, reason: str) -> None:
        what = f"{path}: the database is damaged ({reason})."
        cure = "a backup with `securechat db restore FILE`."
        super().__init__(f"{what} Look at it with `securechat db check`, restore {cure}")
        self.checked = f"{what} Restore {cure}"


def refuse(path: Path, error: BaseException, db: apsw.Connection | None = None) -> StoreRefused:
    """Why a database could not be opened."""
    if isinstance(error, apsw.NotADBError):
        return StoreRefused(
            f"{path}: this is not a database, or its beginning was overwritten. Move it away, "
            "or restore a backup with `securechat db restore FILE`."
        )
    if isinstance(error, apsw.CorruptError | UnicodeDecodeError):
        return Damaged(path, str(error))
    if isinstance(error, apsw.BusyError):
        return StoreRefused(
            f"{path}: another program has the database locked. Close it, then start again."
        )
    if lacks_room(error, db):
        return StoreRefused(f"{path}: the disk is full. Free some space, then start again.")
    return StoreRefused(
        f"{path}: the database cannot be opened ({explain(error, db)}). Mend that, or give "
        "another folder with --data."
    )


def fail(path: Path, error: BaseException, db: apsw.Connection) -> StoreFull | StoreBroken:
    """What it means that using an open database raised `error`; ask before anything else is done.

    Where SQLite's own word is no proof that nothing was lost, it is `StoreBroken`.
    """
    if lacks_room(error, db):
        return StoreFull(
            f"{path}: the disk is full, nothing was stored. Free some space; the server goes on "
            "by itself."
        )
    if isinstance(error, apsw.BusyError):
        return StoreFull(
            f"{path}: another program has the database locked, nothing was stored. Close it; the "
            "server goes on by itself."
        )
    return StoreBroken(
        f"{path}: the database failed ({explain(error, db)}), what was written last may be lost. "
        "Look at the disk and run `securechat db check` before the server is started again."
    )


def lacks_room(error: BaseException, db: apsw.Connection | None) -> bool:
    """Whether `error` says that there is no room, and nothing worse."""
    if isinstance(error, apsw.FullError):
        return True
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if not isinstance(error, apsw.IOError) or _code(error) not in _WANT_ROOM:
        return False
    return db is not None and db.system_errno in _NO_ROOM


def explain(error: BaseException, db: apsw.Connection | None = None) -> str:
    """What `error` says, with SQLite's name for it and the system's."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if not isinstance(error, apsw.Error):
        return str(error)
    parts = [_CODES.get(_code(error), "")]
    if isinstance(error, apsw.IOError | apsw.CantOpenError) and db is not None and db.system_errno:
        parts.append(os.strerror(db.system_errno))
    detail = ": ".join(str(part) for part in parts if part)
    return f"{error}, {detail}" if detail else str(error)


def _code(error: apsw.Error) -> int:
    """SQLite's extended result code; 0 where the error is not SQLite's own."""
    return getattr(error, "extendedresult", 0)
