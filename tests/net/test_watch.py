"""What an io thread waits for: as little as its connections can use, and no longer than needed."""

from __future__ import annotations

import pytest

from securechat.net.channel import Channel
from securechat.net.deadlines import GRAIN, PING_AFTER, STUCK_TIME
from securechat.net.fanout import HIGH_WATER
from securechat.net.poller import READ, WRITE
from securechat.protocol.connection import State
from securechat.protocol.framing import DEFAULT_MAX_FRAME

from .parts import Parts, draft


@pytest.fixture
def channel(parts: Parts) -> Channel:
    return parts.connect()


def test_who_talks_is_read_from(parts: Parts, channel: Channel) -> None:
    assert parts.waits_for(channel) == READ


def test_who_has_no_tokens_is_not_waited_for(parts: Parts, channel: Channel) -> None:
    channel.starved = True
    parts.watch.select(channel)
    assert parts.waits_for(channel) == 0
    assert parts.kernel.masks == {}, "the kernel need not know it meanwhile"
    channel.starved = False
    parts.watch.select(channel)
    assert parts.waits_for(channel) == READ


@pytest.mark.parametrize(
    ("waiting", "mask"), [(1, READ | WRITE), (HIGH_WATER, READ | WRITE), (HIGH_WATER + 1, WRITE)]
)
def test_who_does_not_read_what_it_gets_is_not_read_from(
    parts: Parts, channel: Channel, waiting: int, mask: int
) -> None:
    channel.keep((b"x" * waiting,), waiting)
    parts.watch.select(channel)
    assert parts.waits_for(channel) == mask


def test_behind_the_end_nothing_is_read(parts: Parts, channel: Channel) -> None:
    channel.connection.close()
    parts.watch.select(channel)
    assert parts.waits_for(channel) == 0


def test_while_hello_is_answered_no_more_than_a_frame_is_taken_in(parts: Parts) -> None:
    channel = parts.connect(State.ANSWERING)
    channel.connection.receive_data(draft(1))
    assert parts.watch.may_read(channel)
    channel.connection.receive_data(bytes(DEFAULT_MAX_FRAME))
    assert not parts.watch.may_read(channel)


def test_the_kernel_is_asked_only_for_what_changes(parts: Parts, channel: Channel) -> None:
    """`Kernel` fails when it is told what it knows."""
    for mask in (READ, READ | WRITE, READ | WRITE, WRITE, 0, 0, WRITE):
        parts.watch.set_interest(channel, mask)
        assert parts.waits_for(channel) == channel.interest == mask


def test_it_is_looked_at_when_time_may_matter_first(parts: Parts, channel: Channel) -> None:
    parts.watch.schedule(channel)
    assert PING_AFTER <= parts.due_in(channel) < PING_AFTER + GRAIN
    parts.watch.schedule_at(channel, parts.clock.now + 1)
    assert parts.due_in(channel) == 1


def test_from_when_bytes_wait_the_peer_has_to_drain_them(parts: Parts, channel: Channel) -> None:
    parts.clock.now += 1_000
    channel.heard = parts.clock.now  # it talks, but does not read
    channel.pinged = True
    channel.keep((b"x",), 1)
    parts.watch.stuck(channel)
    assert parts.waits_for(channel) == READ | WRITE
    assert STUCK_TIME <= parts.due_in(channel) < STUCK_TIME + GRAIN
