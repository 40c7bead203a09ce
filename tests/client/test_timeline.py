"""The view model: which entries events make, and how the model stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from securechat.client import conversations, events, gathering
from securechat.client import timeline as timeline_module
from securechat.client.entries import Entry, Kind, Move, counted, named, seconds
from securechat.client.events import (
    CaughtUp,
    ClientEvent,
    Connecting,
    Draft,
    DraftState,
    Ended,
    Heard,
    Message,
    Offline,
    Online,
)
from securechat.client.timeline import Timeline
from securechat.client.unsent import MAX_DRAFTS, OVERDUE
from securechat.protocol import envelopes as wire

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIMITS = wire.Limits(
    max_frame=65_536, max_text=4_000, rate=20.0, burst=100, presence=500, idle_timeout=90.0
)
WELCOME = wire.Welcome(
    protocol=1, server="garden", version="1", nick="bob", epoch="e1", limits=LIMITS
)


def posted(
    text: str, sender: str = "carol", seq: int = 1, to: str = "#lobby", **keys: Any
) -> wire.Posted:
    usual = {"id": f"{sender}-{seq}", "ts": "2026-11-23T11:59:58.500000Z"}
    return wire.Posted.model_validate(
        {"to": to, "sender": sender, "seq": seq, "text": text, **usual, **keys}
    )


def heard(system: wire.System) -> Heard:
    return Heard(system)


def message(
    text: str,
    sender: str = "carol",
    seq: int = 1,
    place: str = "#lobby",
    *,
    own: bool = False,
    missed: bool = False,
) -> Message:
    return Message(place, posted(text, sender, seq, place), own, missed)


@pytest.fixture
def line() -> Timeline:
    """Bob's timeline, online, in #lobby, which he looks at."""
    made = Timeline("bob")
    made.look_at("#lobby")
    feed(made, Online(WELCOME, False, False))
    feed(made, heard(wire.Joined(room="#lobby", nick="bob", re="s1", seq=0, after=0, count=2)))
    return made


def feed(timeline: Timeline, *happened: ClientEvent, now: datetime = NOW) -> list[Entry]:
    return [entry for event in happened for entry in timeline.feed(event, now)]


def texts(entries: Sequence[Entry]) -> list[str]:
    return [entry.text for entry in entries]


# ------------------------------------------------------------------ messages


def test_a_message_is_an_entry_with_the_servers_time(line: Timeline) -> None:
    [entry] = feed(line, message("hello", "carol", 7))
    assert entry == Entry(
        Kind.MESSAGE,
        datetime(2026, 11, 23, 11, 59, 58, 500_000, tzinfo=UTC),
        "hello",
        "#lobby",
        "carol",
        7,
    )
    assert list(line.conversation("#lobby").lines)[-1] is entry


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-11-23T12:00:00", "0001-01-01T00:00:00Z"])
def test_a_stamp_that_is_none_is_replaced_by_when_it_was_heard(line: Timeline, stamp: str) -> None:
    [entry] = feed(line, Message("#lobby", posted("hi", ts=stamp), False, False))
    assert entry.at == NOW


def test_an_action_an_answer_and_what_was_missed_say_so(line: Timeline) -> None:
    said = posted("waves", action=True, reply_to=3)
    [entry] = feed(line, Message("#lobby", said, False, True))
    assert (entry.kind, entry.reply_to, entry.missed) == (Kind.ACTION, 3, True)


@pytest.mark.parametrize(
    ("text", "is_mention"),
    [
        ("bob", True),
        ("hi Bob!", True),
        ("@bob: come", True),
        ("(bob)", True),
        ("bob's", True),
        ("bobby", False),
        ("kebob", False),
        ("bob-2 is here", False),
        ("hello", False),
    ],
)
def test_a_mention_is_our_nick_as_a_word(line: Timeline, text: str, is_mention: bool) -> None:
    [entry] = feed(line, message(text))
    assert entry.mention is is_mention


def test_other_words_may_call_us_too(line: Timeline) -> None:
    line.heed(["robert", "the backup"])
    for seq, text in enumerate(("ROBERT?", "is the backup done?", "Bob", "backup", "roberta"), 1):
        [entry] = feed(line, message(text, seq=seq))
        assert entry.mention is (seq <= 3)
    feed(line, heard(wire.Renamed(old="bob", nick="bobby")))
    [entry] = feed(line, message("robert", seq=6))
    assert entry.mention


def test_our_own_words_and_those_from_before_are_no_mention(line: Timeline) -> None:
    entries = feed(line, message("I, bob", "bob", own=True), message("bob?", seq=2, missed=True))
    assert [entry.mention for entry in entries] == [False, False]


