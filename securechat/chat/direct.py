"""Direct conversations: the key that two identities share, and who talks with whom.

A key is `@A:B` with the numbers of the two, the smaller one first (see `securechat.records`); of
one who writes to themselves both are the same.
"""

from __future__ import annotations

from .identities import Identity


def key_of(one: Identity, other: Identity) -> str:
    """The key of the direct conversation of two identities."""
    low, high = one.number, other.number
    return f"@{low}:{high}" if low < high else f"@{high}:{low}"


def sides_of(key: str) -> tuple[int, int]:
    """The numbers of the two behind a key."""
    low, _, high = key[1:].partition(":")
    return int(low), int(high)


def make_partners(one: Identity, other: Identity) -> None:
    """Note on both sides that the two talk."""
    one.add_partner(other.number)
    other.add_partner(one.number)
