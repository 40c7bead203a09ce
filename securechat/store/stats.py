"""How large a database is and how it grows.

In: the data folder and the time (Unix seconds). Out: `Stats`, for a front end to show. Raised:
`StoreRefused`, with the path, the reason and the cure.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from .connections import DATABASE_NAME, Damaged
from .index_file import INDEX_NAME
from .journal import read_journal
from .lock import holder_of
from .migrations import PLACE_BITS
from .reading import reading
from .retention import to_ts, weigh

#: Days over which growth is measured.
_PACE_DAYS: Final = 7.0
_SHORTEST_PACE: Final = 1 / 24
_DAY: Final = 86_400
#: Years beyond which a pace of days says nothing.
_FORESEEN: Final = 10
_DAYS_A_YEAR: Final = 365.25
#: What an index has of which nothing is a word, bytes.
_EMPTY_INDEX: Final = 9 * 4_096


def disk_use(directory: Path) -> tuple[int, int]:
    """Bytes of the database and of the index of words, each with its log; 0: it is not there."""
    files = (directory / DATABASE_NAME, directory / INDEX_NAME)
    database, index = (_size_of(path) + _size_of(_log_of(path)) for path in files)
    return database, index


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
    database with its log, `reusable_bytes` what of it is free for new messages, `index_bytes` the
    index of words with its own (0: there is none). `messages_per_day` and `bytes_per_day` are the
    pace of the last `pace_days`, the index included; at that pace, without retention, the disk is
    full on `full_on` (None: nothing was said, or not within ten years).
    """

    path: Path
    rooms: tuple[RoomSize, ...]
    messages: int
    removed: int
    file_bytes: int
    reusable_bytes: int
    index_bytes: int
    free_disk_bytes: int
    pace_days: float
    messages_per_day: float
    bytes_per_day: float
    full_on: date | None
    server: int | None


def stats(directory: Path, now: float) -> Stats:
    """How large the database is and how it grows; quick also where it is large."""
    path = directory / DATABASE_NAME
    with reading(path) as execute:
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
    index = directory / INDEX_NAME
    free_disk = shutil.disk_usage(directory).free
    growth = 1 + _share_of_index(index, sum(room.weight for room in rooms))
    bytes_per_day = recent_weight * growth / pace_days
    return Stats(
        path=path,
        rooms=rooms,
        messages=sum(room.messages for room in rooms),
        removed=sum(first - 1 for _, _, first, *_ in found),
        file_bytes=pages * page_size + _size_of(_log_of(path)),
        reusable_bytes=free * page_size,
        index_bytes=disk_use(directory)[1],
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
        raise Damaged(path, str(error)) from error


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


def _share_of_index(index: Path, weight: int) -> float:
    """How many bytes the index of words has for each byte of the messages, about."""
    return max(0, _size_of(index) - _EMPTY_INDEX) / weight if weight else 0.0


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _size_of(path: Path) -> int:
    """0 where it is not there, or not any longer: a server may run."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _day_after(now: float, days: float) -> date | None:
    if days > _FORESEEN * _DAYS_A_YEAR:
        return None
    return (datetime.fromtimestamp(now, UTC) + timedelta(days=days)).date()
