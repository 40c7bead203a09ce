"""What both stores need to answer a search: the order of what is found, and a page of it.

Found messages are in the order of their `ts`, and where several have the same one, of their places:
a message's place is its conversation's number and its own in one integer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from ..records import Found

#: Its `ts` and place, and its payload.
Hit: TypeAlias = tuple[str, int, bytes]


def page_of(hits: Iterable[Hit], limit: int, size: int) -> Found:
    """The first of `hits` (newest first), as many as fit into both bounds; at least one, if any."""
    payloads: list[bytes] = []
    last: tuple[str, int] | None = None
    for ts, place, payload in hits:
        size -= len(payload) + 1
        if len(payloads) == limit or (payloads and size < 0):
            return Found(payloads, last)
        payloads.append(payload)
        last = ts, place
    return Found(payloads)