def test_a_direct_message_is_for_us(line: Timeline) -> None:
    [entry] = feed(line, message("psst", place="@carol"))
    assert entry.mention
    assert line.conversation("@carol").mentions == 1


def test_unread_counts_what_is_not_looked_at(line: Timeline) -> None:
    feed(line, message("here"), message("there, bob", place="#garden"), message("x", place="@dave"))
    feed(line, message("mine", "bob", 2, "#garden", own=True))
    counts = {name: (one.unread, one.mentions) for name, one in line.conversations.items()}
    assert counts == {"#lobby": (0, 0), "#garden": (1, 1), "@dave": (1, 1)}
    line.look_at("#garden")
    assert line.focus == "#garden"
    assert line.conversation("#garden").unread == line.conversation("#garden").mentions == 0


def test_the_latest_speakers_come_first_and_we_are_none(line: Timeline) -> None:
    for sender in ("carol", "dave", "erin", "carol"):
        feed(line, message("hi", sender))
    feed(line, message("hi", "bob", own=True))
    assert line.conversation("#lobby").latest_speakers() == ["carol", "erin", "dave"]


# ------------------------------------------------------------------ drafts


def draft(state: DraftState, reason: str = "", id: str = "d1") -> Draft:
    return Draft(id, "#lobby", "hello", state, reason=reason)


def test_a_draft_is_pending_until_its_echo(line: Timeline) -> None:
    assert feed(line, draft(DraftState.SENDING)) == []
    assert list(line.drafts) == ["d1"]
    assert feed(line, draft(DraftState.SENT)) == []
    assert line.drafts == {}


def test_the_echo_alone_settles_too(line: Timeline) -> None:
    feed(line, draft(DraftState.SENDING))
    feed(line, Message("#lobby", posted("hello", "bob", id="d1"), True, False))
    assert line.drafts == {}
    assert line.overdue(NOW + OVERDUE) == ()


def test_a_refused_draft_says_why_and_is_not_pending(line: Timeline) -> None:
    feed(line, draft(DraftState.SENDING))
    [entry] = feed(line, draft(DraftState.REFUSED, "Too long."))
    assert (entry.kind, entry.text, entry.note) == (Kind.REFUSED, "hello", "Too long.")
    assert (entry.conversation, entry.own, line.drafts) == ("#lobby", True, {})


def test_waiting_is_told_once_for_each_lost_link(line: Timeline) -> None:
    feed(line, Offline("reset", 2.0))
    entries = feed(line, draft(DraftState.WAITING, "no link"))
    entries += feed(line, draft(DraftState.WAITING, "no link", "d2"))
    assert [(one.kind, one.text, one.note) for one in entries] == [
        (Kind.STATE, "waiting for the connection to send what you say", ""),
        (Kind.UNSENT, "hello", "waiting"),
        (Kind.UNSENT, "hello", "waiting"),
    ]
    feed(line, Online(WELCOME, True, True), Offline("reset", 2.0))
    entries = feed(line, draft(DraftState.WAITING, "no link", "d3"))
    assert [one.kind for one in entries] == [Kind.STATE, Kind.UNSENT]


def test_a_draft_that_waits_for_another_reason_names_it(line: Timeline) -> None:
    [entry] = feed(line, draft(DraftState.WAITING, "the disk is full"))
    assert (entry.kind, entry.note) == (Kind.UNSENT, "waiting: the disk is full")
    assert feed(line, draft(DraftState.WAITING, "the disk is full")) == []


def test_a_slow_echo_is_told_once(line: Timeline) -> None:
    feed(line, draft(DraftState.SENDING))
    assert line.overdue(NOW + OVERDUE / 2) == ()
    [entry] = line.overdue(NOW + OVERDUE)
    assert (entry.kind, entry.text, entry.note) == (Kind.UNSENT, "hello", "sending")
    assert line.overdue(NOW + OVERDUE * 2) == ()


def test_drafts_are_bounded(line: Timeline) -> None:
    feed(line, *(draft(DraftState.SENDING, id=f"d{number}") for number in range(MAX_DRAFTS + 5)))
    assert len(line.drafts) == MAX_DRAFTS
    assert "d4" not in line.drafts
    assert "d5" in line.drafts


# ------------------------------------------------------------------ the link


def test_connecting_and_coming_online() -> None:
    timeline = Timeline("bob")
    with_motd = WELCOME.model_copy(update={"nick": "Bob", "motd": "Be kind."})
    entries = feed(timeline, Connecting("localhost", 55555, 1), Online(with_motd, False, False))
    assert texts(entries) == [
        "connecting to localhost port 55555",
        "connected to garden as Bob",
        "Be kind.",
    ]
    assert (timeline.online, timeline.nick, timeline.server) == (True, "Bob", "garden")


