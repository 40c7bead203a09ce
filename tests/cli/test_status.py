"""`securechat admin status`, as a person reads it."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.cli.quantities import count_of, latency_of, size_of, span_of
from securechat.cli.status import show_status

FOUND: dict[str, Any] = {
    "version": "1.2",
    "process": 77,
    "uptime": 3 * 86_400.0 + 5,
    "connections": 1_234,
    "open": 1_240,
    "people": 1_100,
    "rooms": 45,
    "messages": 123_456,
    "latency": {"events": 234_567, "p50": 0.00042, "p90": 0.0012, "p99": 0.0051, "max": 1.25},
    "memory": 123_000_000,
    "memory_peak": 140_000_000,
    "certificate_days": 87.4,
    "database": 12_345_678,
    "index": 2_100_000,
}


def test_all_of_it() -> None:
    assert show_status(FOUND) == [
        "server       securechat 1.2, process 77, up 3 days",
        "connections  1,234, and 6 at the door",
        "people       1,100 online, in 45 rooms",
        "messages     123,456 since the start",
        "latency      half within 0.42 ms, 90% within 1.2 ms, 99% within 5.1 ms, all within"
        " 1,250 ms (234,567 events)",
        "memory       123 MB, 140 MB at most",
        "certificate  good for 87 days",
        "database     12.3 MB, and 2.1 MB to search in it",
    ]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"open": 1_230}, "connections  1,234"),
        ({"latency": {"events": 0}}, "latency      nothing was asked so far"),
        ({"certificate_days": -3.2}, "certificate  ended 3 days ago"),
        ({"index": 0}, "database     12.3 MB"),
    ],
)
def test_what_is_not_always_so(changed: dict[str, Any], line: str) -> None:
    assert line in show_status({**FOUND, **changed})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (count_of(1, "day"), "1 day"),
        (count_of(1_234, "day"), "1,234 days"),
        (size_of(0), "0 bytes"),
        (size_of(999.4), "999 bytes"),
        (size_of(999.5), "1.0 kB"),
        (size_of(2.5e18), "2500 PB"),
        (span_of(0.5), "0 seconds"),
        (span_of(119), "119 seconds"),
        (span_of(120), "2 minutes"),
        (span_of(7_199), "119 minutes"),
        (span_of(86_400 * 1.9), "45 hours"),
        (span_of(86_400 * 400), "400 days"),
        (latency_of(0.0), "0.00 ms"),
        (latency_of(0.0999), "99.9 ms"),
        (latency_of(67.1), "67,100 ms"),
    ],
)
def test_quantities(told: str, expected: str) -> None:
    assert told == expected
