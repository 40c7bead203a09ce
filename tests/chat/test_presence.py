"""Who is where: coming, going, being held while the link is lost, and being one of very many."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.chat.effects import Keep, SendList
from securechat.chat.presence import COUNT_EVERY, LINK_LOST
from securechat.link_events import Lost
from securechat.protocol.envelopes import (
    Bye,
    ChangeNick,
    Count,
    Join,
    Joined,
    Leave,
    Left,
    Member,
    Members,
    Ping,
    Quit,
    Renamed,
    Who,
)
from securechat.records import KeepPresence

from .stage import Person, Stage, code_of, kinds


def who(person: Person, room: str | None = None) -> list[tuple[str, bool]]:
    """The members of a room, and whether each is held."""
    [answer] = person.ask(Who) if room is None else person.ask(Who, room=room)
    assert isinstance(answer, Members)
    assert {member.role for member in answer.members} <= {"guest", "room_owner"}
    return [(member.nick, member.held) for member in answer.members]


# ------------------------------------------------------------------ joining and leaving


def test_who_joins_is_told_how_things_stand_and_the_others_that_somebody_came(
    stage: Stage,
) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob")
    ann.say("#a")
    ann.hears()
    assert bob.ask(Join, room="#a") == [
        Joined(room="#a", nick="bob", seq=1, after=1, count=2, topic="", re="q")
    ]
    assert ann.hears() == [Joined(room="#a", nick="bob")]
    assert Keep(KeepPresence(2, "#a", True)) in stage.effects


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        ({}, 3),
        ({"after": 0}, 0),
        ({"after": 2}, 2),
        ({"after": 9}, 3),  # beyond the head
        ({"last": 0}, 3),
        ({"last": 2}, 1),
        ({"last": 9}, 0),
    ],
)
def test_what_follows_a_join_begins_where_it_was_asked_to(
    stage: Stage, keys: dict[str, Any], after: int
) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob")
    for _ in range(3):
        ann.say("#a")
    [joined] = bob.ask(Join, room="#a", **keys)
    assert (joined.after, joined.seq) == (after, 3)


def test_a_connection_joins_a_room_once(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    assert code_of(bob.ask(Join, room="#a")) == "already_joined"


def test_a_connection_may_be_in_so_many_rooms() -> None:
    stage = Stage(subscriptions=2)
    bob = stage.enter("bob", "#a", "#b")
    assert code_of(bob.ask(Join, room="#c")) == "forbidden"
    bob.ask(Leave, room="#a")
    assert kinds(bob.ask(Join, room="#c")) == ["Joined"]


def test_who_leaves_is_told_so_and_the_others_too(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    assert bob.ask(Leave, room="#a") == [Left(room="#a", nick="bob", re="q")]
    assert ann.hears() == [Left(room="#a", nick="bob")]
    assert Keep(KeepPresence(2, "#a", False)) in stage.effects
    ann.say("#a")
    assert bob.hears() == []


@pytest.mark.parametrize(
    ("address", "code"),
    [("#a", "not_a_member"), ("#nowhere", "no_such_room"), ("@ann", "forbidden")],
)
def test_only_a_room_that_one_is_in_can_be_left(stage: Stage, address: str, code: str) -> None:
    stage.enter("ann", "#a")
    assert code_of(stage.enter("bob").ask(Leave, room=address)) == code


# ------------------------------------------------------------------ one person, several connections


def test_a_second_connection_comes_and_goes_in_silence(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    again = stage.enter("bob", session=bob.session)
    assert code_of(again.ask(Leave, room="#a")) == "not_a_member"  # a subscription is its own
    again.join("#a")
    assert who(ann, "#a") == [("ann", False), ("bob", False)]
    assert kinds(again.say("#a")) == ["Posted"]
    assert kinds(bob.hears()) == kinds(ann.hears()) == ["Posted"]
    again.ask(Leave, room="#a")
    bob.ask(Ping)
    assert ann.hears() == []
    bob.ask(Quit)
    assert ann.hears() == [Left(room="#a", nick="bob")]


def test_a_lost_connection_is_no_loss_while_another_one_is_there(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    again = stage.enter("bob", "#a", session=bob.session)
    ann.hears()
    bob.cut()
    assert who(ann, "#a") == [("ann", False), ("bob", False)]
    stage.wait(60)
    assert ann.hears() == []
    again.ask(Leave, room="#a")
    assert kinds(ann.hears()) == ["Left"]


def test_of_too_many_connections_the_longest_silent_one_is_replaced(stage: Stage) -> None:
    ann = stage.enter("ann", "#a")
    bobs = [stage.enter("bob", "#a")]
    for _ in range(7):
        stage.wait(1)
        bobs.append(stage.enter("bob", "#a", session=bobs[0].session))
    stage.wait(1)
    bobs[0].ask(Ping)
    ann.hears()
    ninth = stage.enter("bob", session=bobs[0].session)
    assert bobs[1].hears()[-1] == bobs[1].last == Bye(reason="replaced")
    assert [bob.open for bob in [*bobs, ninth]] == [True, False, *[True] * 7]
    assert ann.hears() == []
    assert len(stage.hub.identities.by_number(2).connections) == 8  # type: ignore[union-attr]


def test_who_is_replaced_was_not_away() -> None:
    stage = Stage(connections_per_identity=1)
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    again = stage.enter("bob", session=bob.session)
    assert bob.last == Bye(reason="replaced")
    assert who(ann, "#a") == [("ann", False), ("bob", True)]
    again.join("#a")
    assert ann.hears() == []


# ------------------------------------------------------------------ lost links


def test_a_lost_link_is_a_departure_only_after_the_grace_period(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a", "#b")
    ann.hears()
    bob.cut()
    assert who(ann, "#a") == [("ann", False), ("bob", True)]
    assert who(ann) == [("ann", False), ("bob", True)]
    assert [answer.members for answer in ann.ask(Who, room="@bob")] == [
        (Member(nick="bob", role="guest", held=True),)
    ]
    stage.wait(29.9)
    assert ann.hears() == []
    stage.wait(0.1)
    assert ann.hears() == [Left(room="#a", nick="bob", reason=LINK_LOST)]
    assert who(ann) == [("ann", False)]
    assert [answer.members for answer in ann.ask(Who, room="@bob")] == [()]


def test_who_comes_back_within_the_grace_period_was_never_away(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    bob.cut()
    stage.wait(29)
    back = stage.enter("bob", "#a", session=bob.session)
    stage.wait(60)
    assert ann.hears() == []
    assert who(ann, "#a") == [("ann", False), ("bob", False)]
    assert back.open


def test_each_loss_has_a_grace_period_of_its_own(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    bob.cut()
    stage.wait(20)
    stage.enter("bob", "#a", session=bob.session).cut()
    ann.hears()
    stage.wait(20)  # the first one would be over
    assert ann.hears() == []
    stage.wait(10)
    assert kinds(ann.hears()) == ["Left"]


def test_who_comes_back_to_one_room_only_has_left_the_other(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a", "#b"), stage.enter("bob", "#a", "#b")
    bob.cut()
    stage.enter("bob", "#b", session=bob.session)
    ann.hears()
    stage.wait(30)
    assert ann.hears() == [Left(room="#a", nick="bob", reason=LINK_LOST)]


def test_a_held_member_goes_by_the_nick_it_has_by_then(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    bob.cut()
    stage.enter("rob", session=bob.session)
    ann.hears()
    stage.wait(30)
    assert ann.hears() == [Left(room="#a", nick="rob", reason=LINK_LOST)]


def test_without_a_grace_period_a_lost_link_is_a_departure() -> None:
    stage = Stage(grace=0.0)
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    bob.cut()
    assert ann.hears() == [Left(room="#a", nick="bob", reason=LINK_LOST)]


def test_a_link_lost_in_the_batch_of_the_last_word_takes_nothing_back(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.batch(bob.draft("#a", "wait, I"), (bob.number, Lost("reset")))
    assert kinds(ann.hears()) == ["Posted"]


# ------------------------------------------------------------------ another server


@pytest.mark.parametrize("crash", [False, True])
def test_who_was_there_before_a_restart_is_held_and_comes_back_in_silence(
    stage: Stage, crash: bool
) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    stage.restart(crash=crash)
    ann = stage.enter("ann", "#a", session=ann.session)
    assert who(ann, "#a") == [("ann", False), ("bob", True)]
    stage.wait(10)
    bob = stage.enter("bob", "#a", session=bob.session)
    stage.wait(60)
    assert ann.hears() == []
    assert who(ann, "#a") == [("ann", False), ("bob", False)]
    assert bob.open


def test_who_does_not_come_back_after_a_restart_has_left(stage: Stage) -> None:
    ann = stage.enter("ann", "#a")
    stage.enter("bob", "#a")
    stage.restart()
    ann = stage.enter("ann", "#a", session=ann.session)
    stage.wait(30)
    assert ann.hears() == [Left(room="#a", nick="bob", reason=LINK_LOST)]
    assert list(stage.book.presence) == [(1, "#a")]


def test_the_presence_of_somebody_unknown_is_cleared(stage: Stage) -> None:
    stage.book.presence[77, "#a"] = None
    stage.restart()
    assert stage.effects == [Keep(KeepPresence(77, "#a", False))]
    assert stage.hub.rooms == {}


def test_a_restart_is_over_for_the_room_when_it_is_for_its_members() -> None:
    stage = Stage(grace=0.0)
    stage.enter("bob", "#a")
    stage.restart()
    stage.wait(0)
    assert stage.hub.rooms == {}
    assert not stage.book.presence


# ------------------------------------------------------------------ very many


def test_above_the_limit_a_room_is_told_a_number_instead_of_names() -> None:
    stage = Stage(presence=2)
    ann, bob, eve = stage.enter("ann", "#a"), stage.enter("bob", "#a"), stage.enter("eve")
    ann.hears()
    [joined] = eve.ask(Join, room="#a")
    assert (joined.nick, joined.count) == ("eve", 3)
    assert ann.hears() == [Count(room="#a", count=3)]
    bob.ask(ChangeNick, nick="rob")
    assert ann.hears() == eve.hears() == []
    eve.ask(Leave, room="#a")
    assert ann.hears() == [Left(room="#a", nick="eve")]


def test_numbers_are_told_every_five_seconds_at_most() -> None:
    stage = Stage(presence=1)
    ann = stage.enter("ann", "#a")
    for number in range(8):
        stage.enter(f"x{number}", "#a")
        stage.wait(0.5)
    assert ann.hears() == [Count(room="#a", count=2)]
    stage.wait(1)  # five seconds after the first of them
    assert ann.hears() == [Count(room="#a", count=9)]
    stage.wait(COUNT_EVERY)
    assert ann.hears() == []  # nothing has changed
    stage.enter("last", "#a")
    assert ann.hears() == [Count(room="#a", count=10)]


def test_a_room_that_became_small_is_told_the_number_that_it_was_owed() -> None:
    stage = Stage(presence=2)
    ann, bob, eve = (stage.enter(nick, "#a") for nick in ("ann", "bob", "eve"))
    fay = stage.enter("fay", "#a")
    ann.hears()
    for one in (eve, fay):
        one.ask(Leave, room="#a")
    assert ann.hears() == [Left(room="#a", nick="fay")]
    stage.wait(COUNT_EVERY)
    assert ann.hears() == [Count(room="#a", count=2)]
    assert bob.open


def test_one_who_shares_a_small_room_with_somebody_hears_of_a_new_nick_there() -> None:
    stage = Stage(presence=2)
    ann, bob = stage.enter("ann", "#big", "#small"), stage.enter("bob", "#big", "#small")
    eve = stage.enter("eve", "#big")
    ann.hears()
    eve.hears()
    bob.ask(ChangeNick, nick="rob")
    assert ann.hears() == [Renamed(old="bob", nick="rob")]
    assert eve.hears() == []


# ------------------------------------------------------------------ who


def test_who_lists_who_is_online_however_many(stage: Stage) -> None:
    people = [stage.enter(f"x{number:04}z") for number in range(2_000)]
    assert len(who(people[0])) == 2_000
    [effect] = stage.effects
    assert isinstance(effect, SendList)
    assert effect.key == "members"


def test_who_asks_about_one_person_is_told_the_nick_as_it_is_written(stage: Stage) -> None:
    stage.enter("Zoë")
    [answer] = stage.enter("bob").ask(Who, room="@zoe\u0308")
    assert answer == Members(
        room="@Zoë", members=(Member(nick="Zoë", role="guest", held=False),), re="q"
    )


@pytest.mark.parametrize(
    ("address", "code"), [("#nowhere", "no_such_room"), ("@nobody", "no_such_user")]
)
def test_who_is_where_nobody_can_be(stage: Stage, address: str, code: str) -> None:
    assert code_of(stage.enter("bob").ask(Who, room=address)) == code


def test_who_works_on_a_room_that_one_is_not_in(stage: Stage) -> None:
    stage.enter("ann", "#a")
    assert who(stage.enter("bob"), "#a") == [("ann", False)]
