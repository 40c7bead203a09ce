"""Leaving at once, whatever the network does: how a front end that a person sits at says goodbye.

What we said and nobody has confirmed is in the outbox on disk before it is sent, and the next
start sends it again, once. So a moment is spent on a server that answers as it did before, and none
on one that is silent: nothing is lost either way.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

#: Seconds that our last words may take where the server has answered quickly, or not yet.
USUAL: Final = 0.1
#: Seconds that they may take where it is known to be slow.
LONGEST: Final = 1.0
#: Seconds for the server's goodbye; it has ours in any case.
GOODBYE: Final = 0.05


class _Client(Protocol):
    def settle(self, timeout: float | None) -> bool: ...

    def close(self, reason: str | None = None, timeout: float = ...) -> None: ...


def take_leave(client: _Client, reason: str | None, lag: timedelta | None) -> None:
    """Close `client`; `lag`: how long the server takes, None: nothing of ours is on its way."""
    if lag is not None:
        client.settle(patience(lag))
    client.close(reason, timeout=GOODBYE)


def patience(lag: timedelta) -> float:
    """Seconds to wait for our last words: twice what the ones before took, within bounds."""
    return min(LONGEST, max(USUAL, 2 * lag.total_seconds()))
