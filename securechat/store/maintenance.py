"""Looking after a database: is it sound, a copy of it, the copy back, how it grows.

In: the data folder, files, the time (Unix seconds). Out: values for a front end to show. Raised:
`StoreRefused`, with the path, the reason and the cure.

`check`, `audit`, `backup` and `stats` only read and may run beside a server; for as long as they
run the server's log cannot be used again and grows. `restore` takes the folder's lock, so it is
refused while a server runs.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from ..errors import StoreRefused
from .connections import DATABASE_NAME, connect_reader, connect_writer, damaged, explain, refuse
from .journal import read_journal
from .lock import FolderLock, holder_of
from .migrations import (
    PLACE_BITS,
    SEQ_MASK,
    copy_online,
    migrate,
    recognise,
    remove,
    renew_epoch,
    sync_file,
    sync_folder,
    unused_name,
)
from .retention import OVERHEAD, to_ts, weigh
from .rulings import Audited, read_audit
from .search import INDEX_NAME

#: What is told of one database at most; the first few say where to look.
_MOST_PROBLEMS: Final = 20
#: Days over which growth is measured.
_PACE_DAYS: Final = 7.0
_SHORTEST_PACE: Final = 1 / 24
_DAY: Final = 86_400


class Checked(NamedTuple):
    """What a check found: no `problems`, or the first of them; and how much was looked at."""

    problems: tuple[str, ...]
    messages: int
    conversations: int
    #: The process id of the server that runs meanwhile (0: not told), or None.
    server: int | None


class Restored(NamedTuple):
    """What a restore did: the new epoch, and where the database that was there is kept."""

    epoch: str
    replaced: Path | None


class RoomSize(NamedTuple):
    """One conversation: the messages that are there, their weight in bytes, the last number."""

    name: str
    messages: int
    weight: int
    head: int


@dataclass(frozen=True, slots=True)
class Stats:
    """How large a database is and how it grows.

    `rooms` are sorted by weight, direct conversations are one row, "direct". `file_bytes` is the
    database with its log, `reusable_bytes` what of it is free for new messages. `messages_per_day`
    and `bytes_per_day` are the pace of the last `pace_days`; at that pace, without retention, the
    disk is full on `full_on` (None: nothing was said, or not in ten thousand years).
    """

    path: Path
    rooms: tuple[RoomSize, ...]
    messages: int
    removed: int
    file_bytes: int
    reusable_bytes: int
    free_disk_bytes: int
    pace_days: float
    messages_per_day: float
    bytes_per_day: float
    full_on: date | None
    server: int | None


@contextmanager
def _reading(path: Path) -> Iterator[Callable[..., Any]]:
    """One snapshot of the database, to run SELECTs on."""
    if not path.exists():
        raise StoreRefused(f"{path}: there is no database. Give its folder with --data.")
    db = connect_reader(path)
    try:
        recognise(db, path)
        db.execute("BEGIN")
        yield db.cursor().execute
    except (apsw.Error, UnicodeDecodeError) as error:
        raise refuse(path, error, db) from error
    finally:
        db.close()


# ------------------------------------------------------------------ check


def audit(directory: Path, last: int | None = None) -> list[Audited]:
    """What was done by a right, oldest first; `last`: only so many of the newest.

    A database of before there was an audit has none.
    """
    with _reading(directory / DATABASE_NAME) as execute:
        if not execute("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").fetchall():
            return []
        return list(read_audit(execute, last=last))


def check(directory: Path) -> Checked:
    """Look at all of the database; raises `StoreRefused` when it cannot even be opened.

    Reads every page: ten million messages take about half a minute.
    """
    path = directory / DATABASE_NAME
    with _reading(path) as execute:
        problems, messages, conversations = _examine(execute)
    return Checked(problems, messages, conversations, holder_of(directory))


def _examine(execute: Callable[..., Any]) -> tuple[tuple[str, ...], int, int]:
    """The problems, and how many messages and conversations were looked at."""
    try:
        problems = _complaints(execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})"))
        if problems:  # what follows would only say the same in other words
            return tuple(problems), 0, 0
        problems += [f"{row[0]}: a row points nowhere" for row in execute(_DANGLING)]
        counted = {row[0]: _Counted(*row) for row in execute(_COUNT)}
        books = [_Book(*row) for row in execute(_BOOKS)]
        epoch = execute("SELECT value FROM meta WHERE key = 'epoch'").fetchall()
        waiting = _look_through_journal(execute, problems)
    except (apsw.CorruptError, UnicodeDecodeError) as error:
        return (f"the file is damaged: {explain(error)}",), 0, 0
    if not epoch:
        problems.append("the epoch is missing")
    for book in books:
        problems += _compare(book, counted.pop(book.number, None))
    problems += [f"conversation {number} has messages, but no name" for number in counted]
    messages = sum(book.head - book.first + 1 for book in books) + sum(waiting.values())
    names = {book.name for book in books} | waiting.keys()
    return tuple(problems[:_MOST_PROBLEMS]), messages, len(names)


def _look_through_journal(execute: Callable[..., Any], problems: list[str]) -> Counter[str]:
    """How many messages of each conversation wait in the journal; adds to `problems`."""
    waiting: Counter[str] = Counter()
    drafts: set[tuple[int, str]] = set()
    try:
        for _, new in list(read_journal(execute)):
            draft = (new.identity, new.id)
            if draft in drafts or execute(_IN_PLACE, draft).fetchall():
                problems.append(f"{new.conversation}: the journal holds a draft twice")
            drafts.add(draft)
            waiting[new.conversation] += 1
    except ValueError as error:
        problems.append(f"the journal holds what we never wrote: {error}")
    return waiting


def _complaints(rows: Iterable[Any]) -> list[str]:
    """What SQLite's checks say, a line for each thing; nothing when all is well."""
    lines = [line for row in rows for line in str(row[0]).splitlines()]
    return [line for line in lines if line != "ok" and not line.startswith("***")]


