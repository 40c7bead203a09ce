"""What a server measures of itself, cheaply enough to be always on.

A `Histogram` has one owner, the thread that counts; others may read it at any time and see a moment
that is a few counts old. Nothing is raised.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: Buckets for each doubling: a quantile is told within 9 %.
_STEPS: Final = 8
#: The longest time told apart, microseconds: 67 s.
_LONGEST: Final = 1 << 26


def _bucket_of(microseconds: int) -> int:
    """The bucket, growing with the time: exact up to 16, then eight for each doubling."""
    if microseconds < 2 * _STEPS:
        return microseconds
    shift = microseconds.bit_length() - 4
    return shift * _STEPS + (microseconds >> shift)


def _lower_bound(bucket: int) -> int:
    """The least time of a bucket, microseconds."""
    if bucket < 2 * _STEPS:
        return bucket
    shift = bucket // _STEPS - 1
    return (bucket - shift * _STEPS) << shift


_BUCKETS: Final = _bucket_of(_LONGEST) + 1


class Histogram:
    """How long something took, how often; times in seconds, counted in logarithmic buckets."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS

    def add(self, seconds: float, count: int = 1) -> None:
        """Count `count` that took `seconds`."""
        microseconds = min(max(int(seconds * 1e6), 0), _LONGEST)
        self._counts[_bucket_of(microseconds)] += count

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(self._counts)

    def quantile(self, share: float) -> float:
        """The time within which `share` (0 to 1) of them were done, seconds; 0.0 without any."""
        counts = list(self._counts)
        rank = share * sum(counts)
        seen = 0
        for bucket, count in enumerate(counts):
            seen += count
            if count and seen >= rank:
                return (_lower_bound(bucket + 1) - 1) / 1e6 if bucket else 0.0
        return 0.0

    def buckets(self) -> Iterable[tuple[float, int]]:
        """(upper bound in seconds, count) of each bucket that is not empty, ascending."""
        for bucket, count in enumerate(list(self._counts)):
            if count:
                yield _lower_bound(bucket + 1) / 1e6, count


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one, as of now."""
    merged = Histogram()
    for histogram in histograms:
        merged._counts = [a + b for a, b in zip(merged._counts, histogram._counts, strict=True)]
    return merged
