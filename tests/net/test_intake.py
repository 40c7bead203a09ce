"""What is read becomes events: in order, however it was cut, and no more of it than is allowed."""

from __future__ import annotations

import ssl
import threading
import time

import pytest

from securechat.chat.limits import TokenBucket
from securechat.link_events import Lost
from securechat.net.channel import READ_SIZE, Phase
from securechat.net.deadlines import FRAME_TIME, GRAIN
from securechat.net.gate import Fact
from securechat.net.poller import READ
from securechat.net.wordless import MOST_IN_VAIN
from securechat.protocol.codec import Refusal
from securechat.protocol.connection import Signal, State
from securechat.protocol.envelopes import Draft, Time
from securechat.protocol.framing import DEFAULT_MAX_FRAME, GREETING_MAX_FRAME, encode_frame

from .desk import Contexts, Desk
from .parts import BEGIN, HELLO, JUNK, Parts, draft, sock_of


def codes(events: list[object]) -> list[object]:
    """Refusals by their codes, all else as it is."""
    return [event.code if isinstance(event, Refusal) else event for event in events]


# ------------------------------------------------------------------ frames and records


@pytest.mark.parametrize("at", range(1, len(draft(1))))
def test_a_frame_is_told_when_it_is_whole(parts: Parts, at: int) -> None:
    channel = parts.connect()
    parts.read(channel, draft(1)[:at])
    assert parts.take_told() == []
    parts.read(channel, draft(1)[at:])
    assert parts.take_told() == ["1"]
    assert channel.frame_since is None


def test_a_frame_that_was_begun_has_its_time(parts: Parts) -> None:
    channel = parts.connect()
    parts.clock.now += 3
    parts.read(channel, draft(1)[:5])
    assert (channel.frame_since, channel.frame_bytes) == (BEGIN + 3, 5)
    assert FRAME_TIME <= parts.due_in(channel) < FRAME_TIME + GRAIN
    parts.clock.now += 3
    parts.read(channel, draft(1)[5:9])
    assert (channel.frame_since, channel.frame_bytes) == (BEGIN + 3, 9)
    parts.read(channel, draft(1)[9:] + draft(2)[:3])
    assert parts.take_told() == ["1"]
    assert (channel.frame_since, channel.frame_bytes) == (BEGIN + 6, 3), "the next one has its own"


def test_many_frames_of_one_record_are_told_in_order(parts: Parts) -> None:
    channel = parts.connect()
    parts.read(channel, b"".join(draft(n) for n in range(200)))
    assert parts.take_told() == [str(n) for n in range(200)]
    assert parts.waits_for(channel) == READ


def test_nothing_to_read_is_nothing_to_tell(parts: Parts) -> None:
    channel = parts.connect()
    parts.clock.now += 9
    parts.read(channel)
    assert (parts.take_told(), channel.heard) == ([], BEGIN)


def test_who_says_nothing_in_too_many_bytes_is_cut(parts: Parts) -> None:
    channel = parts.connect()
    for _ in range(3):
        sock_of(channel).taken += MOST_IN_VAIN // 2
        parts.read(channel)
    assert not parts.facts
    sock_of(channel).taken += 2
    parts.read(channel)
    assert channel.phase is Phase.DEAD
    assert (channel.number, Fact.OFFENDED) in parts.facts


def test_what_is_heard_is_life(parts: Parts) -> None:
    channel = parts.connect()
    channel.pinged = True
    parts.clock.now += 9
    parts.read(channel, draft(1)[:1])
    assert (channel.heard, channel.pinged) == (BEGIN + 9, False)


def test_of_full_records_so_many_are_read_that_others_have_their_turn(parts: Parts) -> None:
    channel = parts.connect()
    stream = b"".join(draft(n, "x" * 4_000) for n in range(100))
    records = [stream[at : at + READ_SIZE] for at in range(0, len(stream), READ_SIZE)]
    parts.read(channel, *records)
    told = parts.take_told()
    left = sock_of(channel).coming
    assert len(records) - len(left) == 8
    while left:
        parts.read(channel)
        told += parts.take_told()
    assert told == [str(n) for n in range(100)]


# ------------------------------------------------------------------ the end


def test_what_came_before_the_end_is_told_before_it(parts: Parts) -> None:
    channel = parts.connect()
    parts.read(channel, draft(1).ljust(READ_SIZE, b"\0"), b"")
    first, refusal, lost = parts.take_told()
    assert (first, codes([refusal]), lost) == ("1", ["frame_too_large"], Lost("closed by the peer"))
    assert sock_of(channel).closed


def test_an_end_in_the_middle_of_a_frame_is_an_end(parts: Parts) -> None:
    channel = parts.connect()
    parts.read(channel, draft(1)[:9])
    parts.read(channel, b"")
    assert parts.take_told() == [Lost("closed by the peer")]


def test_an_end_without_close_notify_is_a_broken_link(parts: Parts) -> None:
    parts.read(parts.connect(), ssl.SSLEOFError(8, "EOF occurred"))
    [lost] = parts.take_told()
    assert isinstance(lost, Lost)
    assert "without close_notify" in lost.reason


