"""Removing what a message says: who may, who hears of it, and what a repeat gets."""

from __future__ import annotations

import pytest

from securechat.chat import effects as fx
from securechat.chat.removal import Removals, tell_recent
from securechat.link_events import Levelled
from securechat.protocol.envelopes import (
    Appoint,
    ChangeNick,
    Error,
    Join,
    Joined,
    Leave,
    Level,
    Remove,
    Removed,
)
from securechat.records import Conflict, Failed, KeepAct, Kept, Removal, RemoveMessage, Unknown

from .stage import Person, Stage, code_of, kinds


@pytest.fixture
def pair(stage: Stage) -> tuple[Person, Person]:
    """ann owns #a; bob said `hi` there, as its message 1."""
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    bob.say("#a", "hi", id="one")
    for person in (ann, bob):
        person.hears()
    return ann, bob


def test_all_hear_of_it_and_its_number_stays(stage: Stage, pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    [answer] = bob.ask(Remove, to="#a", seq=1)
    assert answer == Removed(to="#a", seq=1, nick="bob", re="q")
    assert ann.hears() == [Removed(to="#a", seq=1, nick="bob")]
    assert [message.text for message in stage.book.messages["#a"]] == [""]
    [posted] = ann.say("#a", "next")
    assert posted.seq == 2
    [act] = stage.book.audit
    assert (act.nick, act.act, act.room, act.subject) == ("bob", "remove", "#a", "message 1")


def test_what_is_kept_in_memory_is_scrubbed_first(
    stage: Stage, pair: tuple[Person, Person]
) -> None:
    _, bob = pair
    record = fx.Erase(
        bob.number,
        "q",
        Removed(to="#a", seq=1, nick="bob"),
        RemoveMessage("#a", 1, None, KeepAct(1, "bob", "remove")),
    )
    assert [type(it) for it in stage.hub.settle(record, Kept())] == [
        *(fx.Scrub, fx.Send, fx.Broadcast)
    ]


def test_others_may_remove_it_only_if_they_moderate_the_room(
    stage: Stage, pair: tuple[Person, Person]
) -> None:
    ann, bob = pair
    ann.say("#a", "mine")
    carol = stage.enter("carol", "#a")
    assert code_of(carol.ask(Remove, to="#a", seq=1)) == "forbidden"
    assert code_of(bob.ask(Remove, to="#a", seq=2)[-1:]) == "forbidden"
    ann.ask(Appoint, room="#a", nick="carol")
    carol.hears()
    [answer] = carol.ask(Remove, to="#a", seq=2, reason="a password")
    assert isinstance(answer, Removed)
    assert stage.book.audit[-1].reason == "a password"
    assert isinstance(ann.ask(Remove, to="#a", seq=1)[-1], Removed)


def test_in_a_direct_conversation_each_removes_their_own(
    stage: Stage, pair: tuple[Person, Person]
) -> None:
    ann, bob = pair
    ann.say("@bob", "psst")
    bob.hears()
    assert code_of(bob.ask(Remove, to="@ann", seq=1)) == "forbidden"
    [answer] = ann.ask(Remove, to="@BOB", seq=1)
    assert answer == Removed(to="@bob", seq=1, nick="ann", re="q")
    assert bob.hears() == [Removed(to="@bob", seq=1, nick="ann")]
    assert stage.book.audit[-1].room == "", "the audit tells nobody who talks with whom"
    assert code_of(ann.ask(Remove, to="@nobody", seq=1)) == "no_such_user"


def test_what_is_not_there_cannot_be_removed(pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    assert code_of(ann.ask(Remove, to="#a", seq=2)) == "no_such_message"
    assert code_of(ann.ask(Remove, to="#nowhere", seq=1)) == "no_such_room"
    assert code_of(ann.ask(Remove, to="@bob", seq=1)) == "no_such_message"
    bob.ask(Remove, to="#a", seq=1)
    ann.hears()
    assert code_of(ann.ask(Remove, to="#a", seq=1)) == "no_such_message"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Unknown(), "no_such_message"), (Conflict(), "forbidden"), (Failed(), "storage")],
)
def test_a_no_of_the_store_is_answered(
    stage: Stage, pair: tuple[Person, Person], outcome: object, code: str
) -> None:
    effect = fx.Erase(
        pair[0].number,
        "q",
        Removed(to="#a", seq=1, nick="ann"),
        RemoveMessage("#a", 1, None, KeepAct(1, "ann", "remove")),
    )
    [send] = stage.hub.settle(effect, outcome)  # type: ignore[arg-type]
    assert isinstance(send, fx.Send)
    assert isinstance(send.event, Error)
    assert (send.event.code, send.event.re) == (code, "q")


