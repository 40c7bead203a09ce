"""Silence is asked about, and then taken for the death of the link."""

from __future__ import annotations

from securechat.client.events import Offline
from securechat.client.heartbeat import ASK_AFTER, DEAD_AFTER, Heartbeat, Pulse
from securechat.protocol import envelopes as wire

from .runs import Run


def test_silence_is_asked_about_and_then_taken_for_death() -> None:
    run = Run().online().forget()
    assert run.session.deadline == run.now + ASK_AFTER
    run.wait(ASK_AFTER)
    assert isinstance(run.last(wire.Ping), wire.Ping)
    run.wait(DEAD_AFTER - ASK_AFTER)
    assert "silent" in run.tells(Offline)[0].reason


def test_any_sign_of_life_ends_the_silence() -> None:
    run = Run().online().forget()
    for _ in range(5):
        run.wait(ASK_AFTER)
        run.session.alive(run.now)
        run.hear(wire.ServerPong(re=run.last(wire.Ping).id))
    assert len([one for one in run.sent if isinstance(one, wire.Ping)]) == 5
    assert not run.told


def test_an_hour_of_sleep_is_death_at_once() -> None:
    heart = Heartbeat(0.0)
    assert heart.check(3_600.0) is Pulse.DEAD


def test_ping_is_answered_with_its_token() -> None:
    run = Run().online().hear(wire.ServerPing(token="t1"))
    assert run.last(wire.Pong).token == "t1"
    run.hear(wire.ServerPing())
    assert run.last(wire.Pong).token is None
