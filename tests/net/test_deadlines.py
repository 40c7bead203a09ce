"""What time does to a connection, as a table: each phase, each verdict, both sides of each due."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.chat.limits import TokenBucket
from securechat.net.channel import Channel, Phase
from securechat.net.deadlines import ERROR_CODES, Deadlines, Verdict, judge
from securechat.protocol.connection import State

#: When the connection came; a sum with it is exact.
BEGIN = 1024.0
IDLE = 90.0
TICK = 1 / 1024

WAIT, RESUME, PING, DROP = Verdict.WAIT, Verdict.RESUME, Verdict.PING, Verdict.DROP
NO_HELLO, NO_FRAME, SILENT, STUCK = (
    Verdict.NO_HELLO,
    Verdict.NO_FRAME,
    Verdict.SILENT,
    Verdict.STUCK,
)


def make(state: State = State.OPEN, phase: Phase = Phase.TALKING, **facts: Any) -> Channel:
    """A channel that came at `BEGIN`; times in `facts` are seconds from then."""
    channel = Channel(1, cast("ssl.SSLSocket", socket.socket), "192.0.2.1:4", BEGIN)
    channel.phase, channel.connection.state = phase, state
    for name, value in facts.items():
        is_time = name in ("since", "heard", "drained", "frame_since")
        setattr(channel, name, BEGIN + value if is_time else value)
    return channel


def judged(channel: Channel, after: float, idle: float = IDLE) -> tuple[Verdict, float]:
    verdict, due = judge(channel, BEGIN + after, idle)
    return verdict, due - BEGIN


WAITING = deque([b"x"])
#: What a channel is like, what happens to it when nobody does anything, and when (seconds).
TABLE: list[tuple[str, Callable[[], Channel], Verdict, float]] = [
    ("handshake", lambda: make(State.GREETING, Phase.HANDSHAKE), DROP, 10),
    ("finishing", lambda: make(phase=Phase.FINISHING, since=5), DROP, 7),
    ("finishing, much waits", lambda: make(phase=Phase.FINISHING, out=WAITING), DROP, 2),
    ("lingering", lambda: make(phase=Phase.LINGERING, since=5), DROP, 6),
    ("dead", lambda: make(phase=Phase.DEAD), DROP, 0),
    ("no hello", lambda: make(State.GREETING, since=3), NO_HELLO, 13),
    ("no hello, others talk", lambda: make(State.GREETING, since=3, heard=12), NO_HELLO, 13),
    ("no hello, half a frame", lambda: make(State.GREETING, frame_since=2), NO_HELLO, 10),
    ("hello not answered yet", lambda: make(State.ANSWERING), PING, 30),
    ("quiet", lambda: make(), PING, 30),
    ("quiet since it spoke", lambda: make(heard=7), PING, 37),
    ("quiet since it drained", lambda: make(heard=7, drained=9), PING, 39),
    ("leaving", lambda: make(State.LEAVING), PING, 30),
    ("pinged", lambda: make(pinged=True), SILENT, 90),
    ("pinged, then it drained", lambda: make(pinged=True, drained=9), SILENT, 99),
    ("half a frame", lambda: make(frame_since=4, frame_bytes=3), NO_FRAME, 14),
    ("a frame at its pace", lambda: make(frame_since=4, frame_bytes=20 * 1024), NO_FRAME, 24),
    ("a frame at 1 KiB/s", lambda: make(frame_since=4, frame_bytes=10 * 1024), NO_FRAME, 14),
    ("nothing drained", lambda: make(out=WAITING, heard=50, pinged=True), STUCK, 60),
    ("it drained once", lambda: make(out=WAITING, heard=50, drained=20), STUCK, 80),
    ("failed, hub says nothing", lambda: make(State.CLOSED, since=5), DROP, 15),
    ("failed, with half a frame", lambda: make(State.CLOSED, frame_since=0), DROP, 10),
    ("failed, nothing drained", lambda: make(State.CLOSED, since=55, out=WAITING), DROP, 65),
]


@pytest.mark.parametrize(
    ("make_channel", "verdict", "when"),
    [pytest.param(*row[1:], id=row[0]) for row in TABLE],
)
def test_each_verdict_comes_when_it_is_due_and_no_tick_before(
    make_channel: Callable[[], Channel], verdict: Verdict, when: float
) -> None:
    channel = make_channel()
    assert judged(channel, when)[0] is verdict
    assert judged(channel, when + 1)[0] is verdict
    assert judged(channel, when - TICK)[0] is WAIT


@pytest.mark.parametrize(
    "make_channel", [pytest.param(row[1], id=row[0]) for row in TABLE if row[3]]
)
def test_who_looks_again_when_told_to_misses_nothing(make_channel: Callable[[], Channel]) -> None:
    """From look to look, each at the time that the last one named, up to the verdict."""
    channel, after = make_channel(), 0.0
    for _ in range(5):
        verdict, due = judged(channel, after)
        if verdict is not WAIT:
            break
        assert due > after
        after = due
    expected = next(row[2:] for row in TABLE if row[1] is make_channel)
    assert (verdict, after) == expected


def test_every_verdict_and_phase_is_in_the_table() -> None:
    assert {row[2] for row in TABLE} | {WAIT, RESUME} == set(Verdict)
    assert {row[1]().phase for row in TABLE} == set(Phase)
    assert {row[1]().connection.state for row in TABLE} == set(State)


def test_a_verdict_that_is_said_has_a_code_and_a_sentence() -> None:
    assert {verdict: code for verdict, code in ERROR_CODES.items() if code == "timeout"} == {
        NO_HELLO: "timeout",
        NO_FRAME: "timeout",
        SILENT: "timeout",
    }
    assert ERROR_CODES.keys() == set(Verdict) - {WAIT, RESUME, PING, DROP}
    assert ERROR_CODES[STUCK] == "slow_consumer"
    assert all(verdict.value.endswith(".") for verdict in ERROR_CODES)


# Of several, the first...


def test_what_is_due_first_is_looked_at_first() -> None:
    assert judged(make(), 0) == (WAIT, 30)
    assert judged(make(out=WAITING, heard=40), 0) == (WAIT, 60)
    assert judged(make(out=WAITING, heard=40, frame_since=1), 0) == (WAIT, 11)
    assert judged(make(out=WAITING, drained=5, frame_since=60), 5) == (WAIT, 35)


def test_a_ping_is_sent_once_and_then_the_end_awaited() -> None:
    channel = make()
    assert judged(channel, 30) == (PING, 90)
    channel.pinged = True
    assert judged(channel, 30) == (WAIT, 90)
    channel.heard, channel.pinged = BEGIN + 31, False
    assert judged(channel, 31) == (WAIT, 61)


def test_a_ping_hides_nothing_that_is_due_before_the_end() -> None:
    """Who reads nothing does not answer a ping either, and is sent away no later for it."""
    channel = make(out=WAITING)
    assert judged(channel, 30) == (PING, 60)
    assert judged(channel, 60) == (STUCK, 60)
    assert judged(make(frame_since=25, heard=1), 31) == (PING, 35)


@pytest.mark.parametrize(("idle", "ping"), [(90, 30), (300, 30), (60, 20), (3, 1), (0.75, 0.25)])
def test_a_ping_comes_in_time_however_short_the_idle_timeout(idle: float, ping: float) -> None:
    channel = make()
    assert judged(channel, ping - TICK, idle) == (WAIT, ping)
    assert judged(channel, ping, idle) == (PING, idle)
    assert judged(channel, idle - TICK, idle)[0] is PING
    assert judged(channel, idle, idle)[0] is SILENT


# Paced...


def starved(state: State = State.OPEN, **facts: Any) -> Channel:
    """Without a token at second 0; the next one is there at second 2."""
    bucket = TokenBucket(0.5, 1, BEGIN)
    bucket.charge(1)
    return make(state, starved=True, bucket=bucket, **facts)


@pytest.mark.parametrize("state", [State.GREETING, State.ANSWERING, State.OPEN, State.LEAVING])
def test_who_is_paced_is_read_again_when_there_is_a_token(state: State) -> None:
    channel = starved(state)
    assert judged(channel, 0) == (WAIT, 2)
    assert judged(channel, 2 - TICK) == (WAIT, 2)
    assert judged(channel, 2) == (RESUME, 2)


def test_while_it_is_not_read_its_clocks_stand_still() -> None:
    late = starved(frame_since=-200, heard=-200)
    assert judged(late, 1) == (WAIT, 2)
    assert judged(starved(State.GREETING, since=-200), 1) == (WAIT, 2)


def test_who_is_paced_has_to_drain_all_the_same() -> None:
    assert judged(starved(out=WAITING, drained=-59), 0) == (WAIT, 1)
    assert judged(starved(out=WAITING, drained=-59), 1)[0] is STUCK


def test_without_a_bucket_nobody_is_paced() -> None:
    assert judged(make(bucket=None), 30)[0] is PING


@given(
    st.sampled_from(State),
    st.sampled_from(Phase),
    st.fixed_dictionaries(
        {"since": st.integers(0, 99), "heard": st.integers(0, 99), "drained": st.integers(0, 99)},
        optional={
            "frame_since": st.integers(0, 99),
            "frame_bytes": st.integers(0, 99_999),
            "pinged": st.booleans(),
            "out": st.just(WAITING),
        },
    ),
    st.integers(0, 200),
)
def test_who_is_to_wait_waits_for_something_to_come(
    state: State, phase: Phase, facts: dict[str, Any], after: float
) -> None:
    channel = make(state, phase, **facts)
    verdict, due = judged(channel, after)
    if verdict is WAIT:
        assert due > after
        later = judged(channel, due)
        assert later[0] is not WAIT or later[1] > due
    assert judged(channel, after) == (verdict, due)  # it is a judgement: nothing was changed


# When to ask...


def scheduled(*whens: float) -> tuple[Deadlines, Channel]:
    deadlines, channel = Deadlines(), make()
    for when in whens:
        deadlines.schedule(channel, when)
    return deadlines, channel


def test_nothing_is_due_where_nothing_was_scheduled() -> None:
    assert Deadlines().next() is None
    assert Deadlines().take_due(1e9) == []


def test_a_channel_is_looked_at_when_it_is_due_and_not_before() -> None:
    deadlines, channel = scheduled(5.0)
    assert deadlines.next() == channel.due == 5.0
    assert deadlines.take_due(5.0 - TICK) == []
    assert deadlines.take_due(5.0) == [(5.0, 1)]
    assert deadlines.next() is None


def test_a_later_time_does_not_replace_an_earlier_one() -> None:
    deadlines, channel = scheduled(5.0, 7.0, 5.0)
    assert channel.due == 5.0
    assert deadlines.take_due(9.0) == [(5.0, 1)]


def test_an_earlier_time_replaces_a_later_one_which_is_told_by_its_due() -> None:
    deadlines, channel = scheduled(7.0, 5.0)
    assert channel.due == 5.0
    assert deadlines.take_due(6.0) == [(5.0, 1)]
    assert deadlines.take_due(9.0) == [(7.0, 1)]  # stale: `due` is not 7.0


def test_of_many_channels_the_earliest_comes_first() -> None:
    deadlines = Deadlines()
    for number, when in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 9.0)):
        channel = make()
        channel.number = number
        deadlines.schedule(channel, when)
    assert deadlines.next() == 1.0
    assert deadlines.take_due(3.0) == [(1.0, 2), (2.0, 3), (3.0, 1)]
    assert deadlines.next() == 9.0
