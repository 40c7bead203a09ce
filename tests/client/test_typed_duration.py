"""Lengths of time as people type them."""

from __future__ import annotations

import pytest

from securechat.client.typed_duration import EXAMPLES, begins_as_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds", "rest"),
    [
        ("30s", 30, ""),
        ("10m loud", 600, "loud"),
        ("10min", 600, ""),
        ("10 minutes  of  rest", 600, "of  rest"),
        ("1hour", 3_600, ""),
        ("1h30m x", 5_400, "x"),
        ("2days", 172_800, ""),
        ("1 week", 604_800, ""),
        ("007d", 604_800, ""),
    ],
)
def test_a_time_is_read_and_the_rest_is_left(text: str, seconds: int, rest: str) -> None:
    assert begins_as_duration(text)
    assert parse_duration(text) == (seconds, rest)


@pytest.mark.parametrize(
    "text",
    ["10x", "10", "0m", "10minx", "1h30", "1.5h", "2 strikes", "10m,", "9999999999s"],
)
def test_what_begins_as_a_time_may_be_none(text: str) -> None:
    assert begins_as_duration(text)
    assert parse_duration(text) is None


def test_a_reason_begins_as_no_time() -> None:
    assert not any(map(begins_as_duration, ("", "loud", "-10m", "#7")))


def test_the_examples_are_times() -> None:
    for example in EXAMPLES.replace(" or ", ", ").split(", "):
        assert parse_duration(example) is not None
