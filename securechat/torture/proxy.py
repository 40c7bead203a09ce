"""A fault proxy: TCP on loopback that breaks off, stalls or dribbles at a byte of one's choice.

In: where the server is, and for each listener a function that is asked, once for each connection,
what shall happen to it. Out: `Line`s, one for each connection, with what has passed in each
direction. One thread does all of it; nothing is raised for what peers do.

A fault strikes when exactly `offset` bytes of one direction have been handed on, before the next
one is. What had been handed on in the other direction by then stays handed on.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..net.waker import Waker

#: Most bytes taken at once; what cannot be handed on stops the reading.
_PIECE: Final = 16_384
#: How long both ends may take to hang up behind a FIN, seconds.
_PATIENCE: Final = 2.0
_RST: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, no time at all
_LONGEST_SLEEP: Final = 1.0


class Direction(Enum):
    """Which way bytes go."""

    UP = "up"  # client to server
    DOWN = "down"


class Action(Enum):
    """What a fault does."""

    RST = "rst"  # both ends see the connection reset
    FIN = "fin"  # both ends see the other one hang up
    STALL = "stall"  # nothing passes in either direction for `pause` seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a connection. `offset` None: it is never struck; bytes of `direction`.

    `pause`: seconds of a stall. `dribble`: until it is struck every byte goes alone.
    """

    direction: Direction = Direction.DOWN
    offset: int | None = None
    action: Action = Action.RST
    pause: float = 0.2
    dribble: bool = False


#: Nothing happens.
CALM: Final = Fault()


class Line:
    """One connection through the proxy; read it from any thread, nobody else writes it."""

    def __init__(self) -> None:
        #: Bytes handed on.
        self.passed: dict[Direction, int] = dict.fromkeys(Direction, 0)
        #: Whether its fault has come.
        self.struck = False


class _Side:
    """One of the two sockets of a line, and what waits to be written to it."""

    __slots__ = ("direction", "ended", "flow", "sock", "waiting")

    def __init__(self, sock: socket.socket, direction: Direction, flow: _Flow) -> None:
        self.sock = sock
        #: The way of bytes that are read here.
        self.direction = direction
        self.flow = flow
        self.waiting = b""  # to be written here
        self.ended = False  # nothing more can be read here


class _Flow:
    """Both sides of one line."""

    def __init__(self, line: Line, fault: Fault, client: socket.socket, server: socket.socket):
        self.line = line
        self.fault = fault
        self.sides = (
            _Side(client, Direction.UP, self),
            _Side(server, Direction.DOWN, self),
        )
        #: When something is to be done about it, monotonic seconds; None: nothing is.
        self.due: float | None = None
        self.stalled = False
        self.closing = False

    def other(self, side: _Side) -> _Side:
        return self.sides[side is self.sides[0]]


