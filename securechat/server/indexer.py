"""The thread that keeps the index of words up to date, out of everybody's way.

In: a store. Out: nothing but what its `Indexer` writes. It looks now and then what is new, takes it
in piece by piece, and rests after each piece: as long as that took where the server has little else
to do, fifty times as long where it is busy, for whoever talks goes first. So an old database is
taken in while people chat. Should the index fail, that is logged and the thread ends: searches then
read the messages themselves, and the next start makes it again.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from ..errors import StoreBroken, StoreError, StoreFull
from ..store.base import Indexer, Store

log = logging.getLogger(__name__)

#: Seconds between two looks at what is new, and while the disk is full.
LOOK_EVERY: Final = 1.0
_FULL_PAUSE: Final = 30.0
#: Messages taken in at once: some milliseconds.
_PIECE: Final = 500
#: How much longer than a piece took the rest behind it is; and where all other threads together
#: used that share of a core since the last piece.
_REST: Final = 1.0
_LONG_REST: Final = 50.0
_BUSY: Final = 0.3
#: Messages behind which the way of an old database into the index is logged.
_MANY: Final = 100_000


class IndexKeeper:
    """The thread `indexer`."""

    def __init__(self, store: Store, look_every: float = LOOK_EVERY) -> None:
        self._store = store
        self._look_every = look_every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)
        self._taken = 0
        self._load = Load()
        self._index: Indexer | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; what is not taken in waits for the next start."""
        self._stopping.set()
        if self._index is not None:
            self._index.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            index = self._store.indexer()
        except StoreError as error:
            log.error("searches are slow: %s", error)
            return
        if index is None:
            return
        self._index = index
        try:
            pause = 0.0
            while not self._stopping.wait(pause):
                pause = self._step(index)
        except StoreBroken as error:
            log.error("the index of words is given up until the next start: %s", error)
            index.discard()
        except Exception:
            log.exception("the index of words is given up until the next start")
        finally:
            index.close()

    def _step(self, index: Indexer) -> float:
        """Take in one piece; returns after how many seconds the next one is due."""
        began = time.monotonic()
        try:
            taken = index.work(_PIECE)
        except StoreFull as error:
            log.warning("%s", error)
            return _FULL_PAUSE
        self._tell(taken)
        if taken < _PIECE:
            return self._look_every
        rest = _LONG_REST if self._load.share() > _BUSY else _REST
        return (time.monotonic() - began) * rest

    def _tell(self, taken: int) -> None:
        before, self._taken = self._taken, self._taken + taken
        if taken < _PIECE:
            if before >= _MANY:
                log.info("%d messages were taken into the index of words", self._taken)
            self._taken = 0
        elif before // _MANY != self._taken // _MANY:
            log.info("%d messages are in the index of words, more follow", self._taken)


class Load:
    """How busy the other threads of this process are; asked by one thread."""

    def __init__(self) -> None:
        self._wall, self._others = _clocks()

    def share(self) -> float:
        """What they used since the last time, as a share of one core."""
        wall, others = _clocks()
        passed, used = wall - self._wall, others - self._others
        self._wall, self._others = wall, others
        return used / passed if passed > 0 else 0.0


def _clocks() -> tuple[float, float]:
    """Seconds: of a clock, and of CPU that all threads but this one have used."""
    return time.monotonic(), time.process_time() - time.thread_time()
