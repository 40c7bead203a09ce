"""A session proves who one is, for as long as it lives."""

from __future__ import annotations

import pytest

from securechat.chat.effects import Keep
from securechat.protocol.envelopes import (
    Join,
    Left,
    Quit,
    Renamed,
)
from securechat.records import ForgetIdentity

from .stage import Stage, code_of, kinds

DAY = 86_400.0


def test_a_session_brings_back_the_same_identity(stage: Stage) -> None:
    bob = stage.enter("bob")
    bob.cut()
    again = stage.connection()
    stage.batch(again.hello("bob", bob.session))
    [welcome] = again.hears()
    assert (welcome.nick, welcome.session) == ("bob", bob.session)
    assert len(stage.hub.identities) == 1


def test_without_the_session_a_nick_is_taken(stage: Stage) -> None:
    stage.enter("bob").ask(Quit)
    stranger = stage.connection()
    stage.batch(stranger.hello("bob"), stranger.hello("bob", "guessed"))
    assert [error.code for error in stranger.hears()] == ["nick_taken", "nick_taken"]


@pytest.mark.parametrize("session", ["", "unknown", "token-1 ", "x" * 4_000])
def test_an_unknown_session_is_as_good_as_none(stage: Stage, session: str) -> None:
    stage.enter("ann")
    bob = stage.connection()
    stage.batch(bob.hello("bob", session))
    [welcome] = bob.hears()
    assert welcome.session == "token-2"


def test_coming_back_under_another_nick_is_a_rename(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    other = stage.enter("bob", session=bob.session)
    bob.cut()
    ann.hears()
    rob = stage.connection()
    stage.batch(rob.hello("rob", bob.session))
    [welcome] = rob.hears()
    assert (welcome.nick, welcome.session) == ("rob", bob.session)
    assert ann.hears() == other.hears() == [Renamed(old="bob", nick="rob")]
    assert stage.book.identities[2].former == (("bob", stage.now.wall + DAY),)


def test_coming_back_under_a_nick_that_is_taken_is_refused(stage: Stage) -> None:
    stage.enter("ann")
    bob = stage.enter("bob")
    again = stage.connection()
    stage.batch(again.hello("ann", bob.session))
    assert code_of(again.hears()) == "nick_taken"
    assert stage.hub.identities.by_nick("bob") is not None


def test_a_session_lives_for_days_after_its_last_use(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.wait(20 * DAY)  # while connected it does not age
    bob.cut()
    stage.wait(7 * DAY)
    assert stage.hub.identities.by_nick("bob") is not None
    stage.wait(60)
    assert stage.effects == [Keep(ForgetIdentity(1))]
    assert stage.book.identities == {}
    again = stage.connection()
    stage.batch(again.hello("bob", bob.session))
    [welcome] = again.hears()
    assert welcome.session != bob.session
    assert list(stage.book.identities) == [2]


def test_after_a_crash_a_session_has_lost_a_day_of_its_life_at_most(stage: Stage) -> None:
    """Nobody told the store of the last use: it is noted while a connection lasts."""
    bob = stage.enter("bob")
    stage.wait(20 * DAY)
    stage.restart(crash=True, down=6 * DAY - 60)
    assert stage.enter("bob", session=bob.session).session == bob.session


def test_a_session_that_lapsed_while_the_server_was_down_has_lapsed(stage: Stage) -> None:
    stage.enter("bob").ask(Quit)
    stage.restart(down=7 * DAY + 1)
    assert stage.effects == [Keep(ForgetIdentity(1))]
    assert stage.enter("bob").session == "token-2"


def test_a_session_lapses_in_time_not_when_somebody_looks() -> None:
    stage = Stage(guest_days=5 / DAY)
    bob, ann = stage.enter("bob", "#a"), stage.enter("ann", "#a")
    bob.ask(Quit)
    ann.ask(Quit)
    stage.wait(6)  # the next look at all of them is in 54 s
    assert stage.enter("bob").session == "token-3"
    assert stage.enter("anna", session=ann.session).session == "token-4"


def test_who_is_held_does_not_lapse(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    stage.restart(crash=True, down=8 * DAY)
    again = stage.enter("bob", "#a", session=bob.session)
    assert again.session == bob.session
    assert len(stage.hub.identities) == 1


def test_quit_keeps_the_session(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    bob.ask(Quit)
    assert ann.hears() == [Left(room="#a", nick="bob")]
    stage.wait(6 * DAY)
    again = stage.enter("bob", session=bob.session)
    assert again.session == bob.session
    assert kinds(again.ask(Join, room="#a")) == ["Joined"]


def test_the_last_use_of_a_session_is_stored_when_it_ends(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.wait(100)
    bob.ask(Quit)
    assert stage.book.identities[1].used == stage.now.wall


def test_a_session_that_could_not_be_stored_is_not_told(stage: Stage) -> None:
    stage.book.full = True
    bob = stage.enter("bob")
    assert bob.session is None
    assert bob.open
    assert kinds(bob.ask(Join, room="#a")) == ["Joined"]


def test_a_nick_that_nobody_can_prove_is_free_soon_after(stage: Stage) -> None:
    stage.book.full = True
    bob = stage.enter("bob", "#a")
    stage.book.full = False
    stage.wait(120)
    bob.cut()
    stranger = stage.connection()
    stage.batch(stranger.hello("bob"))
    assert code_of(stranger.hears()) == "nick_taken"  # still held in the room
    stage.wait(90)
    assert stage.enter("bob").session is not None
    assert list(stage.book.identities) == [2]


def test_a_session_stored_before_outlives_a_full_disk(stage: Stage) -> None:
    bob = stage.enter("bob")
    bob.ask(Quit)
    stage.book.full = True
    again = stage.enter("bob", session=bob.session)
    assert again.session == bob.session
    again.ask(Quit)
    stage.book.full = False
    stage.wait(600)
    assert stage.enter("bob", session=bob.session).session == bob.session


def test_who_was_let_in_and_ended_in_one_batch_is_known_all_the_same(
    stage: Stage,
) -> None:
    bob = stage.connection()
    stage.batch(bob.hello("bob"), bob.wants(Quit))
    assert kinds(bob.hears()) == ["Welcome", "Bye"]
    assert stage.enter("bob", session=bob.session).open


def test_who_comes_back_under_a_nick_that_is_none_any_more_chooses_another(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    stage.book.identities[2] = stage.book.identities[2]._replace(nick="server")
    stage.restart(crash=True)
    ann = stage.enter("ann", session=ann.session)
    assert kinds(ann.say("@server", "are you there?")) == ["Posted"]  # it waits
    again = stage.connection()
    stage.batch(again.hello("server", bob.session), again.hello("bob", bob.session))
    refusal, welcome = again.hears()
    assert refusal.code == "nick_taken"
    assert (welcome.nick, welcome.session) == ("bob", bob.session)
    assert ann.hears() == [Renamed(old="server", nick="bob")]
