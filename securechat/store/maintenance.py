"""Looking after a database: is it sound, a copy of it, the copy back, how it grows.

The door to `check`, `backup` and `stats`. In: the data folder, files, the time (Unix seconds). Out:
values for a front end to show. Raised: `StoreRefused`, with the path, the reason and the cure.

`check`, `audit`, `backup` and `stats` only read and may run beside a server; for as long as they
run the server's log cannot be used again and grows. `restore` takes the folder's lock, so it is
refused while a server runs.
"""

from __future__ import annotations

from pathlib import Path

from .backup import Restored, backup, restore
from .check import Checked, check
from .connections import DATABASE_NAME
from .reading import reading
from .rulings import Audited, read_audit
from .stats import RoomSize, Stats, stats

__all__ = [
    "Checked",
    "Restored",
    "RoomSize",
    "Stats",
    "audit",
    "backup",
    "check",
    "restore",
    "stats",
]


def audit(directory: Path, last: int | None = None) -> list[Audited]:
    """What was done by a right, oldest first; `last`: only so many of the newest.

    A database of before there was an audit has none.
    """
    with reading(directory / DATABASE_NAME) as execute:
        if not execute("SELECT 1 FROM sqlite_schema WHERE name = 'audit'").fetchall():
            return []
        return list(read_audit(execute, last=last))
