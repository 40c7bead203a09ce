"""What the hub says is done for that connection, in order; for one that has ended it is nothing."""

from __future__ import annotations

from typing import get_args

import pytest

from securechat.chat.limits import TokenBucket
from securechat.net.channel import Phase
from securechat.net.fanout import HIGH_WATER
from securechat.net.gate import Fact
from securechat.net.ops import (
    Adopt,
    Answered,
    Chunk,
    Deliver,
    Evict,
    Finish,
    Notice,
    NoticeTo,
    Op,
    PageRead,
    Stop,
    Subscribe,
    Unsubscribe,
    UseContext,
)
from securechat.net.poller import READ, WRITE
from securechat.protocol.codec import Refusal
from securechat.protocol.connection import Signal, State

from .parts import BEGIN, HELLO, Parts, draft, said, sock_of

ROOM = "#a"
NOBODY = 99


def test_whatever_is_not_the_loops_own_is_carried_out_here(parts: Parts) -> None:
    loops = {Adopt, Answered, Stop, UseContext}
    assert parts.carried_out == set(get_args(Op)) - loops


@pytest.mark.parametrize(
    "op",
    [
        Deliver(NOBODY, b"late", Signal.WELCOME, cost=5, fence=True),
        NoticeTo((NOBODY,), b"late"),
        Subscribe(NOBODY, ROOM, ROOM, 0, 0),
        Unsubscribe(NOBODY, ROOM),
        PageRead(NOBODY, ROOM, 1, (b"late",), 1),
        Evict(NOBODY),
        Finish(NOBODY, b"late"),
    ],
    ids=lambda op: type(op).__name__,
)
def test_what_comes_too_late_is_ignored(parts: Parts, op: Op) -> None:
    channel = parts.connect()
    parts.carry_out(op)
    assert (said(channel), parts.take_told(), parts.facts) == ([], [], [])


@pytest.mark.parametrize("phase", [Phase.FINISHING, Phase.LINGERING])
def test_who_is_ending_hears_no_more(parts: Parts, phase: Phase) -> None:
    channel = parts.connect(phase=phase)
    parts.carry_out(Deliver(1, b"late"), Subscribe(1, ROOM, ROOM, 0, 0), Finish(1, b"late"))
    assert (said(channel), channel.feeds, channel.phase) == ([], (), phase)


# ------------------------------------------------------------------ answers


def test_an_answer_goes_out_and_costs_what_it_costs(parts: Parts) -> None:
    bucket = TokenBucket(1.0, 10, BEGIN)
    channel = parts.connect(bucket=bucket)
    parts.carry_out(Deliver(1, b"one"), Deliver(1, b"two", cost=4))
    assert said(channel) == [b"one", b"two"]
    assert bucket.available(BEGIN) == 6


def test_a_fence_waits_for_what_is_behind(parts: Parts) -> None:
    channel = parts.connect()
    parts.carry_out(Subscribe(1, ROOM, ROOM, 0, 1), Deliver(1, b"fence", fence=True))
    assert said(channel) == []
    cursor = (channel.behind or {})[ROOM]
    parts.carry_out(PageRead(1, ROOM, cursor.generation, (b"page",), 1))
    assert b"".join(said(channel)) == b"pagefence"


def test_who_does_not_read_the_answers_asks_no_more(parts: Parts) -> None:
    channel = parts.connect()
    sock_of(channel).room = 0
    parts.carry_out(Deliver(1, bytes(HIGH_WATER)))
    assert parts.waits_for(channel) == READ | WRITE
    parts.carry_out(Deliver(1, b"x"))
    assert parts.waits_for(channel) == WRITE


def test_a_notice_goes_to_those_it_names(parts: Parts) -> None:
    channels = [parts.connect() for _ in range(3)]
    parts.carry_out(NoticeTo((1, 3), b"renamed"))
    assert [said(channel) for channel in channels] == [[b"renamed"], [], [b"renamed"]]


# ------------------------------------------------------------------ hello


def test_with_the_welcome_all_that_came_behind_hello_is_looked_at(parts: Parts) -> None:
    channel = parts.connect(State.GREETING)
    parts.read(channel, HELLO + draft(1))
    assert parts.take_told() == ["h"]
    parts.carry_out(Deliver(1, b"welcome", Signal.WELCOME))
    assert (said(channel), parts.take_told()) == ([b"welcome"], ["1"])
    assert parts.facts == [(1, Fact.GREETED)]


def test_a_hello_that_was_refused_may_be_said_again_in_time_of_its_own(parts: Parts) -> None:
    channel = parts.connect(State.GREETING)
    parts.clock.now += 9
    parts.read(channel, HELLO)
    parts.carry_out(Deliver(1, b"nick taken", Signal.REFUSED))
    assert (channel.connection.state, channel.since) == (State.GREETING, BEGIN + 9)
    assert parts.facts == [], "it is a stranger still"
    parts.read(channel, HELLO)
    assert parts.take_told() == ["h", "h"]


def test_a_place_is_taken_from_who_still_greets(parts: Parts) -> None:
    greeting, welcomed = parts.connect(State.GREETING), parts.connect(State.OPEN)
    parts.carry_out(Evict(1), Evict(2))
    [refusal] = parts.take_told()
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fatal) == ("server_full", True)
    assert (greeting.connection.closed, welcomed.connection.closed) == (True, False)


# ------------------------------------------------------------------ rooms


def test_who_is_in_a_room_hears_it_until_they_leave(parts: Parts) -> None:
    channel, other = parts.connect(), parts.connect()
    parts.carry_out(
        Subscribe(1, ROOM, ROOM, 0, 0),
        Chunk(ROOM, (b"one",), 3, 1, 1),
        Notice(ROOM, b"joined"),
        Unsubscribe(1, ROOM),
        Chunk(ROOM, (b"two",), 3, 2, 2),
    )
    assert (said(channel), said(other)) == ([b"one", b"joined"], [])


# ------------------------------------------------------------------ the end


def test_the_last_word_goes_out_and_our_side_is_shut(parts: Parts) -> None:
    channel = parts.connect()
    parts.carry_out(Subscribe(1, ROOM, ROOM, 0, 0), Finish(1, b"bye"))
    assert (said(channel), sock_of(channel).said_end) == ([b"bye"], True)
    assert (channel.phase, channel.feeds) == (Phase.LINGERING, ())
    parts.carry_out(Chunk(ROOM, (b"one",), 3, 1, 1), Finish(1, b"again"))
    assert said(channel) == [b"bye"]


def test_without_room_the_last_word_waits_for_it(parts: Parts) -> None:
    channel = parts.connect()
    sock_of(channel).room = 0
    parts.carry_out(Finish(1, b"bye"))
    assert (channel.phase, parts.waits_for(channel)) == (Phase.FINISHING, WRITE)
    assert not sock_of(channel).said_end
