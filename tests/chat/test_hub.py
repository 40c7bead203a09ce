"""The hub as a whole: coming in, being answered, going away, and what a failure does to others."""

from __future__ import annotations

import logging

import pytest

from securechat.chat.effects import Close, Keep, Send
from securechat.chat.endings import MAX_TRIES
from securechat.chat.hub import FEATURES
from securechat.chat.jokes import JOKES
from securechat.chat.nicks import MAX_LENGTH
from securechat.link_events import Arrived, Levelled, Lost
from securechat.protocol.codec import Refusal
from securechat.protocol.envelopes import (
    Bye,
    Error,
    Join,
    Joke,
    JokeIs,
    Leave,
    Left,
    Level,
    Limits,
    Ping,
    Pong,
    Quit,
    ServerPong,
    Time,
    TimeIs,
    Topic,
    Welcome,
)

from .book import TS
from .stage import Stage, kinds

# ------------------------------------------------------------------ hello


def test_hello_is_answered_with_welcome(stage: Stage) -> None:
    bob = stage.connection()
    stage.batch(bob.hello("Bob"))
    assert bob.hears() == [
        Welcome(
            protocol=1,
            server="stage",
            version="0",
            nick="Bob",
            session="token-1",
            epoch="epoch",
            limits=Limits(
                max_frame=65_536, max_text=4_000, rate=20, burst=100, presence=500, idle_timeout=90
            ),
            features=FEATURES,
            motd="be kind",
            re="h",
        )
    ]


@pytest.mark.parametrize(
    ("protocol", "nick", "code", "fatal"),
    [
        (0, "bob", "bad_protocol", True),
        (2, "bob", "bad_protocol", True),
        (1, "", "bad_nick", False),
        (1, "-bob", "bad_nick", False),
        (1, "two words", "bad_nick", False),
        (1, "x" * (MAX_LENGTH + 1), "bad_nick", False),
        (1, "server", "nick_taken", False),
        (1, "ann", "nick_taken", False),
        (1, "ANN", "nick_taken", False),
        (1, "аnn", "nick_taken", False),  # a Cyrillic а
    ],
)
def test_a_wrong_hello_is_told_why(
    stage: Stage, protocol: int, nick: str, code: str, fatal: bool
) -> None:
    stage.enter("ann")
    bob = stage.connection()
    stage.batch(bob.hello(nick, protocol=protocol))
    [error] = bob.hears()
    assert (error.code, error.fatal, error.re) == (code, fatal, "h")
    assert bob.open is not fatal


def test_a_refused_hello_is_marked_so_that_the_next_one_is_looked_at(stage: Stage) -> None:
    bob = stage.connection()
    stage.batch(bob.hello(""))
    [refusal] = stage.effects
    assert isinstance(refusal, Send)
    assert refusal.answers_hello
    stage.batch(bob.hello("bob"))
    assert kinds(bob.hears()) == ["Error", "Welcome"]


