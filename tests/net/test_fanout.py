"""Everyone gets what is theirs, slow ones when they can; and nobody waits for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from securechat.net.channel import MAX_PIECE, Channel
from securechat.net.fanout import HIGH_WATER, LOW_WATER, RING_BUDGET
from securechat.net.feed import RING_BYTES
from securechat.net.ops import Chunk, NoticeTo, PageWanted, Scrub, Subscribe

if TYPE_CHECKING:
    from tests.net.conftest import World

ROOM = "#lobby"
#: A message of one record, and how many of them may wait before a connection falls behind.
RECORD = 16_000
ENOUGH = HIGH_WATER // RECORD + 1


def record(seq: int) -> bytes:
    return f"<{seq}>".encode().ljust(RECORD, b".")


def records(seqs: Iterable[int]) -> bytes:
    return b"".join(record(seq) for seq in seqs)


def fill(world: World, *channels: Channel, first: int = 1) -> int:
    """Say as much as makes a connection without room fall behind; returns the next number."""
    for seq in range(first, first + ENOUGH):
        world.say(record(seq), first=seq)
    for channel in channels:
        assert channel.out_bytes > HIGH_WATER
    return first + ENOUGH


# At the head...


def test_a_chunk_goes_to_all_who_are_live_there_and_to_nobody_else(world: World) -> None:
    one, two, other = world.join(), world.join(), world.join("#other")
    world.say(b"a", b"b", first=1)
    assert (world.heard(one), world.heard(two), world.heard(other)) == (b"ab", b"ab", b"")
    world.say(b"c", first=1, conversation="#other")
    world.say(b"d", first=1, conversation="#empty")
    assert world.heard(other) == b"c"
    assert (world.wishes, world.levelled, world.stuck, world.broken) == ([], [], [], [])


def test_who_joins_gets_what_comes_behind(world: World) -> None:
    world.join()
    world.say(b"a", first=1)
    late = world.join(after=1, head=1)
    beyond = world.join(after=99, head=1)
    world.say(b"b", first=2)
    assert (world.heard(late), world.heard(beyond)) == (b"b", b"b")
    assert world.wishes == []


def test_a_notice_skips_the_one_who_knows(world: World) -> None:
    one, two, slow = world.join(), world.join(), world.join(room=0)
    world.notice(b"one joined", skip=one.number)
    world.notice(b"slow joined", skip=slow.number)
    world.notice(b"!", conversation="#empty")
    world.drain(slow)
    assert world.heard(one) == b"slow joined"
    assert world.heard(two) == b"one joinedslow joined"
    assert world.heard(slow) == b"one joined"


def test_who_left_hears_no_more_and_leaves_nothing_behind(world: World) -> None:
    one, two = world.join(), world.join()
    world.leave(one)
    world.say(b"a", first=1)
    world.leave(one)
    world.fanout.drop(two)
    world.say(b"b", first=2)
    assert (world.heard(one), world.heard(two)) == (b"", b"a")
    assert world.fanout._feeds == {}


def test_that_bytes_began_to_wait_is_told_once(world: World) -> None:
    slow, fast = world.join(room=1), world.join()
    world.say(b"a", first=1)
    world.say(b"b", b"c", first=2)
    world.notice(b"d")
    world.fanout.write(slow, b"e")
    assert world.stuck == [slow.number]
    assert (slow.out_bytes, world.heard(slow), world.heard(fast)) == (4, b"a", b"abcd")
    world.drain(slow, 2)
    assert world.heard(slow) == b"ab"
    world.drain(slow)
    assert world.heard(slow) == b"abcde"
    world.sockets[slow.number].room = 0
    world.fanout.write(slow, b"f")
    assert world.stuck == [slow.number] * 2


def test_long_frames_are_cut_and_wait_in_order(world: World) -> None:
    one = world.join(room=MAX_PIECE)
    data = bytes(range(256)) * 200
    world.fanout.write(one, data)
    world.say(b"!", first=1)
    world.drain(one)
    assert world.heard(one) == data + b"!"


def test_a_write_that_fails_ends_that_connection_alone(world: World) -> None:
    one, two, three = world.join(), world.join(), world.join()
    world.sockets[two.number].broken = True
    world.say(b"a", b"b", first=1)
    world.notice(b"c")
    assert world.broken == [two.number]
    assert (world.heard(one), world.heard(three)) == (b"abc", b"abc")
    world.fanout.write(two, b"d")
    assert world.broken == [two.number]


@pytest.mark.parametrize("texts", [(b"a",), (b"a", b"b")])
def test_a_write_that_fails_may_have_been_the_last_subscriber(
    world: World, texts: tuple[bytes, ...]
) -> None:
    one = world.join()
    world.sockets[one.number].broken = True
    world.say(*texts, first=1)
    assert world.broken == [one.number]
    assert world.fanout._feeds == {}


# Falling behind...


def test_a_connection_falls_behind_only_above_the_mark(world: World) -> None:
    slow = world.join(room=0)
    world.say(*[b"x" * 1024] * (HIGH_WATER // 1024), first=1)
    assert slow.out_bytes == HIGH_WATER
    world.say(b"y", first=1 + HIGH_WATER // 1024)
    assert slow.behind is None
    world.say(b"z", first=2 + HIGH_WATER // 1024)
    assert slow.behind is not None
    assert slow.out_bytes == HIGH_WATER + 1


def test_who_fell_behind_is_fed_from_the_ring_and_told_when_live(world: World) -> None:
    slow, fast = world.join(room=0), world.join()
    first = fill(world, slow)
    world.say(b"one", first=first)
    world.say(b"two", b"three", first=first + 1)
    assert slow.out_bytes == ENOUGH * RECORD  # nothing more is kept for it
    world.drain(slow)
    assert world.heard(slow) == world.heard(fast) == records(range(1, first)) + b"onetwothree"
    assert world.levelled == [(slow.number, ROOM)]
    assert world.wishes == []
    world.say(b"live", first=first + 3)
    assert world.heard(slow) == world.heard(fast)
    assert world.fanout._ring_bytes == 0


def test_it_is_fed_below_the_low_mark_and_not_before(world: World) -> None:
    slow = world.join(room=0)
    first = fill(world, slow)
    world.say(b"!", first=first)
    waiting = ENOUGH * RECORD
    while waiting >= LOW_WATER + RECORD:
        world.drain(slow, RECORD)
        waiting -= RECORD
        assert slow.out_bytes == waiting
    assert slow.behind is not None
    world.drain(slow, RECORD)
    assert slow.behind is None
    assert slow.out_bytes == waiting - RECORD + 1


def test_a_chunk_that_comes_feeds_who_has_drained(world: World) -> None:
    slow = world.join(room=0)
    first = fill(world, slow)
    world.say(b"a", first=first)
    world.sockets[slow.number].room = HIGH_WATER * 2
    slow.flush()  # and the thread has not said so yet
    world.say(b"b", first=first + 1)
    assert world.heard(slow).endswith(b"ab")
    assert world.levelled == [(slow.number, ROOM)]


def test_a_notice_is_not_kept_for_who_is_behind(world: World) -> None:
    slow, fast = world.join(room=0), world.join()
    first = fill(world, slow)
    world.notice(b"(gone)")
    world.drain(slow)
    world.notice(b"(seen)")
    assert world.heard(slow) == records(range(1, first)) + b"(seen)"
    assert world.heard(fast) == records(range(1, first)) + b"(gone)(seen)"
    assert world.levelled == [(slow.number, ROOM)]


def test_a_notice_to_who_cannot_take_it_is_told_by_the_level(world: World) -> None:
    slow = world.join(room=0)
    for conversation in ("#other", "#third"):
        world.join(conversation, channel=slow)
    fast = world.join("#other")
    fill(world, slow)
    notice = NoticeTo((slow.number, fast.number), b"renamed")
    for channel in (slow, fast):
        world.fanout.send_to(channel, notice)
    assert world.heard(fast) == b"renamed"
    assert slow.behind is not None
    assert slow.behind.keys() == {ROOM, "#other", "#third"}
    world.fanout.send_to(slow, notice)
    world.drain(slow)
    assert sorted(world.levelled) == [(1, ROOM), (1, "#other"), (1, "#third")]
    world.fanout.send_to(slow, notice)
    assert world.heard(slow) == records(range(1, ENOUGH + 1)) + b"renamed"


# Pages...


def test_a_notice_to_who_is_still_on_the_way_is_told_by_the_level_too(world: World) -> None:
    joining = world.join(after=0, head=9, room=0)
    world.fanout.write(joining, bytes(2 * HIGH_WATER))
    world.fanout.send_to(joining, NoticeTo((joining.number,), b"renamed"))
    world.fanout.take_page(joining, world.read(b"page", last=9))
    world.drain(joining)
    assert b"renamed" not in world.heard(joining)
    assert world.levelled == [(joining.number, ROOM)]


def test_what_the_ring_has_not_is_wished_for(world: World) -> None:
    world.join(after=40, head=40)
    world.say(b"41", first=41)
    late = world.join(after=7, head=41)
    assert world.wishes == [PageWanted(late.number, ROOM, 1, ROOM, 7, 41)]
    world.say(b"42", first=42)
    assert world.heard(late) == b""
    world.fanout.take_page(late, world.read(b"8-", b"-41", last=41))
    assert world.heard(late) == b"8--4142"
    assert len(world.wishes) == 1
    assert world.levelled == []  # it never was live: `joined` told it how things stood
    world.say(b"43", first=43)
    assert world.heard(late) == b"8--414243"


def test_a_notice_that_passes_one_who_is_behind_is_made_good_by_level(world: World) -> None:
    late = world.join(after=7, head=8)
    world.notice(b"topic")
    assert world.heard(late) == b""
    world.fanout.take_page(late, world.read(b"8", last=8))
    assert world.levelled == [(late.number, ROOM)]


def test_a_page_may_end_before_the_head(world: World) -> None:
    late = world.join(head=9)
    world.fanout.take_page(late, world.read(last=0))  # the reader failed, and will try again
    assert world.wishes == [PageWanted(late.number, ROOM, 1, ROOM, 0, 9)] * 2
    world.fanout.take_page(late, world.read(b"123", last=3))
    assert world.wishes[2:] == [PageWanted(late.number, ROOM, 1, ROOM, 3, 9)]
    world.fanout.take_page(late, world.read(b"456789", last=9))
    assert world.heard(late) == b"123456789"
    assert late.behind is None


def test_a_page_that_fills_the_connection_is_the_last_until_it_drains(world: World) -> None:
    late = world.join(head=9, room=0)
    world.fanout.take_page(late, world.read(record(1), record(2), record(3), last=3))
    assert len(world.wishes) == 1
    world.drain(late, 2 * RECORD)
    assert len(world.wishes) == 2
    assert world.heard(late) == records([1, 2])


def test_one_page_at_a_time_is_wished_for_and_conversations_take_turns(world: World) -> None:
    late = world.connect()
    rooms = [f"#{number}" for number in range(200)]
    for room in rooms:
        world.join(room, head=2, channel=late)
    assert [wish.conversation for wish in world.wishes] == ["#0"]
    for _ in rooms * 2:
        wish = world.wishes[-1]
        text = f"{wish.conversation}:{wish.after + 1} ".encode()
        world.fanout.take_page(late, world.read(text, last=wish.after + 1))
    turns = [f"{room}:{seq} " for seq in (1, 2) for room in rooms]
    assert world.heard(late) == "".join(turns).encode()
    assert (len(world.wishes), late.behind) == (400, None)


def test_a_page_that_is_of_no_use_any_more_gives_its_place_to_the_next(world: World) -> None:
    late = world.join("#one", head=9)
    world.join("#two", head=9, channel=late)
    world.leave(late, "#one")
    world.fanout.take_page(late, world.read(b"stale", last=9, wish=0))
    assert [wish.conversation for wish in world.wishes] == ["#one", "#two"]
    world.fanout.take_page(late, world.read(b"1-9", last=9))
    assert (world.heard(late), late.behind) == (b"1-9", None)


def test_what_the_ring_has_waits_for_no_page(world: World) -> None:
    slow = world.join(room=0)
    late = world.join("#other", head=9)
    kept = fill(world, slow)
    world.say(record(kept), first=kept)
    world.join(after=kept - 1, head=kept, channel=late)
    assert world.heard(late) == record(kept)
    assert [wish.conversation for wish in world.wishes] == ["#other"]


def test_a_direct_conversation_is_asked_for_by_the_name_its_client_knows(world: World) -> None:
    late = world.connect()
    world.fanout.subscribe(late, Subscribe(late.number, "@1:2", "@bob", 0, 5))
    assert world.wishes == [PageWanted(late.number, "@1:2", 1, "@bob", 0, 5)]
    world.fanout.drop(late)
    assert world.fanout._addresses == {}


def test_a_page_for_a_subscription_that_is_over_is_dropped(world: World) -> None:
    late = world.join(head=9)
    world.leave(late)
    world.fanout.take_page(late, world.read(b"stale", last=9))
    world.join(after=5, head=9, channel=late)
    world.fanout.take_page(late, world.read(b"stale", last=9, wish=0))
    assert world.heard(late) == b""
    world.fanout.take_page(late, world.read(b"6789", last=9, wish=1))
    world.fanout.take_page(late, world.read(b"6789", last=9, wish=1))
    assert world.heard(late) == b"6789"


def test_a_page_for_a_place_that_was_left_by_joining_again_is_dropped(world: World) -> None:
    late = world.join(head=9)
    world.join(after=7, head=9, channel=late)
    world.fanout.take_page(late, world.read(b"stale", last=9, wish=0))
    world.fanout.take_page(late, world.read(b"89", last=9, wish=1))
    world.join(after=9, head=9, channel=late)
    world.say(b"!", first=10)
    assert world.heard(late) == b"89!"
    assert late.feeds == (ROOM,)


def test_who_breaks_while_it_is_fed_is_forgotten(world: World) -> None:
    late = world.join(head=9)
    world.sockets[late.number].broken = True
    world.fanout.take_page(late, world.read(b"a", b"b", last=5))
    assert world.broken == [late.number]
    assert len(world.wishes) == 1
    assert world.fanout._feeds == {}


def test_who_breaks_on_a_ring_chunk_is_forgotten(world: World) -> None:
    slow, fast = world.join(room=0), world.join()
    first = fill(world, slow)
    world.say(b"a", b"b", first=first)
    slow.out, slow.out_bytes = None, 0
    world.sockets[slow.number].broken = True
    world.say(b"c", first=first + 1)
    assert world.broken == [slow.number]
    assert world.fanout._ring_bytes == 0
    assert world.heard(fast).endswith(b"abc")


# The rings...


def test_a_ring_that_was_outrun_is_bridged_by_a_page(world: World) -> None:
    slow = world.join(room=0)
    first = fill(world, slow)
    last = first + RING_BYTES // RECORD + 4
    for seq in range(first, last + 1):
        world.say(record(seq), first=seq)
    assert RING_BYTES - RECORD < world.fanout._ring_bytes <= RING_BYTES
    world.drain(slow)
    (wish,) = world.wishes
    assert (wish.after, wish.upto) == (first - 1, last)
    middle = last - 3
    page = world.read(*map(record, range(first, middle + 1)), last=middle)
    world.fanout.take_page(slow, page)
    assert len(world.wishes) == 1  # the rest was in the ring
    assert world.heard(slow) == records(range(1, last + 1))
    assert world.levelled == [(slow.number, ROOM)]


def test_all_rings_together_keep_to_their_budget(world: World) -> None:
    rooms = [f"#r{i}" for i in range(RING_BUDGET // RING_BYTES + 10)]
    for room in rooms:
        world.join(room, head=5)  # waits for a page
        world.fanout.send_chunk(Chunk(room, (b"x",), RING_BYTES, 6, 6))
        assert world.fanout._ring_bytes <= RING_BUDGET
    held = [feed for feed in world.fanout._feeds.values() if feed.ring is not None]
    assert world.fanout._ring_bytes == sum(feed.ring_bytes for feed in held)
    assert held[-1] is world.fanout._feeds[rooms[-1]]


def test_the_ring_that_was_just_used_is_not_given_up_for_others(world: World) -> None:
    rooms = [f"#r{i}" for i in range(RING_BUDGET // RING_BYTES + 1)]
    half = RING_BYTES // 2
    for room, size in zip(rooms, [half, *[RING_BYTES] * (len(rooms) - 2), half], strict=True):
        world.join(room, head=5)
        world.fanout.send_chunk(Chunk(room, (b"x",), size, 6, 6))
    assert world.fanout._ring_bytes == RING_BUDGET
    world.fanout.send_chunk(Chunk(rooms[0], (b"y",), half, 7, 7))
    assert world.fanout._feeds[rooms[0]].ring_bytes == RING_BYTES
    assert world.fanout._ring_bytes <= RING_BUDGET // 2


def test_without_anyone_behind_nothing_is_kept(world: World) -> None:
    one, two = world.join(head=5), world.join(head=5)
    world.say(b"x", first=6)
    assert world.fanout._ring_bytes == 1
    world.leave(one)
    assert world.fanout._ring_bytes == 1
    world.fanout.drop(two)
    assert world.fanout._ring_bytes == 0


# Fences...


def test_a_fence_waits_until_nothing_is_behind(world: World) -> None:
    late = world.join(head=5)
    world.join("#other", head=7, channel=late)
    world.fence(late, b"(pong)")
    world.fence(late, b"(pong 2)")
    world.fanout.take_page(late, world.read(b"1-5", last=5, wish=0))
    assert world.heard(late) == b"1-5"
    world.fanout.take_page(late, world.read(b"1-7", last=7, wish=1))
    assert world.heard(late) == b"1-51-7(pong)(pong 2)"
    assert late.fences is None


@pytest.mark.parametrize("how", ["leave", "join at the head"])
def test_a_fence_falls_when_the_last_one_behind_is_left(world: World, how: str) -> None:
    late = world.join(head=5)
    world.fence(late, b"(pong)")
    if how == "leave":
        world.leave(late)
    else:
        world.join(after=5, head=5, channel=late)
    assert world.heard(late) == b"(pong)"


def test_what_was_erased_is_not_fed_from_the_ring(world: World) -> None:
    """Who is behind gets it from the store, where it is erased, and not from memory."""
    slow = world.join(room=0)
    first = fill(world, slow)
    world.say(b"secret", first=first)
    assert world.fanout._ring_bytes > 0
    world.fanout.scrub(Scrub("#nowhere"))
    world.fanout.scrub(Scrub(ROOM))
    assert world.fanout._ring_bytes == 0
    world.drain(slow)
    assert b"secret" not in world.heard(slow)
    [wish] = world.wishes
    assert wish.after == first - 1
