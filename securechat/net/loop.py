"""One io thread: a selector, the connections that belong to it, and what is posted to it.

In: operations (`post`, from any thread) and readiness of its own sockets. Out: batches of
`(connection, event)` into `inbox`, page wishes into `ask_page`. An error of one connection ends
that connection and nothing else.

Every turn carries out what was posted, then reads and writes what is ready, then looks at the
deadlines that have come, then awaits the hub's answer to what it told. A sleeper says that it
sleeps and looks once more before it does, so a wake-up is written only when it is needed; a
selector never sleeps longer than a second.
"""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ..link_events import Arrived, Levelled, Lost
from ..metrics import Histogram
from ..protocol.codec import Refusal, encode
from ..protocol.connection import Connection, Signal, State
from ..protocol.envelopes import Command, Draft, ServerPing
from ..protocol.framing import DEFAULT_MAX_FRAME, HEADER_SIZE, encode_frame
from .channel import READ_SIZE, Bucket, Channel, Phase
from .crowd import Crowds
from .deadlines import ERROR_CODES, Deadlines, Verdict, judge
from .fanout import HIGH_WATER, LOW_WATER, Fanout
from .gate import Fact
from .heap import RUSH, find_give_back
from .ops import (
    Adopt,
    Answered,
    Chunk,
    Deliver,
    Evict,
    Finish,
    Notice,
    NoticeTo,
    Op,
    PageRead,
    PageWanted,
    Scrub,
    Stop,
    Subscribe,
    Unsubscribe,
    UseContext,
)
from .poller import READ, TROUBLE, WRITE, new_poller
from .tls import certified_name, describe_failure
from .waker import Waker

log = logging.getLogger(__name__)

Told: TypeAlias = tuple[int, Draft | Command | Refusal | Arrived | Lost | Levelled]

#: Frames looked at in one go; what is left has its turn before anything new is read.
_FRAMES_PER_LOOK: Final = 64
#: Records read from one connection before the others have their turn.
_READS_PER_TURN: Final = 8
#: Handshakes that are moved on in a turn, at 0.3 ms each, when nobody speaks; else it is one.
_HANDSHAKES_PER_TURN: Final = 8
_LONGEST_SLEEP: Final = 1.0
#: Connections that were ready at once beyond which more may be by now, and looks at who is.
_MANY_READY: Final = 8
_LOOKS_PER_TURN: Final = 4
#: How long the hub may take over what it was told before more is read, seconds.
PATIENCE: Final = 0.005
#: How much may wait unread in front of the parser while `hello` is being answered, bytes.
_MAX_UNPARSED: Final = DEFAULT_MAX_FRAME + HEADER_SIZE
#: The kernel keeps no more than this for a peer that does not read, bytes.
_SEND_BUFFER: Final = 128 * 1024
_OPEN: Final = State.OPEN
_EVICTED: Final = "Too many others are just coming in. Come back in a moment."
_PING: Final = encode_frame(encode(ServerPing(token="alive")))


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """What all io threads of a server share. With `context` they begin; `UseContext` replaces it.

    `inbox` takes a batch and returns at once; when it is decided, something is posted, were it an
    empty list, which the loop awaits for up to `patience` seconds. `inbox_full` says that the hub
    has enough to do; `new_bucket(now)` makes what paces a connection, None: nothing does, and
    `new_shared_bucket(now)` what paces a crowded address (`crowd`). `report(number, fact, now)` is
    told how far strangers come.
    """

    context: ssl.SSLContext
    inbox: Callable[[list[Told]], None]
    inbox_full: Callable[[], bool]
    ask_page: Callable[[PageWanted], None]
    new_bucket: Callable[[float], Bucket] | None
    idle_timeout: float
    patience: float = PATIENCE
    new_shared_bucket: Callable[[float], Bucket] | None = None
    report: Callable[[int, Fact, float], None] = lambda _number, _fact, _now: None


