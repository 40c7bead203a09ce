"""Kick, mute, ban, and how rooms are ruled: what each act leads to, and for whom."""

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
    Left,
    Login,
    Moderated,
    Mute,
    Ping,
    Posted,
    Register,
    Rooms,
    RoomSettings,
    Topic,
    Unban,
    Unmute,
    Who,
)

from .people import enter_as
from .stage import Person, Stage, code_of, kinds


@pytest.fixture
def den(stage: Stage) -> tuple[Person, Person, Person]:
    """ann owns #den; bob is in it; carol is not."""
    people = stage.enter("ann", "#den"), stage.enter("bob", "#den"), stage.enter("carol")
    for person in people:
        person.hears()
    return people


def acts(stage: Stage) -> list[tuple[str, str, str, str]]:
    return [(act.nick, act.act, act.room, act.subject) for act in stage.book.audit]


# ------------------------------------------------------------------ kick


def test_who_is_kicked_is_told_and_the_others_hear_that_they_left(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    dave = stage.enter("dave", "#den")
    for person in den:
        person.hears()
    [answer, left] = ann.ask(Kick, nick="BOB", room="#den", reason=" enough ")
    assert answer == Moderated(
        act="kick", by="ann", room="#den", nick="bob", reason="enough", re="q"
    )
    assert left == Left(room="#den", nick="bob", reason="kicked (enough)")
    assert dave.hears() == [answer.model_copy(update={"re": None}), left]
    assert bob.hears() == [answer.model_copy(update={"re": None})]
    assert code_of(bob.say("#den")) == "not_a_member"
    assert acts(stage) == [("ann", "kick", "#den", "bob")]
    bob.join("#den")  # they may come back


def test_every_connection_of_theirs_is_put_out(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    again, apart = stage.enter("bob", "#den", session=bob.session), None
    apart = stage.enter("bob", session=bob.session)
    ann.ask(Kick, nick="bob", room="#den")
    for person in (bob, again, apart):
        assert kinds(person.hears()) == ["Moderated"], "once each"
        assert code_of(person.say("#den")) == "not_a_member"


def test_who_is_not_there_cannot_be_kicked(den: tuple[Person, Person, Person]) -> None:
    ann, _, carol = den
    assert code_of(ann.ask(Kick, nick="carol", room="#den")) == "no_such_user"
    assert code_of(ann.ask(Kick, nick="nobody", room="#den")) == "no_such_user"
    assert code_of(ann.ask(Kick, nick="bob", room="#nowhere")) == "no_such_room"
    assert code_of(carol.ask(Kick, nick="bob", room="#den")) == "forbidden"
    assert code_of(ann.ask(Kick, nick="bob")) == "forbidden"  # off the server: no right of hers


def test_nobody_acts_against_their_own_rank_or_above(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, carol = den
    ann.ask(Appoint, room="#den", nick="bob")
    ann.ask(Appoint, room="#den", nick="carol")
    assert code_of(bob.ask(Kick, nick="ann", room="#den")) == "forbidden"
    assert code_of(bob.ask(Mute, nick="carol", room="#den")) == "forbidden"
    assert code_of(bob.ask(Ban, nick="bob", room="#den")) == "forbidden"
    root = enter_as(Role.ADMIN, "root", stage)
    assert kinds(root.ask(Kick, nick="ann", room="#den")) == ["Moderated"]
    assert carol.open


def test_an_admin_puts_somebody_off_the_server(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    root = enter_as(Role.OWNER, "root", stage)
    [answer] = root.ask(Kick, nick="bob", reason="loud")
    assert (answer.room, answer.nick, answer.reason) == (None, "bob", "loud")
    *_, last = bob.hears()
    assert isinstance(last, Error)
    assert (last.code, last.fatal) == ("kicked", True)
    assert "(loud)" in last.message
    assert not bob.open
    assert Left(room="#den", nick="bob", reason="kicked") in ann.hears()
    assert code_of(root.ask(Kick, nick="bob")) == "no_such_user"  # not online
    stage.enter("bob", session=bob.session)


# ------------------------------------------------------------------ mute


def test_who_is_muted_says_nothing_until_it_is_over(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    [answer] = ann.ask(Mute, nick="bob", room="#den", duration=60, reason="shouting")
    assert (answer.act, answer.until) == ("mute", "2023-11-14T22:31:00.000000Z")
    bob.hears()
    [error] = bob.say("#den", id="d")
    assert (error.code, error.re) == ("forbidden", "d")
    assert "muted in this room until 2023-11-14 22:31 UTC (shouting)" in error.message
    assert code_of(bob.ask(Topic, room="#den", text="ha")) == "forbidden"
    assert kinds(ann.say("#den")) == ["Posted"]
    bob.hears()
    stage.wait(61)
    assert kinds(bob.say("#den")) == ["Posted"]
    assert stage.book.sanctions == {}
    assert not stage.hub.hushed


def test_a_mute_is_for_one_room_and_can_be_undone(den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    ann.ask(Mute, nick="bob", room="#den")
    bob.join("#other")
    bob.hears()
    assert kinds(bob.say("#other")) == ["Posted"]
    assert "muted in this room." in bob.say("#den")[0].message
    [answer] = ann.ask(Unmute, nick="bob", room="#den")
    assert (answer.act, answer.nick) == ("unmute", "bob")
    assert kinds(bob.hears()) == ["Moderated"]
    assert kinds(bob.say("#den")) == ["Posted"]
    assert code_of(ann.ask(Unmute, nick="bob", room="#den")) == "no_such_user"


def test_a_mute_everywhere(stage: Stage, den: tuple[Person, Person, Person]) -> None:
    _, bob, carol = den
    root = enter_as(Role.ADMIN, "root", stage)
    root.ask(Mute, nick="bob", reason="spam")
    assert kinds(bob.hears()) == ["Moderated"]
    assert "muted on this server (spam)" in bob.say("#den")[0].message
    assert "muted on this server (spam)" in bob.say("@carol")[0].message
    assert kinds(bob.ask(Ping)) == ["ServerPong"]
    assert kinds(carol.say("@bob")) == ["Posted"]
    root.ask(Unmute, nick="bob")
    bob.hears()
    assert kinds(bob.say("@carol")) == ["Posted"]


def test_a_draft_that_was_stored_before_is_answered_though_its_author_is_muted(
    den: tuple[Person, Person, Person],
) -> None:
    ann, bob, _ = den
    [echo] = bob.say("#den", "hi", id="same")
    ann.ask(Mute, nick="bob", room="#den")
    bob.hears()
    assert bob.say("#den", "hi", id="same") == [echo]


def test_a_second_mute_replaces_the_first(stage: Stage, den: tuple[Person, Person, Person]) -> None:
    ann, _, _ = den
    ann.ask(Mute, nick="bob", room="#den", duration=60)
    ann.ask(Mute, nick="bob", room="#den", reason="for good")
    [row] = ann.ask(Bans, room="#den")[0].bans
    assert (row.act, row.nick, row.by, row.until, row.reason) == (
        *("mute", "bob", "ann"),
        *(None, "for good"),
    )
    assert len(stage.book.sanctions) == 1


# ------------------------------------------------------------------ ban


def test_who_is_banned_is_out_and_stays_out(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = den
    [answer, left] = ann.ask(Ban, nick="bob", room="#den", duration=3600, reason="spam")
    assert answer.until is not None
    assert left.reason == "banned until 2023-11-14 23:30 UTC (spam)"
    bob.hears()
    [error] = bob.ask(Join, room="#den")
    assert error.code == "forbidden"
    assert "banned from that room until 2023-11-14 23:30 UTC (spam)" in error.message
    assert code_of(bob.ask(Who, room="#den")) == "forbidden"
    bob.ask(ChangeNick, nick="robert")
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"  # it is the same person
    stage.restart()
    ann = stage.enter("ann", "#den", session=ann.session)
    bob = stage.enter("robert", session=bob.session)
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    ann.ask(Unban, nick="bob", room="#den")
    bob.join("#den")


def test_a_nick_can_be_banned_that_nobody_has(den: tuple[Person, Person, Person]) -> None:
    ann, bob, carol = den
    ann.ask(Ban, nick="troll", room="#den")
    bob.ask(Leave, room="#den")
    bob.ask(ChangeNick, nick="tro11")  # it looks like that one
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    carol.join("#den")


def test_a_ban_from_the_server_ends_what_is_there_and_lets_nobody_back(
    stage: Stage, den: tuple[Person, Person, Person]
) -> None:
    _, bob, carol = den
    root = enter_as(Role.OWNER, "root", stage)
    root.ask(Ban, nick="bob", reason="spam")
    *_, last = bob.hears()
    assert (last.code, last.fatal) == ("banned", True)
    assert "banned from this server (spam)" in last.message
    for nick, session in (("bob", bob.session), ("rob", bob.session), ("b0b", None)):
        again = stage.connection()
        [error] = again.tell(again.hello(nick, session)[1])
        assert (error.code, error.fatal) == ("banned", True)
        assert not again.open
    assert code_of(carol.ask(ChangeNick, nick="b0b")) == "forbidden"
    root.ask(Unban, nick="bob")
    stage.enter("bob", session=bob.session)


def test_an_account_is_banned_under_whatever_nick(stage: Stage) -> None:
    root = enter_as(Role.OWNER, "root", stage)
    eve = enter_as(Role.MEMBER, "eve", stage)
    eve.ask(ChangeNick, nick="mallory")
    assert code_of(root.ask(Ban, account="mallory")) == "no_such_user"
    [answer] = root.ask(Ban, account="EVE")
    assert (answer.account, answer.nick) == ("eve", None)
    assert eve.last.code == "banned"
    [answer] = root.ask(Unban, account="eve")
    assert (answer.act, answer.account) == ("unban", "eve")
    assert stage.book.sanctions == {}


@pytest.mark.parametrize(
    ("banned", "inside", "outside"),
    [
        ("192.0.2.7", "192.0.2.7:99", "192.0.2.8:99"),
        ("192.0.2.0/24", "192.0.2.8:99", "192.0.3.1:99"),
        ("192.0.2.0/24", "[::ffff:192.0.2.8]:99", "[::ffff:192.0.3.8]:99"),
        ("2001:db8::1", "[2001:db8::ffff:1]:99", "[2001:db8:0:1::1]:99"),
        ("2001:db8::/32", "[2001:db8:7::1]:99", "[2001:db9::1]:99"),
    ],
)
def test_a_network_is_kept_off(stage: Stage, banned: str, inside: str, outside: str) -> None:
    root = enter_as(Role.ADMIN, "root", stage)
    bob, carol = stage.enter("bob", peer=inside), stage.enter("carol", peer=outside)
    other_admin = enter_as(Role.OWNER, "boss", stage, peer=inside)
    waiting = stage.connection(inside)
    [answer] = root.ask(Ban, address=banned, duration=60, reason="flood")
    assert answer.address is not None
    assert (bob.open, carol.open, other_admin.open) == (False, True, True)
    assert bob.last.code == "banned"
    assert carol.hears() == []
    [error] = waiting.tell(waiting.hello("dave")[1])
    assert (error.code, error.fatal) == ("banned", True)
    assert "Your address is banned from this server until 2023-" in error.message
    stage.enter("erin", peer=outside)
    [row] = root.ask(Bans)[0].bans
    assert (row.address, row.reason) == (answer.address, "flood")
    root.ask(Unban, address=banned)
    stage.enter("fred", peer=inside)


def test_a_ban_of_a_network_is_over_in_time(stage: Stage) -> None:
    root = enter_as(Role.ADMIN, "root", stage)
    root.ask(Ban, address="192.0.2.0/24", duration=30)
    stage.mono += 31  # not swept yet
    assert stage.enter("bob", peer="192.0.2.1:1").open


def test_what_is_no_network_or_ones_own_is_refused(stage: Stage) -> None:
    root = enter_as(Role.ADMIN, "root", stage)
    assert code_of(root.ask(Ban, address="nonsense")) == "bad_envelope"
    assert code_of(root.ask(Ban, address="0.0.0.0/0")) == "forbidden"
    assert code_of(root.ask(Ban, address="::/1")) == "forbidden"
    assert code_of(root.ask(Ban, address="127.0.0.0/8")) == "forbidden"
    assert code_of(root.ask(Unban, address="192.0.2.7")) == "no_such_user"
    odd = enter_as(Role.ADMIN, "odd", stage, peer="a pipe")
    assert kinds(odd.ask(Ban, address="192.0.2.7")) == ["Moderated"]
    stage.enter("bob", peer="a pipe")


def test_a_reason_is_one_line_that_can_be_shown(den: tuple[Person, Person, Person]) -> None:
    ann, _, _ = den
    assert code_of(ann.ask(Mute, nick="bob", room="#den", reason="a\nb")) == "bad_text"
    assert code_of(ann.ask(Mute, nick="bob", room="#den", reason="a\x07")) == "bad_text"
    assert ann.ask(Mute, nick="bob", room="#den", reason="  ")[0].reason is None


def test_a_long_reason_still_makes_a_short_error(den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    ann.ask(Ban, nick="bob", room="#den", duration=60, reason="😀" * 200)
    bob.hears()
    assert "😀" in bob.ask(Join, room="#den")[0].message  # the stage looks at its length


def test_there_are_only_so_many(
    stage: Stage, den: tuple[Person, Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _, _ = den
    monkeypatch.setattr("securechat.chat.sanctions.MAX_PER_ROOM", 2)
    ann.ask(Ban, nick="one", room="#den")
    ann.ask(Ban, nick="two", room="#den")
    assert code_of(ann.ask(Ban, nick="three", room="#den")) == "forbidden"
    assert kinds(ann.ask(Ban, nick="two", room="#den")) == ["Moderated"]  # in place of the old one
    assert len(stage.book.sanctions) == 2


def test_the_disk_may_be_full(stage: Stage, den: tuple[Person, Person, Person]) -> None:
    ann, bob, _ = den
    stage.book.full = True
    ann.ask(Ban, nick="bob", room="#den")
    bob.hears()
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    stage.book.full = False
    ann.ask(Ping)
    stage.restart()
    bob = stage.enter("bob", session=bob.session)
    assert code_of(bob.ask(Join, room="#den")) == "forbidden"
    assert acts(stage) == [("ann", "ban", "#den", "bob")]


# ------------------------------------------------------------------ private rooms


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


# ------------------------------------------------------------------ other settings


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


# ------------------------------------------------------------------ moderators and owners


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