_IN_PLACE: Final = "SELECT 1 FROM message WHERE identity = ? AND id = ?"
_DANGLING: Final = "PRAGMA foreign_key_check"
_COUNT: Final = f"""
    SELECT place >> {PLACE_BITS}, min(place) & {SEQ_MASK}, max(place) & {SEQ_MASK}, count(*),
        count(text), min(CASE WHEN text IS NOT NULL THEN place END) & {SEQ_MASK},
        sum(octet_length(text) + {OVERHEAD})
    FROM message GROUP BY place >> {PLACE_BITS}
"""
_BOOKS: Final = f"""
    SELECT number, name, first, head, weight, oldest,
        (SELECT ts FROM message WHERE place = (number << {PLACE_BITS} | first) AND text IS NOT NULL)
    FROM conversation
"""


class _Counted(NamedTuple):
    """The rows of one conversation, as they are; the last two are None where no text is left."""

    number: int
    low: int
    high: int
    rows: int
    texts: int
    first_text: int | None
    weight: int | None


class _Book(NamedTuple):
    """What the database says of one conversation, and the `ts` of the first message there is."""

    number: int
    name: str
    first: int
    head: int
    weight: int
    oldest: str | None
    first_ts: str | None


def _compare(book: _Book, counted: _Counted | None) -> Iterator[str]:
    """What is wrong with a conversation: what is said of it, against what is there."""
    name, first, head = book.name, book.first, book.head
    found = counted or _Counted(book.number, first, first - 1, 0, 0, None, None)
    if found.high != head:
        yield f"{name}: the last message is {found.high}, it should be {head}"
    if found.rows != found.high - found.low + 1:
        yield f"{name}: from {found.low} to {found.high} there are only {found.rows} messages"
    if found.texts != head - first + 1 or (found.first_text or first) != first:
        yield f"{name}: {found.texts} texts are there, they should be those from {first} to {head}"
    if (found.weight or 0) != book.weight:
        yield f"{name}: the messages weigh {found.weight or 0} bytes, not {book.weight} as written"
    if book.oldest != book.first_ts:
        yield f"{name}: the first message is of {book.first_ts}, not of {book.oldest} as written"