def test_an_outage_is_told_once_and_not_for_each_attempt(line: Timeline) -> None:
    entries = feed(
        line,
        Offline("reset", 2.2),
        Connecting("localhost", 55555, 1),
        Offline("refused", 4.0),
        Connecting("localhost", 55555, 2),
        Offline("refused", 8.0),
        Online(WELCOME, True, True),
        CaughtUp(12, 2),
    )
    assert texts(entries) == [
        "connection lost (reset); trying again in 2 s",
        "connection lost (refused); trying again in 4 s",
        "back: 12 missed, 2 sent",
    ]


def test_where_the_link_is_shown_all_the_time_an_outage_is_one_line() -> None:
    line = Timeline("bob", tells_attempts=False)
    entries = feed(line, Offline("refused", 1.0), Offline("timed out", 2.0))
    entries += feed(line, Online(WELCOME, True, False), Offline("reset", 1.0), Offline("gone", 1.0))
    assert [text for text in texts(entries) if text.startswith("connection")] == [
        "connection lost (refused); trying again in 1 s",
        "connection lost (reset); trying again in 1 s",
    ]


def test_the_end_of_trying_and_a_new_history_are_told(line: Timeline) -> None:
    assert texts(feed(line, Offline("reset", None))) == ["connection lost (reset)"]
    assert not line.online
    [entry] = feed(line, Online(WELCOME, False, True, new_epoch=True))
    assert "new history" in entry.text
    assert feed(line, Ended(None)) == []
    assert not line.online


# ------------------------------------------------------------------ rooms and people


def test_entering_a_room_tells_how_it_stands_once(line: Timeline) -> None:
    joined = wire.Joined(room="#den", nick="bob", re="c1", seq=9, after=0, count=3, topic="Foxes")
    [entry] = feed(line, heard(joined))
    assert (entry.text, entry.conversation) == ("you are in #den, 3 people; topic: Foxes", "#den")
    den = line.conversation("#den")
    assert (den.joined, den.count, den.topic) == (True, 3, "Foxes")
    again = joined.model_copy(update={"count": 1, "topic": ""})
    assert feed(line, heard(again)) == []
    assert (den.count, den.topic) == (1, "")


def test_others_come_and_go(line: Timeline) -> None:
    entries = feed(
        line,
        heard(wire.Joined(room="#lobby", nick="carol")),
        heard(wire.Left(room="#lobby", nick="carol", reason="tired")),
        heard(wire.Left(room="#lobby", nick="dave")),
    )
    assert texts(entries) == ["carol joined", "carol left (tired)", "dave left"]
    lobby = line.conversation("#lobby")
    assert (lobby.count, list(lobby.people), lobby.joined) == (1, [], True)


def test_leaving_a_room(line: Timeline) -> None:
    [entry] = feed(line, heard(wire.Left(room="#lobby", nick="bob", re="c1")))
    assert entry.text == "you left #lobby"
    assert not line.conversation("#lobby").joined


def test_another_nick_keeps_its_rank_and_its_conversation(line: Timeline) -> None:
    for sender in ("carol", "dave"):
        feed(line, message("hi", sender), message("psst", sender, place=f"@{sender}"))
    feed(line, heard(wire.Joined(room="#lobby", nick="carol")))
    line.look_at("@carol")
    [entry] = feed(line, heard(wire.Renamed(old="carol", nick="Caroline")))
    assert entry.text == "carol goes by Caroline now"
    assert line.conversation("#lobby").latest_speakers() == ["dave", "Caroline"]
    assert list(line.conversation("#lobby").people) == ["Caroline"]
    assert list(line.conversations) == ["#lobby", "@Caroline", "@dave"]
    assert (line.focus, line.conversation("@Caroline").name) == ("@Caroline", "@Caroline")


def test_a_nick_that_stays_the_same_loses_nothing(line: Timeline) -> None:
    feed(line, message("hi", "carol"))
    assert feed(line, heard(wire.Renamed(old="carol", nick="carol"))) == []
    assert line.conversation("#lobby").latest_speakers() == ["carol"]


def test_our_own_new_nick_is_what_a_mention_is(line: Timeline) -> None:
    [entry] = feed(line, heard(wire.Renamed(old="bob", nick="rob", re="c1")))
    assert (entry.text, line.nick) == ("you go by rob now", "rob")
    assert [one.mention for one in feed(line, message("rob!"), message("bob!", seq=2))] == [
        True,
        False,
    ]


