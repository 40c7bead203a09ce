"""One io thread: a selector, the connections that belong to it, and what is posted to it.

In: operations (`post`, from any thread) and readiness of its own sockets. Out: batches of
`(connection, event)` into `inbox`, page wishes into `ask_page`. An error of one connection ends
that connection and nothing else.

Every turn carries out what was posted, then reads and writes what is ready (where many talk flat
out and few are ready, a moment later), then looks at the deadlines that have come, then awaits the
hub's answer to what it told. A sleeper says that it sleeps and looks once more before it does, so a
wake-up is written only when it is needed; a selector never sleeps longer than a second.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..link_events import Levelled
from ..metrics import Histogram
from ..protocol.codec import encode
from ..protocol.envelopes import Hello, Join, ServerPing
from ..protocol.framing import encode_frame
from .channel import Channel, Phase
from .deadlines import ERROR_CODES, Deadlines, Verdict
from .endings import Endings
from .fanout import LOW_WATER, Fanout
from .handshakes import Handshakes
from .heap import Rush
from .intake import Intake
from .loop_config import PATIENCE, LoopConfig, Told
from .operations import Operations
from .ops import Adopt, Answered, Op, Stop, UseContext
from .poller import READ, TROUBLE, WRITE, new_poller
from .waker import Waker
from .watch import Clock, Watch

__all__ = ["PATIENCE", "Loop", "LoopConfig", "Told"]

log = logging.getLogger(__name__)

#: Handshakes that are moved on in a turn, at 0.3 ms each, when nobody speaks; else it is one.
_HANDSHAKES_PER_TURN: Final = 8
#: What those say who come in. They wait for the handshakes of a turn, so that many are one batch.
_COMING_IN: Final = frozenset((Hello, Join))
_LONGEST_SLEEP: Final = 1.0
#: Connections that were ready at once beyond which more may be by now, and looks at who is.
_MANY_READY: Final = 8
_LOOKS_PER_TURN: Final = 4
#: Where so many events share an operation, a turn for fewer who are ready than this waits so long
#: for more of them, seconds.
_MANY_SHARED: Final = 24
_FEW_READY: Final = 16
_GATHER: Final = 0.000_2
#: How long who has arrived may wait to be told with what they say first, seconds, and how many.
_ARRIVAL_WAIT: Final = 0.02
_ARRIVALS_AT_ONCE: Final = 64
_PING: Final = encode_frame(encode(ServerPing(token="alive")))


class Loop:
    """An io thread and all that it owns; `start` it, `post` to it, `join` it after a `Stop`."""

    def __init__(self, index: int, config: LoopConfig) -> None:
        self._config = config
        self._thread = threading.Thread(target=self._run, name=f"io-{index}", daemon=True)
        self._posted: queue.SimpleQueue[Sequence[Op]] = queue.SimpleQueue()
        self._sleeping = False
        self._waker = Waker()
        self._poller = new_poller()
        self._poller.register(self._waker.fileno(), READ)
        self._channels: dict[int, Channel] = {}
        #: Descriptors are the least numbers that are free: a list holds them in 8 bytes each.
        self._by_fd: list[Channel | None] = [None] * (self._waker.fileno() + 1)
        self._deadlines = Deadlines()
        self._clock = clock = Clock(time.monotonic())
        #: What the hub is told at the end of the turn; always the same list, parts add to it.
        self._told: list[Told] = []
        #: Who has arrived and said nothing yet: the hub has no turn for that alone.
        self._arrived: list[Told] = []
        self._arrived_at = 0.0
        #: When what the hub has not answered yet was read, and how many events that were.
        self._unanswered: deque[tuple[float, int]] = deque(maxlen=1_024)
        #: How many events one operation answers of late: quick to grow, slow to shrink.
        self._shared = 0
        #: From the turn in which an event was read to when all that follows was written.
        self.latency = Histogram()
        self._stop_at: float | None = None
        tell, report = self._told.append, config.report
        self._rush = rush = Rush()
        self._watch = watch = Watch(self._poller, self._deadlines, config.idle_timeout, clock)
        self._handshakes = Handshakes(config, watch, clock, rush, self._arrived.append)
        self._endings = endings = Endings(
            watch, clock, rush, tell=tell, report=report, forget=self._forget
        )
        self._intake = Intake(self._told, watch, endings, clock, report)
        self._fanout = Fanout(
            ask_page=config.ask_page,
            levelled=self._tell_levelled,
            stuck=watch.stuck,
            broken=endings.break_off,
        )
        operations = Operations(
            self._channels, self._fanout, self._intake, endings, watch, clock, report
        )
        self._carry_out: dict[type[Any], Callable[[Any], None]] = {
            **operations.table(),
            Adopt: self._adopt,
            Answered: self._note_answered,
            UseContext: self._use_context,
            Stop: self._stop,
        }

    # -------------------------------------------------------------- from other threads

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def post(self, ops: Sequence[Op]) -> None:
        """Have `ops` carried out, in order, behind what was posted before; never blocks."""
        self._posted.put(ops)
        if self._sleeping:
            self._sleeping = False
            self._waker.wake()

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end after a `Stop`; False when it has not."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def connections(self) -> int:
        """How many it has, those in the handshake included; from any thread."""
        return len(self._channels)

    @property
    def ident(self) -> int | None:
        """The thread's, None: it was not started."""
        return self._thread.ident

    @property
    def turn(self) -> float | None:
        """When its turn began (monotonic seconds), None: it sleeps; from any thread."""
        return None if self._sleeping else self._clock.now

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    # -------------------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            while not self._done():
                self._turn()
        finally:
            for channel in list(self._channels.values()):
                self._endings.close(channel)
            self._poller.close()
            self._waker.close()

    def _done(self) -> bool:
        if self._stop_at is None or not self._posted.empty():
            return False
        return not self._channels or time.monotonic() >= self._stop_at

    def _turn(self) -> None:
        ready = self._sleep()
        if self._shared >= _MANY_SHARED and len(ready) < _FEW_READY:
            ready = self._gather()
        self._clock.now = now = time.monotonic()
        self._carry_out_posted()
        self._serve_ready(ready)
        # While many were read from, others have spoken: one batch is cheaper than two.
        for _ in range(_LOOKS_PER_TURN):
            if len(ready) < _MANY_READY:
                break
            ready = self._poller.poll(0.0)
            self._serve_ready(ready)
        if self._handshakes.ready:
            spoken = any(type(event) not in _COMING_IN for _, event in self._told)
            self._shake_hands(1 if spoken else _HANDSHAKES_PER_TURN)
        for when, number in self._deadlines.take_due(now):
            channel = self._channels.get(number)
            if channel is not None and channel.due == when:
                channel.due = 0.0
                self._endings.guard(channel, self._look_at_clock)
        if self._arrived:
            self._announce(now)
        if self._told:
            told = self._told.copy()
            self._told.clear()
            self._unanswered.append((now, len(told)))
            self._config.inbox(told)
            self._await_answer(len(told))

    def _announce(self, now: float) -> None:
        """Tell who has arrived, before what they say, or when they have said nothing for a while.

        Most say hello at once: it is one batch then, and one turn of the hub, not two (2 % of
        what it costs to connect).
        """
        arrived = self._arrived
        self._arrived_at = self._arrived_at or now
        waited = now - self._arrived_at >= _ARRIVAL_WAIT
        if self._told or waited or len(arrived) >= _ARRIVALS_AT_ONCE:
            self._told[:0] = arrived
            arrived.clear()
            self._arrived_at = 0.0

    def _serve_ready(self, ready: list[tuple[int, int]]) -> None:
        by_fd, talking, read = self._by_fd, Phase.TALKING, self._intake.read
        for fd, mask in ready:
            channel = by_fd[fd]
            if channel is None:
                if fd == self._waker.fileno():
                    self._waker.drain()
                continue
            try:
                if mask == READ and channel.phase is talking:
                    read(channel)
                else:
                    self._serve(channel, mask)
            except Exception as error:
                self._endings.blame(channel, error)

    def _shake_hands(self, most: int) -> None:
        ready = self._handshakes.ready
        for _ in range(min(len(ready), most)):
            self._endings.guard(ready.popleft(), self._handshakes.advance)

    def _await_answer(self, told: int) -> None:
        """Carry out what the hub has decided of what it was told, before anything more is read.

        It is there already, unless another thread had the hub's turn. Two threads that both want
        the interpreter gain nothing by running at once, and what arrives meanwhile is one batch.
        """
        try:
            ops = self._posted.get(timeout=self._config.patience)
        except queue.Empty:
            return
        self._clock.now = time.monotonic()
        self._carry_out_all(ops)
        shared = told // (len(ops) or 1)
        self._shared = shared if shared > self._shared else (7 * self._shared + shared) >> 3

    def _sleep(self) -> list[tuple[int, int]]:
        while self._config.inbox_full() and self._stop_at is None:
            # The hub has enough to do: reading on would only pile it up, TCP shall slow them down.
            time.sleep(0.001)
            self._clock.now = time.monotonic()
            self._carry_out_posted()
        timeout = _LONGEST_SLEEP
        due = self._deadlines.next()
        if due is not None:
            timeout = min(timeout, max(0.0, due - time.monotonic()))
        if self._stop_at is not None:
            timeout = min(timeout, max(0.0, self._stop_at - time.monotonic()))
        if self._arrived:
            timeout = min(timeout, _ARRIVAL_WAIT)
        self._sleeping = True
        # An answer may have brought something to tell: what a client had said behind its `hello`.
        if self._told or self._handshakes.ready or not self._posted.empty():
            timeout = 0.0
        ready = self._poller.poll(timeout)
        self._sleeping = False
        return ready

    def _gather(self) -> list[tuple[int, int]]:
        """Who is ready in a moment, when all answer at once to what they have just been sent.

        The first few would have a chunk of their own, as dear to each receiver as one for all: of a
        room of 100 that talks flat out every fourth chunk was one of those, and 8 % of the CPU went
        there.
        """
        time.sleep(_GATHER)
        return self._poller.poll(0.0)

    def _carry_out_posted(self) -> None:
        posted = self._posted
        while not posted.empty():
            self._carry_out_all(posted.get())

    def _carry_out_all(self, ops: Sequence[Op]) -> None:
        for op in ops:
            try:
                self._carry_out[type(op)](op)
            except Exception:
                log.exception("carrying out %s failed", type(op).__name__)

    # -------------------------------------------------------------- one connection

    def _serve(self, channel: Channel, mask: int) -> None:
        phase = channel.phase
        if phase is Phase.TALKING:
            if mask & (WRITE | TROUBLE):
                self._flush(channel)
            if mask & (READ | TROUBLE) and channel.phase is Phase.TALKING:
                self._intake.read(channel)
        elif phase is Phase.HANDSHAKE:
            self._handshakes.queue_up(channel)
        elif phase is Phase.FINISHING:
            self._flush(channel)
        elif phase is Phase.LINGERING and channel.discard():
            self._endings.close(channel)

    def _flush(self, channel: Channel) -> None:
        if channel.flush():
            channel.drained = self._clock.now
        if channel.phase is Phase.FINISHING:
            if channel.out is None:
                self._endings.shut(channel)
            return
        if channel.out_bytes < LOW_WATER and channel.behind is not None:
            self._fanout.drained(channel)
        if channel.phase is Phase.TALKING:
            self._watch.select(channel)

    def _look_at_clock(self, channel: Channel) -> None:
        verdict, due = self._watch.judge(channel)
        if verdict is Verdict.DROP:
            if channel.phase is Phase.HANDSHAKE:
                log.info(
                    "connection %d from %s: no handshake in time", channel.number, channel.peer
                )
            self._endings.close(channel)
            return
        if verdict in ERROR_CODES:
            self._endings.fail(channel, ERROR_CODES[verdict], verdict.value)
            return
        if verdict is Verdict.PING:
            channel.pinged = True
            self._fanout.write(channel, _PING)
        elif verdict is Verdict.RESUME:
            channel.starved = False
            channel.heard = self._clock.now
            self._intake.resume(channel)
            self._watch.schedule(channel)
            return
        if channel.phase is not Phase.DEAD:
            self._watch.schedule_at(channel, due)

    def _tell_levelled(self, channel: Channel, conversation: str) -> None:
        self._told.append((channel.number, Levelled(conversation)))

    def _forget(self, channel: Channel) -> None:
        """It has ended, and its socket is about to be closed."""
        self._fanout.drop(channel)
        self._handshakes.forget(channel)
        self._intake.forget(channel)
        self._by_fd[channel.sock.fileno()] = None
        del self._channels[channel.number]

    # -------------------------------------------------------------- operations on the whole

    def _adopt(self, op: Adopt) -> None:
        if self._stop_at is not None:
            self._handshakes.turn_away(op)
            return
        channel = self._handshakes.begin(op)
        if channel is None:
            return
        self._channels[op.number] = channel
        fd = channel.sock.fileno()
        self._by_fd.extend([None] * (fd + 1 - len(self._by_fd)))
        self._by_fd[fd] = channel
        self._watch.set_interest(channel, READ)
        self._watch.schedule(channel)

    def _note_answered(self, op: Answered) -> None:
        now = time.monotonic()
        for _ in range(min(op.batches, len(self._unanswered))):
            read_at, count = self._unanswered.popleft()
            self.latency.add(now - read_at, count)

    def _use_context(self, op: UseContext) -> None:
        self._handshakes.context = op.context

    def _stop(self, op: Stop) -> None:
        self._stop_at = op.deadline
        for channel in list(self._channels.values()):
            if channel.phase is Phase.HANDSHAKE:
                self._endings.close(channel)
