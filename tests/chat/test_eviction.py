"""Who may be in a room no longer is put out, and nobody acts above their rank by a detour."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.chat import charter as charters
from securechat.chat.admin import SetRole
from securechat.chat.roles import Role
from securechat.protocol.envelopes import (
    Appoint,
    Ban,
    ChangeNick,
    Dismiss,
    Join,
    Kick,
    Left,
    Login,
    Moderated,
    Mute,
    Quit,
    RoomSettings,
    Unmute,
)

from .enrolling import GOOD, registered
from .people import enter_as
from .stage import Stage, code_of, kinds

# ------------------------------------------------------------------ above one's rank


def test_a_moderator_bans_nobody_above_them_by_a_look_alike(stage: Stage) -> None:
    ann, bob = stage.enter("troll", "#den"), stage.enter("bob", "#den")
    ann.ask(Appoint, room="#den", nick="bob")
    bob.hears()
    assert code_of(bob.ask(Ban, nick="tro11", room="#den")) == "forbidden"
    assert kinds(ann.say("#den")) == ["Posted"]


def test_a_ban_of_a_look_alike_puts_out_whom_it_looks_like(stage: Stage) -> None:
    ann, eve = stage.enter("ann", "#den"), stage.enter("tro11", "#den")
    ann.ask(Ban, nick="troll", room="#den")
    eve.hears()
    assert code_of(eve.say("#den")) == "not_a_member"
    assert code_of(eve.ask(Join, room="#den")) == "forbidden"


def out(act: str, nick: str, by: str = "ann", **keys: Any) -> Moderated:
    return Moderated(act=act, by=by, room="#den", nick=nick, **keys)


def test_who_reads_slowly_hears_that_they_were_put_out(stage: Stage) -> None:
    """A notice passes by who is behind, and no `level` comes where nothing is subscribed any more:
    without a word they would believe to be in the room for ever."""
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob", "#den")
    bob.behind = True
    ann.ask(Kick, nick="bob", room="#den")
    assert bob.hears() == [out("kick", "bob")]
    bob.join("#den")
    ann.ask(Ban, nick="bob", room="#den")
    assert bob.hears() == [out("ban", "bob")]
    ann.ask(RoomSettings, room="#den", private=True)
    root = enter_as(Role.ADMIN, "root", stage)
    root.join("#den")
    root.behind = True
    root.hears()
    stage.ask(SetRole(name="root", role=Role.MEMBER))
    assert out("kick", "root", by="server", reason="not let in any more") in root.hears()


def test_whom_a_ban_meets_by_another_name_hears_their_own(stage: Stage) -> None:
    """A client knows by its nick that it is meant, and does not join that room again."""
    registered(stage, "eve")
    ann, like = stage.enter("ann", "#den"), stage.enter("tro11", "#den")
    eve = stage.enter("guest")
    eve.ask(Login, nick="eve", password=GOOD)
    eve.ask(ChangeNick, nick="adam")
    eve.join("#den")
    for person in (like, eve):
        person.hears()
    ann.ask(Ban, nick="troll", room="#den")
    assert like.hears() == [out("ban", "tro11")]
    eve.hears()
    ann.ask(Ban, account="eve", room="#den")
    assert eve.hears() == [out("ban", "adam", account="eve")]


def test_nobody_undoes_what_holds_for_themselves(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob", "#den")
    ann.ask(Appoint, room="#den", nick="bob")
    ann.ask(Mute, room="#den", nick="bob")
    bob.hears()
    assert code_of(bob.ask(Unmute, room="#den", nick="bob")) == "forbidden"
    assert code_of(bob.say("#den")) == "forbidden"
    ann.ask(Unmute, room="#den", nick="bob")


# ------------------------------------------------------------------ in a room without a right


def test_who_logs_in_takes_no_place_in_a_room_that_the_account_may_not_enter(stage: Stage) -> None:
    registered(stage, "eve")
    ann = stage.enter("ann", "#den", "#lobby")
    ann.ask(Ban, nick="eve", room="#den")
    guest = stage.enter("guest", "#den", "#lobby")
    ann.hears()
    heard = guest.ask(Login, nick="eve", password=GOOD)
    assert Left(room="#den", nick="guest", reason=None) in ann.hears()
    assert "AccountIs" in kinds(heard)
    assert code_of(guest.say("#den")) == "not_a_member"
    assert kinds(guest.say("#lobby")) == ["Posted"]


def test_an_admin_that_is_none_any_more_leaves_the_private_rooms(stage: Stage) -> None:
    ann = stage.enter("ann", "#den")
    ann.ask(RoomSettings, room="#den", private=True)
    root = enter_as(Role.ADMIN, "root", stage)
    root.join("#den", "#lobby")
    stage.ask(SetRole(name="root", role=Role.MEMBER))
    root.hears()
    ann.say("#den", "among us")
    assert root.hears() == []
    assert kinds(root.say("#lobby")) == ["Posted"]


def test_nor_are_they_held_there_while_their_link_is_lost(stage: Stage) -> None:
    ann = stage.enter("ann", "#den")
    ann.ask(RoomSettings, room="#den", private=True)
    root = enter_as(Role.ADMIN, "root", stage)
    root.join("#den")
    root.cut()
    ann.hears()
    stage.ask(SetRole(name="root", role=Role.MEMBER))
    assert ann.hears() == [Left(room="#den", nick="root", reason="not let in any more")]


def test_a_nick_that_is_banned_in_a_room_is_not_taken_in_it(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob", "#den")
    ann.ask(Ban, nick="troll", room="#den")
    bob.hears()
    assert code_of(bob.ask(ChangeNick, nick="troll")) == "forbidden"
    back = stage.connection()
    assert code_of(back.tell(back.hello("troll", bob.session)[1])) == "forbidden"
    assert kinds(bob.say("#den")) == ["Posted"]


def test_more_than_may_be_let_in_are_too_many_for_a_private_room(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charters, "MAX_ADMITTED", 1)
    monkeypatch.setattr("securechat.chat.ruling.MAX_ADMITTED", 1)
    ann, bob, carol = (stage.enter(nick, "#den") for nick in ("ann", "bob", "carol"))
    assert code_of(ann.ask(RoomSettings, room="#den", private=True)) == "forbidden"
    assert kinds(carol.say("#den")) == ["Posted"]
    ann.ask(Kick, room="#den", nick="carol")
    ann.ask(RoomSettings, room="#den", private=True)
    assert bob.hears()
    assert stage.hub.rooms["#den"].charter is not None


def test_a_moderator_who_is_dismissed_and_for_whom_no_place_is_left_is_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charters, "MAX_ADMITTED", 1)
    monkeypatch.setattr("securechat.chat.ruling.MAX_ADMITTED", 1)
    ann, bob, carol = (stage.enter(nick, "#den") for nick in ("ann", "bob", "carol"))
    ann.ask(Appoint, room="#den", nick="bob")
    ann.ask(RoomSettings, room="#den", private=True)
    ann.ask(Dismiss, room="#den", nick="bob")
    carol.hears()
    bob.hears()
    assert code_of(bob.say("#den")) == "no_such_room"
    assert kinds(carol.say("#den")) == ["Posted"]


# ------------------------------------------------------------------ a voice that was taken away


def test_who_is_muted_says_nothing_by_leaving(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob", "#den")
    ann.ask(Mute, nick="bob", room="#den")
    ann.hears()
    bob.ask(Quit, reason="you are all fools")
    assert ann.hears() == [Left(room="#den", nick="bob")]


def test_in_a_read_only_room_nobody_speaks_by_leaving(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#den"), stage.enter("bob", "#den")
    ann.ask(RoomSettings, room="#den", read_only=True)
    ann.hears()
    bob.ask(Quit, reason="buy tulips")
    assert ann.hears() == [Left(room="#den", nick="bob")]


# ------------------------------------------------------------------ nobody uses up what admins need


def test_bans_in_rooms_leave_admins_room_for_theirs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("securechat.chat.sanctions.MAX_SANCTIONS", 2)
    root, eve = enter_as(Role.ADMIN, "root", stage), stage.enter("eve", "#den")
    for nick in ("one", "two"):
        assert kinds(eve.ask(Ban, nick=nick, room="#den")) == ["Moderated"]
    assert code_of(eve.ask(Ban, nick="three", room="#den")) == "forbidden"
    assert kinds(root.ask(Ban, nick="eve")) == ["Moderated"]
    assert not eve.open
