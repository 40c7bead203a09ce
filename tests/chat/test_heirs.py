"""A guest who owns a room becomes an account: the room goes along."""

from __future__ import annotations

from typing import Any

from securechat.protocol.envelopes import (
    AccountIs,
    Appoint,
    Ban,
    Leave,
    Login,
    Moderated,
    Register,
    RoomSettings,
)

from .stage import Person, Stage, code_of
from .test_auth import GOOD, registered


def rules(person: Person, room: str = "#den") -> Any:
    [is_] = person.ask(RoomSettings, room=room)
    return is_


def log_in(guest: Person, account: str) -> list[Any]:
    return guest.ask(Login, nick=account, password=GOOD)


def test_who_registers_keeps_the_room(stage: Stage) -> None:
    ann = stage.enter("ann", "#den")
    ann.ask(RoomSettings, room="#den", private=True)
    ann.ask(Register, password=GOOD)
    assert rules(ann).owner == "ann"
    stage.restart()
    ann = stage.enter("ann", "#den", session=ann.session)
    assert (rules(ann).owner, rules(ann).private) == ("ann", True)


def test_who_logs_in_takes_the_room_along_and_all_are_told(stage: Stage) -> None:
    registered(stage, "ann")
    guest, bob = stage.enter("ann-away", "#den"), stage.enter("bob", "#den")
    guest.ask(RoomSettings, room="#den", private=True)
    bob.hears()
    heard = log_in(guest, "ann")
    event = Moderated(act="hand_over", by="ann-away", room="#den", nick="ann", reason="logged in")
    assert heard[0] == event
    assert isinstance(heard[-1], AccountIs)
    assert bob.hears()[0] == event
    assert (rules(guest).owner, rules(guest).moderators) == ("ann", ())
    guest.ask(Appoint, room="#den", nick="bob")
    assert rules(guest).moderators == ("bob",)
    [act] = [it for it in stage.book.audit if it.act == "hand_over"]
    assert (act.nick, act.room, act.subject, act.reason) == (
        *("ann-away", "#den", "ann", "logged in"),
    )
    stage.restart()
    assert rules(stage.enter("bob", session=bob.session)).owner == "ann"


def test_a_room_that_the_guest_is_not_in_goes_along_too(stage: Stage) -> None:
    registered(stage, "ann")
    guest = stage.enter("guest", "#den", "#other")
    stage.enter("bob", "#other", "#theirs")
    guest.say("#den")
    guest.ask(Leave, room="#den")
    told = [it.room for it in log_in(guest, "ann") if isinstance(it, Moderated)]
    assert told == ["#den", "#other"]
    assert rules(guest).owner == "ann"
    assert rules(guest, "#theirs").owner == "bob"


def test_where_the_guest_goes_on_elsewhere_they_moderate_it(stage: Stage) -> None:
    registered(stage, "ann")
    guest = stage.enter("guest", "#den")
    stage.enter("guest", "#den", session=guest.session)
    log_in(guest, "ann")
    assert (rules(guest).owner, rules(guest).moderators) == ("ann", ("guest",))


def test_a_room_from_which_the_account_is_banned_stays_behind(stage: Stage) -> None:
    registered(stage, "eve")
    guest, bob = stage.enter("guest", "#den"), stage.enter("bob", "#den")
    guest.ask(Ban, nick="eve", room="#den")
    assert "hand_over" not in [it.act for it in log_in(guest, "eve") if isinstance(it, Moderated)]
    assert rules(bob).owner == "guest"


def test_what_others_gave_to_the_guest_stays_with_the_guest(stage: Stage) -> None:
    registered(stage, "ann")
    bob, guest = stage.enter("bob", "#den"), stage.enter("guest", "#den")
    bob.ask(RoomSettings, room="#den", private=True)
    log_in(guest, "ann")
    assert code_of(guest.say("#den")) == "no_such_room"
    assert (rules(bob).owner, rules(bob).admitted) == ("bob", ("guest",))
