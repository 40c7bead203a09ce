"""Answers in the view model: one entry each, in words for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from securechat.client import events
from securechat.client import timeline as timeline_module
from securechat.client.entries import Kind, Move, counted, named, seconds
from securechat.client.events import (
    Connecting,
    Draft,
    DraftState,
    Offline,
    Online,
)
from securechat.client.timeline import Timeline
from securechat.client.unsent import MAX_DRAFTS
from securechat.protocol import envelopes as wire

from .told_to import NOW, WELCOME, feed, heard, members, message, posted, texts


def test_a_list_in_several_frames_is_one_answer(line: Timeline) -> None:
    assert feed(line, members("bob", "carol", more=True)) == []
    [entry] = feed(line, members("dave"))
    assert entry.text == "3 in #lobby: bob, carol, dave"
    assert list(line.conversation("#lobby").people) == ["bob", "carol", "dave"]


def test_who_is_online_is_of_no_room(line: Timeline) -> None:
    [entry] = feed(line, heard(wire.Members(members=(wire.Member(nick="bob"),), re="c1")))
    assert (entry.text, entry.conversation) == ("1 online: bob", None)


def test_a_hushed_answer_only_changes_the_model(line: Timeline) -> None:
    line.hush("c1")
    assert feed(line, members("bob", more=True), members("carol")) == []
    assert list(line.conversation("#lobby").people) == ["bob", "carol"]
    assert len(feed(line, members("bob"))) == 1  # the next one is not hushed


def test_lists_that_a_lost_link_cut_are_forgotten(line: Timeline) -> None:
    feed(line, members("bob", more=True), Offline("reset", 1.0), Online(WELCOME, True, True))
    [entry] = feed(line, members("carol"))
    assert entry.text == "1 in #lobby: carol"


def test_rooms_conversations_and_help(line: Timeline) -> None:
    rooms = (
        wire.RoomInfo(room="#lobby", members=1, topic="", seq=0),
        wire.RoomInfo(room="#den", members=1_200, topic="Foxes", seq=3),
    )
    talks = (wire.Conversation(to="@carol", seq=1, ts="x"),)
    commands = (wire.CommandHelp(name="who", usage="who [ROOM]", summary="list"),)
    entries = feed(
        line,
        heard(wire.RoomList(rooms=rooms, re="c1")),
        heard(wire.RoomList(rooms=(), re="c2")),
        heard(wire.ConversationList(conversations=talks, re="c3")),
        heard(wire.ConversationList(conversations=(), re="c4")),
        heard(wire.HelpIs(commands=commands, re="c5")),
    )
    assert texts(entries) == [
        "#lobby, 1 person",
        "#den, 1,200 people; topic: Foxes",
        "there are no rooms",
        "@carol, 1 message",
        "there are no direct conversations",
        "who [ROOM]: list",
    ]
    assert line.server_commands == commands


def test_the_small_answers(line: Timeline) -> None:
    entries = feed(
        line,
        heard(wire.TimeIs(now="2026-11-23T12:00:00.000000Z", re="c1")),
        heard(wire.JokeIs(text="Ha.", re="c2")),
        heard(wire.Notice(text="Back at nine.")),
        heard(wire.Error(code="no_such_room", message="There is no such room.", re="c3")),
        heard(wire.Error(code="state", message="This client cannot keep its state.")),
    )
    assert [(one.kind, one.text) for one in entries] == [
        (Kind.ANSWER, "the server's time is 2026-11-23T12:00:00.000000Z"),
        (Kind.ANSWER, "Ha."),
        (Kind.NOTICE, "the server says: Back at nine."),
        (Kind.ERROR, "There is no such room."),
        (Kind.STATE, "This client cannot keep its state."),
    ]


def test_what_needs_no_entry_makes_none(line: Timeline) -> None:
    silent = (
        wire.ServerPing(),
        wire.Bye(reason="shutdown"),
        wire.UnknownEvent(event="party"),
        wire.Error(code="internal", message="Our fault.", fatal=True),
    )
    assert feed(line, *map(heard, silent)) == []


def test_history_is_shown_again_and_fills_the_beginning(line: Timeline) -> None:
    feed(line, message("three", seq=3))
    page = tuple(posted(text, seq=seq) for seq, text in ((1, "one"), (2, "two"), (3, "three")))
    entries = feed(line, heard(wire.HistoryPage(to="#lobby", messages=page, more=True, re="c1")))
    assert texts(entries) == ["one", "two", "three"]
    assert all(entry.recalled and not entry.mention for entry in entries)
    lines = [one.text for one in line.conversation("#lobby").lines if one.seq]
    assert lines == ["one", "two", "three"]
    assert texts(
        feed(line, heard(wire.HistoryPage(to="#den", messages=(), more=False, re="c2")))
    ) == ["there are no messages"]


def test_words_for_people() -> None:
    assert named(wire.Member(nick="carol", role="guest")) == "carol"
    assert named(wire.Member(nick="carol", role="operator", held=True)) == (
        "carol (operator, link lost)"
    )
    assert [counted(1, "person", "people"), counted(2_000, "person", "people")] == [
        "1 person",
        "2,000 people",
    ]
    assert [seconds(0.2), seconds(2.4), seconds(89), seconds(120)] == [
        "1 s",
        "2 s",
        "89 s",
        "2 min",
    ]


def test_every_event_is_known() -> None:
    kinds = set(events.ClientEvent.__args__)
    assert kinds == set(timeline_module._ON_EVENT)


def test_who_comes_and_goes_can_be_told_apart(line: Timeline) -> None:
    came, went = feed(
        line,
        heard(wire.Joined(room="#lobby", nick="carol")),
        heard(wire.Left(room="#lobby", nick="carol", reason="bye")),
    )
    assert (came.move, came.nick, came.text) == (Move.CAME, "carol", "carol joined")
    assert (went.move, went.nick, went.text) == (Move.WENT, "carol", "carol left (bye)")


def test_what_was_refused_is_kept_until_somebody_forgets_it(line: Timeline) -> None:
    draft = Draft("d1", "#lobby", "hi", DraftState.SENDING)
    feed(line, draft, replace(draft, state=DraftState.REFUSED, reason="no"))
    assert [one.reason for one in line.refused.values()] == ["no"]
    assert not line.drafts
    for number in range(MAX_DRAFTS + 5):
        feed(line, Draft(f"x{number}", "#lobby", "hi", DraftState.REFUSED))
    assert len(line.refused) == MAX_DRAFTS


def test_when_a_lost_connection_is_tried_again(line: Timeline) -> None:
    assert line.retry_at is None
    feed(line, Offline("reset", 3.0))
    assert line.retry_at == NOW + timedelta(seconds=3)
    feed(line, Connecting("localhost", 1, 1))
    assert line.retry_at is None
    feed(line, Offline("reset", 3.0), Online(WELCOME, True, True))
    assert line.retry_at is None
    feed(line, Offline("reset", None))
    assert line.retry_at is None


def test_lag_is_how_long_the_echo_takes(line: Timeline) -> None:
    later = NOW + timedelta(seconds=2)
    feed(line, Draft("d1", "#lobby", "hi", DraftState.SENDING))
    assert line.lag(NOW) == timedelta(0)
    assert line.lag(later) == timedelta(seconds=2)
    feed(line, Draft("d1", "#lobby", "hi", DraftState.SENT), now=later)
    assert line.lag(later + timedelta(hours=1)) == timedelta(seconds=2)
    feed(line, Draft("d2", "#lobby", "hi", DraftState.SENDING), now=later)
    feed(line, Offline("reset", 1.0), now=later)
    assert line.lag(later + timedelta(hours=1)) == timedelta(0)
