"""What rings, and how often."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from securechat.client.bell import PAUSE, Bell, BellLevel
from securechat.client.entries import Entry, Kind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def message(text: str, to: str = "#lobby", **keys: bool) -> Entry:
    return Entry(Kind.MESSAGE, NOW, text, to, "carol", **keys)  # type: ignore[arg-type]


PLAIN = message("hello")
CALL = message("bob: come", mention=True)
PRIVATE = message("psst", "@carol", mention=True)


@pytest.mark.parametrize(
    ("level", "rung"),
    [
        (BellLevel.OFF, []),
        (BellLevel.MENTIONS, [CALL, PRIVATE]),
        (BellLevel.PRIVATE, [PRIVATE]),
        (BellLevel.ALL, [PLAIN, CALL, PRIVATE]),
    ],
)
def test_what_rings_at_each_level(level: BellLevel, rung: list[Entry]) -> None:
    assert [one for one in (PLAIN, CALL, PRIVATE) if Bell(level).rung_by([one], NOW)] == rung


def test_what_is_our_own_or_was_said_before_never_rings() -> None:
    for entry in (
        message("x", own=True),
        message("x", missed=True),
        message("x", recalled=True),
        Entry(Kind.NOTICE, NOW, "carol joined", "#lobby", "carol"),
    ):
        assert Bell(BellLevel.ALL).rung_by([entry], NOW) is None


def test_it_rings_for_a_call_before_all_else_and_not_again_at_once() -> None:
    bell = Bell(BellLevel.ALL)
    assert bell.rung_by([PLAIN, CALL], NOW) is CALL
    assert bell.rung_by([CALL], NOW + PAUSE / 2) is None
    assert bell.rung_by([PLAIN], NOW + PAUSE) is PLAIN


def test_what_one_is_looking_at_needs_no_bell() -> None:
    bell = Bell(BellLevel.ALL)
    assert bell.rung_by([PLAIN, CALL], NOW, seen="#lobby") is None
    assert bell.rung_by([CALL, PRIVATE], NOW, seen="#lobby") is PRIVATE
