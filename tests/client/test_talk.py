"""What is said goes out in order, is settled once, and is asked about where it may be lost."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.client import effects as do
from securechat.client import events
from securechat.client.backoff import CAP
from securechat.client.drafts import Drafts
from securechat.client.events import CaughtUp, DraftState, Message, Online
from securechat.client.session import Phase
from securechat.protocol import envelopes as wire

from .runs import Run, posted, welcome


def test_an_echo_settles_and_moves_the_cursor() -> None:
    run = Run().online()
    id = run.say("hello")
    run.hear(posted(1, sender="bob", id=id, text="hello"))
    assert run.states(id) == [DraftState.SENDING, DraftState.SENT]
    assert run.tells(Message)[0].own
    assert run.session.pending == 0
    assert do.KeepDraft(run.last(wire.Draft)) in run.other
    assert do.ForgetDraft(id) in run.other


@pytest.mark.parametrize(
    ("sender", "to", "settles"),
    [
        ("bob", "#lobby", True),
        ("eve", "#lobby", False),
        ("bob", "#dev", False),
        ("bob", "@eve", False),
    ],
)
def test_only_our_own_echo_in_its_place_settles(sender: str, to: str, settles: bool) -> None:
    run = Run().online()
    id = run.say("hello")
    run.hear(posted(1, to, sender, id=id))
    assert (DraftState.SENT in run.states(id)) is settles


@pytest.mark.parametrize(("to", "settles"), [("@carol", True), ("#lobby", False)])
def test_a_direct_echo_may_bear_the_other_sides_new_nick(to: str, settles: bool) -> None:
    run = Run().online()
    id = run.say("psst", "@eve")
    run.hear(posted(1, to, "bob", id=id))
    assert (DraftState.SENT in run.states(id)) is settles


def test_an_echo_under_the_nick_that_we_had_then_settles() -> None:
    run = Run().online()
    id = run.say("hello")
    run.ask(wire.ChangeNick(id="c1", nick="bobby"))
    run.hear(wire.Renamed(old="bob", nick="bobby", re="c1"), posted(1, sender="bob", id=id))
    assert run.states(id)[-1] is DraftState.SENT
    assert run.session.nick == "bobby"
    assert do.KeepNick("bobby") in run.other
    assert do.KeepSession("bobby", "token") in run.other
    assert run.come_back(nick="bobby").last(wire.Hello).nick == "bobby"


def test_a_nick_given_up_is_ours_for_a_day() -> None:
    run = Run().online()
    run.hear(wire.Renamed(old="bob", nick="bobby"), posted(1, sender="bob"))
    run.now += 86_401
    run.session.alive(run.now)
    run.hear(posted(2, sender="bob"), posted(1, "@bobby", "bob"))
    assert [one.own for one in run.tells(Message)] == [True, False, False]
    assert run.seqs("@bob") == [1]


def test_a_refused_draft_is_not_sent_again() -> None:
    run = Run().online()
    id = run.say("\x07")
    run.hear(wire.Error(code="bad_text", message="no bells", re=id))
    refused = run.tells(events.Draft)[-1]
    assert (refused.reason, refused.code, refused.seq) == ("no bells", "bad_text", None)
    assert run.states(id)[-1] is DraftState.REFUSED
    assert run.forget().come_back().drafts_sent() == []


def test_a_settled_draft_bears_its_number() -> None:
    run = Run().online()
    id = run.say("hello")
    run.hear(posted(1), posted(2, sender="bob", id=id))
    assert run.tells(events.Draft)[-1].seq == 2


def test_a_draft_too_long_for_a_frame_is_refused_here() -> None:
    run = Run().online()
    id = run.say("long")
    run.carry_out(run.session.refuse(id, "too long", "frame_too_large"))
    run.carry_out(run.session.refuse(id, "too long", "frame_too_large"))
    assert run.states(id) == [DraftState.SENDING, DraftState.REFUSED]
    assert run.tells(events.Draft)[-1].code == "frame_too_large"


def test_drafts_wait_for_the_first_link() -> None:
    run = Run()
    run.start()
    id = run.say("early")
    run.dialed().hear(welcome())
    assert run.states(id) == [DraftState.WAITING, DraftState.SENDING]
    assert [type(one).__name__ for one in run.sent][-3:] == ["Join", "Conversations", "Draft"]


def test_a_lost_link_repeats_what_was_not_echoed_in_first_order() -> None:
    run = Run().online()
    ids = [run.say(text) for text in "abc"]
    run.hear(posted(1, sender="bob", id=ids[0]))
    run.forget().lose()
    late = run.say("d")
    run.wait(CAP).dialed().hear(welcome())
    assert run.drafts_sent() == ["b", "c", "d"]
    assert run.states(ids[1]) == [DraftState.WAITING, DraftState.SENDING]
    # "b" was stored before the link broke; its answer comes out of turn and moves no cursor.
    run.join(seq=3, after=1).listed()
    run.hear(posted(3, sender="bob", id=ids[1]))
    assert run.seqs() == []
    run.hear(posted(2), posted(3, sender="bob", id=ids[1]), posted(4, sender="bob", id=ids[2]))
    assert run.tells(CaughtUp) == []
    run.hear(posted(5, sender="bob", id=late))
    assert run.seqs() == [2, 3, 4, 5]
    assert run.tells(CaughtUp) == [CaughtUp(missed=1, sent=3)]


def test_the_answer_to_a_repeat_may_be_the_next_message() -> None:
    run = Run().online()
    id = run.say("a")
    run.come_back().join(seq=1, after=0).listed()
    echo = posted(1, sender="bob", id=id)
    run.hear(echo, echo, posted(2))
    assert run.seqs() == [1, 2]
    assert run.states(id).count(DraftState.SENT) == 1


def test_an_answer_given_twice_is_no_gap() -> None:
    run = Run().online()
    id = run.say("a")
    run.come_back().join(seq=5, after=0).listed()
    echo = posted(5, sender="bob", id=id)
    run.hear(echo, echo)
    assert run.session.phase is Phase.ONLINE


def test_no_room_on_the_server_keeps_the_order() -> None:
    run = Run().online()
    ids = [run.say(text) for text in "abc"]
    run.hear(posted(1, sender="bob", id=ids[0]))
    full: dict[str, Any] = {"code": "storage", "message": "full", "retry_after": 5.0}
    run.hear(wire.Error(re=ids[1], **full), wire.Error(re=ids[2], **full))
    late = run.say("d")
    assert run.drafts_sent() == ["a", "b", "c"]
    assert [run.states(one)[-1] for one in (*ids[1:], late)] == [DraftState.WAITING] * 3
    assert run.session.deadline == run.now + 5
    run.forget().wait(4.9)
    assert run.drafts_sent() == []
    run.wait(0.2)
    assert run.drafts_sent() == ["b", "c", "d"]
    assert run.session.pending == 3


def test_a_link_lost_while_the_server_is_full_repeats_everything_at_once() -> None:
    run = Run().online()
    id = run.say("a")
    run.hear(wire.Error(code="storage", message="full", re=id))
    run.forget().come_back()
    assert run.drafts_sent() == ["a"]


def test_one_id_is_one_draft() -> None:
    drafts = Drafts()
    draft = wire.Draft(id="a", to="#x", text="t")
    assert drafts.add(draft, None) is drafts.add(draft, None)
    assert len(drafts) == 1
    assert drafts.end_stall() == []


def test_a_new_epoch_asks_before_it_sends() -> None:
    run = Run().online().hear(posted(1))
    lost = run.say("lost?")
    run.forget().come_back(epoch="e2", session="other")
    (online,) = run.tells(Online)
    assert (online.back, online.new_epoch, online.resumed, online.held) == (True, True, False, 1)
    assert run.last(wire.Join).last == 50
    run.join(seq=1, after=0).listed().hear(posted(1))
    assert run.seqs() == [1]
    assert run.tells(CaughtUp) == [CaughtUp(missed=1, sent=0)]
    new = run.say("new")
    assert run.drafts_sent() == ["new"]
    run.hear(posted(2, sender="bob", id=new))
    run.carry_out(run.session.confirm_drafts(True))
    assert run.drafts_sent() == ["new", "lost?"]
    run.hear(posted(3, sender="bob", id=lost))
    assert run.states(lost)[-1] is DraftState.SENT


def test_held_drafts_can_be_given_up() -> None:
    run = Run().online()
    id = run.say("lost?")
    run.come_back(epoch="e2").come_back(epoch="e2")
    assert run.tells(Online)[-1].held == 1
    run.carry_out(run.session.confirm_drafts(False))
    run.carry_out(run.session.confirm_drafts(True))
    assert run.states(id)[-1] is DraftState.REFUSED
    assert run.session.pending == 0


def test_held_drafts_confirmed_without_a_link_go_out_with_the_next() -> None:
    run = Run().online()
    run.say("lost?")
    run.come_back(epoch="e2").lose()
    run.carry_out(run.session.confirm_drafts(True))
    run.forget().wait(CAP).dialed().hear(welcome(epoch="e2"))
    assert run.drafts_sent() == ["lost?"]


def test_a_lapsed_session_asks_too_and_begins_its_direct_conversations_anew() -> None:
    run = Run().online().hear(posted(1), posted(1, "@bob"))
    run.say("lost?")
    run.forget().come_back(session="another")
    (online,) = run.tells(Online)
    assert (online.new_epoch, online.resumed, online.held) == (False, False, 1)
    assert run.last(wire.Join).after == 1
    run.join(seq=1).listed().hear(posted(1, "@bob"))
    assert run.seqs("@eve") == [1]


def test_a_session_that_could_not_be_stored_proves_nothing() -> None:
    run = Run().online(session=None)
    run.say("lost?")
    run.come_back(session=None)
    assert run.tells(Online)[-1].held == 1


def test_what_is_said_right_behind_a_join_is_not_missed_below_its_head() -> None:
    run = Run().start().dialed().hear(welcome())
    id = run.say("mine")
    run.join(seq=2, after=0).listed()
    run.hear(posted(1), posted(2, sender="bob", id=id, text="mine"))
    assert [(one.own, one.missed) for one in run.tells(Message)] == [(False, True), (True, False)]


def test_nor_when_its_echo_came_before_the_page_that_has_it() -> None:
    run = Run().start().dialed().hear(welcome())
    id = run.say("mine")
    run.hear(posted(2, sender="bob", id=id, text="mine"))
    run.join(seq=2, after=0).listed()
    run.hear(posted(1), posted(2, sender="bob", id=id, text="mine"))
    assert [(one.own, one.missed) for one in run.tells(Message)] == [(False, True), (True, False)]
