"""How a room is ruled, by whom, and whom else they trust with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from securechat.chat import charter as charters
from securechat.chat import effects as fx
from securechat.chat.roles import Role
from securechat.protocol.envelopes import (
    Admit,
    Appoint,
    Ban,
    Bans,
    ChangeNick,
    Dismiss,
    Error,
    History,
    Join,
    Kick,
    Leave,
    Login,
    Moderated,
    Ping,
    Posted,
    Register,
    Rooms,
    RoomSettings,
    Topic,
    Unban,
    Who,
)

from .people import acts, enter_as
from .stage import Person, Stage, code_of, kinds


def test_a_private_room_is_not_there_for_others(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, carol = den
    ann.say("#den", "secret")
    [is_] = ann.ask(RoomSettings, room="#den", private=True)
    assert (is_.private, is_.admitted, is_.nick) == (True, ("bob",), "ann")
    *_, heard = bob.hears()
    assert heard == is_.model_copy(update={"re": None})
    for room in ("#den", "#no-such"):
        for kind, keys in (
            (Who, {"room": room}),
            (Topic, {"room": room}),
            (Topic, {"room": room, "text": "x"}),
            (History, {"to": room}),
            (RoomSettings, {"room": room}),
            (RoomSettings, {"room": room, "private": False}),
            (Leave, {"room": room}),
            (Kick, {"room": room, "nick": "bob"}),
            (Bans, {"room": room}),
        ):
            [error] = carol.ask(kind, **keys)
            assert error == Error(
                code="no_such_room",
                message="There is no such room. `rooms` lists them; `join` makes one.",
                re="q",
            ), kind
        assert code_of(carol.say(room)) == "no_such_room"
    assert code_of(carol.ask(Join, room="#den")) == "forbidden"
    assert [room.name for room in stage.hub.rooms_seen_by(carol.number)] == []
    assert [room.name for room in stage.hub.rooms_seen_by(bob.number)] == ["#den"]
    assert stage.hub.rooms_seen_by(999) == []
    root = enter_as(Role.ADMIN, "root", stage)
    assert [room.name for room in stage.hub.rooms_seen_by(root.number)] == ["#den"]


def test_who_is_admitted_hears_of_it_and_comes_in(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, carol = den
    ann.ask(RoomSettings, room="#den", private=True)
    assert code_of(bob.ask(Admit, room="#den", nick="carol")) == "forbidden"
    [answer] = ann.ask(Admit, room="#den", nick="carol")
    assert carol.hears() == [answer.model_copy(update={"re": None})]
    assert (answer.act, answer.room, answer.nick) == ("admit", "#den", "carol")
    stage.restart()
    carol = stage.enter("carol", "#den", session=carol.session)
    ann = stage.enter("ann", "#den", session=ann.session)
    ann.ask(Kick, nick="carol", room="#den")
    carol.hears()
    assert code_of(carol.ask(Join, room="#den")) == "forbidden"
    ann.ask(Admit, room="#den", nick="carol")
    assert kinds(ann.ask(Kick, nick="carol", room="#den")) == ["Moderated"]  # who never came in
    carol.hears()
    assert code_of(carol.ask(Who, room="#den")) == "no_such_room"


def test_a_ban_takes_back_that_somebody_was_let_in(den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    ann.ask(RoomSettings, room="#den", private=True)
    ann.ask(Ban, nick="bob", room="#den")
    ann.ask(Unban, nick="bob", room="#den")
    bob.hears()
    assert code_of(bob.ask(Who, room="#den")) == "no_such_room"


def test_only_so_many_are_let_in_or_appointed(
    den: tuple[Person, Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _, carol = den
    for name in ("MAX_ADMITTED", "MAX_MODERATORS"):
        monkeypatch.setattr(charters, name, 1)
        monkeypatch.setattr(f"securechat.chat.ruling.{name}", 1)
    ann.ask(RoomSettings, room="#den", private=True)
    assert code_of(ann.ask(Admit, room="#den", nick="carol")) == "forbidden"
    assert kinds(ann.ask(Admit, room="#den", nick="bob")) == ["Moderated"]  # he is in already
    ann.ask(Appoint, room="#den", nick="bob")
    ann.ask(Admit, room="#den", nick="carol")
    assert code_of(ann.ask(Appoint, room="#den", nick="carol")) == "forbidden"
    carol.join("#den")


def test_in_a_read_only_room_moderators_speak(den: tuple[Person, Person, Person]) -> None:
    ann, bob, carol = den
    ann.ask(RoomSettings, room="#den", read_only=True)
    bob.hears()
    assert code_of(carol.say("#den")) == "not_a_member"
    assert "read-only" in bob.say("#den")[0].message
    assert kinds(ann.say("#den")) == ["Posted"]
    ann.ask(Appoint, room="#den", nick="bob")
    bob.hears()
    assert kinds(bob.say("#den")) == ["Posted"]
    ann.ask(Dismiss, room="#den", nick="bob")
    bob.hears()
    assert code_of(bob.say("#den")) == "forbidden"
    ann.ask(RoomSettings, room="#den", read_only=False)
    bob.hears()
    assert kinds(bob.say("#den")) == ["Posted"]


def test_where_the_topic_is_locked_moderators_set_it(den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    ann.ask(RoomSettings, room="#den", topic_locked=True)
    bob.hears()
    assert "Only moderators set the topic" in bob.ask(Topic, room="#den", text="x")[0].message
    assert kinds(bob.ask(Topic, room="#den")) == ["SendTopic"]
    assert kinds(ann.ask(Topic, room="#den", text="x")) == ["TopicIs"]
    bob.hears()
    assert kinds(bob.say("#den")) == ["Posted"]


def test_settings_live_through_a_restart_and_an_empty_room(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob", "#den")
    ann.ask(RoomSettings, room="#den", read_only=True, topic_locked=True)
    stage.restart()
    ann, bob = (stage.enter(it, session=who.session) for it, who in (("ann", ann), ("bob", bob)))
    stage.wait(60)  # nobody came back into the room
    bob.join("#den")
    assert code_of(bob.say("#den")) == "forbidden"
    [is_] = ann.ask(RoomSettings, room="#den")
    assert (is_.owner, is_.read_only, is_.topic_locked) == ("ann", True, True)


def test_a_room_whose_rules_nobody_would_miss_vanishes(stage: Stage) -> None:
    ann = stage.enter("ann", "#plain", "#ruled", "#banned")
    ann.ask(RoomSettings, room="#ruled", read_only=True)
    ann.ask(Ban, nick="bob", room="#banned", duration=60)
    for room in ("#plain", "#ruled", "#banned"):
        ann.ask(Leave, room=room)
    ann.ask(Ping)
    assert set(stage.hub.rooms) == set(stage.book.rooms) == {"#ruled", "#banned"}


def test_a_room_is_handed_over(den: tuple[Person, Person, Person]) -> None:
    ann, bob, carol = den
    [answer] = ann.ask(Appoint, room="#den", nick="bob", owner=True)
    assert (answer.act, answer.nick) == ("hand_over", "bob")
    [is_] = carol.ask(RoomSettings, room="#den")
    assert (is_.owner, is_.moderators) == ("bob", ("ann",))
    assert code_of(ann.ask(Appoint, room="#den", nick="carol")) == "forbidden"
    assert kinds(bob.ask(Dismiss, room="#den", nick="ann"))[:1] == ["Moderated"]
    assert kinds(bob.ask(Appoint, room="#den", nick="bob", owner=True))[:1] == ["Moderated"]
    assert carol.ask(RoomSettings, room="#den")[0].moderators == ()


def test_a_moderator_is_appointed_once_and_dismissed_once(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    ann.ask(Appoint, room="#den", nick="bob")
    assert code_of(ann.ask(Appoint, room="#den", nick="bob")) == "forbidden"
    [answer] = bob.ask(Who, room="#den")
    assert [(it.nick, it.role) for it in answer.members] == [
        ("ann", "room_owner"),
        ("bob", "moderator"),
    ]
    ann.ask(Dismiss, room="#den", nick="bob")
    assert code_of(ann.ask(Dismiss, room="#den", nick="bob")) == "no_such_user"
    assert [act for _, act, _, _ in acts(stage)] == ["appoint", "dismiss"]


def test_when_the_owner_is_no_more_the_first_moderator_owns_the_room(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob", "#den")
    ann.say("#den")
    ann.ask(Appoint, room="#den", nick="bob")
    ann.cut()
    stage.wait(8 * 86_400)
    [is_] = bob.ask(RoomSettings, room="#den")
    assert (is_.owner, is_.moderators) == ("bob", ())
    stage.enter("carol")
    [answer] = bob.ask(Appoint, room="#den", nick="carol")
    assert isinstance(answer, Moderated)
    [is_] = bob.ask(RoomSettings, room="#den")
    assert (is_.owner, is_.moderators) == ("bob", ("carol",))
    assert is_.owner is not None


def test_an_admin_gives_a_room_without_an_owner_to_somebody(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob")
    ann.say("#den")
    stage.book.rooms.clear()  # it is from before rooms had owners
    stage.restart()
    root = enter_as(Role.ADMIN, "root", stage)
    bob = stage.enter("bob", session=bob.session)
    assert bob.ask(RoomSettings, room="#den")[0].owner is None
    assert code_of(bob.ask(RoomSettings, room="#den", private=True)) == "forbidden"
    root.ask(Appoint, room="#den", nick="bob", owner=True)
    [is_] = bob.ask(RoomSettings, room="#den", private=True)
    assert (is_.owner, is_.moderators, is_.private) == ("bob", (), True)


def test_the_lobby_is_not_of_whoever_comes_first(stage: Stage) -> None:
    ann = stage.enter("ann", "#lobby", "#den")
    [members] = ann.ask(Who, room="#lobby")
    assert [one.role for one in members.members] == ["guest"]
    [members] = ann.ask(Who, room="#den")
    assert [one.role for one in members.members] != ["guest"]


def test_without_an_owner_rules_are_made_at_need(stage: Stage) -> None:
    ann = stage.enter("ann", "#den")
    ann.say("#den")
    stage.book.rooms.clear()
    stage.restart()
    root = enter_as(Role.OWNER, "root", stage)
    stage.enter("bob", "#den")
    assert kinds(root.ask(Kick, nick="bob", room="#den")) == ["Moderated"]
    stage.enter("carol", "#den")
    assert kinds(root.ask(Ban, nick="carol", room="#den")) == ["Moderated"]
    assert kinds(root.ask(Admit, room="#den", nick="bob")) == ["Moderated"]


def test_the_list_of_rooms_comes_by_number(stage: Stage) -> None:
    ann = stage.enter("ann", "#den")
    assert ann.ask(Rooms) == [fx.SendRooms(ann.number, "q")]


def test_an_ordinary_message_asks_nobody(
    den: tuple[Person, Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a room where all may speak no right is looked up, whatever holds in other rooms."""
    ann, bob, _ = den
    ann.join("#quiet")
    ann.ask(RoomSettings, room="#quiet", read_only=True)

    def fail(*_args: Any) -> bool:
        raise AssertionError("looked up")

    monkeypatch.setattr("securechat.chat.judge.may", fail)
    [echo] = bob.say("#den")
    assert isinstance(echo, Posted)