def test_the_third_refused_hello_is_the_last(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.enter("ann")
    bob = stage.connection()
    for nick in ["", "ann", "server"]:
        stage.batch(bob.hello(nick))
    heard = bob.hears()
    assert MAX_TRIES == len(heard) == 3
    assert [(error.code, error.fatal) for error in heard] == [
        ("bad_nick", False),
        ("nick_taken", False),
        ("nick_taken", True),
    ]
    assert not bob.open
    assert bob.number not in stage.hub.sessions
    assert "connection 2: refused for good: nick_taken" in caplog.text


def test_a_full_server_says_so_and_when_to_come_back() -> None:
    stage = Stage(connections=1)
    ann = stage.enter("ann")
    bob = stage.connection()
    stage.batch(bob.hello("bob"))
    [error] = bob.hears()
    assert (error.code, error.fatal, error.retry_after) == ("server_full", True, 30)
    ann.cut()
    assert stage.enter("bob").open


# ------------------------------------------------------------------ small answers


def test_time_is_the_time_of_the_batch(stage: Stage) -> None:
    assert stage.enter("bob").ask(Time) == [TimeIs(now=TS, re="q")]


def test_a_joke_is_one_of_ours(stage: Stage) -> None:
    assert stage.enter("bob").ask(Joke) == [JokeIs(text=JOKES[0], re="q")]


def test_a_ping_is_answered_behind_everything_else(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    stage.batch(bob.draft("#a", "one"), bob.wants(Ping), bob.wants(Time, id="t"))
    assert kinds(bob.hears()) == ["Posted", "ServerPong", "TimeIs"]
    assert Send(bob.number, ServerPong(re="q"), fence=True) in stage.effects


def test_a_pong_is_not_answered(stage: Stage) -> None:
    bob = stage.enter("bob")
    assert bob.ask(Pong, token="alive") == []
    assert bob.open


def test_a_polite_no_of_the_wire_is_passed_on(stage: Stage) -> None:
    bob = stage.enter("bob")
    heard = bob.tell(Refusal("bad_envelope", "`to` is missing. Mend it.", "x"))
    assert heard == [Error(code="bad_envelope", message="`to` is missing. Mend it.", re="x")]
    assert bob.open


def test_a_broken_rule_of_the_wire_ends_the_connection_and_not_the_presence(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    heard = bob.tell(Refusal("bad_json", "That is no JSON. Mend it.", fatal=True))
    assert heard == [Error(code="bad_json", message="That is no JSON. Mend it.", fatal=True)]
    assert not bob.open
    assert ann.hears() == []
    stage.wait(30)
    assert ann.hears() == [Left(room="#a", nick="bob", reason="connection lost")]


def test_a_broken_rule_before_hello_ends_the_connection_too(stage: Stage) -> None:
    stranger = stage.connection()
    stranger.tell(Refusal("hello_first", "Say `hello` before anything else. Do.", fatal=True))
    assert not stranger.open


# ------------------------------------------------------------------ falling behind


def test_who_was_behind_in_a_room_is_told_how_things_stand(stage: Stage) -> None:
    bob = stage.enter("bob", "#a", "#b")
    bob.ask(Topic, room="#a", text="news")
    bob.say("#a")
    stage.enter("ann", "#a")
    bob.hears()
    assert bob.tell(Levelled("#a")) == [Level(room="#a", seq=1, count=2, topic="news")]
    assert bob.tell(Levelled("#b")) == [Level(room="#b", seq=0, count=1, topic="")]


def test_who_was_behind_in_a_direct_conversation_is_told_too(stage: Stage) -> None:
    ann, bob = stage.enter("ann"), stage.enter("bob")
    ann.say("@bob")
    bob.hears()
    assert bob.tell(Levelled("@1:2")) == [Level(room="@ann", seq=1, count=2, topic="")]
    ann.say("@ann")
    ann.hears()
    assert ann.tell(Levelled("@1:1")) == [Level(room="@ann", seq=1, count=1, topic="")]


def test_who_has_left_meanwhile_is_told_nothing(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.say("#a")
    bob.ask(Leave, room="#a")
    assert bob.tell(Levelled("#a")) == []


def test_the_end_of_a_conversation_with_somebody_who_is_no_more_is_no_news() -> None:
    stage = Stage(guest_days=1.0)
    ann, bob = stage.enter("ann"), stage.enter("bob")
    bob.say("@ann")
    ann.cut()
    stage.wait(2 * 86_400)
    bob.hears()
    assert bob.tell(Levelled("@1:2")) == []


# ------------------------------------------------------------------ going away


def test_quit_is_answered_with_bye_and_frees_the_room_at_once(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    assert bob.ask(Quit, reason="supper") == [Bye(reason="quit", re="q")]
    assert not bob.open
    assert ann.hears() == [Left(room="#a", nick="bob", reason="supper")]


@pytest.mark.parametrize("keys", [{}, {"reason": ""}])
def test_quit_needs_no_reason(stage: Stage, keys: dict[str, str]) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    bob.ask(Quit, **keys)
    assert ann.hears() == [Left(room="#a", nick="bob")]


@pytest.mark.parametrize("reason", ["\x1b[2J", " "])
def test_a_reason_that_may_not_be_said_keeps_nobody_here(stage: Stage, reason: str) -> None:
    """Behind `quit` nothing is read: a refusal would leave a connection that hangs."""
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    refusal, bye = bob.ask(Quit, reason=reason)
    assert (refusal.code, refusal.re, refusal.fatal) == ("bad_text", "q", False)
    assert bye == Bye(reason="quit", re="q")
    assert ann.hears() == [Left(room="#a", nick="bob")]


def test_a_lost_link_before_hello_leaves_nothing_behind(stage: Stage) -> None:
    stranger = stage.connection()
    stranger.cut()
    assert stage.hub.sessions == {}
    assert stage.effects == []


def test_what_comes_late_is_ignored(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    bob.ask(Quit)
    ann.hears()
    stage.batch(
        bob.draft("#a", "still here"),
        bob.wants(Join, room="#b"),
        (bob.number, Lost("closed by the peer")),
        (bob.number, Levelled("#a")),
        (77, Lost("never seen")),
    )
    assert stage.effects == []
    assert ann.hears() == []


def test_a_session_shows_itself_by_number_and_person(stage: Stage) -> None:
    stranger, bob = stage.connection(), stage.enter("bob")
    assert repr(stage.hub.sessions[stranger.number]) == "<Session 1 None>"
    assert repr(stage.hub.sessions[bob.number]) == "<Session 2 <Identity 1 bob>>"


def test_an_arrival_is_told_once_and_changes_nothing_later(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    assert bob.tell(Arrived("127.0.0.1")) == []
    assert bob.say("#a") != []


def test_shutdown_says_bye_to_all_and_keeps_who_is_where(stage: Stage) -> None:
    ann, stranger = stage.enter("ann", "#a"), stage.connection()
    gone = stage.enter("gone", "#a")
    gone.cut()
    ann.hears()
    stage.wait(5)
    effects = stage.hub.farewell("shutdown", 1.0, stage.now)
    bye = Bye(reason="shutdown", retry_after=1.0)
    record = stage.book.identities[1]._replace(used=stage.now.wall)
    assert effects == [Close(ann.number, bye), Close(stranger.number, bye), Keep(record)]
    assert stage.hub.decide([(ann.number, ann.draft("#a")[1])], stage.now) == []
