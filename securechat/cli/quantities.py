"""Sizes, counts and times as a person reads them. Pure."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB", "PB")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def count_of(number: int, thing: str) -> str:
    """`1 day`, `1,234 days`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def size_of(size: float) -> str:
    """Bytes: `999 bytes`, `1.5 kB`, `123 MB`."""
    unit = 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    return (
        f"{size:.0f} {_UNITS[unit]}" if unit == 0 or size >= 99.5 else f"{size:.1f} {_UNITS[unit]}"
    )


def span_of(seconds: float) -> str:
    """Seconds, in the largest unit of which there are two: `90 seconds`, `3 days`."""
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= 2 * unit:
            return count_of(int(seconds // unit), name)
    return count_of(int(seconds), "second")


def latency_of(seconds: float) -> str:
    """Seconds, as milliseconds: `0.25 ms`, `12.3 ms`, `1,250 ms`."""
    milliseconds = seconds * 1e3
    places = 2 if milliseconds < 1 else 1 if milliseconds < 100 else 0
    return f"{milliseconds:,.{places}f} ms"