def test_a_room_that_nobody_ever_ruled_vanishes_too(stage: Stage) -> None:
    ann = stage.enter("ann")
    stage.hub.presence.restore_room("#old")
    ann.ask(Ping)
    assert "#old" not in stage.hub.rooms


def test_a_banned_account_is_refused_before_its_password_is_looked_at(stage: Stage) -> None:
    root, ann = enter_as(Role.OWNER, "root", stage), stage.enter("ann")
    ann.ask(Register, password=SecretStr("correct horse battery"))
    root.hears()
    root.ask(Ban, account="ann", reason="spam")
    assert ann.last.code == "banned"
    bob = stage.enter("bob")
    right = SecretStr("correct horse battery")
    error = bob.ask(Login, nick="Ann", password=right)[-1]
    assert (error.code, error.fatal) == ("forbidden", False)
    assert "That account is banned from this server (spam)" in error.message
    again = stage.connection()
    [error] = again.tell(again.hello("ann", password=right)[1])
    assert (error.code, error.fatal) == ("banned", True)
    root.ask(Unban, account="ann")
    assert bob.ask(Login, nick="ann", password=right)[-1].account == "ann"


def test_an_owner_is_not_kept_out_by_a_ban_of_the_nick(stage: Stage) -> None:
    root = enter_as(Role.OWNER, "root", stage)
    boss = enter_as(Role.OWNER, "boss", stage)
    assert code_of(root.ask(Ban, nick="boss")) == "forbidden"
    root.ask(Ban, nick="bose")
    boss.ask(ChangeNick, nick="chief")
    assert boss.open
