"""Connections end: each for itself, with a word where one can be said, and once."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from securechat.link_events import Lost
from securechat.net.channel import Channel, Phase
from securechat.net.deadlines import ANSWER_TIME, FINISH_TIME, GRAIN, LINGER_TIME
from securechat.net.gate import Fact
from securechat.net.poller import READ, WRITE
from securechat.protocol.codec import Refusal

from .parts import Parts, sock_of

RESET = ConnectionResetError(104, "Connection reset by peer")


def failing(error: Exception) -> Callable[[Channel], None]:
    """What is done for a connection, and fails."""

    def act(_channel: Channel) -> None:
        raise error

    return act


# ------------------------------------------------------------------ something failed


def test_an_error_of_ours_is_said_to_that_connection_and_logged(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    channel, other = parts.connect(), parts.connect()
    parts.endings.guard(channel, failing(ZeroDivisionError("ours")))
    [refusal] = parts.take_told()
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fatal) == ("internal", True)
    assert "ZeroDivisionError: ours" in caplog.text
    assert channel.connection.closed
    assert (parts.waits_for(channel), parts.waits_for(other)) == (0, READ)
    assert not other.connection.closed


def test_a_hub_that_does_not_answer_that_holds_no_connection_open(parts: Parts) -> None:
    channel = parts.connect()
    parts.clock.now += 500
    parts.endings.fail(channel, "timeout", "Too late.")
    assert ANSWER_TIME <= parts.due_in(channel) < ANSWER_TIME + GRAIN


def test_a_link_that_breaks_is_lost(parts: Parts) -> None:
    channel = parts.connect()
    parts.endings.guard(channel, failing(RESET))
    [lost] = parts.take_told()
    assert isinstance(lost, Lost)
    assert "reset" in lost.reason.lower()
    assert sock_of(channel).closed
    assert (parts.forgotten, parts.facts) == ([1], [(1, Fact.ENDED)])


def test_a_handshake_that_fails_is_no_news_to_the_hub(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    channel = parts.connect(phase=Phase.HANDSHAKE)
    parts.endings.guard(channel, failing(ssl.SSLEOFError(8, "EOF")))
    assert parts.take_told() == []
    assert "no handshake: the peer hung up" in caplog.text
    assert channel.phase is Phase.LINGERING, "the alert that says why is on its way"


# ------------------------------------------------------------------ we end it


@pytest.mark.parametrize("phase", [Phase.HANDSHAKE, Phase.FINISHING, Phase.LINGERING])
def test_who_does_not_talk_is_told_nothing(parts: Parts, phase: Phase) -> None:
    channel = parts.connect(phase=phase)
    parts.endings.fail(channel, "timeout", "Too late.")
    assert parts.take_told() == []
    assert sock_of(channel).closed


def test_with_nothing_left_to_say_our_side_is_shut_at_once(parts: Parts) -> None:
    channel = parts.connect()
    parts.endings.finish(channel)
    assert sock_of(channel).said_end
    assert not sock_of(channel).closed, "what the peer still sends is read away"
    assert (channel.phase, parts.waits_for(channel)) == (Phase.LINGERING, READ)
    assert LINGER_TIME <= parts.due_in(channel) < LINGER_TIME + GRAIN


def test_what_waits_goes_out_first(parts: Parts) -> None:
    channel = parts.connect()
    channel.keep((b"last words",), 10)
    parts.endings.finish(channel)
    assert not sock_of(channel).said_end
    assert (channel.phase, parts.waits_for(channel)) == (Phase.FINISHING, WRITE)
    assert FINISH_TIME <= parts.due_in(channel) < FINISH_TIME + GRAIN


def test_without_room_for_the_goodbye_it_is_said_later(parts: Parts) -> None:
    channel = parts.connect()
    sock_of(channel).room = 0
    parts.endings.finish(channel)
    assert (channel.phase, parts.waits_for(channel)) == (Phase.FINISHING, WRITE)
    sock_of(channel).room = 100
    parts.endings.shut(channel)
    assert (channel.phase, parts.waits_for(channel)) == (Phase.LINGERING, READ)


# ------------------------------------------------------------------ it ends


def test_a_peer_that_says_goodbye_hears_one(parts: Parts) -> None:
    channel = parts.connect()
    parts.endings.part(channel)
    assert sock_of(channel).said_end
    assert sock_of(channel).closed
    assert parts.take_told() == [Lost("closed by the peer")]


def test_with_bytes_waiting_a_goodbye_would_cut_them_off(parts: Parts) -> None:
    channel = parts.connect()
    channel.keep((b"the rest of a record",), 20)
    parts.endings.part(channel)
    assert not sock_of(channel).said_end
    assert sock_of(channel).closed


def test_what_has_ended_ends_no_second_time(parts: Parts) -> None:
    channel = parts.connect()
    for _ in range(2):
        parts.endings.close(channel)
    assert (parts.forgotten, parts.facts) == ([1], [(1, Fact.ENDED)])
    assert parts.kernel.masks == {}


def test_each_handshake_is_counted_out_once(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(parts.rush, "end", lambda: ended.append(1))
    shut, closed, talked = (
        parts.connect(phase=phase) for phase in (Phase.HANDSHAKE, Phase.HANDSHAKE, Phase.TALKING)
    )
    parts.endings.shut(shut)
    for channel in (shut, closed, talked):
        parts.endings.close(channel)
    assert len(ended) == 2
