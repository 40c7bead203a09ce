"""What became of a draft, what a hello leads to, and who is told what."""

from __future__ import annotations

import pytest

from securechat.chat import effects as fx
from securechat.net import ops
from securechat.protocol.connection import Signal
from securechat.protocol.envelopes import (
    Bye,
    Error,
    Joined,
    Renamed,
    ServerPong,
    TimeIs,
)
from securechat.records import (
    Conflict,
    Failed,
    KeepTopic,
    Kept,
    Known,
    Lookup,
    Outcome,
    Stored,
    Unknown,
)

from .rendering import ANN, TS, Desk, deliver_of, hello, kinds, post, said


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
