"""The view model: which entries events make, and how the model stands behind them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from securechat.client import conversations, gathering
from securechat.client.entries import Entry, Kind
from securechat.client.events import (
    CaughtUp,
    Connecting,
    Draft,
    DraftState,
    Ended,
    Message,
    Offline,
    Online,
)
from securechat.client.timeline import Timeline
from securechat.client.unsent import MAX_DRAFTS, OVERDUE
from securechat.protocol import envelopes as wire

from .told_to import NOW, WELCOME, feed, heard, members, message, posted, texts

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