# ------------------------------------------------------------------ backup and restore


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
    except apsw.CorruptError as error:
        raise damaged(path, explain(error, db)) from error
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
    complaints = _complaints(copy.execute("PRAGMA quick_check(1)"))
    if complaints:
        raise StoreRefused(
            f"{file}: no backup was made, because the database is damaged ({complaints[0]}). "
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


def _prepare(file: Path, made: Path) -> str:
    """A sound copy of `file`, up to date and with a new epoch, ready to be used."""
    with _reading(file) as execute:
        problems, *_ = _examine(execute)
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


# ------------------------------------------------------------------ stats


def stats(directory: Path, now: float) -> Stats:
    """How large the database is and how it grows; quick also where it is large."""
    path = directory / DATABASE_NAME
    with _reading(path) as execute:
        found = execute(
            "SELECT number, name, first, head, weight, oldest, last_ts FROM conversation"
        ).fetchall()
        pages, free, page_size = (
            execute(f"PRAGMA {name}").fetchall()[0][0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        waiting = _waiting(execute, path)
        since, pace_days = _pace(found, waiting, now)
        recent, recent_weight = _count_since(execute, found, since)
    late = [one for one in waiting if one.ts >= since]
    recent, recent_weight = recent + len(late), recent_weight + sum(one.weight for one in late)
    rooms = _sizes(found, waiting)
    wal = path.with_name(path.name + "-wal")
    free_disk = shutil.disk_usage(directory).free
    bytes_per_day = recent_weight / pace_days
    return Stats(
        path=path,
        rooms=rooms,
        messages=sum(room.messages for room in rooms),
        removed=sum(first - 1 for _, _, first, *_ in found),
        file_bytes=pages * page_size + (wal.stat().st_size if wal.exists() else 0),
        reusable_bytes=free * page_size,
        free_disk_bytes=free_disk,
        pace_days=pace_days,
        messages_per_day=recent / pace_days,
        bytes_per_day=bytes_per_day,
        full_on=_day_after(now, (free_disk + free * page_size) / bytes_per_day)
        if bytes_per_day > 0
        else None,
        server=holder_of(directory),
    )


class _Waiting(NamedTuple):
    """A message that has not reached its place yet."""

    name: str
    ts: str
    weight: int


def _waiting(execute: Callable[..., Any], path: Path) -> list[_Waiting]:
    try:
        journal = read_journal(execute)
        return [_Waiting(new.conversation, ts, weigh(new.text)) for ts, new in journal]
    except ValueError as error:
        raise damaged(path, str(error)) from error


def _sizes(found: list[Any], waiting: list[_Waiting]) -> tuple[RoomSize, ...]:
    """All rooms, and the direct conversations as one: who spoke to whom is nobody's business."""
    sizes: dict[str, RoomSize] = {}

    def add(name: str, messages: int, weight: int, numbers: int) -> None:
        shown = name if name[0] == "#" else "direct"
        old = sizes.get(shown, RoomSize(shown, 0, 0, 0))
        sizes[shown] = RoomSize(
            shown, old.messages + messages, old.weight + weight, old.head + numbers
        )

    for _, name, first, head, weight, *_ in found:
        add(name, head - first + 1, weight, head)
    for one in waiting:
        add(one.name, 1, one.weight, 1)
    return tuple(sorted(sizes.values(), key=lambda room: (-room.weight, room.name)))


def _pace(found: list[Any], waiting: list[_Waiting], now: float) -> tuple[str, float]:
    """Since when growth is measured, as a `ts`, and how many days that is."""
    begun = [row[5] for row in found if row[5] is not None] + [one.ts for one in waiting[:1]]
    since = max(min(begun, default=to_ts(now)), to_ts(now - _PACE_DAYS * _DAY))
    age = (datetime.fromtimestamp(now, UTC) - datetime.fromisoformat(since)).total_seconds() / _DAY
    return since, min(max(age, _SHORTEST_PACE), _PACE_DAYS)


def _count_since(execute: Callable[..., Any], found: list[Any], since: str) -> tuple[int, float]:
    """How many messages came since then, and about what they weigh.

    Found by bisection, for times grow with the numbers (but where a clock was set back, and then
    this is not exact).
    """
    messages, weight = 0, 0.0
    for number, _, first, head, total, _, last_ts in found:
        if first > head or last_ts < since:
            continue
        low, high = first, head
        while low < high:
            middle = (low + high) // 2
            ((ts,),) = execute(
                "SELECT ts FROM message WHERE place = ?", (number << PLACE_BITS | middle,)
            ).fetchall()
            if ts < since:
                low = middle + 1
            else:
                high = middle
        count = head - low + 1
        messages += count
        weight += count * total / (head - first + 1)
    return messages, weight


def _day_after(now: float, days: float) -> date | None:
    try:
        return (datetime.fromtimestamp(now, UTC) + timedelta(days=days)).date()
    except OverflowError:
        return None
