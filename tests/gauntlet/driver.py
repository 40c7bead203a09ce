"""A small server without a network: commits a known history, and says how far it is.

`python -m tests.gauntlet.driver FOLDER SEED [--heedless]`. It does with the store what a hub does:
a batch that finds no room is tried again, anything worse is the end. What it prints are marks, each
written as soon as it is true, so that they stand in their place in a log of system calls. With
`--heedless` it goes on after anything, as no server may: the negative control.

Exit codes: 0 all is stored, 3 the store broke, 4 it was not opened, 5 there never was room.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Final, cast

from securechat.errors import StoreBroken, StoreFull, StoreRefused
from securechat.records import Record
from securechat.store import connections, wal
from securechat.store.sqlite import SqliteStore, open_store

from .crowd import Crowd, stamp

DONE, BROKEN, REFUSED, NO_ROOM = 0, 3, 4, 5
_BATCHES: Final = 12
_TRIES: Final = 20


def history(seed: int) -> list[list[Record]]:
    """The batches of one run."""
    crowd = Crowd(Random(seed))
    return [crowd.batch(8) for _ in range(_BATCHES)]


def mark(what: str) -> None:
    """Tell what happened, in its place among the system calls."""
    os.write(1, f"{what}\n".encode())


def run(folder: Path, seed: int, *, heedless: bool) -> int:
    """Open, commit everything, close; the exit code."""
    # A short life is to see what a long one would: checkpoints, and a log that is made shorter.
    wal.CHECKPOINT_PAGES = 12  # type: ignore[misc]
    cast(dict[str, int], connections.WRITER_PRAGMAS)["journal_size_limit"] = 20_000
    mark("opening")
    try:
        store = open_store(folder / "data")
    except StoreRefused as error:
        print(error, file=sys.stderr)
        return REFUSED
    store.load()
    try:
        for number, batch in enumerate(history(seed)):
            mark(f"begun {number}")
            if not _commit(store, batch, number, heedless=heedless):
                return NO_ROOM
            mark(f"acknowledged {number}")
    except StoreBroken as error:
        print(error, file=sys.stderr)
        mark("broken")
        return BROKEN
    finally:
        mark("closing")
        store.close()
    return DONE


def _commit(store: SqliteStore, batch: list[Record], number: int, *, heedless: bool) -> bool:
    for _ in range(_TRIES):
        try:
            store.commit(batch, stamp(number))
            return True
        except StoreFull:
            mark(f"full {number}")
        except StoreBroken:
            if not heedless:
                raise
            store._broken = None
    return False


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), int(sys.argv[2]), heedless="--heedless" in sys.argv))
