"""What a server asks of a database.

`Store` belongs to the hub, which is the only one that writes. `Reader`s, and the `Indexer`,
belong to one thread each and see what was committed. Both speak the values of `securechat.records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..phrases import Query
from ..records import Found, Outcome, Page, Record, Snapshot


class Reader(Protocol):
    """Reads of committed messages, by one thread."""

    def after(self, conversation: str, after: int, upto: int, limit: int, size: int) -> Page:
        """The first messages behind `after`, none above `upto`.

        At most `limit` of them, and no more than fit into `size` bytes; at least one, if any.
        """
        ...

    def before(self, conversation: str, before: int | None, limit: int, size: int) -> Page:
        """The last messages before `before` (None: the newest), within the same two bounds."""
        ...

    def search(self, query: Query, limit: int, size: int) -> Found:
        """The newest messages that `query` looks for, within the same two bounds."""
        ...

    def close(self) -> None:
        """Let go of what the reader holds."""
        ...


class Taken(NamedTuple):
    """What an index has got through at once: so many messages, and whether more may wait."""

    messages: int
    more: bool


class Indexer(Protocol):
    """Keeps an index of what was said up to date, beside the store; by one thread.

    Searches are right without it, but read every message that it has not got to.
    """

    def work(self, budget: int) -> Taken:
        """Take in what is new and take out what is gone, `budget` messages at most.

        A long message counts as several. Raises `StoreError` when it cannot go on.
        """
        ...

    def stop(self) -> None:
        """Have the `work` that is being done end soon, done or not; from any thread."""
        ...

    def discard(self) -> None:
        """Take the index away, for it is damaged; the next one is made from the messages."""
        ...

    def close(self) -> None:
        """Let go of what it holds; harmless when it was done before."""
        ...


class Store(Protocol):
    """The write side."""

    def load(self) -> Snapshot:
        """What is there; called once, before anything else."""
        ...

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        """Keep all of `records` in one transaction, stamped `ts`, and answer each in order.

        When it returns, everything is as durable as the store can make it. Raises `StoreFull`
        when nothing was kept and a later try may succeed, `StoreBroken` when the store must not be
        used any more.
        """
        ...

    def tidy(self) -> None:
        """Do what can wait until nobody does; raises `StoreBroken` as `commit` does."""
        ...

    def first_kept(self, conversation: str) -> int:
        """The number at which the history begins that retention has left."""
        ...

    def retain(self, now: float, budget_rows: int) -> int:
        """Remove what is no longer to be kept, `budget_rows` rows at most; how many it were.

        `now` is Unix time. Call it again soon when it used the budget up. Raises as `commit` does.
        """
        ...

    def reader(self) -> Reader:
        """A reader for the thread that calls this."""
        ...

    def indexer(self) -> Indexer | None:
        """What makes searches quick, for the thread that calls this; None: it needs nothing."""
        ...

    def close(self) -> None:
        """Close for good; all readers, and the indexer, must be closed before."""
        ...
