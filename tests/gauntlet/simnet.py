"""A clock and a network that are made up, and an io thread's way to see them.

`Clock` is the only time there is: acts wait in a heap, and time jumps from one to the next. A
`Link` is two streams of bytes with a delay; what is under way arrives in pieces of any length, and
is lost when the link breaks. The server's end of one is a `Plug`, which behaves as a non-blocking
TLS socket does; `Poller` tells which of them are ready. The client's end is the link itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Any, Final, Protocol, TypeAlias

from securechat.net.poller import READ, WRITE

Act: TypeAlias = Callable[..., None]
#: As far as a clock is concerned, nothing lasts longer than that, seconds.
_FOREVER: Final = 1e9


class Clock:
    """Seconds from 0; `dice` are those of the whole world."""

    def __init__(self, dice: Random) -> None:
        self.now = 0.0
        self.dice = dice
        self._heap: list[tuple[float, int, Act, tuple[Any, ...]]] = []
        self._number = 0

    def at(self, when: float, act: Act, *args: Any) -> None:
        """Have `act` called at `when`, or now if that is past."""
        self._number += 1
        heappush(self._heap, (max(when, self.now), self._number, act, args))

    def after(self, delay: float, act: Act, *args: Any) -> None:
        """Have `act` called in `delay` seconds."""
        self._number += 1
        heappush(self._heap, (self.now + delay, self._number, act, args))

    def run(self, until: float) -> None:
        """Let time pass."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, act, args = heappop(heap)
            act(*args)
        self.now = until


class Timer:
    """Calls `act` once, at the earliest of the times that it is set to."""

    __slots__ = ("_act", "_clock", "_when")

    def __init__(self, clock: Clock, act: Act) -> None:
        self._clock = clock
        self._act = act
        self._when = _FOREVER

    def set(self, when: float) -> None:
        """Call it at `when`, if it is not called before."""
        if when < self._when:
            self._when = when
            self._clock.at(when, self._fire, when)

    def _fire(self, when: float) -> None:
        if when == self._when:
            self._when = _FOREVER
            self._act()


# ------------------------------------------------------------------ links


class ClientEnd(Protocol):
    """Whoever dialed."""

    def wake(self) -> None:
        """Something is to be read from the link, or it is broken."""
        ...


class _Stream:
    """One direction: what is under way, and where it goes."""

    __slots__ = ("_clock", "_delay", "_deliver", "_moving", "transit")

    def __init__(self, clock: Clock, delay: float, deliver: Callable[[bytes], None]) -> None:
        self._clock = clock
        self._delay = delay
        self._deliver = deliver
        self._moving = False
        self.transit = b""

    def put(self, data: bytes) -> None:
        self.transit += data
        if not self._moving:
            self._moving = True
            self._clock.after(self._delay, self._arrive)

    def _arrive(self) -> None:
        dice, transit = self._clock.dice, self.transit
        count = len(transit)
        if count > 1 and dice.random() < 0.15:
            count = dice.randrange(1, count)
        self.transit = transit[count:]
        self._moving = bool(self.transit)
        if self._moving:
            self._clock.after(self._delay * dice.random(), self._arrive)
        if count:
            self._deliver(transit[:count])


class Link:
    """One connection, from the client's point of view; `plug` is its other end."""

    def __init__(self, clock: Clock, client: ClientEnd, fd: int, wake: Act) -> None:
        dice = clock.dice
        delay = dice.choice((0.0, 0.001, 0.02, 0.2))
        self._clock = clock
        self._client = client
        self.plug = Plug(self, fd, dice.choice((700, 1 << 20)), wake)
        self.up = _Stream(clock, delay, self.plug.take)
        self.down = _Stream(clock, delay, self._take)
        self.received = b""
        #: Nothing reaches the server any more; nothing reaches the client.
        self.up_dead = self.down_dead = False
        #: The client will find out when it looks.
        self.broken = False
        #: The network is gone, and nobody will be told.
        self.silent = False

    # ---------------------------------------------------------- the client's end

    def write(self, data: bytes) -> None:
        """Send `data`, if anything still moves."""
        if not self.up_dead:
            self.up.put(data)

    def read(self) -> bytes:
        """All that has come; raises `ConnectionResetError` when nothing will come any more."""
        received, self.received = self.received, b""
        if received:
            self.plug.drained()
        elif self.broken:
            raise ConnectionResetError
        return received

    def hang_up(self) -> None:
        """The client is gone; what it wrote may still arrive, and the end some time after."""
        self.down_dead = self.broken = True
        if self._clock.dice.random() < 0.5:
            self.up.transit = b""
        self._clock.after(self._lag, self._end_up)

    def _end_up(self) -> None:
        if self.up.transit and not self.up_dead:
            self._clock.after(0.01, self._end_up)
        elif not self.silent:
            self.plug.reset()

    def _take(self, data: bytes) -> None:
        if not self.down_dead:
            self.received += data
            self._client.wake()

    @property
    def _lag(self) -> float:
        return self._clock.dice.choice((0.0, 0.05, 1.0))

    # ---------------------------------------------------------- what befalls it

    def cut(self, *, silent: bool) -> None:
        """No byte moves any more; `silent`: nobody is told, and each must find out."""
        self.up_dead = self.down_dead = True
        self.up.transit = self.down.transit = b""
        self.silent = silent
        if not silent:
            self.tell()

    def tell(self) -> None:
        """Both ends hear that the link is dead, each in its time."""
        self.silent = False
        self._clock.after(self._lag, self.plug.reset)
        self._clock.after(self._lag, self._break)

    def _break(self) -> None:
        if not self.broken:
            self.broken = True
            self._client.wake()

    def end(self) -> None:
        """The server has said its last word; what is under way arrives, then the end."""
        if self.silent:
            return
        if self.down.transit and not self.down_dead:
            self._clock.after(0.01, self.end)
        else:
            self._clock.after(self._lag, self._break)


