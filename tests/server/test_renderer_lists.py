"""Subscriptions and lists: how things stand at that moment, in frames that fit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from securechat.chat import effects as fx
from securechat.chat.commands import HELP
from securechat.net import ops
from securechat.phrases import Query
from securechat.protocol.envelopes import (
    MAX_TOPIC,
    CommandHelp,
    HelpIs,
    History,
    Join,
    Member,
    Members,
)
from securechat.protocol.framing import DEFAULT_MAX_FRAME
from securechat.records import (
    KeepTopic,
    Kept,
    Stored,
)
from securechat.server.readers import HistoryWanted, SearchWanted

from .rendering import ANN, NOW, TS, Desk, deliver_of, hello, kinds, post, said


@pytest.mark.parametrize(
    ("keys", "first_kept", "after"),
    [
        ({}, 1, 7),
        ({"after": 3}, 1, 3),
        ({"after": 0}, 1, 0),
        ({"after": 99}, 1, 7),
        ({"last": 2}, 1, 5),
        ({"last": 500}, 1, 0),
        ({"after": 0}, 5, 4),  # retention has removed what was before
        ({"last": 500}, 8, 7),
        ({"after": 6}, 5, 6),
    ],
)
def test_a_subscription_begins_where_it_was_asked_to(
    desk: Desk, keys: dict[str, int], first_kept: int, after: int
) -> None:
    desk.first_kept["#old"] = first_kept
    effect = fx.Subscribe(1, "#old", re="q", address="#old", nick="ann", members=3, **keys)
    answer, subscribe = desk.one(effect)
    assert said(deliver_of(answer).data) == [
        {
            "type": "system",
            "re": "q",
            "event": "joined",
            "room": "#old",
            "nick": "ann",
            "seq": 7,
            "after": after,
            "count": 3,
            "topic": "",
        }
    ]
    assert subscribe == ops.Subscribe(1, "#old", "#old", after, 7)


def test_a_subscription_that_nobody_asked_for_is_not_told(desk: Desk) -> None:
    assert desk.one(fx.Subscribe(1, "@1:2")) == [ops.Subscribe(1, "@1:2", "@1:2", 0, 0)]


def test_what_is_said_before_a_join_in_the_same_batch_counts(desk: Desk) -> None:
    rendered = desk.one(
        post("1", to="#old"),
        fx.Subscribe(3, "#old", re="q", address="#old", nick="bob", members=2),
        post("2", to="#old"),
        outcomes=[Stored(8, TS), Stored(9, TS)],
    )
    assert kinds(rendered) == ["Chunk", "Deliver", "Subscribe", "Chunk"]
    assert rendered[2] == ops.Subscribe(3, "#old", "#old", 8, 8)


def test_history_is_asked_for_with_the_head_of_the_moment(desk: Desk) -> None:
    command = History(id="q", to="#old", before=5, limit=3)
    desk.one(
        post("1", to="#old"), fx.ReadHistory(1, "#old", "#old", command), outcomes=[Stored(8, TS)]
    )
    assert desk.wanted == [HistoryWanted(1, "#old", "#old", "q", 5, None, 3, 8)]


def test_a_search_is_handed_to_the_readers(desk: Desk) -> None:
    query = Query(ANN, conversations=("#old",))
    assert desk.render(fx.Find(1, "q", query, 3)) == [[], []]
    assert desk.wanted == [SearchWanted(1, "q", query, 3)]


def list_of(op: ops.Op, key: str) -> list[dict[str, Any]]:
    """The rows of an answer in some frames: all but the last say that there is more."""
    frames = said(deliver_of(op).data)
    assert {frame["re"] for frame in frames} == {"q"}
    assert [frame.get("more", False) for frame in frames] == [True] * (len(frames) - 1) + [False]
    assert deliver_of(op).cost == len(frames) - 1
    return [row for frame in frames for row in frame[key]]


@pytest.mark.parametrize("count", [0, 1, 1_000, 20_000])
def test_a_long_list_comes_in_frames_that_fit(desk: Desk, count: int) -> None:
    rows = [Member(nick=f"{number:05}" + "é" * 27, role="guest") for number in range(count)]
    [op] = desk.one(fx.SendList(1, Members(room="#a", members=(), re="q"), "members", rows))
    found = list_of(op, "members")
    assert [row["nick"] for row in found] == [row.nick for row in rows]
    frames = said(deliver_of(op).data)
    assert {frame["room"] for frame in frames} == {"#a"}
    if count == 20_000:
        lengths = [len(json.dumps(frame, ensure_ascii=False).encode()) for frame in frames[:-1]]
        assert min(lengths) > DEFAULT_MAX_FRAME * 0.9  # and no more frames than need be


def test_rooms_are_listed_as_they_are_at_that_moment(desk: Desk) -> None:
    hello(desk)
    desk.hub.decide([(1, Join(id="j", room="#new"))], NOW)
    topic = fx.SetTopic(1, "t", "eve", KeepTopic("#new", "news"))
    rendered = desk.one(
        post("1", to="#old"), topic, fx.SendRooms(1, "q"), outcomes=[Stored(8, TS), Kept()]
    )
    assert list_of(rendered[-1], "rooms") == [
        {"room": "#old", "members": 0, "topic": "", "seq": 8},
        {"room": "#new", "members": 1, "topic": "news", "seq": 0},
    ]


def test_a_room_that_is_about_to_vanish_is_not_listed(desk: Desk) -> None:
    desk.hub.presence.open_room("#empty")
    [op] = desk.one(fx.SendRooms(1, "q"))
    assert [row["room"] for row in list_of(op, "rooms")] == ["#old"]


def test_as_many_rooms_as_there_may_be_are_listed(desk: Desk) -> None:
    for number in range(3_000):
        room = desk.hub.presence.open_room(f"#{number:032}")
        room.enter(next(iter(desk.hub.identities)), 1)
        room.topic = "😀" * MAX_TOPIC
    [op] = desk.one(fx.SendRooms(1, "q"))
    assert len(list_of(op, "rooms")) == 3_001


def test_conversations_are_listed_with_the_numbers_of_the_moment(desk: Desk) -> None:
    partners = [("@1:1", "@ann"), ("@1:2", "@bob"), ("@1:9", "@gone")]
    rendered = desk.one(
        post("1", to="@bob", key="@1:2"),
        fx.SendConversations(1, "q", partners),
        outcomes=[Stored(1, TS)],
    )
    assert list_of(rendered[-1], "conversations") == [{"to": "@bob", "seq": 1, "ts": TS}]


def test_a_topic_is_read_as_it_is_at_that_moment(desk: Desk) -> None:
    set_topic = fx.SetTopic(1, "t", "ann", KeepTopic("#old", "news"))
    rendered = desk.one(set_topic, fx.SendTopic(1, "q", "#old"), outcomes=[Kept()])
    assert said(deliver_of(rendered[-1]).data) == [
        {
            "type": "system",
            "re": "q",
            "event": "topic",
            "room": "#old",
            "text": "news",
            "nick": "ann",
        }
    ]


def test_help_is_a_list_like_any_other(desk: Desk) -> None:
    rows: list[CommandHelp] = list(HELP.values())
    [op] = desk.one(fx.SendList(1, HelpIs(commands=(), re="q"), "commands", rows))
    assert [row["name"] for row in list_of(op, "commands")] == list(HELP)
