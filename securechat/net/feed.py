"""The subscribers of one conversation that live in one io thread.

Who stands at the head is in `live` and has no cursor of its own; who does not, is in `behind` with
one. A short ring of the latest chunks is kept while anyone is behind: without it a slow reader of
a busy room would ask for page after page and never reach the head.
"""

from __future__ import annotations

from typing import Final

from .channel import Channel
from .ops import Chunk

#: How much of a conversation's latest chunks is kept for those who are nearly level, bytes.
RING_BYTES: Final = 256 * 1024


class Feed:
    """One conversation in one io thread."""

    __slots__ = ("alone", "behind", "head", "live", "ring", "ring_bytes")

    def __init__(self, conversation: str, head: int) -> None:
        #: What those are subscribed to who have nothing but this: one tuple for all.
        self.alone = (conversation,)
        #: The last message this thread has been given.
        self.head = head
        #: In the order of coming; as the keys of a dict, which weighs half of what a set would.
        self.live: dict[Channel, None] = {}
        self.behind: set[Channel] = set()
        #: Latest chunks by the number of their first message, oldest first.
        self.ring: dict[int, Chunk] | None = None
        self.ring_bytes = 0

    def remember(self, chunk: Chunk) -> int:
        """Keep `chunk` for those behind; returns by how many bytes the ring has grown."""
        before = self.ring_bytes
        if self.ring is None:
            self.ring = {}
        self.ring[chunk.first] = chunk
        self.ring_bytes += chunk.size
        while self.ring_bytes > RING_BYTES and len(self.ring) > 1:
            oldest = self.ring.pop(next(iter(self.ring)))
            self.ring_bytes -= oldest.size
        return self.ring_bytes - before

    def forget(self) -> int:
        """Drop the ring; returns how many bytes it held."""
        held, self.ring_bytes, self.ring = self.ring_bytes, 0, None
        return held

    def next_chunk(self, seq: int) -> Chunk | None:
        """The chunk that begins right behind `seq`, if it is still here."""
        return self.ring.get(seq + 1) if self.ring is not None else None
