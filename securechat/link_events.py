"""What the io threads tell the hub about a connection, beside what its client says."""

from __future__ import annotations

from typing import NamedTuple


class Arrived(NamedTuple):
    """A connection finished its handshake; `peer` is its address, for the log."""

    peer: str


class Lost(NamedTuple):
    """A connection is gone without a word."""

    reason: str


class Levelled(NamedTuple):
    """A subscription that fell behind is live again."""

    conversation: str
