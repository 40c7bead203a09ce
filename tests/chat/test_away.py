"""Who is away, who hears of it, and when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.link_events import Levelled
from securechat.protocol.envelopes import (
    AwayIs,
    ChangeNick,
    Error,
    GoAway,
    Members,
    Ping,
    Pong,
    Posted,
    Quit,
    Who,
    Whois,
    WhoisIs,
)

from .stage import Person, Stage, code_of


@pytest.fixture
def stage() -> Stage:
    return Stage()


def away(heard: list[Any]) -> list[tuple[str, str | None]]:
    return [(it.nick, it.text) for it in heard if isinstance(it, AwayIs)]


def listed(person: Person, room: str | None = None) -> dict[str, str | None]:
    [members] = person.ask(Who, **({"room": room} if room else {}))
    assert isinstance(members, Members)
    return {member.nick: member.away for member in members.members}


def test_whoever_shares_a_room_or_talks_directly_is_told(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a", "#b"), stage.enter("bob", "#a", "#b")
    carol, dave = stage.enter("carol"), stage.enter("dave", "#c")
    ann.say("@carol")
    for person in (ann, bob, carol, dave):
        person.hears()
    assert ann.ask(GoAway, text="lunch") == [AwayIs(nick="ann", text="lunch", re="q")]
    assert away(bob.hears()) == away(carol.hears()) == [("ann", "lunch")]
    assert dave.hears() == []
    assert ann.ask(GoAway) == [AwayIs(nick="ann", re="q")]
    assert away(bob.hears()) == [("ann", None)]


def test_what_is_no_news_is_answered_and_told_to_nobody(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    assert away(ann.ask(GoAway)) == [("ann", None)]
    assert away(ann.ask(GoAway, text="lunch")) == away(ann.ask(GoAway, text="lunch"))
    assert away(bob.hears()) == [("ann", "lunch")]
    assert away(ann.ask(GoAway, text="tea")) == [("ann", "tea")]
    assert away(bob.hears()) == [("ann", "tea")]


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\x07b"])
def test_a_word_that_may_not_be_said_is_refused(stage: Stage, text: str) -> None:
    ann = stage.enter("ann")
    assert code_of(ann.ask(GoAway, text=text)) == "bad_text"
    assert listed(ann) == {"ann": None}


def test_lists_show_it(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.ask(GoAway, text="lunch")
    assert listed(bob) == listed(bob, "#a") == {"ann": "lunch", "bob": None}
    assert listed(bob, "@ann") == {"ann": "lunch"}


def test_who_writes_to_one_who_is_away_is_told_once(stage: Stage) -> None:
    ann, bob, carol = stage.enter("ann"), stage.enter("bob"), stage.enter("carol")
    ann.ask(GoAway, text="lunch")
    first = bob.say("@ann")
    assert isinstance(first[0], Posted)
    assert away(first) == [("ann", "lunch")]
    assert away(bob.say("@ann")) == []
    assert away(carol.say("@ann")) == [("ann", "lunch")]
    ann.ask(GoAway, text="tea")
    bob.hears()
    assert away(bob.say("@ann")) == [("ann", "tea")]


def test_nobody_is_told_of_themselves_or_for_what_is_said_elsewhere(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    stage.enter("carol")
    ann.ask(GoAway, text="lunch")
    bob.hears()
    assert away(ann.say("@ann")) == []
    assert away(ann.say("@carol")) == []
    assert away(bob.say("#a")) == []
    assert away(bob.say("@carol")) == []


def test_it_outlives_a_lost_link_and_another_nick(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.ask(GoAway, text="lunch")
    ann.cut()
    stage.wait(60)
    bob.hears()
    assert away(bob.say("@ann")) == [("ann", "lunch")]
    again = stage.enter("ann", session=ann.session)
    again.ask(ChangeNick, nick="anna")
    assert listed(bob) == {"anna": "lunch", "bob": None}


def test_it_ends_when_they_quit(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.ask(GoAway, text="lunch")
    ann.ask(Quit)
    bob.hears()
    assert away(bob.say("@ann")) == []
    assert stage.hub.absences == {}


def test_it_ends_with_the_last_connection_that_quits(stage: Stage) -> None:
    ann = stage.enter("ann")
    other = stage.enter("ann", session=ann.session)
    ann.ask(GoAway, text="lunch")
    ann.ask(Quit)
    assert listed(other) == {"ann": "lunch"}


def test_it_ends_when_the_session_lapses() -> None:
    stage = Stage(guest_days=1)
    ann = stage.enter("ann", "#a")
    ann.ask(GoAway, text="lunch")
    ann.cut()
    stage.wait(2 * 86_400)
    assert stage.hub.absences == {}


# ------------------------------------------------------------------ whois


def whois(person: Person, nick: str) -> WhoisIs:
    [answer] = person.ask(Whois, nick=nick)
    assert isinstance(answer, WhoisIs), answer
    return answer


def test_whois_tells_of_the_rooms_that_both_are_in(stage: Stage) -> None:
    ann = stage.enter("ann", "#c", "#a", "#b")
    stage.enter("bob", "#d", "#b", "#c")
    assert whois(ann, "bob") == WhoisIs(
        nick="bob", role="guest", online=True, idle=0, rooms=("#b", "#c"), re="q"
    )
    assert whois(ann, "@ann").rooms == ("#a", "#b", "#c")


def test_whois_tells_how_long_one_has_done_nothing(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    bob.ask(GoAway, text="lunch")
    stage.wait(50)
    bob.tell(Ping(id="1"), Pong(id="2"), Levelled("#a"))
    stage.wait(11)
    told = whois(ann, "BOB")
    assert (told.nick, told.idle, told.away, told.held) == ("bob", 61, "lunch", False)
    bob.say("#a")
    assert whois(ann, "bob").idle == 0


def test_whois_tells_when_one_was_seen(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob", "#a")
    bob.cut()
    held = whois(ann, "bob")
    assert (held.online, held.held, held.idle) == (False, True, None)
    stage.wait(100)
    gone = whois(ann, "bob")
    assert (gone.online, gone.held, gone.rooms) == (False, False, ())
    assert gone.seen == held.seen == "2023-11-14T22:30:00.000000Z"


def test_whois_does_not_know_when_one_was_who_never_spoke(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.connection()
    stage.batch(bob.hello("bob"))
    bob.cut()
    assert whois(ann, "bob").seen is None


def test_whois_of_nobody_is_refused(stage: Stage) -> None:
    ann = stage.enter("ann")
    [error] = ann.ask(Whois, nick="bob")
    assert isinstance(error, Error)
    assert error.code == "no_such_user"
    ann.ask(ChangeNick, nick="anna")
    [error] = ann.ask(Whois, nick="ann")
    assert "anna" in error.message
