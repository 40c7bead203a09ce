"""Penalties grow, fade and are forgotten; the table never grows beyond its bound."""

from __future__ import annotations

import time

import pytest

from securechat.penalties import Penalties, is_loopback, source_of


def test_a_penalty_grows_and_fades_by_a_second_a_second() -> None:
    penalties = Penalties(10, 600.0)
    assert penalties.add("a", 5.0, now=100.0) == 5.0
    assert penalties.add("a", 5.0, now=102.0) == 8.0
    assert penalties.of("a", 105.0) == 5.0
    assert penalties.of("a", 110.0) == penalties.of("a", 999.0) == penalties.of("b", 0.0) == 0.0


def test_it_grows_to_its_limit_and_fades_from_there() -> None:
    penalties = Penalties(10, 60.0)
    for _ in range(1_000):
        penalties.add("a", 5.0, now=0.0)
    assert penalties.of("a", 0.0) == 60.0
    assert penalties.of("a", 59.0) == 1.0


def test_what_is_forgiven_is_gone() -> None:
    penalties = Penalties(10, 60.0)
    penalties.add("a", 10.0, now=0.0)
    penalties.forgive("a", 4.0, now=0.0)
    assert penalties.of("a", 0.0) == 6.0
    penalties.forgive("a", 4.0, now=3.0)
    assert len(penalties) == 0
    penalties.forgive("a", 4.0, now=3.0)  # nothing to forgive


def test_a_table_needs_room() -> None:
    with pytest.raises(ValueError, match="room for one"):
        Penalties(0, 60.0)


def test_a_full_table_forgets_what_was_light_and_long_ago() -> None:
    penalties = Penalties(4, 600.0)
    penalties.add("heavy", 500.0, now=0.0)
    for name in ("b", "c", "d"):
        penalties.add(name, 5.0, now=0.0)
    penalties.add("e", 5.0, now=1.0)
    assert len(penalties) == 4
    assert penalties.of("heavy", 1.0) == 499.0
    assert penalties.of("b", 1.0) == 0.0


def test_200_000_addresses_fit_into_65_536_places_and_cost_no_more_than_a_few() -> None:
    penalties = Penalties(65_536, 600.0)
    penalties.add("steady", 400.0, now=0.0)
    began = time.perf_counter()
    for number in range(200_000):
        now = number / 1_000
        penalties.add(f"2001:db8:{number:x}::/64", 1.0, now)
        if number % 10_000 == 0:
            penalties.add("steady", 20.0, now)
        assert len(penalties) <= 65_536
    assert time.perf_counter() - began < 10.0
    assert penalties.of("steady", 200.0) > 300.0, "who goes on is not forgotten"
    for number in range(70_000):  # the flood is over, and the table shrinks
        penalties.add(f"198.51.{number >> 8}.{number & 255}", 1.0, 10_000.0 + number)
    assert len(penalties) < 10


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        ("192.0.2.7:40000", "192.0.2.7"),
        ("[2001:db8:1:2:3:4:5:6]:40000", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:3::1]:1", "2001:db8:1:3::/64"),
        ("[fe80::1%eth0]:1", "fe80::/64"),
        ("[::ffff:192.0.2.7]:1", "192.0.2.7"),
        ("[::1]:1", "::/64"),
        ("[nonsense]:1", "[nonsense]"),
        ("nobody", "nobody"),
    ],
)
def test_ipv6_counts_by_its_network(peer: str, source: str) -> None:
    assert source_of(peer) == source


@pytest.mark.parametrize(
    ("peer", "is_local"),
    [("127.0.0.1:1", True), ("127.9.8.7:1", True), ("[::1]:1", True), ("192.0.2.7:1", False)],
)
def test_this_machine_is_told_apart(peer: str, is_local: bool) -> None:
    assert is_loopback(source_of(peer)) is is_local
