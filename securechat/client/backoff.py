"""How long to wait before the next try: exponential, with full jitter.

Randomness is handed in, so the same dice give the same delays. Full jitter (a delay drawn from the
whole of 0 to the ceiling) spreads thousands of clients that lost the same server in one moment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

BASE: Final = 0.5
"""Ceiling of the first delay, seconds; it doubles with every try."""

CAP: Final = 30.0
"""The highest ceiling, seconds."""

_MOST_DOUBLINGS: Final = 16  # far above the cap, far below what a float cannot hold


class Backoff:
    """The delays of one row of failures; `random` gives floats in [0, 1)."""

    __slots__ = ("_random", "_tries")

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._tries = 0

    def next_delay(self, at_least: float = 0.0) -> float:
        """Seconds until the next try: `at_least` what the server asked for, and some jitter."""
        ceiling = min(CAP, BASE * 2.0 ** min(self._tries, _MOST_DOUBLINGS))
        self._tries += 1
        return at_least + self._random() * max(ceiling, min(at_least, CAP))

    def reset(self) -> None:
        """Begin again with short delays: the last link was a good one."""
        self._tries = 0
