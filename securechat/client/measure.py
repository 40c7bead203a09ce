"""How quickly a server answers: some connections in a room of their own, one message at a time.

In: a `Trial`. Out: a `Report` of seconds, and now and then, to `show`, how far it has come. Raised:
`ClientError`, as any client ends with. One after the other says something; when everyone has heard
it, the next one does. Nobody says more than half of what the server's `limits.rate` allows, so what
is measured is the server and the way there, not its waiting for tokens. All is done in the thread
that calls `measure`.
"""

from __future__ import annotations

import math
import secrets
import select
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from ..errors import GaveUp, Refused
from ..protocol.codec import Refusal
from ..protocol.connection import Connection, Role
from ..protocol.envelopes import (
    Bye,
    Command,
    Draft,
    Error,
    Hello,
    Join,
    Joined,
    Pong,
    Posted,
    Quit,
    ServerPing,
    Welcome,
)
from .dial import Dial
from .link import Link, describe_loss
from .trust import Guard, Trust, guard_of

_TEXT: Final = "x" * 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to measure; `timeout`: seconds without an answer after which it is given up."""

    host: str
    port: int
    trust: Trust
    clients: int = 10
    seconds: float = 5.0
    timeout: float = 10.0


@dataclass(slots=True)
class Report:
    """Seconds, a value for each time: from dialing to being in the room (`connecting`), from saying
    to the author's own echo, to each other member, and to the last of them."""

    server: str = ""
    room: str = ""
    rate: float = 0.0
    connecting: list[float] = field(default_factory=list)
    echo: list[float] = field(default_factory=list)
    fan_out: list[float] = field(default_factory=list)
    everyone: list[float] = field(default_factory=list)


class Spread(NamedTuple):
    """How values are spread."""

    median: float
    p99: float
    most: float


#: Called with how much is done, from 0 to 1, and what is known so far.
Progress: TypeAlias = Callable[[float, Report], None]


def spread_of(values: Sequence[float]) -> Spread:
    """The spread of some values; there must be one."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return Spread(ordered[last // 2], ordered[math.ceil(last * 0.99)], ordered[last])


def pause_between(rate: float, clients: int) -> float:
    """Seconds between two messages, such that nobody says more than half of `rate`."""
    return 0.0 if rate <= 0 else 2.0 / (rate * clients)


def measure(trial: Trial, show: Progress) -> Report:
    """Measure; raises `ClientError`."""
    report = Report(room=f"#bench-{secrets.token_hex(4)}")
    guard = guard_of(trial.trust)
    guests: list[_Guest] = []
    try:
        for number in range(trial.clients):
            began = time.monotonic()
            guest = _Guest(_dial(trial, guard), trial)
            guests.append(guest)
            guest.enter(f"{report.room[1:]}-{number}", report)
            report.connecting.append(time.monotonic() - began)
            show(0.0, report)
        _talk(trial, guests, report, show)
        for guest in guests:
            guest.say(Quit(id="q"))
    finally:
        for guest in guests:
            guest.link.close()
    return report


def _talk(trial: Trial, guests: Sequence[_Guest], report: Report, show: Progress) -> None:
    """Messages, one at a time, until the time is up."""
    pause = pause_between(report.rate, len(guests))
    run, count = secrets.token_hex(16), 0
    began = time.monotonic()
    while (now := time.monotonic()) - began < trial.seconds:
        author = guests[count % len(guests)]
        count += 1
        draft = Draft(id=f"{run}-{count}", to=report.room, text=_TEXT)
        author.say(draft)
        waits = set(guests)
        for guest, event in _hear(guests, trial.timeout):
            if isinstance(event, Posted):
                waits.discard(guest)
                took = time.monotonic() - now
                (report.echo if guest is author else report.fan_out).append(took)
                if not waits:
                    break
        report.everyone.append(time.monotonic() - now)
        show(min(1.0, (time.monotonic() - began) / trial.seconds), report)
        time.sleep(max(0.0, now + pause - time.monotonic()))


def _dial(trial: Trial, guard: Guard) -> Link:
    """An open link; raises `ClientError`."""
    dial = Dial(
        guard,
        trial.host,
        trial.port,
        timeout=trial.timeout,
        now=time.monotonic(),
        wake=lambda: None,
    )
    try:
        while (link := dial.advance(time.monotonic())) is None:
            poll = select.poll()
            if dial.fileno() >= 0:
                poll.register(dial, dial.interest)
                poll.poll(max(0.0, dial.deadline - time.monotonic()) * 1_000)
            else:  # the name is being looked up in another thread
                time.sleep(0.01)
    except BaseException:
        dial.close()
        raise
    return link


class _Guest:
    """One connection."""

    def __init__(self, link: Link, trial: Trial) -> None:
        self.link = link
        self._timeout = trial.timeout
        self._connection = Connection(Role.CLIENT)
        self._seq = 0

    def fileno(self) -> int:
        return self.link.fileno()

    def say(self, envelope: Draft | Command) -> None:
        """Send it, or as much as fits now; `hear` sends on."""
        self.link.write(self._connection.send(envelope))
        self._flush()

    def enter(self, nick: str, report: Report) -> None:
        """Be greeted, and join the room; raises `Refused`."""
        self.say(Hello(id="h", protocol=1, nick=nick))
        for _, event in _hear([self], self._timeout):
            if isinstance(event, Welcome):
                report.server = f"{event.server} {event.version}"
                report.rate = event.limits.rate
                self.say(Join(id="j", room=report.room))
            elif isinstance(event, Joined) and event.re == "j":
                self._seq = event.seq or 0
                break

    def hear(self) -> list[Any]:
        """What has come; pings are answered, and what ends it is raised."""
        self._flush()
        try:
            chunks = self.link.read()
        except OSError as error:
            raise GaveUp(f"The link was lost: {describe_loss(error)}. Try again.") from error
        events: list[Any] = []
        for chunk in chunks:
            self._connection.receive_data(chunk)
            while said := self._connection.next_events():
                events += said
        for event in events:
            if isinstance(event, ServerPing):
                self.say(Pong(id="p", token=event.token))
            elif isinstance(event, Posted):
                if event.seq != self._seq + 1:
                    raise GaveUp("A message was lost, came twice or out of order: a server's bug.")
                self._seq = event.seq
            elif isinstance(event, Error | Refusal):
                raise Refused(event.message)
            elif isinstance(event, Bye):
                raise GaveUp(f"The server said goodbye ({event.reason}). Try again later.")
        return events

    def _flush(self) -> None:
        try:
            self.link.flush()
        except OSError as error:
            raise GaveUp(f"The link was lost: {describe_loss(error)}. Try again.") from error


def _hear(guests: Sequence[_Guest], timeout: float) -> Iterator[tuple[_Guest, Any]]:
    """(guest, event) as they come, until nobody asks for more; raises `GaveUp` in a silence."""
    by_fd = {guest.fileno(): guest for guest in guests}
    poll = select.poll()
    for guest in guests:
        poll.register(guest, guest.link.interest)
    while True:
        if any(guest.link.has_more for guest in guests):
            ready = list(by_fd)
        else:
            ready = [fd for fd, _ in poll.poll(timeout * 1_000)]
        if not ready:
            raise GaveUp(f"The server did not answer within {timeout:g} s. Try again later.")
        for fd in ready:
            guest = by_fd[fd]
            for event in guest.hear():
                yield guest, event
            poll.modify(guest, guest.link.interest)
