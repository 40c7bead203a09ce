"""The limits on strangers, as values: who comes in, who waits, who is cut."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from securechat.config import GateLimits
from securechat.net.gate import GRACE, Admit, Cut, Decision, Fact, Gate, Wait, fit

LIMITS = GateLimits(trust_loopback=False)
HOME = "192.0.2.1"


class Street:
    """A gate, and people who come to it with numbers of their own."""

    def __init__(self, limits: GateLimits = LIMITS, fair_messages: float = 0.0) -> None:
        self.gate = Gate(limits, fair_messages)
        self.now = 0.0
        self.number = 0

    def come(self, source: str = HOME) -> Decision:
        self.number += 1
        return self.gate.judge(self.number, source, self.now)

    def come_many(self, count: int, source: str = HOME) -> list[Decision]:
        return [self.come(source) for _ in range(count)]

    def note(self, number: int, fact: Fact) -> None:
        self.gate.note(number, fact, self.now)

    def welcome(self, number: int) -> None:
        self.note(number, Fact.GREETED)

    def release(self) -> list[tuple[int, Admit | Cut]]:
        return self.gate.release(self.now)

    def waste(self, seconds: float, source: str = HOME) -> None:
        """Hold a place for so long, and never say hello."""
        assert isinstance(self.come(source), Admit)
        number, self.now = self.number, self.now + seconds
        self.note(number, Fact.ENDED)


def quick(**keys: float) -> GateLimits:
    """Limits without a pace, which is what most tests are not about."""
    return replace(LIMITS, **{"handshakes": 0.0, "new_per_second": 0.0, **keys})  # type: ignore[arg-type]


# Who may come...


def test_a_class_of_500_comes_back_and_is_in_within_4_seconds() -> None:
    street = Street()
    let_in = [n for n in range(1, 501) if isinstance(street.come(), Admit)]
    while len(let_in) < 500:
        street.now += 0.02
        for number in let_in:  # a handshake takes less than that
            street.welcome(number)
        for number, decision in street.release():
            assert isinstance(decision, Admit)
            let_in.append(number)
    assert street.now < 4.0
    assert sorted(let_in) == list(range(1, 501))


def test_this_machine_is_not_limited_unless_it_is_told_to_be() -> None:
    trusting = Street(replace(LIMITS, trust_loopback=True))
    assert set(trusting.come_many(10_000, "127.0.0.1")) == {Admit()}
    trusting.note(5, Fact.ENDED)
    assert {type(it) for it in Street().come_many(10_000, "127.0.0.1")} == {Admit, Wait, Cut}


def test_too_many_of_one_address_are_told_so() -> None:
    street = Street(quick(per_address=3))
    for _ in range(3):
        assert street.come() == Admit()
        street.welcome(street.number)
    assert street.come() == Admit(surplus=True)
    assert street.come("192.0.2.2") == Admit()
    street.note(1, Fact.ENDED)
    street.note(4, Fact.ENDED)
    assert street.come() == Admit()


def test_a_crowd_shares_what_it_may_say() -> None:
    street = Street(quick(), fair_messages=2.0)
    assert street.come_many(3) == [Admit(), Admit(), Admit(crowded=True)]


def test_strangers_have_half_of_the_descriptors() -> None:
    small = fit(LIMITS, 1_024)
    assert (small.greeting, small.waiting) == (128, 384)
    assert fit(LIMITS, 200_000) == LIMITS


# Who waits...


def test_beyond_its_places_an_address_waits_until_one_is_free() -> None:
    street = Street(quick(greeting_per_address=2))
    assert street.come_many(4) == [Admit(), Admit(), Wait(), Wait()]
    assert street.release() == []
    street.welcome(1)
    assert street.release() == [(3, Admit())]
    street.note(2, Fact.ENDED)
    assert street.release() == [(4, Admit())]
    assert not street.gate.anyone_waits


def test_those_who_wait_have_their_turn_address_by_address() -> None:
    street = Street(quick(greeting_per_address=1))
    street.come_many(3, "192.0.2.1")
    street.come_many(3, "192.0.2.2")
    street.welcome(1)
    street.welcome(4)
    assert street.release() == [(2, Admit()), (5, Admit())]


def test_of_too_many_who_wait_the_address_with_most_of_them_loses_one() -> None:
    street = Street(quick(greeting_per_address=1, waiting=4, waiting_per_address=3))
    street.come_many(4, "192.0.2.1")
    assert street.come("192.0.2.1") == Cut("too many of its address wait")
    assert street.come_many(2, "192.0.2.2") == [Admit(), Wait()]
    assert street.come_many(2, "192.0.2.3") == [Admit(), Wait(displaced=4)]
    assert street.come("192.0.2.2") == Cut("too many wait")


def test_handshakes_are_paced_and_who_has_done_nothing_goes_first() -> None:
    street = Street(replace(LIMITS, handshakes=10.0, handshakes_at_once=5))
    assert street.come_many(6) == [Admit()] * 5 + [Wait()]
    assert street.come_many(3, "192.0.2.2") == [Admit(), Wait(), Wait()]
    assert street.come("192.0.2.3") == Admit()
    street.now += 0.15
    assert street.release() == []
    street.now += 0.1
    assert street.release() == [(6, Admit())]


def test_a_newcomer_where_members_are_goes_first_as_well() -> None:
    street = Street(replace(LIMITS, handshakes=10.0, handshakes_at_once=5))
    assert street.come("192.0.2.7") == Admit()
    street.welcome(street.number)
    street.come_many(20, "192.0.2.1")
    assert street.come("192.0.2.7") == Admit()


# Who loses a place...


def test_a_newcomer_takes_the_place_of_the_oldest_of_the_address_with_most() -> None:
    street = Street(quick(greeting=4, greeting_per_address=4))
    assert street.come_many(4, "192.0.2.1")[-1] == Admit()
    assert street.come("192.0.2.2") == Admit(evict=1)
    assert street.come("192.0.2.2") == Admit(evict=2)
    assert street.come("192.0.2.2") == Wait(), "two and two: that is fair"


def test_where_all_have_the_same_who_takes_too_long_gives_way() -> None:
    street = Street(quick(greeting=2))
    street.come_many(1, "192.0.2.1")
    street.come_many(1, "192.0.2.2")
    assert street.come("192.0.2.3") == Wait()
    street.now += GRACE
    assert street.release() == [(3, Admit(evict=1))]


def test_in_the_upper_half_nobody_has_more_than_a_fair_share() -> None:
    street = Street(quick(greeting=32, greeting_per_address=32))
    decisions = street.come_many(20)
    assert decisions == [Admit()] * 16 + [Wait()] * 4


def test_15_000_from_250_addresses_never_keep_a_newcomer_out() -> None:
    street, dice = Street(), Random(7)
    for number in range(15_000):
        street.now += 1 / 3_000
        street.come(f"198.51.100.{dice.randrange(250)}")
        if number % 10 == 0:
            street.release()
        if number % 500 == 499:
            newcomer = f"203.0.113.{number // 500}"
            assert isinstance(street.come(newcomer), Admit), number
            street.welcome(street.number)


# Penalties...


def test_who_holds_places_and_says_nothing_waits_and_its_neighbours_do_not() -> None:
    street = Street(quick())
    for _ in range(3):
        street.come_many(4)
        held = range(street.number - 3, street.number + 1)
        street.now += 3.0
        for number in held:
            street.note(number, Fact.ENDED)
    assert street.come() == Wait()
    assert street.come("192.0.2.2") == Admit(), "each address answers for itself"


def test_a_penalty_has_who_comes_wait_and_fades() -> None:
    street = Street(quick(offence=35.0))
    street.come()
    street.note(1, Fact.OFFENDED)
    assert street.come() == Wait()
    street.now += 4.0
    assert street.release() == []
    street.now += 1.0
    assert street.release() == [(2, Admit())]


def test_who_has_waited_too_long_is_cut() -> None:
    street = Street(quick(offence=100.0))
    street.come()
    street.note(1, Fact.OFFENDED)
    assert street.come_many(2) == [Wait(), Wait()]
    street.now += 7.9
    assert street.release() == []
    street.now += 0.2
    assert [type(it) for _, it in street.release()] == [Cut, Cut]
    assert not street.gate.anyone_waits


def test_an_address_with_people_in_it_bears_more() -> None:
    street = Street(quick(offence=60.0))
    street.come_many(40)
    for number in range(1, 41):
        street.welcome(number)
    street.note(1, Fact.OFFENDED)
    assert street.come() == Admit()


def test_an_address_that_comes_too_often_is_paced() -> None:
    street = Street(replace(LIMITS, handshakes=0.0, new_per_second=1.0, new_at_once=5))
    for _ in range(6):
        assert street.come() == Admit()
        street.welcome(street.number)
        street.note(street.number, Fact.ENDED)
    assert street.come() == Wait()
    street.now += 1.1
    assert street.release() == [(7, Admit())]


# Nothing is left behind...


@pytest.mark.parametrize("seed", range(20))
def test_when_all_have_gone_nothing_is_left_of_them(seed: int) -> None:
    dice = Random(seed)
    street = Street(quick(greeting=20, greeting_per_address=5, waiting=20, waiting_per_address=6))
    inside: set[int] = set()
    welcomed: set[int] = set()
    for _ in range(3_000):
        street.now += dice.random() / 100
        decision = street.come(f"192.0.2.{dice.randrange(12)}")
        for number, found in [(street.number, decision), *street.release()]:
            if isinstance(found, Admit):
                inside.add(number)
        for number in dice.sample(sorted(inside), min(2, len(inside))):
            if number not in welcomed and dice.random() < 0.3:
                street.welcome(number)
                welcomed.add(number)
            else:
                street.note(number, Fact.ENDED)
                inside.discard(number)
    while street.gate.anyone_waits or inside:
        for number in inside:
            street.note(number, Fact.ENDED)
        street.now += 1_000.0
        inside = {number for number, found in street.release() if isinstance(found, Admit)}
    gate = street.gate
    assert not gate._sources
    assert not gate._source_of
    assert gate._greeting.total == gate._waiting.total == 0
    assert not gate._greeting._counts
    assert gate._greeting.heaviest() is None
