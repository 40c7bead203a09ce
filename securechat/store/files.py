"""The files of databases: made, named, synced, copied and removed, so that none is ever half there.

In: paths, and for a copy a connection to what is copied. Out: files that only their owner may read.
A copy gets its name when it is whole and on disk, and never takes one that is in use. Raised: what
the disk (`OSError`) and SQLite (`apsw.Error`) say; which of it means what is for the caller to say.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

#: Pages copied in one go.
_COPY_STEP: Final = 1_024
#: What file systems without hard links say, FAT and some that come over a network.
_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


def make_file(path: Path) -> None:
    """An empty file that only its owner may read, from the first moment on; raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))


def remove(path: Path) -> None:
    """Remove a database that nobody has open, with what SQLite may have left beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def unused_name(path: Path, suffix: str) -> Path:
    """`path` with `suffix`, and with a number behind it where that name is taken."""
    name, number = path.name + suffix, 1
    while os.path.lexists(path.with_name(name)):
        number += 1
        name = f"{path.name}{suffix}-{number}"
    return path.with_name(name)


def sync_file(path: Path) -> None:
    """Have what was written to a file on disk; not for a database that is open (see below).

    POSIX drops all locks that a process has on a file when it closes any descriptor of it, so a
    database that SQLite has open in this process must not be opened past SQLite.
    """
    _sync(path, os.O_RDWR)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_online(
    db: apsw.Connection, target: Path, inspect: Callable[[apsw.Connection], None] | None = None
) -> None:
    """Copy the database as it is at this moment into a new file, whole or not at all.

    Others may read and write meanwhile. The copy is one plain file (no WAL) and on disk when this
    returns; before it gets its name, `inspect` may look at it and raise. Raises `FileExistsError`
    when `target` is there, and what SQLite or the disk raise.
    """
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    make_file(part)
    try:
        copy = apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            _copy_pages(db, copy)
            if inspect is not None:
                inspect(copy)
        finally:
            copy.close()
        sync_file(part)
        _publish(part, target)
        sync_folder(target.parent)
    finally:
        remove(part)


def _publish(part: Path, target: Path) -> None:
    """Give a file its name, unless that is taken."""
    try:
        target.hardlink_to(part)  # unlike a rename it never replaces what is there
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        part.rename(target)


def _copy_pages(source: apsw.Connection, copy: apsw.Connection) -> None:
    copy.pragma("synchronous", "OFF")  # it is synced once, as a whole
    source.execute("BEGIN")
    try:
        # An open snapshot: without it each change from elsewhere makes the copying begin anew.
        source.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        with copy.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(_COPY_STEP)
    finally:
        source.execute("COMMIT")
    copy.pragma("journal_mode", "delete")
