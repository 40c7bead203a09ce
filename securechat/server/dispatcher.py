"""The turns of the hub: each decides all that has piled up, stores it, and carries it out.

In: batches of `(connection, event)` from the io threads, and what comes from no connection. Out:
operations for the io threads. What is to be stored of a turn is one transaction, and only then its
effects are carried out: a message is delivered to nobody before its transaction is durable.

A turn is taken by one thread at a time, which owns the chat and the write side of the store for as
long as it has the baton: the io thread that brings a batch while nobody decides, for it would only
await the answer; else who has the baton, or the thread `hub` behind it. That thread also sees to
what comes from no connection, to what is due and to the store. (Flat combining, as Hendler et al.
call it, SPAA 2010, with a queue for the list and with one thread that never brings anything.)

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
#: The longest sleep of the thread, seconds.
_NAP: Final = 1.0
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
    """The hub, and whose turn it is; `broken` is called, in a turn, when the server must stop."""

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
        #: Held by whose turn it is. Io threads only try it: none waits for another's commit.
        self._baton = threading.Lock()
        #: Wakes the thread `hub`, which sleeps until then: monotonic seconds.
        self._bell = threading.Event()
        self._sleeps_until = 0.0
        #: All is said: no turn is taken any more.
        self._over = False
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    # -------------------------------------------------------------- from other threads

    def start(self) -> None:
        """Carry out what was left over from the last life of the store, and start the thread."""
        with self._baton:
            self._attempt(self._begin)
        self._thread.start()

    def take(self, batch: list[Told]) -> None:
        """Have a batch decided, by the thread that calls this unless another one is deciding."""
        self._inbox.put(batch)
        # Whoever has the baton looks into the inbox once more when it has put it down.
        if self._baton.acquire(blocking=False):
            try:
                self._attempt(self._decide)
            finally:
                self._baton.release()
            self._look_once_more()

    def tell(self, event: Event) -> None:
        """Have something decided that comes from no connection; never blocks."""
        self._put(_Word(event))

    def full(self) -> bool:
        """Whether so much waits that nothing more should be read."""
        return self._inbox.qsize() > _FULL

    def say_farewell(self, reason: str, retry_after: float | None) -> None:
        """Carry out what was accepted, say bye to everyone and end the thread."""
        self._put(_Farewell(reason, retry_after))

    def report_broken(self, reason: str) -> None:
        """Have the server stopped because the store cannot be believed."""
        self._put(_Broken(reason))

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end; False when it has not."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _put(self, item: _Word | _Farewell | _Broken) -> None:
        self._inbox.put(item)
        self._bell.set()

    # -------------------------------------------------------------- the thread

    def _run(self) -> None:
        while not self._over:
            self._bell.wait(self._sleeps_until - time.monotonic())
            self._bell.clear()
            with self._baton:
                self._attempt(self._decide)
                self._attempt(self._tend)
                # With the baton: whoever brings it forward later sees this, and rings.
                self._sleeps_until = min(self._due(), time.monotonic() + _NAP)
            self._look_once_more()

    def _look_once_more(self) -> None:
        """Leave to the thread what was brought while another turn was just ending."""
        if not self._inbox.empty() or self._due() < self._sleeps_until:
            self._bell.set()

    def _due(self) -> float:
        """When there is something to do though nobody says anything, monotonic seconds."""
        return min(self._hub.next_due, self._retain_at)

    # -------------------------------------------------------------- a turn, with the baton

    def _attempt(self, work: Callable[[], None]) -> None:
        """Do a part of a turn; where it fails, the chat ends."""
        if self._over:
            return
        try:
            work()
        except StoreBroken as error:
            log.critical("%s", error)
            self._abandon(str(error))
        except Exception:
            log.critical("the hub failed", exc_info=True)
            self._abandon("the hub failed")

    def _begin(self) -> None:
        now = read_clocks()
        self._carry_out(self._hub.start(now), now)

    def _decide(self) -> None:
        """All that has piled up, what is due, and what is owed to the store."""
        batch, farewell = self._drain()
        now = read_clocks()
        if batch:
            self._carry_out(self._hub.decide(batch, now), now)
            self._heard_at = now.mono
        if self._hub.next_due <= now.mono:
            self._carry_out(self._hub.tick(now), now)
        if self._owed and not batch:  # with a batch it was tried just now
            self._carry_out([], now)
        if farewell is not None:
            effects = self._hub.farewell(farewell.reason, farewell.retry_after, now)
            self._carry_out(effects, now)
            self._end()

    def _tend(self) -> None:
        """Let the store put itself in order, and remove what is not to be kept."""
        now = read_clocks()
        if now.mono - self._heard_at >= _TIDY_AFTER:
            self._store.tidy()
        if self._retain_at <= now.mono:
            self._retain(now)

    def _end(self) -> None:
        self._over = True
        self._bell.set()

    def _drain(self) -> tuple[list[tuple[int, Event]], _Farewell | None]:
        """All that has piled up, as far as it is one batch."""
        batch: list[Any] = []  # of (connection, event)
        try:
            while len(batch) < _MAX_BATCH:
                item = self._inbox.get_nowait()
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
        self._end()
        self._broken(reason)
        now = read_clocks()
        effects = self._hub.farewell("the server failed", 5.0, now)
        transient = [effect for effect in effects if not isinstance(effect, PERSISTENT)]
        for post, ops in zip(self._post, self._renderer.render(transient, (), now.ts), strict=True):
            post(ops)
