"""A copy of a database, and the copy back in its place.

In: the data folder, files, the time (Unix seconds). Out: a size, and what a restore did. Raised:
`StoreRefused`, with the path, the reason and the cure; then all is as it was.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from ..errors import StoreRefused
from .check import complaints, examine
from .connections import DATABASE_NAME, Damaged, connect_reader, connect_writer, explain, refuse
from .files import copy_online, remove, sync_file, sync_folder, unused_name
from .index_file import INDEX_NAME
from .lock import FolderLock
from .migrations import migrate, recognise, renew_epoch
from .reading import reading

_MAGIC: Final = b"SQLite format 3\0"


class Restored(NamedTuple):
    """What a restore did: the new epoch, and where the database that was there is kept."""

    epoch: str
    replaced: Path | None


def backup(directory: Path, file: Path) -> int:
    """Copy the database as it is now to a new file and look whether the copy can be read.

    Returns its size in bytes. A server may run and goes on meanwhile. Raises `StoreRefused`, also
    when `file` is there: nothing is ever overwritten.
    """
    path = directory / DATABASE_NAME
    if not path.exists():
        raise StoreRefused(f"{path}: there is no database. Give its folder with --data.")
    if os.path.lexists(file):
        raise StoreRefused(f"{file}: it is there already. Give a name that is not taken.")
    db = connect_reader(path)
    try:
        recognise(db, path)
        copy_online(db, file, inspect=lambda copy: _verify_quickly(copy, file))
    except FileExistsError as error:
        raise StoreRefused(
            f"{file}: it is there already. Give a name that is not taken."
        ) from error
    except apsw.NotADBError as error:
        raise refuse(path, error, db) from error
    except apsw.CorruptError as error:
        raise Damaged(path, explain(error, db)) from error
    except (apsw.Error, OSError) as error:
        raise StoreRefused(
            f"{file}: the backup could not be written ({explain(error, db)}). Give a place that "
            "has room and that this user may write to."
        ) from error
    finally:
        db.close()
    return file.stat().st_size


def _verify_quickly(copy: apsw.Connection, file: Path) -> None:
    """Look whether what was copied holds together; raises `StoreRefused`."""
    recognise(copy, file)
    found = complaints(copy.execute("PRAGMA quick_check(1)"))
    if found:
        raise StoreRefused(
            f"{file}: no backup was made, because the database is damaged ({found[0]}). "
            "Look at it with `securechat db check`."
        )


def restore(directory: Path, file: Path, now: float) -> Restored:
    """Put the backup `file` in the place of the database, which is kept under another name.

    The backup is examined first, as `check` does, and a damaged one is refused. The restored
    database has a new epoch, so that clients know that what they have seen may be missing. No
    server may run. Raises `StoreRefused`; then the database is as it was.
    """
    path = directory / DATABASE_NAME
    made = path.with_name(f"{DATABASE_NAME}.new")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refuse(directory, error) from error
    with FolderLock.acquire(directory):
        try:
            remove(made)
            try:
                epoch = _prepare(file, made)
            except StoreRefused as error:
                raise StoreRefused(f"nothing was restored: {error}") from error
            replaced = _replace(path, made, now)
            remove(path.with_name(INDEX_NAME))  # of the messages that were there; made again
        except OSError as error:
            raise refuse(path, error) from error
        finally:
            remove(made)
    return Restored(epoch, replaced)


def _is_database(file: Path) -> bool:
    """Whether it begins as every SQLite file does (sqlite.org/fileformat.html, 1.3.1)."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def _prepare(file: Path, made: Path) -> str:
    """A sound copy of `file`, up to date and with a new epoch, ready to be used."""
    if not file.exists():
        raise StoreRefused(f"{file}: there is no such file. Name one that `db backup` wrote.")
    if not _is_database(file):
        raise StoreRefused(f"{file}: this is no backup. Name a file that `db backup` wrote.")
    with reading(file) as execute:
        problems, *_ = examine(execute)
    if problems:
        raise StoreRefused(f"{file}: this backup is damaged ({problems[0]}). Restore another one.")
    source = connect_reader(file)
    try:
        copy_online(source, made)
    except apsw.Error as error:
        raise refuse(made, error, source) from error
    finally:
        source.close()
    db, _ = connect_writer(made)
    try:
        kept = migrate(db, made)
        epoch = renew_epoch(db)
    except apsw.Error as error:
        raise refuse(made, error, db) from error
    finally:
        db.close()
    if kept is not None:
        remove(kept)  # `file` itself is the copy of before
    sync_file(made)
    return epoch


def _replace(path: Path, made: Path, now: float) -> Path | None:
    """Give the new database its name, and the old one with its log another.

    Should this be cut short, there is no database but an old one's name, and a server refuses to
    begin an empty one beside that.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = unused_name(path, f".replaced-{stamp}")
    # A log that is left belongs to its database by its name, and must not meet another one.
    wal, shm = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    if wal.exists() and wal.stat().st_size > 0:
        kept.with_name(kept.name + "-wal").hardlink_to(wal)
    replaced = path.rename(kept) if os.path.lexists(path) else None
    sync_folder(path.parent)
    wal.unlink(missing_ok=True)
    shm.unlink(missing_ok=True)
    sync_folder(path.parent)
    made.rename(path)
    sync_folder(path.parent)
    return replaced
