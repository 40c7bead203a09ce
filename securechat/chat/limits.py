"""The token bucket that paces one connection; time is handed in.

One token buys one frame. Who has none left is read later, not refused: nothing is lost and the
order holds. Costs known only afterwards are charged afterwards, so a balance may be negative.
"""

from __future__ import annotations


class TokenBucket:
    """`rate` tokens a second, `burst` at most; full at `now` (monotonic seconds)."""

    __slots__ = ("_burst", "_rate", "_stamp", "_tokens")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._stamp = now

    def available(self, now: float) -> int:
        """How many frames may be looked at now; 0 means: later."""
        tokens = self._tokens + (now - self._stamp) * self._rate
        self._tokens = tokens = min(tokens, self._burst)
        self._stamp = now
        return int(tokens) if tokens > 0 else 0

    def charge(self, tokens: int) -> None:
        """Take `tokens`, whether they are there or not."""
        self._tokens -= tokens

    def wait(self) -> float:
        """Seconds from the last `available` until a token is there."""
        return max(0.0, (1.0 - self._tokens) / self._rate)
