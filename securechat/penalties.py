"""Penalties that grow and fade, of addresses and accounts, in tables that cannot grow for ever.

Values in, values out; time is handed in (monotonic seconds). A penalty is a number of seconds and
fades by one second a second, so what is kept of each key is one number: when it will be gone. The
same number paces: `1 / rate` seconds for each act, and a debt beyond `burst / rate` has to wait.

A table that is full forgets, for each new key, the one of a few long untouched ones that would be
gone first (what sshd calls `overflow:permissive`): who floods it with addresses makes it forget
addresses that did little, never stop taking new ones, and never grow.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from ipaddress import IPv6Address
from itertools import islice
from typing import Final

#: Of so many that were not touched for longest, the one that fades first is forgotten.
_LOOKED_AT: Final = 8


class Penalties:
    """Seconds of penalty by key, `longest` at most, of `capacity` keys at most."""

    __slots__ = ("_capacity", "_gone_at", "_longest")

    def __init__(self, capacity: int, longest: float) -> None:
        if capacity < 1:
            raise ValueError(f"a table of {capacity} keys; it needs room for one")
        self._capacity = capacity
        self._longest = longest
        #: Key -> when its penalty is gone; in the order in which they were last touched.
        self._gone_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._gone_at)

    def __iter__(self) -> Iterator[str]:
        return iter(self._gone_at)

    def of(self, key: str, now: float) -> float:
        """The penalty of `key` now, seconds."""
        return max(0.0, self._gone_at.get(key, now) - now)

    def add(self, key: str, seconds: float, now: float) -> float:
        """Let the penalty of `key` grow; returns what it is then."""
        gone_at = self._gone_at.get(key)
        if gone_at is None:
            self._make_room(now)
        total = min(max(0.0, (gone_at or now) - now) + seconds, self._longest)
        self._gone_at[key] = now + total
        self._gone_at.move_to_end(key)
        return total

    def forgive(self, key: str, seconds: float, now: float) -> None:
        """Let the penalty of `key` shrink."""
        gone_at = self._gone_at.get(key)
        if gone_at is None:
            return
        if gone_at - seconds <= now:
            del self._gone_at[key]
        else:
            self._gone_at[key] = gone_at - seconds

    def _make_room(self, now: float) -> None:
        """For each new key two that are gone may go, so that a table shrinks after a flood."""
        oldest = list(islice(self._gone_at.items(), _LOOKED_AT))
        for key, gone_at in oldest[:2]:
            if gone_at <= now:
                del self._gone_at[key]
        if len(self._gone_at) >= self._capacity:
            key, _ = min(oldest, key=lambda item: item[1])
            del self._gone_at[key]


def source_of(peer: str) -> str:
    """Whom limits mean by the peer `HOST:PORT` or `[IPV6]:PORT`: an address, or its /64 network.

    A provider gives each household a /64 at least (RFC 6177), so that single IPv6 addresses cost
    nothing. What is no address is its own source.
    """
    host = peer.rpartition(":")[0]
    if not host.startswith("["):
        return host or peer
    try:
        address = IPv6Address(host[1:-1].partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def is_loopback(source: str) -> bool:
    """Whether a source is this machine itself."""
    return source.startswith("127.") or source == "::/64"
