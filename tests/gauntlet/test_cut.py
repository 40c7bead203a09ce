"""The link is cut at every byte of a session of 20 KB, in both directions: nothing lost or twice.

One case: a client that has been here before connects through the fault proxy and says 24 messages,
while somebody else speaks in the same room. When a certain byte of one direction has passed, be it
in the middle of the TLS handshake, of a record or of a frame, the link ends with a reset or a FIN.
The client comes back by itself, and the case is over when all it said was acknowledged. Each client
goes on with what it knows to its next case; after some hundreds of cases everyone catches up, and
the books are held against the database.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from securechat.torture import ledger
from securechat.torture.arena import Arena
from securechat.torture.ledger import Kind
from securechat.torture.proxy import CALM, Action, Direction, Fault, Line
from securechat.torture.swarm import Member

from . import scale

pytestmark = scale.MARKS

SESSION: Final = 20 * 1024
FULL: Final = 2 * SESSION
#: Clients that are cut at the same time, each in a room of its own.
_LANES: Final = 6
_CASES_A_ROUND: Final = 1_000
#: What makes the session as long as it must be, in both directions.
_DRAFTS: Final = 24
_LENGTH: Final = (780, 860)
_WINDOW: Final = 3
#: What the other one says meanwhile.
_REMARKS: Final = 3
#: Longest that a case may take, seconds.
_PATIENCE: Final = 60.0
_BROKEN: Final = (sys.executable, "-m", "tests.gauntlet.broken_server")


class Cut(NamedTuple):
    """One case."""

    direction: Direction
    offset: int


ALL: Final = [Cut(direction, offset) for direction in Direction for offset in range(SESSION)]


class Lane:
    """One client in a room of its own, and its cases, one after the other."""

    def __init__(self, arena: Arena, number: int) -> None:
        self.room = f"#lane-{number}"
        self.port = arena.proxied(self._choose)
        self.member: Member
        self.cut: Cut | None = None
        self.since = 0.0
        self._lines: list[Line] = []
        self._fault = CALM

    def _choose(self, line: Line) -> Fault:
        """The first connection of a case meets its fault, the next one nothing."""
        self._lines.append(line)
        fault, self._fault = self._fault, CALM
        return fault

    def admit(self, arena: Arena, seed: int) -> None:
        """Let the client in; it says nothing yet."""
        self.member = arena.admit(self.room[1:], rooms=(self.room,), port=self.port, seed=seed)
        self.member.length, self.member.window, self.member.allowance = _LENGTH, _WINDOW, 0

    def begin(self, cut: Cut, action: Action) -> None:
        """Connect anew, and say what is to be said."""
        self.cut, self.since, self._lines = cut, time.monotonic(), []
        self._fault = Fault(cut.direction, cut.offset, action)
        self.member.allowance = _DRAFTS
        self.member.cut(self.since)

    @property
    def is_over(self) -> bool:
        """Whether all was said and acknowledged."""
        return self.member.level and not self.member.allowance and bool(self._lines)

    @property
    def was_struck(self) -> bool:
        """Whether the link was as long as where it was to be cut."""
        return self._lines[0].struck


@dataclass(slots=True)
class Tally:
    """What rounds came to."""

    cases: int = 0
    struck: int = 0
    messages: int = 0
    deliveries: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    faults: list[ledger.Fault] = field(default_factory=list)


class Round:
    """Some hundreds of cases on one server."""

    def __init__(
        self, seed: int, folder: Path, tally: Tally, command: Sequence[str] | None = None
    ) -> None:
        self._seed = seed
        self._dice = Random(seed)
        self._tally = tally
        self._arena = Arena(folder, command=command, patience=10.0)
        self._waiting = [Lane(self._arena, number) for number in range(_LANES)]
        self._running: list[Lane] = []

    def play(self, cuts: Iterator[Cut]) -> None:
        """Play `cuts`, as far as a round goes, then hold the books against the database."""
        arena, tally = self._arena, self._tally
        cuts = islice(cuts, _CASES_A_ROUND)
        with arena:
            for lane in self._waiting:
                lane.admit(arena, self._dice.getrandbits(64))
            rooms = [lane.room for lane in self._waiting]
            other = arena.admit("other", rooms=rooms, seed=self._dice.getrandbits(64))
            arena.wait_for_arrival()
            while self._begin(cuts, other) or self._running:
                arena.swarm.turn(0.01)
                arena.check()
                self._end()
            messages, sound = arena.close_books()
        assert sound == "ok"
        tally.messages += messages
        tally.deliveries += arena.ledger.deliveries
        tally.counts += arena.ledger.counts
        tally.faults += arena.ledger.faults

    def _begin(self, cuts: Iterator[Cut], other: Member) -> bool:
        """Give whoever waits the next case; False when nobody got one."""
        began = False
        while self._waiting and (cut := next(cuts, None)) is not None:
            lane = self._waiting.pop()
            lane.begin(cut, self._dice.choice((Action.RST, Action.FIN)))
            for remark in range(_REMARKS):
                other.say(lane.room, f"remark {remark} on {cut.direction.value} {cut.offset}")
            self._running.append(lane)
            began = True
        return began

    def _end(self) -> None:
        """Take out whoever is through with its case."""
        for lane in [lane for lane in self._running if lane.is_over]:
            self._running.remove(lane)
            self._waiting.append(lane)
            self._tally.cases += 1
            self._tally.struck += lane.was_struck
        late = time.monotonic() - _PATIENCE
        stuck = [lane.cut for lane in self._running if lane.since < late]
        assert not stuck, f"SEED={self._seed}: not acknowledged within {_PATIENCE:g} s: {stuck}"


def test_a_cut_at_any_byte_costs_nothing(record_property: scale.RecordProperty) -> None:
    portion = scale.Portion("link cut at a byte", FULL, budget=7.0)
    cuts = portion.pick(ALL)
    total = Tally()
    while portion.done < portion.count and not portion.over:
        with tempfile.TemporaryDirectory() as folder:
            Round(portion.seed + total.cases, Path(folder), total).play(cuts)
        assert total.faults == [], f"SEED={portion.seed}"
    assert total.struck >= 0.99 * total.cases, "sessions are shorter than what they are cut at"
    counts = {"cut": total.struck, "messages": total.messages, "deliveries": total.deliveries}
    scale.tell(record_property, f"{portion.report(counts)} · lost 0 · twice 0 · out of order 0")


def test_a_store_that_forgets_ids_would_be_found(record_property: scale.RecordProperty) -> None:
    """The negative control: the unique constraint on (identity, id) is dropped."""
    seed = scale.first_seed()
    cuts = [Cut(Direction.DOWN, offset) for offset in range(4_000, SESSION, 2_000)]
    tally, command = Tally(), (*_BROKEN, "forget-ids", "serve")
    with tempfile.TemporaryDirectory() as folder:
        Round(seed, Path(folder), tally, command).play(iter(cuts))
    twice = tally.counts[Kind.TWICE]
    assert twice > 0, f"SEED={seed}"
    scale.tell(record_property, f"negative control, ids forgotten: found · twice {twice}")
