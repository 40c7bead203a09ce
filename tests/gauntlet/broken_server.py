"""A server with one thing broken: `python -m tests.gauntlet.broken_server FAULT serve …`.

The suites of this folder must find each of these faults; a suite that does not proves nothing. None
of them can be switched on in the product.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, Final

from securechat.cli import main
from securechat.net import fanout, operations, watch
from securechat.store import journal, sqlite, wal


def echo_before_commit() -> None:
    """What is answered and delivered now is committed with the next batch."""

    def transact(self: sqlite.SqliteStore, work: Callable[[], Any]) -> Any:
        if self._db.in_transaction:
            self._execute("COMMIT")
        self._execute("BEGIN IMMEDIATE")
        return work()

    def never(self: wal.Wal) -> None:
        """SQLite makes no checkpoint inside a transaction."""

    sqlite.SqliteStore._transact = transact  # type: ignore[method-assign]
    wal.Wal.checkpoint_if_due = never  # type: ignore[method-assign]


def forget_ids() -> None:
    """A draft that comes again is stored again."""
    load = sqlite.SqliteStore.load

    def load_and_drop(self: sqlite.SqliteStore) -> Any:
        self._execute("DROP INDEX IF EXISTS message_draft")
        return load(self)

    sqlite.SqliteStore.load = load_and_drop  # type: ignore[method-assign]
    journal.Runs.passes = lambda *_: True  # type: ignore[method-assign]
    journal.Journal.find = lambda *_: None  # type: ignore[method-assign]


def unbounded_queue() -> None:
    """Nobody ever falls behind: all that a reader has not taken waits for it in memory."""
    for module in (fanout, operations, watch):
        vars(module)["HIGH_WATER"] = math.inf


FAULTS: Final[dict[str, Callable[[], None]]] = {
    break_it.__name__.replace("_", "-"): break_it
    for break_it in (echo_before_commit, forget_ids, unbounded_queue)
}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
