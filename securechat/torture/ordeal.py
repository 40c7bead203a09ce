"""The ordeal: a server under full load is killed again and again, links are cut, clients die.

In: an `Ordeal`, which says how many clients, how long, how many kills and with which seed. Out: a
`Report`; `report.clean` is the verdict. Raised: `OrdealError` when the server does not start or
stop as it must, or a client was turned away for good.

The seed settles who speaks to whom and which link is cut where; when exactly a kill hits the server
is up to the machine, so another run of the same seed meets the same kinds of trouble, not the same.
"""

from __future__ import annotations

import math
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final, TypeAlias

from .arena import Arena
from .ledger import Kind, between
from .proxy import CALM, Action, Direction, Fault, Line
from .swarm import Member

#: Members of a yard; the square has them all.
_YARD: Final = 10
#: So many of the clients must be back before a server is killed, unless patience ends, seconds.
_MOST: Final = 0.9
_PATIENCE: Final = 5.0
#: Then it lives for this much longer at most, seconds.
_LIFE: Final = 0.4
#: Part of the kills that wait for nobody, and how long such a server lives at most, seconds.
_RASH: Final = 0.2
_RASH_LIFE: Final = 0.8
#: A client is killed every so many seconds.
_CLIENT_LIFE: Final = 0.5
#: How long a round is at most, seconds.
_ROUND: Final = 300.0
#: How often progress is told, seconds.
_SHOWN_EVERY: Final = 0.2
#: Part of the connections through the proxy that meet nothing, and of the others that go by bytes.
_SPARED: Final = 0.3
_DRIBBLED: Final = 0.03
#: The last byte at which a link is cut; the first ones are the likelier, so handshakes get theirs.
_FARTHEST: Final = 300_000
_FARTHEST_DRIBBLE: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """What is done. It ends after `seconds` or `kills`, whichever comes first, and catching up; on
    a machine that is too busy for that there is one kill all the same.

    `window`: drafts that each client has under way at once. `cuts`: half of the clients come
    through a fault proxy, and now and then a client is killed. `threaded`: so many are the whole
    client of the product, threads included. `command`, `patience`: see `Arena`.
    """

    seed: int
    clients: int = 50
    seconds: float = 120.0
    kills: int | None = None
    window: int = 4
    cuts: bool = False
    threaded: int = 0
    command: Sequence[str] | None = None
    patience: float = 60.0