class Plug:
    """The server's end of a link, to be used as a non-blocking `ssl.SSLSocket`."""

    __slots__ = ("_capacity", "_link", "_refused", "_wake", "arrived", "fd", "greeted", "is_reset")

    def __init__(self, link: Link, fd: int, capacity: int, wake: Act) -> None:
        self._link = link
        self._capacity = capacity
        self._wake = wake
        #: What was tried in vain, and must be tried again before anything else.
        self._refused: bytes | None = None
        self.fd = fd
        self.arrived = b""
        self.greeted = False
        self.is_reset = False

    # ---------------------------------------------------------- the network's side

    def take(self, data: bytes) -> None:
        """Bytes arrived from the client."""
        if not self._link.up_dead:
            self.arrived += data
            self._wake()

    def reset(self) -> None:
        """The link is broken, and the server's system knows it."""
        self.is_reset = True
        self._wake()

    def drained(self) -> None:
        """The client has read."""
        if self._refused is not None:
            self._wake()

    @property
    def ready(self) -> int:
        """What epoll would say."""
        mask = READ if self.arrived or self.is_reset or not self.greeted else 0
        return mask | (WRITE if self._has_room or self.is_reset else 0)

    @property
    def _has_room(self) -> bool:
        link = self._link
        return len(link.down.transit) + len(link.received) < self._capacity

    # ---------------------------------------------------------- the server's side

    def fileno(self) -> int:
        """A number that no other plug has."""
        return self.fd

    def getpeername(self) -> tuple[str, int]:
        """Where its peer is: nowhere, on a port of its own."""
        return "nowhere", self.fd

    def setblocking(self, _flag: bool) -> None:
        """It never blocks."""

    def setsockopt(self, *_option: int) -> None:
        """It has none."""

    def do_handshake(self) -> None:
        """The client is who it is."""
        self.greeted = True
        if self.is_reset:
            raise ConnectionResetError

    def read(self, size: int) -> bytes:
        """What has arrived; an end is always a broken link here."""
        if self.arrived:
            data, self.arrived = self.arrived[:size], self.arrived[size:]
            return data
        if self.is_reset:
            raise ConnectionResetError
        raise ssl.SSLWantReadError

    recv = read

    def write(self, data: bytes) -> int:
        """All of `data`, or nothing."""
        if self.is_reset:
            raise ConnectionResetError
        if self._refused is not None and data != self._refused:
            raise AssertionError("other bytes after WANT_WRITE would corrupt the stream")
        if not self._has_room:
            self._refused = data
            raise ssl.SSLWantWriteError
        self._refused = None
        if not self._link.down_dead:
            self._link.down.put(data)
        return len(data)

    def unwrap(self) -> None:
        """close_notify."""

    def shutdown(self, _how: int) -> None:
        """Our side is done."""
        self._link.end()

    def close(self) -> None:
        """It is gone; the client learns of that some time."""
        self._link.end()


class Poller:
    """Tells an io thread which plugs are ready."""

    def __init__(self, plugs: dict[int, Plug]) -> None:
        self._plugs = plugs
        self._interest: dict[int, int] = {}

    def register(self, fd: int, eventmask: int, /) -> None:
        """See `securechat.net.poller.Poller`."""
        assert fd not in self._interest, "registered twice"
        self._interest[fd] = eventmask

    def modify(self, fd: int, eventmask: int, /) -> None:
        """See `securechat.net.poller.Poller`."""
        assert fd in self._interest, "not registered"
        self._interest[fd] = eventmask

    def unregister(self, fd: int, /) -> None:
        """See `securechat.net.poller.Poller`."""
        del self._interest[fd]

    def poll(self, _timeout: float) -> list[tuple[int, int]]:
        """What is ready now; time does not pass here."""
        plugs = self._plugs
        return [
            (fd, mask)
            for fd, wanted in self._interest.items()
            if fd in plugs and (mask := plugs[fd].ready & wanted)
        ]

    def close(self) -> None:
        """Nothing is held."""


class Context:
    """Wraps what is no socket in what is no TLS."""

    def wrap_socket(self, plug: Plug, **_options: object) -> Plug:
        """The plug itself."""
        return plug


class Waker:
    """Nobody sleeps: whoever posts to an io thread has it take its turn."""

    def fileno(self) -> int:
        """A number that no plug has."""
        return -1

    def wake(self) -> None:
        """Nothing to do."""

    def drain(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing is held."""