def test_large_rooms_tell_counts_and_levels(line: Timeline) -> None:
    told = feed(
        line,
        heard(wire.Count(room="#lobby", count=812)),
        heard(wire.Level(room="#lobby", seq=5, count=813, topic="Big")),
    )
    assert told == []
    lobby = line.conversation("#lobby")
    assert (lobby.count, lobby.topic) == (813, "Big")


def test_what_retention_took_is_told(line: Timeline) -> None:
    [entry] = feed(line, heard(wire.Trimmed(to="#lobby", after=100)))
    assert (entry.kind, entry.conversation) == (Kind.NOTICE, "#lobby")


def test_topics_are_read_set_and_taken_away(line: Timeline) -> None:
    entries = feed(
        line,
        heard(wire.TopicIs(room="#lobby", text="", re="c1")),
        heard(wire.TopicIs(room="#lobby", text="Foxes", nick="carol")),
        heard(wire.TopicIs(room="#lobby", text="Foxes", re="c2")),
        heard(wire.TopicIs(room="#lobby", text="", nick="carol")),
    )
    assert [(one.kind, one.text) for one in entries] == [
        (Kind.ANSWER, "no topic is set"),
        (Kind.NOTICE, "carol set the topic: Foxes"),
        (Kind.ANSWER, "topic of #lobby: Foxes"),
        (Kind.NOTICE, "carol took the topic away"),
    ]
    assert line.conversation("#lobby").topic == ""


# ------------------------------------------------------------------ answers


def members(*nicks: str, more: bool = False, re: str = "c1", **keys: Any) -> Heard:
    rows = tuple(wire.Member(nick=nick, **keys) for nick in nicks)
    return heard(wire.Members(room="#lobby", members=rows, re=re, more=more))


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


# ------------------------------------------------------------------ bounds


def test_lines_are_bounded() -> None:
    timeline = Timeline("bob", max_lines=3)
    feed(timeline, *(message(str(seq), seq=seq) for seq in range(1, 6)))
    assert texts(list(timeline.conversation("#lobby").lines)) == ["3", "4", "5"]
    page = (posted("2", seq=2),)
    feed(timeline, heard(wire.HistoryPage(to="#lobby", messages=page, more=True, re="c")))
    assert texts(list(timeline.conversation("#lobby").lines)) == ["3", "4", "5"]


