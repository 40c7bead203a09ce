"""The order of conversations, and where something is new."""

from __future__ import annotations

import pytest

from securechat.client.events import Heard, Message, Online
from securechat.client.rooms import next_active, rooms_of
from securechat.client.timeline import Timeline
from securechat.protocol import envelopes as wire

from ..cli.scripted import STAMP, WELCOME
from .saying import NOON


def say(timeline: Timeline, to: str) -> None:
    posted = wire.Posted(id="x", to=to, sender="carol", seq=1, ts=STAMP, text="hello")
    timeline.feed(Message(to, posted, False, False), NOON)


@pytest.fixture
def timeline() -> Timeline:
    """Bob's, online, in #lobby and #garden, looking at #lobby."""
    made = Timeline("bob")
    made.feed(Online(WELCOME, False, False), NOON)
    for room in ("#lobby", "#garden"):
        joined = wire.Joined(room=room, nick="bob", re="s", seq=0, after=0, count=3)
        made.feed(Heard(joined), NOON)
    made.look_at("#lobby")
    return made


def test_rooms_come_first_and_one_can_go_around(timeline: Timeline) -> None:
    say(timeline, "@carol")
    say(timeline, "#garden")
    assert rooms_of(timeline).names == ["#lobby", "#garden", "@carol"]
    assert rooms_of(timeline).after("@carol", 1) == "#lobby"
    assert rooms_of(timeline).after("#lobby", -1) == "@carol"
    assert rooms_of(timeline).after(None, 1) == "#lobby"
    assert rooms_of(Timeline("bob")).after(None, 1) is None


def test_where_to_look_next(timeline: Timeline) -> None:
    assert next_active(timeline) is None
    say(timeline, "#garden")
    assert next_active(timeline) == "#garden"
    say(timeline, "@dave")
    assert next_active(timeline) == "@dave"
