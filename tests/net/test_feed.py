"""The ring keeps the latest chunks of a conversation, and never much more than it may."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from securechat.net.feed import RING_BYTES, Feed
from securechat.net.ops import Chunk


def chunk(first: int, last: int, size: int) -> Chunk:
    return Chunk("#lobby", (b"x",), size, first, last)


def test_a_new_feed_keeps_nothing() -> None:
    feed = Feed("#a", 7)
    assert (feed.head, feed.ring, feed.ring_bytes) == (7, None, 0)
    assert feed.next_chunk(7) is None
    assert feed.forget() == 0


def test_a_chunk_is_found_by_the_message_before_its_first() -> None:
    feed, one, two = Feed("#a", 4), chunk(5, 6, 100), chunk(7, 7, 50)
    assert feed.remember(one) == 100
    assert feed.remember(two) == 50
    assert feed.next_chunk(4) is one
    assert feed.next_chunk(6) is two
    assert [feed.next_chunk(seq) for seq in (0, 3, 5, 7, 8)] == [None] * 5


def test_the_oldest_goes_when_there_is_too_much() -> None:
    feed, half = Feed("#a", 0), RING_BYTES // 2
    assert feed.remember(chunk(1, 1, half)) == half
    assert feed.remember(chunk(2, 2, half)) == half  # exactly full
    assert feed.remember(chunk(3, 3, 1)) == 1 - half
    assert feed.next_chunk(0) is None
    assert feed.next_chunk(1) is not None
    assert feed.ring_bytes == half + 1


def test_the_latest_stays_however_long_it_is() -> None:
    feed = Feed("#a", 0)
    feed.remember(chunk(1, 1, 10))
    long = chunk(2, 900, 10 * RING_BYTES)
    assert feed.remember(long) == 10 * RING_BYTES - 10
    assert feed.next_chunk(1) is long
    assert feed.remember(chunk(901, 901, 10)) == 10 - 10 * RING_BYTES


def test_what_is_forgotten_is_told_and_gone() -> None:
    feed = Feed("#a", 0)
    feed.remember(chunk(1, 1, 30))
    feed.remember(chunk(2, 2, 12))
    assert feed.forget() == 42
    assert (feed.ring, feed.ring_bytes, feed.next_chunk(0)) == (None, 0, None)


@given(st.lists(st.integers(1, RING_BYTES + 2), max_size=12))
def test_what_the_ring_says_of_its_size_is_so(sizes: list[int]) -> None:
    feed, told = Feed("#a", 0), 0
    for seq, size in enumerate(sizes, 1):
        told += feed.remember(chunk(seq, seq, size))
        kept = list((feed.ring or {}).values())
        assert feed.ring_bytes == told == sum(one.size for one in kept)
        assert told <= RING_BYTES or len(kept) == 1
        assert [one.first for one in kept] == list(range(seq - len(kept) + 1, seq + 1))
    assert feed.forget() == told