@pytest.mark.parametrize("before", [b"", draft(1)], ids=["alone", "behind another"])
def test_behind_a_broken_rule_nothing_is_told(
    parts: Parts, before: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    channel = parts.connect()
    parts.read(channel, before + JUNK + draft(2))
    assert codes(parts.take_told()) == ["1"] * bool(before) + ["bad_json"]
    assert parts.waits_for(channel) == 0
    assert parts.facts == [(1, Fact.OFFENDED)]
    assert caplog.text.count("connection 1 from 192.0.2.1:4101: refused: bad_json") == 1
    assert channel.due, "should the hub not answer, it ends all the same"


def test_a_broken_rule_that_comes_alone_ends_it_too(parts: Parts) -> None:
    channel = parts.connect()
    parts.read(channel, JUNK)  # one frame and nothing else: the short way
    assert codes(parts.take_told()) == ["bad_json"]
    assert (parts.waits_for(channel), parts.facts) == (0, [(1, Fact.OFFENDED)])


# ------------------------------------------------------------------ hello


def test_behind_hello_nothing_is_looked_at_until_it_is_answered(parts: Parts) -> None:
    channel = parts.connect(State.GREETING)
    parts.read(channel, HELLO + draft(1) + draft(2))
    assert parts.take_told() == ["h"]
    parts.read(channel, draft(3))
    assert parts.take_told() == []
    channel.connection.note_sent(Signal.WELCOME)
    parts.intake.resume(channel)
    assert parts.take_told() == ["1", "2", "3"]


# ------------------------------------------------------------------ tokens


def test_without_a_token_what_came_waits_and_tcp_slows_the_peer(parts: Parts) -> None:
    channel = parts.connect(bucket=TokenBucket(2.0, 3, BEGIN))
    parts.read(channel, b"".join(draft(n) for n in range(5)))
    assert parts.take_told() == ["0", "1", "2"]
    assert (channel.starved, parts.waits_for(channel)) == (True, 0)
    assert 0.5 <= parts.due_in(channel) < 0.5 + GRAIN
    parts.clock.now += 0.5
    channel.starved = False  # as the loop does it when that time has come
    parts.intake.resume(channel)
    assert parts.take_told() == ["3"]
    parts.clock.now += 0.5
    channel.starved = False
    parts.intake.resume(channel)
    assert parts.take_told() == ["4"]
    assert (channel.starved, parts.waits_for(channel)) == (False, READ)


def test_one_frame_without_a_token_waits_too(parts: Parts) -> None:
    channel = parts.connect(bucket=TokenBucket(1.0, 1, BEGIN))
    parts.read(channel, draft(1))
    parts.read(channel, draft(2))
    assert parts.take_told() == ["1"]
    assert channel.starved


def test_half_a_frame_without_a_token_is_still_waited_for(parts: Parts) -> None:
    """Nothing could be looked at yet: so it is read on, and its time counts."""
    channel = parts.connect(bucket=TokenBucket(1.0, 1, BEGIN))
    parts.read(channel, draft(1))
    parts.read(channel, draft(2)[:7])
    assert (channel.starved, parts.waits_for(channel)) == (False, READ)
    assert channel.frame_since == BEGIN


def test_each_frame_costs_what_it_costs(parts: Parts) -> None:
    bucket = TokenBucket(1.0, 100, BEGIN)
    channel = parts.connect(bucket=bucket)
    no_envelope = b"\0\0\0\2{}"
    parts.read(channel, draft(1))
    assert bucket.available(BEGIN) == 99
    parts.read(channel, no_envelope)
    assert bucket.available(BEGIN) == 88
    parts.read(channel, draft(2) + no_envelope)
    assert bucket.available(BEGIN) == 76


@pytest.mark.parametrize("size", [1, 3, 50, 20_000])
def test_frames_are_told_in_order_however_they_come(contexts: Contexts, size: int) -> None:
    desk = Desk(contexts, patience=0.0)
    try:
        peer = desk.connect()
        stream = b"".join(draft(n, text="x" * (n * 97 % (size * 200))) for n in range(100))
        for at in range(0, len(stream), size):
            peer.send(stream[at : at + size])
        got: list[str] = []
        while len(got) < 100:
            got += desk.ids()
        assert got == [str(n) for n in range(100)]
    finally:
        desk.close()


def test_of_many_records_so_many_are_read_that_others_have_their_turn(desk: Desk) -> None:
    ann, bob = desk.connect(), desk.connect()
    ann.sendall(draft(0))
    assert desk.ids() == ["0"]
    stream = b"".join(draft(n, text="x" * 4_000) for n in range(1, 101))
    writer = threading.Thread(target=ann.sendall, args=(stream,), name="ann")
    writer.start()  # 25 records, of which what the kernel takes waits while the hub decides
    bob.sendall(draft(999))
    time.sleep(0.1)
    desk.loop.post(())
    first = [(number, event.id) for number, event in desk.hear() if isinstance(event, Draft)]
    assert (2, "999") in first
    got = [id for number, id in first if number == 1]
    assert 0 < len(got) <= 8 * READ_SIZE // 4_000 + 1
    while len(got) < 100:
        desk.loop.post(())
        got += desk.ids()
    desk.loop.post(())
    assert got == [str(n) for n in range(1, 101)]
    writer.join()


def test_a_frame_is_as_long_as_the_state_allows(desk: Desk) -> None:
    peer = desk.connect()
    long = b'{"type":"command","id":"1","name":"time"}'.ljust(GREETING_MAX_FRAME + 1)
    peer.sendall(encode_frame(long))
    [(_, event)] = desk.hear()
    assert isinstance(event, Time)
    desk.loop.post(())
    peer.sendall((DEFAULT_MAX_FRAME + 1).to_bytes(4, "big"))
    [(_, refusal)] = desk.hear()
    assert getattr(refusal, "code", None) == "frame_too_large"
    desk.loop.post(())
