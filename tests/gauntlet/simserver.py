"""The server without threads: hub, dispatcher, renderer, readers and io loops as they are.

Each of them takes its turn when the clock says so. What is made up is only what they stand on: the
store keeps what was committed in memory (`Memory`), the sockets are plugs (see `simnet`). A crash
may come at any moment: between two turns, before a commit, behind it and before anybody heard of
it, or when some have heard and others have not. What was committed is then all that is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, NamedTuple, cast

import pytest

from securechat.chat.hub import Hub, Now
from securechat.chat.limits import TokenBucket
from securechat.config import ChatLimits
from securechat.errors import StoreBroken, StoreFull
from securechat.net import fanout, loop, operations, watch
from securechat.net.loop import Loop, LoopConfig, Told
from securechat.net.ops import Adopt, Op, Stop
from securechat.records import (
    ForgetIdentity,
    KeepIdentity,
    KeepPresence,
    KeepTopic,
    NewMessage,
    Outcome,
    Record,
    Snapshot,
    Stored,
)
from securechat.server import readers
from securechat.server.dispatcher import Dispatcher
from securechat.server.readers import HistoryWanted, Readers, Wanted
from securechat.server.renderer import Renderer
from securechat.store.base import Store
from securechat.store.memory import MemoryStore

from .simnet import ClientEnd, Clock, Context, Link, Plug, Poller, Timer, Waker

_EPOCH: Final = 1_750_000_000.0
#: No io loop takes two turns at one moment: without that, a rounded deadline would never pass.
_TURN_TAKES: Final = 0.000_1


class Crash(BaseException):
    """The process is gone; nothing may catch it but the world."""


class Memory(MemoryStore):
    """A memory store that outlives its server: what was committed can be loaded again."""

    def __init__(self) -> None:
        super().__init__()
        self._epoch = "epoch"
        self.identities: dict[int, KeepIdentity] = {}
        self.presence: dict[tuple[int, str], None] = {}
        self.topics: dict[str, str] = {}
        self._last_ts = ""

    def load(self) -> Snapshot:
        """All that was committed."""
        names = {name: self.slice(name)[0] for name in self._conversations}
        return Snapshot(
            epoch=self._epoch,
            identities=tuple(self.identities.values()),
            next_identity=max(self._nicks, default=0) + 1,
            heads={name: len(messages) for name, messages in names.items()},
            last_ts={name: it[-1][2] for name, it in names.items() if name[0] == "@"},
            topics=dict(self.topics),
            presence=tuple(self.presence),
        )

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        """Keep `records`."""
        for record in records:
            match record:
                case KeepIdentity():
                    self.identities[record.identity] = record
                case ForgetIdentity(identity):
                    self.identities.pop(identity, None)
                    for key in [key for key in self.presence if key[0] == identity]:
                        del self.presence[key]
                case KeepPresence(identity, room, present):
                    if present:
                        self.presence[identity, room] = None
                    else:
                        self.presence.pop((identity, room), None)
                case KeepTopic(room, text):
                    self.topics[room] = text
                case _:
                    pass
        return super().commit(records, ts)

    def close(self) -> None:
        """It stays."""


class Row(NamedTuple):
    """Where a message is stored, and what it says."""

    conversation: str
    seq: int
    text: str


class _Fickle:
    """A store in which a server may crash, and which may be full; it keeps books of what it has."""

    def __init__(self, store: Store, server: Server) -> None:
        self._store = store
        self._server = server

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        """See `Store.commit`."""
        server = self._server
        doom, server.doom = server.doom, ""
        if doom == "before commit":
            raise Crash
        if doom == "broken":
            if server.clock.dice.random() < 0.5:
                self._commit(records, ts)
            raise StoreBroken("the disk is broken")
        if server.full:
            server.doom = doom
            raise StoreFull("the disk is full")
        outcomes = self._commit(records, ts)
        if doom == "behind commit":
            raise Crash
        server.doom = doom
        return outcomes

    def _commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        outcomes = self._store.commit(records, ts)
        for record, outcome in zip(records, outcomes, strict=True):
            if type(outcome) is Stored:
                assert type(record) is NewMessage
                row = Row(record.conversation, outcome.seq, record.text)
                assert self._server.rows.setdefault(record.id, row) == row, "stored twice"
        return outcomes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Server:
    """A process that may run or not; the store outlives it."""

    def __init__(self, clock: Clock, store: Store, limits: ChatLimits) -> None:
        self.clock = clock
        self.store = store
        self.limits = limits
        self.full = False
        #: How it crashes at the next opportunity: "before commit", "behind commit", "broken",
        #: "between posts"; "" for not at all.
        self.doom = ""
        self.lives = 0
        #: Every message that is stored, by the id of its draft.
        self.rows: dict[str, Row] = {}
        self.links: list[Link] = []
        self.process: Process | None = None
        self._tokens = 0

    def start(self) -> None:
        """Run, if it does not."""
        if self.process is None:
            self.lives += 1
            self.process = Process(self)
            self.process.begin()

    def crash(self) -> None:
        """kill -9, or the power; somebody starts it again."""
        self.process, self.doom = None, ""
        self.clock.after(self.clock.dice.choice((0.05, 0.5, 3.0, 35.0)), self.start)
        links, self.links = self.links, []
        silent = self.clock.dice.random() < 0.2
        for link in links:
            link.cut(silent=silent)

    def stop(self) -> None:
        """SIGTERM."""
        if self.process is not None:
            self.process.say_farewell()

    def accept(self, client: ClientEnd) -> Link | None:
        """A connection; None when nobody listens."""
        return self.process.accept(client) if self.process is not None else None

    def new_token(self) -> str:
        """A session token that is not hard to guess."""
        self._tokens += 1
        return f"token-{self._tokens}"


def _refuse_work(effect: object) -> None:
    """Nobody has a password here, and nobody runs the server."""
    raise AssertionError(f"{effect} is nobody's wish")


class Process:
    """One life of a server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.clock = clock = server.clock
        self._inbox: list[Told] = []
        self._numbers = 0
        self._plugs: dict[int, Plug] = {}
        self._stopping = False
        limits = server.limits
        store = cast(Store, _Fickle(server.store, server))
        self.hub = Hub(
            limits,
            store.load(),
            new_token=server.new_token,
            choose=lambda jokes: jokes[0],
        )
        self._readers = Readers(store, self._post_one, pytest.fail, size=0)
        self._reader = store.reader()
        count = clock.dice.choice((1, 2))
        renderer = Renderer(self.hub, count, self._ask, store.first_kept, _refuse_work)
        cast(Any, loop).new_poller = lambda: Poller(self._plugs)
        config = LoopConfig(
            context=cast(Any, Context()),
            inbox=self._take,
            inbox_full=lambda: False,
            ask_page=self._ask,
            new_bucket=lambda now: TokenBucket(limits.rate, limits.burst, now),
            idle_timeout=limits.idle_timeout,
            patience=0.0,
        )
        self._loops = [_LoopTurns(self, Loop(index, config)) for index in range(count)]
        posts = [self._crashing(turns.post) for turns in self._loops]
        self._dispatcher = Dispatcher(self.hub, store, renderer, posts, self._break)
        self._hub_turn = Timer(clock, self._guard(self._decide))

    # ---------------------------------------------------------- turns

    def alive(self) -> bool:
        """Whether this is the server's present life."""
        return self._server.process is self

    def _guard(self, act: Any) -> Any:
        """`act`, unless this life is over; a crash in it is the end."""

        def guarded(*args: Any) -> None:
            if not self.alive():
                return
            try:
                act(*args)
            except Crash:
                self._server.crash()
            except StoreBroken as error:
                self._dispatcher._abandon(str(error))

        return guarded

    def begin(self) -> None:
        """What a hub does first."""
        self._guard(self._start_hub)()

    def _start_hub(self) -> None:
        now = self._now()
        self._dispatcher._carry_out(self.hub.start(now), now)
        self._set_timer()

    def _decide(self) -> None:
        """A turn, as `Dispatcher._decide` has it; none behind its farewell."""
        if self._stopping:
            return
        now, dispatcher = self._now(), self._dispatcher
        batch, self._inbox = self._inbox, []
        if batch:
            dispatcher._carry_out(self.hub.decide(batch, now), now)
        if self.hub.next_due <= now.mono:
            dispatcher._carry_out(self.hub.tick(now), now)
        if dispatcher._owed:
            dispatcher._carry_out([], now)
        self._set_timer()

    def _set_timer(self) -> None:
        due = min(self.hub.next_due, self.clock.now + 1.0 if self._dispatcher._owed else math.inf)
        if due < math.inf:
            self._hub_turn.set(due)

    def _take(self, batch: list[Told]) -> None:
        for _, told in batch:  # an io thread lives on after such a one, but no world is so bad
            assert getattr(told, "code", None) != "internal", "an io thread failed; see the log"
        self._inbox += batch
        self._hub_turn.set(self.clock.now + self.clock.dice.choice((0.0, 0.0, 0.003)))

    def _now(self) -> Now:
        wall = _EPOCH + self.clock.now
        stamp = datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return Now(self.clock.now, wall, stamp)

    # ---------------------------------------------------------- between the threads

    def accept(self, client: ClientEnd) -> Link | None:
        """A connection, if it listens still."""
        if self._stopping:
            return None
        self._numbers += 1
        turns = self._loops[self._numbers % len(self._loops)]
        link = Link(self.clock, client, self._numbers, turns.wake)
        self._plugs[self._numbers] = link.plug
        self._server.links.append(link)
        turns.post((Adopt(self._numbers, cast(Any, link.plug), "nowhere"),))
        return link

    def _crashing(self, post: Callable[[Sequence[Op]], None]) -> Callable[[Sequence[Op]], None]:
        """The hub's way to an io thread, on which the process may crash."""

        def posting(ops: Sequence[Op]) -> None:
            if self._server.doom == "between posts" and self.clock.dice.random() < 0.5:
                self._server.doom = ""
                raise Crash
            post(ops)

        return posting

    def _post_one(self, number: int, ops: Sequence[Op]) -> None:
        self._loops[number % len(self._loops)].post(ops)

    def _ask(self, wanted: Wanted | HistoryWanted) -> None:
        self.clock.after(self.clock.dice.choice((0.0, 0.01)), self._guard(self._read), wanted)

    def _read(self, wanted: Wanted) -> None:
        ops = (self._readers._read(self._reader, wanted),)
        delay = self.clock.dice.choice((0.0, 0.0, 0.01))
        self.clock.after(delay, self._guard(self._post_one), wanted.number, ops)

    # ---------------------------------------------------------- the end

    def say_farewell(self) -> None:
        """Stop in order."""
        self._guard(self._farewell)()

    def _farewell(self) -> None:
        self._decide()
        now = self._now()
        self._dispatcher._carry_out(self.hub.farewell("shutdown", 1.0, now), now)
        self._stop()

    def _break(self, _reason: str) -> None:
        self._stop()

    def _stop(self) -> None:
        self._stopping = True
        for turns in self._loops:
            turns.post((Stop(self.clock.now + 4.0),))
        self.clock.after(self.clock.dice.choice((0.5, 4.0)), self._exit)

    def _exit(self) -> None:
        if self.alive():
            self._server.crash()