@dataclass(slots=True)
class Report:
    """What happened, and what the books say; reports of several ordeals add up."""

    seconds: float = 0.0
    kills: int = 0
    cuts: int = 0
    client_kills: int = 0
    connections: int = 0
    sent: int = 0
    echoed: int = 0
    deliveries: int = 0
    stored: int = 0
    slowest_start: float = 0.0  #: seconds from the start of a server to its first client
    counts: Counter[Kind] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, nothing came twice, and all of it in order."""
        return not self.counts and not self.faults

    @property
    def verdict(self) -> str:
        """The last line of the table: how often what happened that must not."""
        told = [kind for kind in Kind if kind is not Kind.PHANTOM or self.counts[kind]]
        return " · ".join(f"{kind.value} {self.counts[kind]}" for kind in told)

    def __add__(self, other: Report) -> Report:
        both = {
            one.name: (getattr(self, one.name), getattr(other, one.name)) for one in fields(self)
        }
        sums = {name: mine + theirs for name, (mine, theirs) in both.items()}
        return Report(**{**sums, "slowest_start": max(both["slowest_start"])})


#: Told a few times a second: the part that is done, 0 to 1, and what happened so far.
Progress: TypeAlias = Callable[[float, Report], None]


def run(ordeal: Ordeal, folder: Path, progress: Progress = lambda *_: None) -> Report:
    """Put a server in `folder` through `ordeal`; raises `OrdealError`."""
    return _Run(ordeal, folder, progress).run()


def endure(ordeal: Ordeal, folder: Path, progress: Progress = lambda *_: None) -> Report:
    """The same in rounds of some minutes, each with a new server: books of hours fit no memory.

    The first round that is not clean is the last one.
    """
    total = Report()
    rounds = max(1, math.ceil(ordeal.seconds / _ROUND))
    for number in range(rounds):
        seconds, seed = ordeal.seconds / rounds, ordeal.seed + number
        inside = folder / f"round-{number + 1}"
        inside.mkdir()
        show = _as_round(progress, total, number, rounds)
        total += run(replace(ordeal, seconds=seconds, seed=seed), inside, show)
        if not total.clean:
            break
        shutil.rmtree(inside)
    return total


def _as_round(progress: Progress, before: Report, number: int, rounds: int) -> Progress:
    return lambda part, report: progress((number + part) / rounds, before + report)


class _Run:
    """One ordeal under way."""

    def __init__(self, ordeal: Ordeal, folder: Path, progress: Progress) -> None:
        self._ordeal = ordeal
        self._progress = progress
        self._random = random.Random(ordeal.seed)
        #: The dice of the proxy's thread.
        self._fate = random.Random(self._random.getrandbits(64))
        self._report = Report()
        self._lines: list[Line] = []
        self._cutting = False
        self._mortals: list[Member] = []
        self._arena = Arena(folder, command=ordeal.command, patience=ordeal.patience)
        port = self._arena.server.port
        proxied = self._arena.proxied(self._choose_fault) if ordeal.cuts else port
        self._ports = (port, proxied)

    # -------------------------------------------------------------- the course of it

    def run(self) -> Report:
        """All of it."""
        began = time.monotonic()
        report, arena = self._report, self._arena
        with arena:
            self._arrive()
            self._cutting = self._ordeal.cuts
            self._endure(began + self._ordeal.seconds)
            self._cutting = False
            self._count()
            self._progress(1.0, report)
            for member in arena.swarm.members:
                member.window = 0
            report.stored, sound = arena.close_books()
        self._count_books()
        report.counts += arena.ledger.counts
        report.faults += [f"{fault.kind.value}: {fault.what}" for fault in arena.ledger.faults]
        if sound != "ok":
            report.faults.append(f"the database is damaged: {sound}")
        report.seconds = time.monotonic() - began
        return report

    def _arrive(self) -> None:
        """All come in, and begin to speak."""
        arena = self._arena
        nicks = [f"m{number}" for number in range(self._ordeal.clients)]
        for number, nick in enumerate(nicks):
            yard, friend = f"#yard-{number // _YARD}", nicks[number - 1]
            rooms, targets = ("#square", yard), ("#square", yard, yard, f"@{friend}")
            seed = self._random.getrandbits(64)
            if number < self._ordeal.threaded:
                arena.admit_threaded(nick, rooms=rooms, targets=targets, seed=seed)
            else:
                port = self._ports[number % 2]
                self._mortals.append(
                    arena.admit(nick, rooms=rooms, targets=targets, port=port, seed=seed)
                )
            for one in (nick, friend):
                arena.ledger.began(one, between(nick, friend), 0)
        arena.wait_for_arrival()
        for member in arena.swarm.members:
            member.window = self._ordeal.window

    def _endure(self, until: float) -> None:
        """Kill the server over and over, and clients beside it."""
        report, arena = self._report, self._arena
        members = arena.swarm.members
        began = show_at = now = time.monotonic()
        client_kill_at = now + _CLIENT_LIFE if self._ordeal.cuts else until
        reaper = _Reaper(self._random, now)
        launched: float | None = None  # a server that has not served anybody yet
        marks = [0] * len(members)  # who has not connected since then is not back
        while (now := time.monotonic()) < until or not report.kills:
            if report.kills == self._ordeal.kills:
                break
            arena.swarm.turn(0.01)
            arena.check()
            back = sum(
                member.online and member.connections > mark
                for member, mark in zip(members, marks, strict=True)
            )
            if back and launched is not None:
                report.slowest_start = max(report.slowest_start, now - launched)
                launched = None
            if reaper.is_due(now, back >= len(members) * _MOST):
                arena.server.kill()
                report.kills += 1
                arena.server.launch()
                launched = time.monotonic()
                marks = [member.connections for member in members]
                reaper = _Reaper(self._random, launched)
            if now >= client_kill_at:
                client_kill_at = now + _CLIENT_LIFE
                self._random.choice(self._mortals).kill(now)
                report.client_kills += 1
            if now >= show_at:
                show_at = now + _SHOWN_EVERY
                self._count()
                self._progress(self._part_done(now - began, until - began), report)

    def _part_done(self, passed: float, time_given: float) -> float:
        parts = [passed / time_given]
        if self._ordeal.kills:
            parts.append(self._report.kills / self._ordeal.kills)
        return min(1.0, max(parts))

    # -------------------------------------------------------------- links, and what is counted

    def _choose_fault(self, line: Line) -> Fault:
        """What a connection through the proxy will meet; asked in the proxy's thread."""
        if not self._cutting or self._fate.random() < _SPARED:
            return CALM
        self._lines.append(line)
        dribble = self._fate.random() < _DRIBBLED
        return Fault(
            direction=self._fate.choice(tuple(Direction)),
            offset=int((_FARTHEST_DRIBBLE if dribble else _FARTHEST) ** self._fate.random()),
            action=self._fate.choice(tuple(Action)),
            pause=self._fate.uniform(0.01, 0.5),
            dribble=dribble,
        )

    def _count(self) -> None:
        members = self._arena.swarm.members
        self._report.cuts = sum(line.struck for line in self._lines)
        self._report.connections = sum(member.connections for member in members)
        self._count_books()

    def _count_books(self) -> None:
        report, ledger = self._report, self._arena.ledger
        report.sent, report.echoed = ledger.sent_count, ledger.echoed_count
        report.deliveries = ledger.deliveries


class _Reaper:
    """When a server that was launched at `now` is killed."""

    def __init__(self, random: random.Random, now: float) -> None:
        self._random = random
        rash = random.random() < _RASH
        self._kill_at = now + random.uniform(0.0, _RASH_LIFE) if rash else None
        self._patient_until = now + _PATIENCE

    def is_due(self, now: float, back: bool) -> bool:
        """Whether now; `back`: most clients are. A rash one does not wait for them."""
        if self._kill_at is None and (back or now > self._patient_until):
            self._kill_at = now + self._random.uniform(0.0, _LIFE)
        return self._kill_at is not None and now >= self._kill_at
