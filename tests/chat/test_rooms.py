"""Rooms: how they come to be, what they are about, and when they are gone."""

from __future__ import annotations

import pytest

from securechat.chat.effects import Keep, SendRooms, SendTopic, SetTopic
from securechat.chat.identities import Identity
from securechat.chat.nicks import parse_nick
from securechat.chat.room import Room
from securechat.protocol.envelopes import Error, Join, Leave, Quit, Rooms, Topic, TopicIs
from securechat.records import KeepTopic

from .stage import Stage, code_of, kinds

# ------------------------------------------------------------------ a room as a value


def test_a_room_counts_people_and_not_connections() -> None:
    room, bob = Room("#a"), Identity(1, parse_nick("bob"), b"", 0.0)
    assert room.enter(bob, 7)
    assert not room.enter(bob, 8)
    assert room.connections() == [7, 8]
    assert repr(room) == "<Room #a members=1>"
    assert not room.drop(bob, 7)
    assert room.drop(bob, 8)
    assert room.members == {bob: ()}
    assert room.connections() == []


# ------------------------------------------------------------------ coming to be, and vanishing


def test_a_room_without_members_and_messages_vanishes(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.ask(Leave, room="#a")
    assert code_of(bob.ask(Topic, room="#a")) == "no_such_room"
    assert stage.hub.rooms == {}


def test_a_room_in_which_something_was_said_stays(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.say("#a")
    bob.ask(Leave, room="#a")
    assert code_of(bob.say("#a")) == "not_a_member"
    [joined] = bob.ask(Join, room="#a", after=0)
    assert (joined.seq, joined.after) == (1, 0)


def test_a_room_is_kept_by_what_is_said_in_the_batch_in_which_it_is_left(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.batch(bob.wants(Join, room="#a"), bob.draft("#a"), bob.wants(Leave, room="#a"))
    bob.hears()
    assert list(stage.hub.rooms) == ["#a"]
    [joined] = bob.ask(Join, room="#a")
    assert joined.seq == 1


def test_a_room_vanishes_when_what_was_said_in_it_could_not_be_stored(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    stage.book.full = True
    stage.batch(bob.draft("#a"), bob.wants(Leave, room="#a"))
    assert [it.code for it in bob.hears() if isinstance(it, Error)] == ["storage"]
    bob.ask(Rooms)
    assert stage.hub.rooms == {}


def test_a_room_that_is_left_and_entered_in_one_batch_is_the_same_one(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.ask(Topic, room="#a", text="news")
    stage.batch(bob.wants(Leave, room="#a"), bob.wants(Join, room="#a"))
    _, joined = bob.hears()
    assert joined.topic == "news"


def test_the_topic_of_a_room_that_vanishes_goes_with_it(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.ask(Topic, room="#a", text="news")
    bob.ask(Leave, room="#a")
    bob.ask(Rooms)
    assert Keep(KeepTopic("#a", "")) in stage.effects
    assert stage.book.topics == {}
    [joined] = bob.ask(Join, room="#a")
    assert joined.topic == ""


def test_a_topic_set_in_the_batch_in_which_the_room_is_left_goes_too(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.batch(
        bob.wants(Join, room="#a"),
        bob.wants(Topic, room="#a", text="news"),
        bob.wants(Leave, room="#a"),
    )
    assert kinds(bob.hears()) == ["Joined", "TopicIs", "Left"]
    stage.wait(60)
    assert stage.hub.rooms == {}
    assert stage.book.topics == {}


def test_a_room_that_was_left_in_the_last_batch_before_a_stop_is_not_found_again(
    stage: Stage,
) -> None:
    bob = stage.enter("bob", "#a")
    bob.ask(Topic, room="#a", text="news")
    bob.ask(Quit)
    stage.restart(crash=True)
    assert stage.hub.rooms == {}
    assert stage.book.topics == {}


def test_rooms_that_were_spoken_in_or_are_held_are_there_after_a_restart(stage: Stage) -> None:
    bob, ann = stage.enter("bob", "#said", "#held", "#gone"), stage.enter("ann", "#said")
    bob.say("#said")
    for room in ("#said", "#held"):
        bob.ask(Topic, room=room, text=f"about {room}")
    bob.ask(Leave, room="#gone")
    bob.cut()
    stage.restart()
    assert {name: room.topic for name, room in stage.hub.rooms.items()} == {
        "#said": "about #said",
        "#held": "about #held",
    }
    stage.wait(30)
    assert set(stage.hub.rooms) == {"#said"}
    [joined] = stage.enter("ann", session=ann.session).ask(Join, room="#said", after=0)
    assert (joined.seq, joined.after, joined.topic) == (1, 0, "about #said")


def test_there_may_be_so_many_rooms_and_no_more() -> None:
    stage = Stage(rooms=2)
    bob = stage.enter("bob", "#a", "#b")
    assert code_of(bob.ask(Join, room="#c")) == "forbidden"
    assert kinds(stage.enter("ann").ask(Join, room="#a")) == ["Joined"]
    bob.ask(Leave, room="#b")
    assert kinds(bob.ask(Join, room="#c")) == ["Joined"]


def test_the_list_of_rooms_is_left_to_the_moment_in_which_it_is_sent(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    assert bob.ask(Rooms) == [SendRooms(bob.number, "q")]


# ------------------------------------------------------------------ topics


def test_a_topic_is_told_to_everyone_once_it_is_stored(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    assert bob.ask(Topic, room="#a", text="tea\tat 4") == [
        TopicIs(room="#a", text="tea\tat 4", nick="bob", re="q")
    ]
    assert ann.hears() == [TopicIs(room="#a", text="tea\tat 4", nick="bob")]
    assert stage.hub.topic_of("#a") == "tea\tat 4"
    assert stage.effects == [SetTopic(bob.number, "q", "bob", KeepTopic("#a", "tea\tat 4"))]


def test_a_topic_can_be_taken_away(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.ask(Topic, room="#a", text="news")
    [told] = bob.ask(Topic, room="#a", text="")
    assert told.text == ""
    assert stage.book.topics == {}


def test_a_topic_that_could_not_be_stored_is_not_told(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.book.full = True
    assert code_of(bob.ask(Topic, room="#a", text="news")) == "storage"
    assert ann.hears() == []
    assert stage.hub.topic_of("#a") == ""


def test_a_topic_can_be_read_from_outside(stage: Stage) -> None:
    stage.enter("ann", "#a")
    bob = stage.enter("bob")
    assert bob.ask(Topic, room="#a") == [SendTopic(bob.number, "q", "#a")]


def test_a_topic_cannot_be_set_from_outside(stage: Stage) -> None:
    stage.enter("ann", "#a")
    bob = stage.enter("bob")
    assert code_of(bob.ask(Topic, room="#a", text="news")) == "not_a_member"
    assert code_of(bob.ask(Topic, room="#nowhere", text="news")) == "no_such_room"


@pytest.mark.parametrize("text", ["two\nlines", "\x1b[31m", "\r", " ", "\n"])
def test_a_topic_is_one_line_that_says_something(stage: Stage, text: str) -> None:
    bob = stage.enter("bob", "#a")
    assert code_of(bob.ask(Topic, room="#a", text=text)) == "bad_text"


def test_the_topic_of_a_room_that_is_not_there_is_empty(stage: Stage) -> None:
    assert stage.hub.topic_of("#nowhere") == ""


def test_who_set_a_topic_is_known_until_the_server_starts_again(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    assert stage.hub.setter_of("#a") is None
    bob.ask(Topic, room="#a", text="tea")
    assert (stage.hub.topic_of("#a"), stage.hub.setter_of("#a")) == ("tea", "bob")
    assert stage.hub.setter_of("#b") is None
    stage.restart()
    assert (stage.hub.topic_of("#a"), stage.hub.setter_of("#a")) == ("tea", None)