class _LoopTurns:
    """An io loop, which takes a turn whenever there is something to do."""

    def __init__(self, process: Process, loop: Loop) -> None:
        self._process = process
        self._clock = process.clock
        self._loop = loop
        self._timer = Timer(process.clock, process._guard(self._turn))

    def post(self, ops: Sequence[Op]) -> None:
        """As `Loop.post`."""
        self._loop.post(ops)
        self.wake()

    def wake(self) -> None:
        """Have it take a turn now."""
        self._timer.set(self._clock.now)

    def _turn(self) -> None:
        loop = self._loop
        loop._turn()
        soon = self._clock.now + _TURN_TAKES
        if loop._poller.poll(0.0):
            self._timer.set(soon)
        due = loop._deadlines.next()
        if due is not None:
            self._timer.set(max(due, soon))


class _Time:
    """What io loops take for the module `time`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def monotonic(self) -> float:
        """The time of the world."""
        return self._clock.now


@contextmanager
def made_up(clock: Clock) -> Iterator[None]:
    """Io loops stand on what is made up, as long as this lasts."""
    module: Any = loop
    kept = (module.time, module.new_poller, module.Waker)
    module.time, module.Waker = _Time(clock), Waker
    try:
        yield
    finally:
        module.time, module.new_poller, module.Waker = kept


@contextmanager
def narrow(dice: Random) -> Iterator[bool]:
    """Small queues and pages now and then, so that few messages make a reader fall behind.

    Gives whether the queues are small.
    """
    wide = fanout.HIGH_WATER
    high = dice.choice((300, 1_000, wide, wide))
    values = {"HIGH_WATER": high, "LOW_WATER": high // 4, "PAGE_MESSAGES": dice.choice((1, 3, 500))}
    places = [
        (module, name) for module in (fanout, loop, operations, watch, readers) for name in values
    ]
    kept = [(it, name, getattr(it, name)) for it, name in places if hasattr(it, name)]
    for module, name, _ in kept:
        setattr(module, name, values[name])
    try:
        yield high < wide
    finally:
        for module, name, value in kept:
            setattr(module, name, value)
