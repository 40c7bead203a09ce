"""A length of time as people type it: `30s`, `10min`, `10 minutes`, `1h30m`, `2days`, `1week`.

Pure. Months and years are left out: `m` means minutes, and no two people mean the same days by a
month.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final, NamedTuple

#: How one is written, for who wrote something else.
EXAMPLES: Final = "30s, 10min, 1h30m, 2days or 1week"

_UNITS: Final = MappingProxyType(
    {
        1: ("s", "sec", "secs", "second", "seconds"),
        60: ("m", "min", "mins", "minute", "minutes"),
        3_600: ("h", "hr", "hrs", "hour", "hours"),
        86_400: ("d", "day", "days"),
        604_800: ("w", "week", "weeks"),
    }
)
_SECONDS: Final = MappingProxyType({name: size for size, names in _UNITS.items() for name in names})
_PART: Final = re.compile(r"([0-9]{1,9}) ?([a-z]+)", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]{1,9} ?[a-z]+(?:[0-9]{1,9}[a-z]+)*(?!\S)", re.ASCII)


class Duration(NamedTuple):
    """A time that was typed, and what stands behind it."""

    seconds: int
    rest: str


def begins_as_duration(text: str) -> bool:
    """Whether a person who types this begins a time, well or badly."""
    return text[:1].isdigit()


def parse_duration(text: str) -> Duration | None:
    """The time at the beginning of `text`; None if none stands there, or one of no length."""
    found = _WHOLE.match(text)
    if found is None:
        return None
    parts = [(int(part[1]), _SECONDS.get(part[2])) for part in _PART.finditer(found[0])]
    seconds = sum(count * size for count, size in parts if size is not None)
    if not seconds or any(size is None for _, size in parts):
        return None
    return Duration(seconds, text[found.end() :].lstrip())
