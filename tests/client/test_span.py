"""Which messages are meant: numbers and dates, and where one ends and the other begins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from securechat.client.span import Point, Span, parse_point
from securechat.protocol.envelopes import Posted

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def posted(seq: int, ts: str = "2026-11-23T12:00:00.000000Z") -> Posted:
    return Posted(id="x", to="#lobby", sender="eve", seq=seq, ts=ts, text="x")


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("0", 0),
        ("120", 120),
        ("20261123", 20_261_123),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T12:00", NOON),
        ("2026-11-23T13:00+01:00", NOON),
        ("2026-11-23T12:00:00Z", NOON),
    ],
)
def test_a_point_is_a_number_or_a_time(text: str, point: Point) -> None:
    assert parse_point(text) == point


@pytest.mark.parametrize(
    "text", ["", "-1", "yesterday", "2026-13-01", "1" * 17, "0001-01-01T00:00+23:00", "١"]
)
def test_what_is_no_point_is_told_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="expected the number"):
        parse_point(text)


@pytest.mark.parametrize(
    ("span", "seqs"),
    [
        (Span(), [1, 2, 3, 4]),
        (Span(after=2), [3, 4]),
        (Span(before=2), [1]),
        (Span(after=1, before=4), [2, 3]),
        (Span(after=NOON), [1, 2, 3, 4]),
        (Span(before=NOON), []),
    ],
)
def test_numbers_are_without_their_ends(span: Span, seqs: list[int]) -> None:
    assert [seq for seq in range(1, 5) if span.holds(posted(seq))] == seqs


def test_a_time_belongs_to_what_begins_with_it() -> None:
    early = posted(1, "2026-11-23T11:59:59.999999Z")
    assert not Span(after=NOON).holds(early)
    assert Span(before=NOON).holds(early)
    assert Span(after=NOON, before=NOON).holds(posted(1, "not a time"))


def test_only_what_can_be_meant_is_read() -> None:
    assert (Span(after=5).start, Span(after=NOON).start, Span().start) == (5, 0, 0)
    assert (Span(before=5).end(9), Span(before=50).end(9), Span(before=NOON).end(9)) == (4, 9, 9)