def test_a_full_disk_removes_nothing(stage: Stage, pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    stage.book.full = True
    assert code_of(bob.ask(Remove, to="#a", seq=1)) == "storage"
    assert ann.hears() == []
    stage.book.full = False
    assert stage.book.messages["#a"][0].text == "hi"
    assert kinds(bob.ask(Remove, to="#a", seq=1)) == ["Removed"]


def test_who_was_away_or_behind_hears_of_it_later(
    stage: Stage, pair: tuple[Person, Person]
) -> None:
    ann, bob = pair
    carol = stage.enter("carol", "#a")
    carol.ask(Leave, room="#a")
    bob.ask(Remove, to="#a", seq=1)
    ann.say("#a", "two")
    event = Removed(to="#a", seq=1, nick="bob")
    heard = carol.ask(Join, room="#a", after=1)
    assert isinstance(heard[0], Joined)
    assert heard[1:] == [event]
    ann.hears()
    assert ann.tell(Levelled("#a"))[-1:] == [event]
    assert isinstance(ann.tell(Levelled("#a"))[0], Level)
    carol.ask(Leave, room="#a")
    assert len(carol.ask(Join, room="#a", after=0)) == 1  # it is in the stream, as removed
    ann.say("@bob", "psst")
    ann.ask(Remove, to="@bob", seq=1)
    assert ann.ask(Join, room="@bob", after=1)[1:] == [Removed(to="@bob", seq=1, nick="ann")]


def test_a_restart_forgets_no_removal(stage: Stage, pair: tuple[Person, Person]) -> None:
    ann, bob = pair
    ann.say("@bob", "psst")
    ann.cut()
    bob.ask(Remove, to="#a", seq=1)
    stage.restart()
    bob = stage.enter("bob", session=bob.session)
    bob.say("@ann", "well?")
    bob.ask(Remove, to="@ann", seq=2)
    bob.ask(ChangeNick, nick="rob")
    stage.restart(crash=True)
    ann = stage.enter("ann", session=ann.session)
    assert ann.ask(Join, room="#a", after=1)[1:] == [Removed(to="#a", seq=1, nick="bob")]
    # A direct conversation goes by the nicks of now, or its client would not know it.
    assert ann.ask(Join, room="@rob", after=2)[1:] == [Removed(to="@ann", seq=2, nick="rob")]


def test_a_removal_where_somebody_is_no_more_is_told_to_nobody(
    stage: Stage, pair: tuple[Person, Person]
) -> None:
    ann, bob = pair
    ann.say("@bob", "psst")
    ann.ask(Remove, to="@bob", seq=1)
    for gone in (bob, ann):  # the other side, then who did it
        stage.hub.identities.forget(stage.hub.sessions[gone.number].identity)
        tell_recent(stage.hub, ann.number, "@1:2", 9)
        assert stage.hub.tick(stage.now) == []


def test_only_so_many_are_remembered() -> None:
    removals = Removals()
    for seq in range(1, 151):
        removals.add(Removal("#a", seq, 1, "ann"))
    assert [it.seq for it in removals.upto("#a", 60)] == list(range(51, 61))
    assert len(removals.upto("#a", 1_000)) == 100
    for number in range(1_000):
        removals.add(Removal(f"#{number}", 1, 1, "ann"))
    assert removals.upto("#a", 1_000) == []
    assert len(removals.upto("#0", 1)) == 1
