"""Who may come in now, who waits, who is cut: the limits on strangers, as a pure core.

In: connections as numbers with their sources (`penalties.source_of`), what io threads tell of them
(`Fact`), and the time (monotonic seconds). Out: `Admit`, `Wait` or `Cut`, and from `release` those
whose turn has come. The figures are those of `config.GateLimits`; docs/security.md tells them.

A connection *greets* from its first byte until it is welcomed. Places for that are few, and given
fairly: when none is left, the source with the most of them loses its oldest (`Admit.evict`). So a
newcomer from an address that is not flooding gets in at once, however many addresses are. Whoever
held a place and never said hello pays the time that it was held as a penalty, which fades; a source
with too much of it waits, and is cut at last. The more of its people are in, the more it is borne.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from ..config import GateLimits
from ..penalties import Penalties, is_loopback

#: How long a place for greeting is nobody else's, seconds; honest peers need less.
GRACE: Final = 3.0
#: Waiting connections that are looked at in one `release`, and how often it is wanted, seconds.
_LOOKED_AT: Final = 64
RELEASE_EVERY: Final = 0.02


def fit(limits: GateLimits, descriptors: int) -> GateLimits:
    """`limits` for a process that may have so many descriptors: half of them is for strangers.

    So those who are in keep theirs, and there is one for whoever takes a stranger's place.
    """
    share = max(1, descriptors // 8)
    greeting, waiting = min(limits.greeting, share), min(limits.waiting, 3 * share)
    return replace(limits, greeting=greeting, waiting=waiting)


class Fact(Enum):
    """What an io thread tells of a connection."""

    GREETED = "welcomed"
    OFFENDED = "broke the protocol"
    ENDED = "ended"


class Admit(NamedTuple):
    """Let it in. `surplus`: only to tell it that its address has too many connections already.

    `evict`: this connection loses its place, if it still greets; 0: none does. `crowded`: it shares
    what its address may say a second.
    """

    surplus: bool = False
    crowded: bool = False
    evict: int = 0


class Wait(NamedTuple):
    """Let it wait until `release` names it; `displaced` waits no longer, it is cut; 0: none is."""

    displaced: int = 0


class Cut(NamedTuple):
    """Close it without a word."""

    why: str


Decision: TypeAlias = Admit | Wait | Cut


class _Source:
    """An address with connections here."""

    __slots__ = ("greeting", "open", "waiting", "welcomed")

    def __init__(self) -> None:
        self.open = 0
        self.welcomed: set[int] = set()
        #: Connections that greet, oldest first, with when they were let in.
        self.greeting: OrderedDict[int, float] = OrderedDict()
        #: Those that wait, and since when; who has waited longest is first.
        self.waiting: deque[tuple[int, float]] = deque()


class Gate:
    """All sources and their connections; one thread calls it.

    `fair_messages`: so many connections of one address may each speak at their own full rate.
    """

    def __init__(self, limits: GateLimits, fair_messages: float = 0.0) -> None:
        self._limits = limits
        self._fair_messages = fair_messages
        self._sources: dict[str, _Source] = {}
        #: The source of each connection that is limited.
        self._source_of: dict[int, str] = {}
        self._penalties = Penalties(limits.table, limits.longest_penalty)
        self._pace = Penalties(limits.table, limits.longest_penalty)
        self._handshakes = Penalties(1, limits.longest_penalty)
        #: Sources by how many of their connections greet, and wait: who has most is found at once.
        self._greeting = _Ranking()
        self._waiting = _Ranking()
        #: Sources with waiting connections, in the order in which they get their turns.
        self._turns: OrderedDict[str, None] = OrderedDict()

    # -------------------------------------------------------------- one comes

    def judge(self, number: int, source: str, now: float) -> Decision:
        """What becomes of a connection that was just accepted."""
        limits = self._limits
        if limits.trust_loopback and is_loopback(source):
            return Admit()
        state = self._sources.get(source)
        if (
            (state is not None and state.waiting)
            or self._must_wait(source, now)
            or not self._may_begin(source, now, just_came=True)
        ):
            return self._have_wait(number, source, now)
        return self._admit(number, source, now)

    def _must_wait(self, source: str, now: float) -> bool:
        """Whether a source has to wait for its penalty to fade, or for its pace."""
        limits = self._limits
        if self._guilt(source, now) > limits.tolerance:
            return True
        rate = limits.new_per_second
        return bool(rate) and self._pace.of(source, now) * rate > limits.new_at_once

    def _guilt(self, source: str, now: float) -> float:
        """The penalty of a source beyond what its people who are in make it bear."""
        penalty = self._penalties.of(source, now)
        if not penalty:
            return 0.0
        state = self._sources.get(source)
        return penalty - (self._limits.borne * len(state.welcomed) if state is not None else 0.0)

    def _may_begin(self, source: str, now: float, *, just_came: bool = False) -> bool:
        """Whether there is a place, and CPU, for one more handshake of this source."""
        limits = self._limits
        mine = self._greeting.count(source)
        bursts = 1
        if just_came and not mine and self._guilt(source, now) <= limits.innocent:
            # Beyond the first burst only those go who do not flood, beyond the second only from
            # where people are in.
            state = self._sources.get(source)
            bursts = 3 if state is not None and state.welcomed else 2
        if self._is_paced(now, bursts * limits.handshakes_at_once):
            return False
        if mine >= limits.greeting_per_address:
            return False
        total = self._greeting.total
        if 2 * total >= limits.greeting and mine >= limits.greeting_fair_share:
            return False
        return total < limits.greeting or self._victim(source, now) != 0

    def _is_paced(self, now: float, burst: int) -> bool:
        """Whether so many handshakes at once have been begun already."""
        rate = self._limits.handshakes
        return bool(rate) and self._handshakes.of("", now) * rate >= burst

    def _victim(self, source: str, now: float) -> int:
        """Who has to give its place to one of `source`; 0: nobody does."""
        heaviest = self._greeting.heaviest()
        if heaviest is None:
            return 0
        oldest, since = next(iter(self._sources[heaviest].greeting.items()))
        if self._greeting.count(heaviest) >= self._greeting.count(source) + 2:
            return oldest
        return oldest if now - since >= GRACE else 0

    def _admit(self, number: int, source: str, now: float) -> Admit:
        limits = self._limits
        evict = 0
        if self._greeting.total >= limits.greeting:
            evict = self._victim(source, now)
            self._end_greeting(evict, now)
        state = self._sources.setdefault(source, _Source())
        surplus = bool(limits.per_address) and state.open >= limits.per_address
        crowded = bool(self._fair_messages) and state.open >= self._fair_messages
        state.open += 1
        state.greeting[number] = now
        self._greeting.move(source, 1)
        self._source_of[number] = source
        if limits.new_per_second:
            self._pace.add(source, 1 / limits.new_per_second, now)
        if limits.handshakes:
            self._handshakes.add("", 1 / limits.handshakes, now)
        return Admit(surplus, crowded, evict)

    # -------------------------------------------------------------- waiting

    def _have_wait(self, number: int, source: str, now: float) -> Decision:
        """A place to wait in; the source that has most of them gives one up when all are taken."""
        limits = self._limits
        mine = self._waiting.count(source)
        if mine >= limits.waiting_per_address:
            return Cut("too many of its address wait")
        displaced = 0
        if self._waiting.total >= limits.waiting:
            heaviest = self._waiting.heaviest()
            if heaviest is None or self._waiting.count(heaviest) < mine + 2:
                return Cut("too many wait")
            displaced, _ = self._sources[heaviest].waiting.pop()
            self._waited(heaviest)
        self._sources.setdefault(source, _Source()).waiting.append((number, now))
        self._waiting.move(source, 1)
        self._turns.setdefault(source)
        return Wait(displaced)

    def _waited(self, source: str) -> None:
        """One that waited does so no longer."""
        self._waiting.move(source, -1)
        if not self._waiting.count(source):
            self._turns.pop(source, None)
            self._forget_idle(source)

    @property
    def anyone_waits(self) -> bool:
        """Whether `release` may have something to give, later."""
        return bool(self._turns)

    def release(self, now: float) -> list[tuple[int, Admit | Cut]]:
        """Those that come in, or have waited too long: each source in turn."""
        released: list[tuple[int, Admit | Cut]] = []
        in_vain = 0
        paced = self._is_paced(now, self._limits.handshakes_at_once)
        for _ in range(_LOOKED_AT):
            if in_vain >= len(self._turns):
                break
            source = next(iter(self._turns))
            self._turns.move_to_end(source)
            state = self._sources[source]
            number, since = state.waiting[0]
            decision: Admit | Cut
            if now - since >= self._limits.longest_wait:
                decision = Cut("they have waited too long")
            elif not (paced or self._must_wait(source, now)) and self._may_begin(source, now):
                decision = self._admit(number, source, now)
            else:
                in_vain += 1
                continue
            in_vain = 0
            state.waiting.popleft()
            self._waited(source)
            released.append((number, decision))
        return released

    # -------------------------------------------------------------- what becomes of them

    def note(self, number: int, fact: Fact, now: float) -> None:
        """What an io thread tells; of connections that are not limited nothing is kept."""
        source = self._source_of.get(number)
        if source is None:
            return
        if fact is Fact.OFFENDED:
            self._penalties.add(source, self._limits.offence, now)
        elif fact is Fact.GREETED:
            state = self._sources[source]
            if state.greeting.pop(number, None) is not None:
                self._greeting.move(source, -1)
            state.welcomed.add(number)
            self._penalties.forgive(source, self._limits.forgiven, now)
        else:
            self._end(number, source, now)

    def _end(self, number: int, source: str, now: float) -> None:
        state = self._sources[source]
        if number in state.greeting:
            self._penalties.add(source, self._limits.in_vain, now)
            self._end_greeting(number, now)
        state.welcomed.discard(number)
        state.open -= 1
        del self._source_of[number]
        self._forget_idle(source)

    def _end_greeting(self, number: int, now: float) -> None:
        """A place is free again, and was held in vain."""
        source = self._source_of[number]
        since = self._sources[source].greeting.pop(number)
        self._greeting.move(source, -1)
        self._penalties.add(source, now - since, now)

    def _forget_idle(self, source: str) -> None:
        state = self._sources.get(source)
        if state is not None and not state.open and not state.waiting:
            del self._sources[source]


class _Ranking:
    """How many of something each key has; who has most is known without a search."""

    __slots__ = ("_by_count", "_counts", "_most", "total")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._by_count: dict[int, dict[str, None]] = {}
        self._most = 0
        self.total = 0

    def count(self, key: str) -> int:
        """How many `key` has."""
        return self._counts.get(key, 0)

    def heaviest(self) -> str | None:
        """The key that has most, of several the one that has had so many for longest."""
        return next(iter(self._by_count[self._most])) if self._most else None

    def move(self, key: str, by: int) -> None:
        """`key` has so many more, or fewer."""
        before = self._counts.pop(key, 0)
        after = before + by
        if before:
            peers = self._by_count[before]
            del peers[key]
            if not peers:
                del self._by_count[before]
        if after:
            self._counts[key] = after
            self._by_count.setdefault(after, {})[key] = None
        self.total += by
        self._most = max(self._most, after)
        while self._most and self._most not in self._by_count:
            self._most -= 1
