"""The hub thread: the one owner of the chat and of the write side of the store.

In: batches of `(connection, event)` from the io threads. Out: operations for them. Each turn takes
all that has piled up, decides it, stores what is to be stored in one transaction, and only then
carries the effects out. A message is delivered to nobody before its transaction is durable.

When the store has no room, the senders are told `storage` and everything else goes on. When it can
no longer be believed, everyone gets `bye` and the server stops.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ..chat.effects import PERSISTENT, Effect, Greet, Keep
from ..chat.hub import NOBODY, Event, Hub, Now
from ..errors import StoreBroken, StoreFull
from ..net.loop import Told
from ..net.ops import Answered, Op
from ..records import Failed, Outcome, Record
from ..store.base import Store
from .owed import Owed
from .renderer import Renderer

log = logging.getLogger(__name__)

#: Events decided in one batch; more only makes everyone wait.
_MAX_BATCH: Final = 2_048
#: Batches waiting here beyond which the io threads stop reading.
_FULL: Final = 256
#: Between two looks at what retention has to remove, seconds, and how much one look removes, rows.
_RETAIN_EVERY: Final = 60.0
_RETAIN_ROWS: Final = 500
#: How long nobody must have said anything before the store may put itself in order, seconds.
_TIDY_AFTER: Final = 5.0
_LONGEST_SLEEP: Final = 1.0
_PERSISTENT: Final = frozenset(PERSISTENT)


class _Farewell:
    """Everyone is to be told bye, and the thread is to end."""

    def __init__(self, reason: str, retry_after: float | None) -> None:
        self.reason = reason
        self.retry_after = retry_after


class _Word:
    """Something for the hub that comes from no connection."""

    def __init__(self, event: Event) -> None:
        self.event = event


class _Broken:
    """A reader found the store damaged: the server must stop."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def read_clocks() -> Now:
    """The time, as the chat core wants it."""
    wall = time.time()
    stamp = datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Now(time.monotonic(), wall, stamp)


class Dispatcher:
    """The thread `hub`; `broken` is called, from it, when the server must stop."""

    def __init__(
        self,
        hub: Hub,
        store: Store,
        renderer: Renderer,
        post: Sequence[Callable[[Sequence[Op]], None]],
        broken: Callable[[str], None],
    ) -> None:
        self._hub = hub
        self._store = store
        self._renderer = renderer
        self._post = post
        self._broken = broken
        self._inbox: queue.SimpleQueue[list[Told] | _Word | _Farewell | _Broken] = (
            queue.SimpleQueue()
        )
        #: What could not be stored and nobody waits for; it goes with the next batch.
        self._owed = Owed()
        self._no_room = False
        #: The io threads that wait for an answer to what they told, and to how many batches.
        self._asked: Counter[int] = Counter()
        self._retain_at = 0.0
        self._heard_at = 0.0
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    # -------------------------------------------------------------- from other threads

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def take(self, batch: list[Told]) -> None:
        """Have a batch decided; never blocks."""
        self._inbox.put(batch)

    def tell(self, event: Event) -> None:
        """Have something decided that comes from no connection; never blocks."""
        self._inbox.put(_Word(event))

    def full(self) -> bool:
        """Whether so much waits that nothing more should be read."""
        return self._inbox.qsize() > _FULL

    def say_farewell(self, reason: str, retry_after: float | None) -> None:
        """Carry out what was accepted, say bye to everyone and end the thread."""
        self._inbox.put(_Farewell(reason, retry_after))

    def report_broken(self, reason: str) -> None:
        """Have the server stopped because the store cannot be believed."""
        self._inbox.put(_Broken(reason))

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end; False when it has not."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # -------------------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            now = read_clocks()
            self._carry_out(self._hub.start(now), now)
            farewell = None
            while farewell is None:
                batch, farewell = self._drain()
                now = read_clocks()
                if batch:
                    self._carry_out(self._hub.decide(batch, now), now)
                if self._hub.next_due <= now.mono:
                    self._carry_out(self._hub.tick(now), now)
                if self._owed and not batch:  # with a batch it was tried just now
                    self._carry_out([], now)
                if batch:
                    self._heard_at = now.mono
                elif now.mono - self._heard_at >= _TIDY_AFTER:
                    self._store.tidy()
                if self._retain_at <= now.mono:
                    self._retain(now)
            self._carry_out(self._hub.farewell(farewell.reason, farewell.retry_after, now), now)
        except StoreBroken as error:
            log.critical("%s", error)
            self._abandon(str(error))
        except Exception:
            log.critical("the hub failed", exc_info=True)
            self._abandon("the hub failed")

    def _drain(self) -> tuple[list[tuple[int, Event]], _Farewell | None]:
        """All that has piled up; sleeps until there is something, or something is due."""
        batch: list[Any] = []  # of (connection, event)
        due = min(self._hub.next_due, self._retain_at)
        wait = min(_LONGEST_SLEEP, max(0.0, due - time.monotonic()))
        try:
            item = self._inbox.get(timeout=wait)
            while True:
                if isinstance(item, list):
                    self._asked[item[0][0] % len(self._post)] += 1
                    if not batch:
                        batch = item
                    else:
                        batch.extend(item)
                elif isinstance(item, _Word):
                    batch.append((NOBODY, item.event))
                elif isinstance(item, _Farewell):
                    return batch, item
                else:
                    raise StoreBroken(item.reason)
                if len(batch) >= _MAX_BATCH:
                    break
                item = self._inbox.get_nowait()
        except queue.Empty:
            pass
        return batch, None

    def _carry_out(self, effects: list[Effect], now: Now) -> None:
        outcomes = self.commit(effects, now)
        if not effects and not self._asked:
            return
        rendered = self._renderer.render(effects, outcomes, now.ts)
        for index, batches in self._asked.items():
            rendered[index].append(Answered(batches))
        self._asked.clear()
        for ops, post in zip(rendered, self._post, strict=True):
            if ops:
                post(ops)

    def commit(self, effects: list[Effect], now: Now) -> list[Outcome]:
        """Store what is to be stored; raises `StoreBroken`."""
        records: list[Record] = [
            effect.record  # type: ignore[union-attr]
            for effect in effects
            if type(effect) in _PERSISTENT
        ]
        if not records and not self._owed:
            return []
        owed = self._owed.take_stock() if self._owed else []
        try:
            outcomes = self._store.commit([*owed, *records] if owed else records, now.ts)
        except StoreFull as error:
            if not self._no_room:
                self._no_room = True
                log.error("%s Senders are refused until there is room again.", error)
            self._owed.add(it.record for it in effects if isinstance(it, Keep | Greet))
            return [Failed()] * len(records)
        if self._no_room:
            self._no_room = False
            log.info("there is room again: messages are stored")
        self._owed.settle()
        return outcomes[len(owed) :]

    def _retain(self, now: Now) -> None:
        """Have retention remove a little; it comes again soon while there is more."""
        try:
            removed = self._store.retain(now.wall, _RETAIN_ROWS)
        except StoreFull:
            removed = 0  # removing needs room too; `commit` says that there is none
        self._retain_at = now.mono + (0.05 if removed >= _RETAIN_ROWS else _RETAIN_EVERY)

    def _abandon(self, reason: str) -> None:
        """The chat cannot go on: say bye without storing anything, and have the server stopped."""
        self._broken(reason)
        now = read_clocks()
        effects = self._hub.farewell("the server failed", 5.0, now)
        transient = [effect for effect in effects if not isinstance(effect, PERSISTENT)]
        for post, ops in zip(self._post, self._renderer.render(transient, (), now.ts), strict=True):
            post(ops)
