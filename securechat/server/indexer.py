"""The thread that keeps the index of words up to date, out of everybody's way.

In: a store. Out: nothing but what its `Indexer` writes. It looks now and then what is new, and
takes it in piece by piece with a rest after each. Whoever talks goes first: while the server is
busy nothing is taken in for a minute, and after that a piece now and then, for searches read what
is missing and should not have to read too much. So an old database is taken in while people chat.
Should the index fail, that is logged and the thread ends: searches then read the messages
themselves, and the next start makes it again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from ..errors import StoreBroken, StoreError, StoreFull
from ..store.base import Indexer, Store, Taken

log = logging.getLogger(__name__)

#: Seconds between two looks at what is new, and while the disk is full.
LOOK_EVERY: Final = 1.0
_FULL_PAUSE: Final = 30.0
#: Messages taken in at once, or fewer long ones: some milliseconds, and 256 Ki characters.
_PIECE: Final = 500
#: Busy is a server whose other threads used that share of a core since the last look.
_BUSY: Final = 0.05
#: How long it may be busy before something is taken in all the same, seconds.
_PATIENCE: Final = 60.0
#: How many times as long as a piece took the rest behind it is; the latter where it is busy.
_REST: Final = 1.0
_LONG_REST: Final = 50.0
#: Messages behind which the way of an old database into the index is logged.
_MANY: Final = 100_000


class IndexKeeper:
    """The thread `indexer`; `share` tells how busy the others are, by default as `Load` does."""

    def __init__(
        self,
        store: Store,
        look_every: float = LOOK_EVERY,
        share: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._look_every = look_every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)
        self._taken = 0
        self._share = share
        self._patient_until = time.monotonic() + _PATIENCE
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
        if self._share is None:
            self._share = Load().share
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
        is_busy = self._share is not None and self._share() > _BUSY
        if not is_busy:
            self._patient_until = began + _PATIENCE
        elif began < self._patient_until:
            return self._look_every
        try:
            taken = index.work(_PIECE)
        except StoreFull as error:
            log.warning("%s", error)
            return _FULL_PAUSE
        self._tell(taken)
        if not taken.more:
            return self._look_every
        return (time.monotonic() - began) * (_LONG_REST if is_busy else _REST)

    def _tell(self, taken: Taken) -> None:
        before, self._taken = self._taken, self._taken + taken.messages
        if not taken.more:
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
