"""What stands around the messages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from securechat.client.events import Connecting, Draft, DraftState, Heard, Message, Offline, Online
from securechat.client.timeline import Timeline
from securechat.protocol import envelopes as wire
from securechat.tui.drawing import Lines, Tint
from securechat.tui.sides import (
    next_active,
    people_lines,
    room_lines,
    rooms_of,
    status_line,
    title_line,
)

from ..cli.scripted import STAMP, WELCOME
from .entries import NOON


def plain(lines: Lines) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lines]


def say(timeline: Timeline, to: str, text: str = "hello") -> None:
    posted = wire.Posted(id="x", to=to, sender="carol", seq=1, ts=STAMP, text=text)
    timeline.feed(Message(to, posted, False, False), NOON)


def join(timeline: Timeline, room: str, count: int = 3) -> None:
    joined = wire.Joined(room=room, nick="bob", re="s", seq=0, after=0, count=count)
    timeline.feed(Heard(joined), NOON)


@pytest.fixture
def timeline() -> Timeline:
    """Bob's, online, in #lobby and #garden, looking at #lobby."""
    made = Timeline("bob")
    made.feed(Online(WELCOME, False, False), NOON)
    join(made, "#lobby")
    join(made, "#garden")
    made.look_at("#lobby")
    return made


def test_conversations_with_what_is_new_in_them(timeline: Timeline) -> None:
    say(timeline, "@carol")
    say(timeline, "#garden")
    say(timeline, "#garden", "bob: come")
    assert plain(room_lines(timeline, 16, 9)) == [
        "▸1 #lobby",
        " 2 #garden   2!1",
        " 3 @carol    1!1",
    ]
    assert rooms_of(timeline).after("@carol", 1) == "#lobby"
    assert rooms_of(timeline).after("#lobby", -1) == "@carol"
    assert rooms_of(timeline).after(None, 1) == "#lobby"
    assert rooms_of(Timeline("bob")).after(None, 1) is None


def test_long_names_are_cut_and_harmless(timeline: Timeline) -> None:
    say(timeline, "@\x1b[31m" + "x" * 40)
    assert plain(room_lines(timeline, 16, 9))[-1] == " 3 @\\x1b[31… 1!1"


def test_what_is_shown_is_always_in_view(timeline: Timeline) -> None:
    for number in range(30):
        join(timeline, f"#room{number}")
    timeline.look_at("#room20")
    shown = plain(room_lines(timeline, 20, 5))
    assert len(shown) == 5
    assert any(line.startswith("▸") and "#room20" in line for line in shown)


def test_where_to_look_next(timeline: Timeline) -> None:
    assert next_active(timeline) is None
    say(timeline, "#garden")
    assert next_active(timeline) == "#garden"
    say(timeline, "@dave")
    assert next_active(timeline) == "@dave"


def test_people_and_how_many_more(timeline: Timeline) -> None:
    members = tuple(wire.Member(nick=nick) for nick in ("bob", "carol", "dave"))
    timeline.feed(Heard(wire.Members(room="#lobby", members=members, re="c")), NOON)
    assert plain(people_lines(timeline, 10, 3)) == ["bob", "carol", "dave"]
    assert plain(people_lines(timeline, 12, 2)) == ["bob", "and 2 more"]
    timeline.conversation("#lobby").count = 700
    assert plain(people_lines(timeline, 12, 9))[-1] == "and 697 more"
    timeline.look_at("@carol")
    assert people_lines(timeline, 10, 9) == []


def test_the_title(timeline: Timeline) -> None:
    timeline.conversation("#lobby").topic = "tea\x1b"
    assert plain([title_line(timeline, 40)]) == [" #lobby · tea\\x1b"]
    timeline.look_at(None)
    assert "/join" in plain([title_line(timeline, 60)])[0]


def status(timeline: Timeline, width: int = 100, after: float = 0.0) -> str:
    [line] = plain([status_line(timeline, NOON + timedelta(seconds=after), width)])
    return line


def test_the_state_of_the_connection_is_always_there(timeline: Timeline) -> None:
    assert status(timeline) == " #lobby 3 │ bob │ connected │ TLS 1.3 │ F1 help"
    timeline.feed(Draft("c", "#lobby", "hi", DraftState.SENDING), NOON)
    assert "│ connected, 1 unsent │" in status(timeline)
    timeline.feed(Draft("c", "#lobby", "hi", DraftState.SENT), NOON)
    timeline.feed(Offline("reset", 3.0), NOON)
    assert "bob │ reconnecting in 3 s │ F1" in status(timeline)
    assert "reconnecting in 1 s" in status(timeline, after=2.5)
    timeline.feed(Draft("d", "#lobby", "hi", DraftState.WAITING), NOON)
    assert "offline, 1 unsent │ reconnecting in 0 s │" in status(timeline, after=9)
    timeline.feed(Connecting("localhost", 1, 2), NOON)
    assert "offline, 1 unsent │ reconnecting │" in status(timeline)
    assert "bob │ connecting │" in status(Timeline("bob"))


def test_how_the_server_is_known_is_told(timeline: Timeline) -> None:
    [line] = plain([status_line(timeline, NOON, 80, trust="known key")])
    assert "connected │ TLS 1.3, known key │" in line


def test_what_is_new_elsewhere_is_told_where_no_list_is_in_sight(timeline: Timeline) -> None:
    [line] = plain([status_line(timeline, NOON, 80, lists_rooms=False)])
    assert "new:" not in line
    say(timeline, "#garden")
    say(timeline, "@dave", "psst")
    [line] = plain([status_line(timeline, NOON, 40, lists_rooms=False)])
    assert line.startswith(" #lobby 3 │ new: 2 3! │ connected")


def test_lag_is_told_when_it_is_high(timeline: Timeline) -> None:
    timeline.feed(Draft("d", "#lobby", "hi", DraftState.SENDING), NOON)
    assert "lag" not in status(timeline, after=0.4)
    assert "lag 1.5 s" in status(timeline, after=1.5)


def test_what_was_refused_is_told_with_its_key(timeline: Timeline) -> None:
    timeline.feed(Draft("d", "#lobby", "hi", DraftState.REFUSED), NOON)
    assert "1 not sent: Alt-R" in status(timeline)


def test_a_narrow_bar_leaves_out_what_does_not_fit(timeline: Timeline) -> None:
    assert status(timeline, 50).startswith(" #lobby 3 │ bob │ connected │")
    assert status(timeline, 40) == " #lobby 3 │ connected │ TLS 1.3 │ F1 he…"
    assert status(timeline, 24) == " #lobby 3 │ connected │…"
    [line] = plain([status_line(timeline, NOON, 60, hints=["Ctrl-C again quits"])])
    assert line.startswith(" Ctrl-C again quits │ #lobby")


def test_a_call_stands_out(timeline: Timeline) -> None:
    say(timeline, "@carol")
    assert room_lines(timeline, 20, 9)[-1][-1].tint is Tint.MENTION
