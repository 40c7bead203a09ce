"""What the io threads tell the hub about a connection, beside what its client says."""

from __future__ import annotations

from typing import NamedTuple


class Arrived(NamedTuple):
    """A connection finished its handshake; `peer` is its address, `HOST:PORT` or `[IPV6]:PORT`.

    `surplus`: its address has too many connections already. `name`: what its certificate calls it,
    "" when that is not one name; None: it was not asked for one.
    """

    peer: str
    surplus: bool = False
    name: str | None = None


class Lost(NamedTuple):
    """A connection is gone without a word."""

    reason: str


class Levelled(NamedTuple):
    """A subscription that fell behind is live again."""

    conversation: str