def test_conversations_are_bounded_and_ours_stay(
    line: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_CONVERSATIONS", 4)
    feed(line, message("psst", "unread", place="@unread"))
    for number in range(10):
        line.conversation(f"@read{number}")
    assert list(line.conversations) == ["#lobby", "@unread", "@read8", "@read9"]
    for number in range(10):
        feed(line, message("psst", f"u{number}", place=f"@u{number}"))
    assert list(line.conversations) == ["#lobby", "@u7", "@u8", "@u9"]


def test_people_and_answers_under_way_are_bounded(
    line: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MAX_PEOPLE", 3)
    monkeypatch.setattr(gathering, "MAX_ROWS", 4)
    for number in range(6):
        feed(line, message("hi", f"n{number}"))
    assert line.conversation("#lobby").latest_speakers() == ["n5", "n4", "n3"]
    [entry] = feed(line, members("a", "b", "c", more=True), members("d", "e", "f"))
    assert entry.text == "4 in #lobby: a, b, c, d"
    assert list(line.conversation("#lobby").people) == ["a", "b", "c"]
    monkeypatch.setattr(gathering, "MAX_ANSWERS", 2)
    for number in range(9):
        feed(line, members("x", more=True, re=f"c{number}"))
    assert len(line._gathering) <= 3


# ------------------------------------------------------------------ words


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


# ------------------------------------------------------------------ for a full screen


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


# ------------------------------------------------------------------ moderation


def test_a_removed_message_shows_as_removed_wherever_it_is_held(line: Timeline) -> None:
    feed(line, message("bob: my password is 1234", seq=7))
    [notice] = feed(line, heard(wire.Removed(to="#lobby", seq=7, nick="ann")))
    assert (notice.kind, notice.text, notice.removes) == (
        *(Kind.NOTICE, "ann removed carol's message (7)"),
        7,
    )
    [kept] = [it for it in line.conversation("#lobby").lines if it.seq == 7]
    assert (kept.text, kept.mention) == ("(removed)", False)
    [notice] = feed(line, heard(wire.Removed(to="#lobby", seq=7, nick="carol")))
    assert notice.text == "carol removed their message (7)"
    [notice] = feed(line, heard(wire.Removed(to="#lobby", seq=99, nick="bob")))
    assert notice.text == "you removed a message (99)"


def test_a_message_that_comes_as_removed_is_counted_nowhere(line: Timeline) -> None:
    gone = posted("", seq=1, to="#garden", removed=True, action=True)
    [entry] = feed(line, Message("#garden", gone, False, False))
    assert (entry.kind, entry.text, entry.mention) == (Kind.MESSAGE, "(removed)", False)
    assert line.conversation("#garden").unread == 0
    page = wire.HistoryPage(to="#lobby", messages=(posted("", removed=True),), more=False, re="c1")
    assert [entry.text for entry in feed(line, heard(page))] == ["(removed)"]


def test_who_is_ignored_is_not_heard_and_counted_nowhere() -> None:
    line = Timeline("bob", ignored={"eve"})
    line.look_at("#lobby")
    assert feed(line, message("bob: hey", "eve", place="#garden")) == []
    assert feed(line, message("psst", "eve", place="@eve")) == []
    garden = line.conversation("#garden")
    assert (garden.unread, garden.mentions, garden.latest_speakers()) == (0, 0, [])
    assert list(garden.lines) == []
    page = (posted("a", "eve", 1), posted("b", "carol", 2))
    answer = heard(wire.HistoryPage(to="#lobby", messages=page, more=False, re="c1"))
    assert [entry.nick for entry in feed(line, answer)] == ["carol"]
    only = heard(wire.HistoryPage(to="#lobby", messages=page[:1], more=False, re="c2"))
    assert feed(line, only) == []


def test_acts_and_rules_are_told_where_they_hold(line: Timeline) -> None:
    act = wire.Moderated(act="mute", by="ann", room="#lobby", nick="eve")
    [told] = feed(line, heard(act))
    assert (told.kind, told.text, told.conversation) == (
        *(Kind.NOTICE, "ann muted eve in #lobby"),
        "#lobby",
    )
    feed(line, heard(wire.Moderated(act="kick", by="ann", room="#lobby", nick="bob")))
    assert not line.conversation("#lobby").joined
    rules = wire.RoomIs(room="#lobby", private=True, read_only=False, topic_locked=False)
    [read] = feed(line, heard(rules))
    [changed] = feed(line, heard(rules.model_copy(update={"nick": "ann"})))
    assert (read.kind, changed.kind) == (Kind.ANSWER, Kind.NOTICE)
    assert changed.text.startswith("ann changed the rules: #lobby is private")
    feed(line, heard(wire.Moderated(act="kick", by="ann", room="#unknown", nick="bob")))


def test_bans_are_listed_when_they_are_all_there(line: Timeline) -> None:
    row = wire.Sanction(act="ban", nick="eve", by="ann", since="2026-01-31T13:00:00.000000Z")
    some = wire.SanctionList(room="#lobby", bans=(row,), more=True, re="c1")
    assert feed(line, heard(some)) == []
    rest = feed(line, heard(wire.SanctionList(room="#lobby", bans=(row,), re="c1")))
    assert len(rest) == 2
    [none] = feed(line, heard(wire.SanctionList(bans=(), re="c2")))
    assert none.text == "nobody is banned or muted"


# ------------------------------------------------------------------ accounts


def test_what_an_account_is_told(line: Timeline) -> None:
    account = wire.AccountIs(account="bob", nick="bob", role="member", ended=2, re="c1")
    assert texts(feed(line, heard(account))) == [
        "your account is bob, member; 2 other sessions ended"
    ]
    account = account.model_copy(update={"ended": 0})
    assert texts(feed(line, heard(account))) == ["your account is bob, member"]
    goodbye = texts(feed(line, heard(wire.Bye(reason="logout", re="c1"))))
    assert goodbye == ["you are logged out; the next time takes your password"]
    assert feed(line, heard(wire.Bye(reason="shutdown"))) == []


def test_sessions_are_told_when_the_list_is_whole(line: Timeline) -> None:
    ts = "2026-11-23T11:59:58.500000Z"
    first = wire.SessionInfo(session="6b3f", client="phone/1", created=ts, used=ts, connections=2)
    own = wire.SessionInfo(session="0c1d", client="", created=ts, used=ts, connections=1, here=True)
    assert feed(line, heard(wire.SessionList(sessions=(first,), more=True, re="c1"))) == []
    told = texts(feed(line, heard(wire.SessionList(sessions=(own,), re="c1"))))
    assert told == [
        "6b3f, phone/1, last used 2026-11-23 11:59 UTC, 2 connections",
        "0c1d, unnamed, last used 2026-11-23 11:59 UTC, this one",
    ]
