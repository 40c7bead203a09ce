"""Effects into operations: encoded once, joined to chunks, in order, and never too long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from securechat.chat import effects as fx
from securechat.chat.commands import HELP
from securechat.chat.hub import Hub, Now
from securechat.config import ChatLimits
from securechat.link_events import Arrived
from securechat.net import ops
from securechat.net.channel import MAX_PIECE
from securechat.phrases import Query
from securechat.proofs import Derive, Verify
from securechat.protocol.connection import Signal
from securechat.protocol.envelopes import (
    MAX_TOPIC,
    Bye,
    Command,
    CommandHelp,
    Error,
    Hello,
    HelpIs,
    History,
    Join,
    Joined,
    Left,
    Member,
    Members,
    Renamed,
    ServerPong,
    TimeIs,
    Welcome,
)
from securechat.protocol.framing import DEFAULT_MAX_FRAME, HEADER_SIZE
from securechat.records import (
    Conflict,
    Failed,
    KeepIdentity,
    KeepTopic,
    Kept,
    Known,
    Lookup,
    NewMessage,
    Outcome,
    Snapshot,
    Stored,
    Unknown,
)
from securechat.server.readers import HistoryWanted, SearchWanted
from securechat.server.renderer import Renderer

TS = "2026-05-04T03:02:01.000000Z"
NOW = Now(1.0, 1.0, TS)
ANN, BOB = 1, 2


class Desk:
    """A renderer for two io threads, with a hub of ann and bob behind it."""

    def __init__(self) -> None:
        self.wanted: list[HistoryWanted | SearchWanted] = []
        self.first_kept = dict[str, int]()
        snapshot = Snapshot(
            epoch="e",
            identities=(KeepIdentity(ANN, "ann", b"1", 1.0), KeepIdentity(BOB, "bob", b"2", 1.0)),
            next_identity=3,
            heads={"#old": 7},
        )
        self.tokens = iter(f"token-{number}" for number in range(10))
        self.hub = Hub(
            ChatLimits(),
            snapshot,
            new_token=lambda: next(self.tokens),
            choose=lambda jokes: jokes[0],
        )
        self.hub.start(NOW)
        self.outside: list[fx.Outward] = []
        self.renderer = Renderer(
            self.hub,
            2,
            self.wanted.append,
            lambda name: self.first_kept.get(name, 1),
            self.outside.append,
        )

    def render(self, *effects: fx.Effect, outcomes: Sequence[Outcome] = ()) -> list[list[ops.Op]]:
        return self.renderer.render(effects, outcomes, TS)

    def one(self, *effects: fx.Effect, outcomes: Sequence[Outcome] = ()) -> list[ops.Op]:
        """What the io thread of the connections with odd numbers is told."""
        return self.render(*effects, outcomes=outcomes)[1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def post(
    id: str, text: str = "hi", *, to: str = "#a", key: str = "", connection: int = 1
) -> fx.Post:
    return fx.Post(connection, NewMessage(key or to, ANN, id, to, "ann", text, None, False))


def chunk_of(op: ops.Op) -> ops.Chunk:
    assert isinstance(op, ops.Chunk)
    return op


def deliver_of(op: ops.Op) -> ops.Deliver:
    assert isinstance(op, ops.Deliver)
    return op


def said(data: bytes) -> list[dict[str, Any]]:
    """The envelopes in some frames, each of which is as long as it may be at most."""
    envelopes = []
    while data:
        length = int.from_bytes(data[:HEADER_SIZE], "big")
        assert length <= DEFAULT_MAX_FRAME
        envelopes.append(json.loads(data[HEADER_SIZE : HEADER_SIZE + length]))
        data = data[HEADER_SIZE + length :]
    return envelopes


def kinds(rendered: Sequence[ops.Op]) -> list[str]:
    return [type(op).__name__ for op in rendered]


# ------------------------------------------------------------------ chunks


def test_messages_of_a_batch_are_one_chunk_for_every_io_thread(desk: Desk) -> None:
    first, second = desk.render(
        post("1", "one"), post("2", "two", connection=2), outcomes=[Stored(8, TS), Stored(9, TS)]
    )
    assert first == second
    assert first[0] is second[0]  # encoded once, and shared
    [chunk] = map(chunk_of, first)
    assert (chunk.conversation, chunk.first, chunk.last) == ("#a", 8, 9)
    assert [(it["text"], it["seq"]) for it in said(b"".join(chunk.pieces))] == [
        ("one", 8),
        ("two", 9),
    ]
    assert chunk.size == sum(map(len, chunk.pieces))
    assert desk.hub.heads["#a"] == 9


def test_conversations_that_take_turns_are_one_chunk_each(desk: Desk) -> None:
    outcomes = [Stored(1, TS), Stored(1, TS), Stored(2, TS), Stored(2, TS)]
    rendered = desk.one(
        post("1"), post("2", to="#b"), post("3"), post("4", to="#b"), outcomes=outcomes
    )
    assert [(chunk_of(op).conversation, chunk_of(op).last) for op in rendered] == [
        ("#a", 2),
        ("#b", 2),
    ]


def test_a_message_is_shown_as_it_was_said(desk: Desk) -> None:
    new = NewMessage("#a", ANN, "x", "#a", "ann", 'a "b" \\ \n 😀', 3, True)
    [op] = desk.one(fx.Post(1, new), outcomes=[Stored(5, TS)])
    assert said(chunk_of(op).pieces[0]) == [
        {
            "type": "chat",
            "id": "x",
            "to": "#a",
            "sender": "ann",
            "seq": 5,
            "ts": TS,
            "text": 'a "b" \\ \n 😀',
            "reply_to": 3,
            "action": True,
        }
    ]


def test_a_direct_message_is_addressed_to_the_nick_of_the_moment_it_was_said(desk: Desk) -> None:
    said_to = post("1", to="@BOB", key="@1:2")._replace(address="@bob")
    [op] = desk.one(said_to, outcomes=[Stored(1, TS)])
    assert chunk_of(op).conversation == "@1:2"
    [chat] = said(chunk_of(op).pieces[0])
    assert (chat["to"], chat["sender"]) == ("@bob", "ann")
    assert (desk.hub.heads["@1:2"], desk.hub.last_ts["@1:2"]) == (1, TS)


@pytest.mark.parametrize("key", ["@1:9", "@8:9"])
def test_a_direct_message_without_such_an_address_keeps_its_own(desk: Desk, key: str) -> None:
    author = int(key[1])
    new = NewMessage(key, author, "1", "@gone", "ann", "hi", None, False)
    [op] = desk.one(fx.Post(1, new), outcomes=[Stored(1, TS)])
    assert said(chunk_of(op).pieces[0])[0]["to"] == "@gone"


def test_whatever_else_is_said_closes_the_chunk(desk: Desk) -> None:
    """Who asked and spoke in one breath hears the echo before the answer."""
    time = fx.Send(1, TimeIs(now=TS, re="q"))
    rendered = desk.one(post("1"), time, post("2"), outcomes=[Stored(1, TS), Stored(2, TS)])
    assert kinds(rendered) == ["Chunk", "Deliver", "Chunk"]
    assert [chunk_of(rendered[at]).first for at in (0, 2)] == [1, 2]


EVERY_OTHER: list[fx.Effect] = [
    fx.Send(1, TimeIs(now=TS)),
    fx.SendList(1, Members(members=()), "members", []),
    fx.SendRooms(1, "q"),
    fx.SendTopic(1, "q", "#a"),
    fx.SendConversations(1, "q", []),
    fx.Notify((1,), Renamed(old="a", nick="b")),
    fx.Broadcast("#b", Left(room="#b", nick="a")),
    fx.Subscribe(1, "#b"),
    fx.Unsubscribe(1, "#b"),
    fx.Scrub("#b"),
    fx.ReadHistory(1, "#a", "#a", History(id="q", to="#a")),
    fx.Find(1, "q", Query(ANN), 50),
    fx.Close(1, Bye(reason="quit")),
]


@pytest.mark.parametrize("effect", EVERY_OTHER, ids=lambda effect: type(effect).__name__)
def test_no_effect_overtakes_what_was_said_before_it(desk: Desk, effect: fx.Effect) -> None:
    rendered = desk.one(post("1"), effect, post("2"), outcomes=[Stored(1, TS), Stored(2, TS)])
    chunks = [at for at, op in enumerate(rendered) if isinstance(op, ops.Chunk)]
    assert chunks == [0, len(rendered) - 1]


OUTWARD: list[fx.Outward] = [
    Verify(1, SecretStr("x"), None),
    Derive(1, SecretStr("x")),
    fx.Reply(1, ()),
]


@pytest.mark.parametrize("effect", OUTWARD, ids=lambda effect: type(effect).__name__)
def test_what_is_nobodys_goes_outside(desk: Desk, effect: fx.Outward) -> None:
    assert desk.render(effect) == [[], []]
    assert desk.outside == [effect]


def test_every_effect_has_been_tried() -> None:
    tried = {type(effect) for effect in (*EVERY_OTHER, *OUTWARD)}
    assert tried == set(get_args(fx.Transient))


def test_a_chunk_that_grows_long_is_handed_on(desk: Desk) -> None:
    count = 40
    effects = [post(str(number), "x" * 4_000) for number in range(count)]
    rendered = desk.one(*effects, outcomes=[Stored(number + 1, TS) for number in range(count)])
    chunks = [chunk_of(op) for op in rendered]
    assert len(chunks) == 3
    assert [chunks[0].first, *(chunk.last + 1 for chunk in chunks[:-1])] == [
        chunk.first for chunk in chunks
    ]
    assert chunks[-1].last == count
    for chunk in chunks:
        assert chunk.size < 64 * 1024 + 5_000
        assert all(len(piece) <= MAX_PIECE for piece in chunk.pieces)
    frames = said(b"".join(piece for chunk in chunks for piece in chunk.pieces))
    assert [it["seq"] for it in frames] == list(range(1, count + 1))


def test_one_long_message_is_cut_into_pieces_of_one_record(desk: Desk) -> None:
    [op] = desk.one(post("1", "😀" * 4_000), outcomes=[Stored(1, TS)])
    assert [len(piece) <= MAX_PIECE for piece in chunk_of(op).pieces] == [True]
    [op] = desk.one(post("2", "\x01" * 4_000), outcomes=[Stored(2, TS)])
    assert len(chunk_of(op).pieces) == 2
    assert said(b"".join(chunk_of(op).pieces))[0]["seq"] == 2


# ------------------------------------------------------------------ outcomes


def test_a_repeat_goes_to_its_sender_alone_behind_the_first(desk: Desk) -> None:
    frame = b'{"type":"chat"}'
    even, odd = desk.render(post("1"), post("1"), outcomes=[Stored(1, TS), Known(frame)])
    assert kinds(even) == ["Chunk"]
    assert kinds(odd) == ["Chunk", "Deliver"]
    assert said(deliver_of(odd[1]).data) == [{"type": "chat"}]


@pytest.mark.parametrize(
    ("effect", "outcome", "code"),
    [
        (post("x"), Conflict(), "id_conflict"),
        (post("x"), Failed(), "storage"),
        (fx.Refuse(1, Lookup(ANN, "x", "#a", "hi"), "forbidden", "No."), Unknown(), "forbidden"),
        (fx.Refuse(1, Lookup(ANN, "x", "#a", "hi"), "forbidden", "No."), Conflict(), "id_conflict"),
        (fx.Refuse(1, Lookup(ANN, "x", "#a", "hi"), "forbidden", "No."), Failed(), "storage"),
        (fx.SetTopic(1, "x", "ann", KeepTopic("#old", "news")), Failed(), "storage"),
    ],
)
def test_what_was_not_stored_is_refused(
    desk: Desk, effect: fx.Effect, outcome: Outcome, code: str
) -> None:
    [op] = desk.one(effect, outcomes=[outcome])
    [error] = said(deliver_of(op).data)
    assert (error["event"], error["code"], error["re"]) == ("error", code, "x")
    assert deliver_of(op).signal is None


def test_a_refused_draft_that_was_stored_before_gets_its_frame(desk: Desk) -> None:
    effect = fx.Refuse(1, Lookup(ANN, "x", "#a", "hi"), "forbidden", "No.")
    [op] = desk.one(effect, outcomes=[Known(b'{"type":"chat"}')])
    assert said(deliver_of(op).data) == [{"type": "chat"}]


def test_a_topic_is_told_when_it_is_stored(desk: Desk) -> None:
    effect = fx.SetTopic(1, "x", "ann", KeepTopic("#old", "news"))
    answer, notice = desk.one(effect, outcomes=[Kept()])
    assert said(deliver_of(answer).data)[0]["re"] == "x"
    assert isinstance(notice, ops.Notice)
    assert (notice.conversation, notice.skip) == ("#old", 1)
    assert said(notice.data) == [
        {"type": "system", "event": "topic", "room": "#old", "text": "news", "nick": "ann"}
    ]


def test_outcomes_belong_to_effects_in_their_order(desk: Desk) -> None:
    rendered = desk.one(
        fx.Keep(KeepTopic("#old", "")),
        fx.Send(1, TimeIs(now=TS)),
        post("1"),
        fx.Keep(KeepTopic("#old", "")),
        post("2", "again"),
        outcomes=[Kept(), Stored(1, TS), Kept(), Conflict()],
    )
    assert kinds(rendered) == ["Deliver", "Chunk", "Deliver"]


# ------------------------------------------------------------------ hello


def hello(desk: Desk, number: int = 1, nick: str = "eve") -> list[fx.Effect]:
    desk.hub.decide([(number, Arrived("here"))], NOW)
    return desk.hub.decide([(number, Hello(id="h", protocol=1, nick=nick))], NOW)


@pytest.mark.parametrize(("outcome", "session"), [(Kept(), "token-0"), (Failed(), None)])
def test_welcome_opens_the_connection(desk: Desk, outcome: Outcome, session: str | None) -> None:
    [op] = desk.one(*hello(desk), outcomes=[outcome])
    assert deliver_of(op).signal is Signal.WELCOME
    [welcome] = said(deliver_of(op).data)
    assert (welcome["event"], welcome["nick"], welcome.get("session")) == (
        "welcome",
        "eve",
        session,
    )


def test_a_refused_hello_lets_the_next_one_be_looked_at(desk: Desk) -> None:
    [op] = desk.one(*hello(desk, nick="ann"))
    assert deliver_of(op).signal is Signal.REFUSED


def test_any_other_no_moves_no_state(desk: Desk) -> None:
    [op] = desk.one(fx.Send(1, Error(code="bad_text", message="No.")))
    assert deliver_of(op).signal is None


# ------------------------------------------------------------------ to one, to some, to all


def test_what_is_for_one_connection_goes_to_its_io_thread(desk: Desk) -> None:
    even, odd = desk.render(
        fx.Send(4, ServerPong(re="q"), fence=True),
        fx.Unsubscribe(3, "#a"),
        fx.Close(4, Bye(reason="quit")),
        fx.Close(3),
    )
    assert kinds(even) == ["Deliver", "Finish"]
    assert deliver_of(even[0]).fence
    assert said(even[1].data) == [{"type": "system", "event": "bye", "reason": "quit"}]  # type: ignore[union-attr]
    assert odd == [ops.Unsubscribe(3, "#a"), ops.Finish(3, b"")]


def test_some_are_told_by_the_io_threads_that_have_them(desk: Desk) -> None:
    even, odd = desk.render(fx.Notify((1, 4, 3), Renamed(old="bob", nick="rob")))
    data = odd[0].data  # type: ignore[union-attr]
    assert said(data) == [{"type": "system", "event": "renamed", "old": "bob", "nick": "rob"}]
    assert (even, odd) == ([ops.NoticeTo((4,), data)], [ops.NoticeTo((1, 3), data)])
    even, odd = desk.render(fx.Notify((2,), Renamed(old="bob", nick="rob")))
    assert (len(even), odd) == (1, [])


def test_a_room_is_told_by_all_io_threads(desk: Desk) -> None:
    even, odd = desk.render(fx.Broadcast("#a", Joined(room="#a", nick="bob"), skip=3))
    assert even == odd
    [notice] = even
    assert isinstance(notice, ops.Notice)
    assert (notice.conversation, notice.skip) == ("#a", 3)
    assert said(notice.data) == [{"type": "system", "event": "joined", "room": "#a", "nick": "bob"}]


# ------------------------------------------------------------------ subscriptions


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


# ------------------------------------------------------------------ lists


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


# ------------------------------------------------------------------ between batches


def test_nothing_is_kept_from_one_batch_to_the_next(desk: Desk) -> None:
    assert kinds(desk.one(post("1"), outcomes=[Stored(1, TS)])) == ["Chunk"]
    assert desk.render() == [[], []]


def test_what_the_hub_decides_can_be_rendered(desk: Desk) -> None:
    """All of it fits together: nothing that a command leads to is unknown here."""
    effects = hello(desk, nick="eve")
    assert isinstance(effects[0], fx.Greet)
    assert isinstance(effects[0].welcome, Welcome)
    commands: list[Command] = [Join(id="q", room="#a"), History(id="q", to="#a")]
    rendered = desk.one(
        *desk.hub.decide([(1, command) for command in commands], NOW), outcomes=[Kept()] * 5
    )
    assert kinds(rendered) == ["Notice", "Deliver", "Subscribe"]
