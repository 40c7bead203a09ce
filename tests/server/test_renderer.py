"""Effects into operations: encoded once, joined to chunks, in order, and never too long."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import SecretStr

from securechat.chat import effects as fx
from securechat.net import ops
from securechat.net.channel import MAX_PIECE
from securechat.phrases import Query
from securechat.proofs import Derive, Verify
from securechat.protocol.envelopes import (
    Bye,
    Command,
    History,
    Join,
    Left,
    Members,
    Renamed,
    TimeIs,
    Welcome,
)
from securechat.records import (
    Kept,
    NewMessage,
    Stored,
)

from .rendering import ANN, NOW, TS, Desk, chunk_of, hello, kinds, post, said

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
