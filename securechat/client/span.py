"""Which messages are meant: between two points, each of them a number or a time.

Pure. A point is a `seq`, or a moment in UTC; `parse_point` makes one of what a person wrote and
raises `ValueError` with a sentence for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from ..protocol.envelopes import MAX_INTEGER, Posted
from .entries import moment

Point: TypeAlias = int | datetime

_DIGITS: Final = len(str(MAX_INTEGER))
_EXPECTED: Final = (
    "expected the number of a message, or a date like 2026-11-23 or 2026-11-23T12:00 (UTC),"
    " or with its zone, 2026-11-23T12:00+01:00"
)


def parse_point(text: str) -> Point:
    """A number, or a date with or without a time; without a zone it is UTC."""
    if text.isascii() and text.isdecimal():  # 20261123, too: a date has its hyphens
        if len(text) > _DIGITS or int(text) > MAX_INTEGER:
            raise ValueError(_EXPECTED)
        return int(text)
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(_EXPECTED) from None


@dataclass(frozen=True, slots=True)
class Span:
    """Messages behind number `after`, or from that moment on; up to, and without, `before`."""

    after: Point | None = None
    before: Point | None = None

    @property
    def start(self) -> int:
        """Behind which number to begin to read."""
        return self.after if isinstance(self.after, int) else 0

    def end(self, head: int) -> int:
        """Up to which number to read, where `head` is the last one."""
        return min(head, self.before - 1) if isinstance(self.before, int) else head

    def holds(self, posted: Posted) -> bool:
        """Whether a message lies within; one whose stamp is none does, as far as times go."""
        time = moment(posted.ts)
        for point, wanted in ((self.after, True), (self.before, False)):
            if isinstance(point, int):
                if posted.seq == point or (posted.seq > point) != wanted:
                    return False
            elif point is not None and time is not None and (time >= point) != wanted:
                return False
        return True