class FaultProxy:
    """`listen` as often as needed, then `start`; `close` cuts whatever is left."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[socket.socket, Callable[[Line], Fault]] = {}
        self._flows: set[_Flow] = set()
        self._waker = Waker()
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def listen(self, choose: Callable[[Line], Fault]) -> int:
        """A new port; `choose` is asked, in the proxy's thread, what each connection meets."""
        sock = socket.create_server(("127.0.0.1", 0), backlog=256)
        sock.setblocking(False)
        self._listeners[sock] = choose
        self._selector.register(sock, selectors.EVENT_READ)
        port: int = sock.getsockname()[1]
        return port

    def start(self) -> None:
        """Start the thread; no more listeners after this."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and every connection; again does nothing."""
        if self._stopping:
            return
        self._stopping = True
        self._waker.wake()
        if self._thread.ident is not None:
            self._thread.join()
        for flow in list(self._flows):
            self._end(flow, Action.RST)
        for sock in self._listeners:
            sock.close()
        self._selector.close()
        self._waker.close()

    def __enter__(self) -> FaultProxy:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -------------------------------------------------------------- the thread

    def _run(self) -> None:
        while not self._stopping:
            for key, mask in self._selector.select(self._time_to_sleep()):
                if isinstance(key.data, _Side):
                    self._serve(key.data, mask)
                elif isinstance(key.fileobj, socket.socket):
                    self._accept(key.fileobj)
                else:
                    self._waker.drain()
            now = time.monotonic()
            for flow in [flow for flow in self._flows if flow.due is not None and now >= flow.due]:
                self._come_due(flow)

    def _time_to_sleep(self) -> float:
        now = time.monotonic()
        due = [flow.due for flow in self._flows if flow.due is not None]
        return max(0.0, min([_LONGEST_SLEEP, *(when - now for when in due)]))

    def _accept(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        line = Line()
        fault = self._listeners[listener](line)
        server = socket.socket()
        for sock in (client, server):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.connect_ex(self._upstream)  # what goes wrong is said by the first write or read
        flow = _Flow(line, fault, client, server)
        self._flows.add(flow)
        if not self._strike_if_due(flow):
            self._watch(flow)

    def _serve(self, side: _Side, mask: int) -> None:
        flow = side.flow
        if flow not in self._flows:
            return  # ended earlier in this turn
        try:
            if flow.closing:
                side.ended = side.ended or not side.sock.recv(_PIECE)
            else:
                if mask & selectors.EVENT_WRITE:
                    self._write(side)
                if mask & selectors.EVENT_READ and flow in self._flows and not flow.stalled:
                    self._read(side)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._end(flow, Action.RST)
        if flow not in self._flows:
            return
        if all(one.ended and not one.waiting for one in flow.sides):
            self._end(flow, None)
        else:
            self._watch(flow)

    def _read(self, side: _Side) -> None:
        target = side.flow.other(side)
        if target.waiting:
            return
        data = side.sock.recv(_PIECE)
        if not data:
            side.ended = True
            target.sock.shutdown(socket.SHUT_WR)
            return
        target.waiting = data
        self._write(target)

    def _write(self, target: _Side) -> None:
        """Hand on what waits, up to where the fault strikes."""
        flow = target.flow
        direction = flow.other(target).direction
        fault, passed = flow.fault, flow.line.passed
        while target.waiting and not flow.stalled:
            dribble = fault.dribble and not flow.line.struck
            most = 1 if dribble else len(target.waiting)
            if fault.direction is direction and fault.offset is not None and not flow.line.struck:
                most = min(most, fault.offset - passed[direction])
            count = target.sock.send(target.waiting[:most])
            passed[direction] += count
            target.waiting = target.waiting[count:]
            if self._strike_if_due(flow) or dribble:
                return

    # -------------------------------------------------------------- faults

    def _strike_if_due(self, flow: _Flow) -> bool:
        """Let the fault come when its byte has; True when this changed anything."""
        fault, line = flow.fault, flow.line
        if line.struck or fault.offset is None or line.passed[fault.direction] < fault.offset:
            return False
        line.struck = True
        if fault.action is Action.STALL:
            flow.stalled, flow.due = True, time.monotonic() + fault.pause
        else:
            self._end(flow, fault.action)
        return True

    def _come_due(self, flow: _Flow) -> None:
        flow.due = None
        if flow.stalled:
            flow.stalled = False
            self._watch(flow)
        else:
            self._end(flow, Action.RST)

    def _end(self, flow: _Flow, how: Action | None) -> None:
        """End both connections; with FIN they are shut, and what still comes is read away."""
        if how is Action.FIN:
            flow.closing, flow.due = True, time.monotonic() + _PATIENCE
            for side in flow.sides:
                side.waiting = b""
                try:
                    side.sock.shutdown(socket.SHUT_WR)
                except OSError:
                    side.ended = True  # never connected, or reset by now
            self._watch(flow)
            return
        self._flows.discard(flow)
        for side in flow.sides:
            self._select(side, 0)
            if how is Action.RST:
                side.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
            side.sock.close()

    # -------------------------------------------------------------- what to wait for

    def _watch(self, flow: _Flow) -> None:
        for side in flow.sides:
            wanted = 0
            if flow.closing:
                wanted = 0 if side.ended else selectors.EVENT_READ
            elif not flow.stalled:
                if side.waiting:
                    wanted |= selectors.EVENT_WRITE
                if not side.ended and not flow.other(side).waiting:
                    wanted |= selectors.EVENT_READ
            self._select(side, wanted)

    def _select(self, side: _Side, wanted: int) -> None:
        key = self._selector.get_map().get(side.sock)
        if key is None:
            if wanted:
                self._selector.register(side.sock, wanted, side)
        elif not wanted:
            self._selector.unregister(side.sock)
        elif key.events != wanted:
            self._selector.modify(side.sock, wanted, side)