class Loop:
    """An io thread and all that it owns; `start` it, `post` to it, `join` it after a `Stop`."""

    def __init__(self, index: int, config: LoopConfig) -> None:
        self._config = config
        self._context = config.context
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
        #: Handshakes under way, and those that were since memory was given back.
        self._shaking = self._shaken = 0
        self._give_back = find_give_back()
        self._told: list[Told] = []
        #: Whose handshakes can be moved on; in turn, and a few at a time.
        self._handshakes: deque[Channel] = deque()
        #: Who will be told at `hello` that its address has too many connections.
        self._surplus: set[int] = set()
        shared = config.new_shared_bucket
        self._crowds = None if shared is None else Crowds(shared)
        #: When what the hub has not answered yet was read, and how many events that were.
        self._unanswered: deque[tuple[float, int]] = deque(maxlen=1_024)
        #: From the turn in which an event was read to when all that follows was written.
        self.latency = Histogram()
        self._stop_at: float | None = None
        self._now = time.monotonic()
        self._fanout = Fanout(
            ask_page=config.ask_page,
            levelled=self._tell_levelled,
            stuck=self._watch_stuck,
            broken=self._break,
        )
        self._carry_out: dict[type[Any], Callable[[Any], None]] = {
            Adopt: self._adopt,
            Evict: self._evict,
            Answered: self._note_answered,
            Chunk: self._fanout.send_chunk,
            Notice: self._fanout.send_notice,
            NoticeTo: self._notice_to,
            Deliver: self._deliver,
            Subscribe: self._subscribe,
            Unsubscribe: self._unsubscribe,
            Scrub: self._fanout.scrub,
            PageRead: self._take_page,
            Finish: self._finish,
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
                self._close(channel)
            self._poller.close()
            self._waker.close()

    def _done(self) -> bool:
        if self._stop_at is None or not self._posted.empty():
            return False
        return not self._channels or time.monotonic() >= self._stop_at

    def _turn(self) -> None:
        ready = self._sleep()
        self._now = now = time.monotonic()
        self._carry_out_posted()
        self._serve_ready(ready)
        # While many were read from, others have spoken: one batch is cheaper than two.
        for _ in range(_LOOKS_PER_TURN):
            if len(ready) < _MANY_READY:
                break
            ready = self._poller.poll(0.0)
            self._serve_ready(ready)
        if self._handshakes:
            self._shake_hands(1 if self._told else _HANDSHAKES_PER_TURN)
        for when, number in self._deadlines.take_due(now):
            channel = self._channels.get(number)
            if channel is not None and channel.due == when:
                channel.due = 0.0
                self._guard(channel, self._look_at_clock)
        if self._told:
            told, self._told = self._told, []
            self._unanswered.append((now, len(told)))
            self._config.inbox(told)
            self._await_answer()

    def _serve_ready(self, ready: list[tuple[int, int]]) -> None:
        by_fd, talking = self._by_fd, Phase.TALKING
        for fd, mask in ready:
            channel = by_fd[fd]
            if channel is None:
                if fd == self._waker.fileno():
                    self._waker.drain()
                continue
            try:
                if mask == READ and channel.phase is talking:
                    self._read(channel)
                else:
                    self._serve(channel, mask)
            except Exception as error:
                self._blame(channel, error)

    def _shake_hands(self, most: int) -> None:
        for _ in range(min(len(self._handshakes), most)):
            self._guard(self._handshakes.popleft(), self._handshake)

    def _await_answer(self) -> None:
        """Let the hub decide what it was told, and carry that out, before anything more is read.

        Two threads that both want the interpreter gain nothing by running at once; taking turns,
        they hand it over once a batch, and all that arrives meanwhile is one batch again.
        """
        try:
            ops = self._posted.get(timeout=self._config.patience)
        except queue.Empty:
            return
        self._now = time.monotonic()
        self._carry_out_all(ops)

    def _sleep(self) -> list[tuple[int, int]]:
        while self._config.inbox_full() and self._stop_at is None:
            # The hub has enough to do: reading on would only pile it up, TCP shall slow them down.
            time.sleep(0.001)
            self._now = time.monotonic()
            self._carry_out_posted()
        timeout = _LONGEST_SLEEP
        due = self._deadlines.next()
        if due is not None:
            timeout = min(timeout, max(0.0, due - time.monotonic()))
        if self._stop_at is not None:
            timeout = min(timeout, max(0.0, self._stop_at - time.monotonic()))
        self._sleeping = True
        if self._handshakes or not self._posted.empty():
            timeout = 0.0
        ready = self._poller.poll(timeout)
        self._sleeping = False
        return ready

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

    def _guard(self, channel: Channel, act: Callable[[Channel], None]) -> None:
        """Do something for one connection; whatever fails, fails for that connection alone."""
        try:
            act(channel)
        except Exception as error:
            self._blame(channel, error)

    def _blame(self, channel: Channel, error: Exception) -> None:
        """End the one connection for which something failed."""
        if isinstance(error, OSError):
            self._break(channel, error)
            return
        log.error("connection %d from %s: failed", channel.number, channel.peer, exc_info=error)
        message = "The server failed on this; it is our fault and it was logged. Connect again."
        self._fail(channel, "internal", message)

    # -------------------------------------------------------------- readiness

    def _serve(self, channel: Channel, mask: int) -> None:
        phase = channel.phase
        if phase is Phase.TALKING:
            if mask & (WRITE | TROUBLE):
                self._flush(channel)
            if mask & (READ | TROUBLE) and channel.phase is Phase.TALKING:
                self._read(channel)
        elif phase is Phase.HANDSHAKE:
            self._set_interest(channel, 0)
            self._handshakes.append(channel)
        elif phase is Phase.FINISHING:
            self._flush(channel)
        elif phase is Phase.LINGERING and channel.discard():
            self._close(channel)

    def _handshake(self, channel: Channel) -> None:
        if channel.phase is not Phase.HANDSHAKE:
            return  # it has ended while it waited for its turn
        try:
            channel.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._set_interest(channel, READ)
            return
        except ssl.SSLWantWriteError:
            self._set_interest(channel, WRITE)
            return
        self._end_handshake()
        # Its deadline of 10 s stands, for `hello` now: it is looked at anew when it comes.
        channel.phase = Phase.TALKING
        channel.since = channel.heard = self._now
        if channel.bucket is None and self._config.new_bucket is not None:
            channel.bucket = self._config.new_bucket(self._now)
        surplus = channel.number in self._surplus
        name = certified_name(channel.sock)
        self._told.append((channel.number, Arrived(channel.peer, surplus, name)))
        self._watch(channel)
        self._schedule(channel)

    def _end_handshake(self) -> None:
        self._shaking -= 1
        self._shaken += 1
        if not self._shaking and self._shaken >= RUSH:
            self._shaken = 0
            self._give_back()

    def _read(self, channel: Channel) -> None:
        """Read a record; one frame and nothing else, as people send it, goes the short way."""
        data = channel.receive()
        if data is None:
            return
        if not data:
            self._part(channel)
            return
        channel.heard = now = self._now
        channel.pinged = False
        bucket = channel.bucket
        if bucket is None or bucket.available(now):
            event = channel.connection.receive_one(data)
            if event is not None:
                self._told.append((channel.number, event))  # type: ignore[arg-type]
                if bucket is not None:
                    bucket.charge(event.cost)  # type: ignore[union-attr]
                if channel.out is not None or channel.connection.state is not _OPEN:
                    self._heed(channel, event)
                return
        self._read_on(channel, data)

    def _read_on(self, channel: Channel, data: bytes) -> None:
        """Read what else is there; `data` may be the middle of a frame or many of them."""
        channel.connection.receive_data(data)
        total, reads, ended = len(data), 1, False
        # A record that is not full is most likely the last one; if not, the poller says so again.
        while len(data) == READ_SIZE and reads < _READS_PER_TURN:
            more = channel.receive()
            if not more:
                ended = more is not None
                break
            data = more
            channel.connection.receive_data(data)
            total += len(data)
            reads += 1
        if channel.frame_since is not None:
            channel.frame_bytes += total
        self._understand(channel)
        if ended:
            self._part(channel)

    def _understand(self, channel: Channel) -> None:
        """Turn what was read into events, as far as there are tokens for it."""
        connection, bucket, number = channel.connection, channel.bucket, channel.number
        told = self._told
        while connection.pending:
            limit = _FRAMES_PER_LOOK
            if bucket is not None:
                limit = min(limit, bucket.available(self._now))
                if not limit:
                    self._starve(channel, bucket)
                    return
            events = connection.next_events(limit)
            if not events:
                break
            channel.frame_since = None
            told.extend([(number, event) for event in events])  # type: ignore[misc]
            if connection.closed:
                self._heed(channel, events[-1])
            if bucket is not None:
                bucket.charge(sum([event.cost for event in events]))  # type: ignore[misc, union-attr]
        if connection.pending:
            self._watch_frame(channel, connection)
        if channel.phase is Phase.TALKING and not self._may_read(channel):
            self._watch(channel)

    def _heed(self, channel: Channel, event: object) -> None:
        """Read no more for now, if `event` was the last, or too much waits to be written."""
        if type(event) is Refusal and channel.connection.closed:
            log.info("connection %d from %s: refused: %s", channel.number, channel.peer, event.code)
            self._config.report(channel.number, Fact.OFFENDED, self._now)
            self._await_finish(channel)
        if channel.phase is Phase.TALKING and not self._may_read(channel):
            self._watch(channel)

    def _starve(self, channel: Channel, bucket: Bucket) -> None:
        """No tokens: what was read waits, and nothing more is read until there are some."""
        if channel.connection.has_events:
            channel.starved = True
            channel.frame_since = None
            self._watch(channel)
            self._deadlines.schedule(channel, self._now + bucket.wait())
        elif channel.connection.pending:
            self._watch_frame(channel, channel.connection)

    def _watch_frame(self, channel: Channel, connection: Connection) -> None:
        if channel.frame_since is None and connection.frame_begun:
            channel.frame_since = self._now
            channel.frame_bytes = connection.pending
            self._schedule(channel)

    def _flush(self, channel: Channel) -> None:
        if channel.flush():
            channel.drained = self._now
        if channel.phase is Phase.FINISHING:
            if channel.out is None:
                self._shut(channel)
            return
        if channel.out_bytes < LOW_WATER and channel.behind is not None:
            self._fanout.drained(channel)
        if channel.phase is Phase.TALKING:
            self._watch(channel)

    # -------------------------------------------------------------- interest

    def _may_read(self, channel: Channel) -> bool:
        return (
            not channel.starved
            and channel.out_bytes <= HIGH_WATER
            and channel.connection.pending <= _MAX_UNPARSED
            and not channel.connection.closed
        )

    def _watch(self, channel: Channel) -> None:
        """Select on what a talking channel can use now."""
        wanted = READ if self._may_read(channel) else 0
        if channel.out is not None:
            wanted |= WRITE
        self._set_interest(channel, wanted)

    def _set_interest(self, channel: Channel, wanted: int) -> None:
        if wanted == channel.interest:
            return
        fd = channel.sock.fileno()
        if not wanted:
            self._poller.unregister(fd)
        elif channel.interest:
            self._poller.modify(fd, wanted)
        else:
            self._poller.register(fd, wanted)
        channel.interest = wanted

    def _watch_stuck(self, channel: Channel) -> None:
        """Bytes began to wait: from now on the peer has to drain them."""
        channel.drained = self._now
        self._watch(channel)
        self._schedule(channel)

    def _tell_levelled(self, channel: Channel, conversation: str) -> None:
        self._told.append((channel.number, Levelled(conversation)))

    # -------------------------------------------------------------- deadlines

    def _schedule(self, channel: Channel) -> None:
        _, due = judge(channel, self._now, self._config.idle_timeout)
        self._deadlines.schedule(channel, due)

    def _look_at_clock(self, channel: Channel) -> None:
        verdict, due = judge(channel, self._now, self._config.idle_timeout)
        if verdict is Verdict.DROP:
            if channel.phase is Phase.HANDSHAKE:
                log.info(
                    "connection %d from %s: no handshake in time", channel.number, channel.peer
                )
            self._close(channel)
            return
        if verdict in ERROR_CODES:
            self._fail(channel, ERROR_CODES[verdict], verdict.value)
            return
        if verdict is Verdict.PING:
            channel.pinged = True
            self._fanout.write(channel, _PING)
        elif verdict is Verdict.RESUME:
            channel.starved = False
            channel.heard = self._now
            self._understand(channel)
            if channel.phase is Phase.TALKING:
                self._watch(channel)
            self._schedule(channel)
            return
        if channel.phase is not Phase.DEAD:
            self._deadlines.schedule(channel, due)

    # -------------------------------------------------------------- operations

    def _adopt(self, op: Adopt) -> None:
        if self._stop_at is not None:
            op.sock.close()
            self._config.report(op.number, Fact.ENDED, self._now)
            return
        try:
            op.sock.setblocking(False)
            op.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            op.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            sock = self._context.wrap_socket(
                op.sock,
                server_side=True,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except OSError as error:
            log.info("connection %d from %s: %s", op.number, op.peer, describe_failure(error))
            op.sock.close()
            self._config.report(op.number, Fact.ENDED, self._now)
            return
        self._shaking += 1
        channel = self._channels[op.number] = Channel(op.number, sock, op.peer, self._now)
        fd = sock.fileno()
        self._by_fd.extend([None] * (fd + 1 - len(self._by_fd)))
        self._by_fd[fd] = channel
        if op.surplus:
            self._surplus.add(op.number)
        if op.crowd and self._crowds is not None:
            own = self._config.new_bucket and self._config.new_bucket(self._now)
            channel.bucket = self._crowds.join(op.crowd, own, self._now)
        self._set_interest(channel, READ)
        self._schedule(channel)

    def _evict(self, op: Evict) -> None:
        channel = self._channels.get(op.number)
        if channel is not None and channel.connection.state is State.GREETING:
            self._fail(channel, "server_full", _EVICTED)

    def _note_answered(self, op: Answered) -> None:
        now = time.monotonic()
        for _ in range(min(op.batches, len(self._unanswered))):
            read_at, count = self._unanswered.popleft()
            self.latency.add(now - read_at, count)

    def _use_context(self, op: UseContext) -> None:
        self._context = op.context

    def _notice_to(self, op: NoticeTo) -> None:
        for number in op.numbers:
            channel = self._channels.get(number)
            if channel is not None:
                self._fanout.send_to(channel, op)

    def _deliver(self, op: Deliver) -> None:
        channel = self._channels.get(op.number)
        if channel is None or channel.phase is not Phase.TALKING:
            return
        if op.fence and channel.behind is not None:
            channel.fences = [*(channel.fences or ()), op.data]
            return
        if op.cost and channel.bucket is not None:
            channel.bucket.charge(op.cost)
        self._fanout.write(channel, op.data)
        connection = channel.connection
        if op.signal is not None and connection.state is State.ANSWERING:
            connection.note_sent(op.signal)
            if op.signal is Signal.WELCOME:
                self._config.report(op.number, Fact.GREETED, self._now)
            channel.since = self._now  # a hello that was refused may be said again, in its own 10 s
            self._schedule(channel)
            if connection.pending:
                self._guard(channel, self._resume)
        elif channel.out_bytes > HIGH_WATER:
            self._watch(channel)

    def _resume(self, channel: Channel) -> None:
        """`hello` is answered: look at what came behind it."""
        self._understand(channel)
        if channel.phase is Phase.TALKING:
            self._watch(channel)

    def _subscribe(self, op: Subscribe) -> None:
        channel = self._channels.get(op.number)
        if channel is not None and channel.phase is Phase.TALKING:
            self._fanout.subscribe(channel, op)

    def _unsubscribe(self, op: Unsubscribe) -> None:
        channel = self._channels.get(op.number)
        if channel is not None:
            self._fanout.unsubscribe(channel, op)

    def _take_page(self, op: PageRead) -> None:
        channel = self._channels.get(op.number)
        if channel is not None and channel.phase is Phase.TALKING:
            self._fanout.take_page(channel, op)

    def _finish(self, op: Finish) -> None:
        channel = self._channels.get(op.number)
        if channel is None or channel.phase is not Phase.TALKING:
            return
        self._fanout.drop(channel)
        if op.data:
            self._fanout.write(channel, op.data)
        if channel.phase is not Phase.TALKING:
            return
        channel.phase = Phase.FINISHING
        channel.since = self._now
        self._schedule(channel)
        if channel.out is None:
            self._shut(channel)
        else:
            self._set_interest(channel, WRITE)

    def _stop(self, op: Stop) -> None:
        self._stop_at = op.deadline
        for channel in list(self._channels.values()):
            if channel.phase is Phase.HANDSHAKE:
                self._close(channel)

    # -------------------------------------------------------------- endings

    def _fail(self, channel: Channel, code: str, message: str) -> None:
        """End a connection with an error; the hub says it, in its place behind other answers."""
        if channel.phase is not Phase.TALKING:
            self._close(channel)
            return
        log.info("connection %d from %s: ended: %s", channel.number, channel.peer, code)
        channel.connection.close()
        self._watch(channel)
        self._told.append((channel.number, Refusal(code, message, fatal=True)))
        self._await_finish(channel)

    def _await_finish(self, channel: Channel) -> None:
        """The hub answers with a Finish; should it fail to, the connection ends all the same."""
        channel.since = self._now
        self._schedule(channel)

    def _shut(self, channel: Channel) -> None:
        """Everything is written: say so, and read away what is still coming.

        A bare close() with unread input would send RST, and the last answer would be lost.
        """
        if not channel.shut():
            self._set_interest(channel, WRITE)
            return
        if channel.phase is Phase.HANDSHAKE:
            self._end_handshake()
        channel.phase = Phase.LINGERING
        channel.since = self._now
        self._set_interest(channel, READ)
        self._schedule(channel)

    def _break(self, channel: Channel, error: OSError) -> None:
        if channel.phase is Phase.HANDSHAKE:
            reason = describe_failure(error)
            log.info(
                "connection %d from %s: no handshake: %s", channel.number, channel.peer, reason
            )
            self._shut(channel)  # the alert that tells the peer why is on its way
        else:
            self._lose(channel, describe_failure(error))

    def _part(self, channel: Channel) -> None:
        """The peer has said close_notify: say ours, as RFC 8446, 6.1 wants it, and close."""
        if channel.out is None:
            channel.shut()
        self._lose(channel, "closed by the peer")

    def _lose(self, channel: Channel, reason: str) -> None:
        if channel.phase is Phase.TALKING:
            self._told.append((channel.number, Lost(reason)))
        self._close(channel)

    def _close(self, channel: Channel) -> None:
        if channel.phase is Phase.DEAD:
            return
        if channel.phase is Phase.HANDSHAKE:
            self._end_handshake()
        self._set_interest(channel, 0)
        self._fanout.drop(channel)
        self._by_fd[channel.sock.fileno()] = None
        channel.close()
        del self._channels[channel.number]
        self._surplus.discard(channel.number)
        self._config.report(channel.number, Fact.ENDED, self._now)
