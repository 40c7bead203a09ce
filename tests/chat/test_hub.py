"""The hub as a whole: coming in, being answered, going away, and what a failure does to others."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from securechat.chat import commands
from securechat.chat.effects import Close, Keep, Send
from securechat.chat.endings import MAX_TRIES
from securechat.chat.hub import FEATURES
from securechat.chat.jokes import JOKES
from securechat.chat.nicks import MAX_LENGTH
from securechat.link_events import Arrived, Levelled, Lost
from securechat.protocol.codec import Refusal
from securechat.protocol.envelopes import (
    Bye,
    ChangeNick,
    Error,
    Join,
    Joined,
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
    TopicIs,
    Welcome,
)
from securechat.records import KeepPresence, Kept

from .stage import TS, Stage, kinds

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


# ------------------------------------------------------------------ in one batch


def test_what_is_asked_in_one_breath_is_answered_in_order(stage: Stage) -> None:
    bob = stage.connection()
    stage.batch(
        bob.hello("bob"),
        bob.wants(Join, room="#a"),
        bob.draft("#a", "one"),
        bob.wants(Topic, room="#a", text="news"),
        bob.draft("#a", "two"),
        bob.wants(Leave, room="#a"),
        bob.draft("#a", "three"),
        bob.wants(Quit),
    )
    heard = bob.hears()
    assert kinds(heard) == [
        *("Welcome", "Joined", "Posted", "TopicIs", "Posted", "Left", "Error", "Bye")
    ]
    assert [heard[2].seq, heard[4].seq] == [1, 2]
    assert heard[6].code == "not_a_member"


def test_the_last_word_is_heard_by_all_and_by_its_author_before_bye(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.batch(bob.draft("#a", "so long"), bob.wants(Quit))
    assert kinds(bob.hears()) == ["Posted", "Bye"]
    assert kinds(ann.hears()) == ["Posted", "Left"]


def test_a_topic_set_in_the_batch_in_which_it_is_asked_for(stage: Stage) -> None:
    """Reading is left to the moment at which what was set before it has been stored."""
    bob = stage.enter("bob", "#a")
    stage.batch(bob.wants(Topic, room="#a", text="news"), bob.wants(Topic, id="r", room="#a"))
    told, asked = bob.hears()
    assert told == TopicIs(room="#a", text="news", nick="bob", re="q")
    assert (asked.room, asked.re) == ("#a", "r")
    assert stage.hub.topic_of("#a") == "news"


def test_a_rename_stands_between_what_was_said_before_and_after(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.batch(bob.draft("#a"), bob.wants(ChangeNick, nick="rob"), bob.draft("#a"))
    before, renamed, after = ann.hears()
    assert (before.sender, renamed.nick, after.sender) == ("bob", "rob", "rob")


# ------------------------------------------------------------------ our own failures


def test_what_fails_ends_that_connection_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()

    def fail(*_: Any) -> None:
        raise RuntimeError("a bug of ours")

    row = commands.COMMANDS[Time]._replace(handler=fail)
    monkeypatch.setattr(commands, "COMMANDS", commands.COMMANDS | {Time: row})
    stage.batch(
        bob.draft("#a", "before"),
        bob.wants(Time),
        bob.draft("#a", "behind"),
        ann.draft("#a", "meanwhile"),
    )
    [echo, internal] = bob.hears()
    assert echo.text == "before"
    assert (internal.code, internal.fatal) == ("internal", True)
    assert not bob.open
    assert [said.text for said in ann.hears()] == ["before", "meanwhile"]
    [logged] = [it for it in caplog.records if it.levelno == logging.ERROR]
    assert logged.getMessage() == f"connection {bob.number}: deciding a Time failed"
    assert logged.exc_info is not None
    again = stage.enter("bob", session=bob.session)
    again.join("#a")
    assert ann.hears() == []  # it was back in the grace period


def test_what_was_decided_before_a_failure_stands(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Effects and what the hub believes go in pairs; dropping the effects would part them."""
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob")
    join = commands.COMMANDS[Join]

    def join_and_fail(*arguments: Any) -> None:
        join.handler(*arguments)
        raise RuntimeError("a bug of ours")

    broken = commands.COMMANDS | {Join: join._replace(handler=join_and_fail)}
    monkeypatch.setattr(commands, "COMMANDS", broken)
    assert kinds(bob.ask(Join, room="#a")) == ["Joined", "Error"]
    assert ann.hears() == [Joined(room="#a", nick="bob")]
    stage.wait(30)
    assert ann.hears() == [Left(room="#a", nick="bob", reason="connection lost")]


def test_a_connection_that_cannot_even_be_ended_harms_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug of ours")

    with monkeypatch.context() as broken:
        broken.setattr(stage.hub.presence, "end", fail)
        bob.cut()
    assert bob.number not in stage.hub.sessions
    assert kinds(ann.say("#a")) == ["Posted"]


def test_a_timer_that_fails_stops_no_other(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()

    def fail() -> None:
        raise RuntimeError("a bug of ours")

    stage.hub._timers.after(1.0, fail)  # there is no such timer of ours
    bob.cut()
    stage.wait(60)
    assert kinds(ann.hears()) == ["Left"]
    assert "something that was due failed" in caplog.text


# ------------------------------------------------------------------ settling


def test_what_nobody_waits_for_is_settled_in_silence(stage: Stage) -> None:
    keep = Keep(KeepPresence(1, "#a", True))
    assert stage.hub.settle(keep, Kept()) == []


def test_the_hub_wants_to_be_called_when_something_is_due(stage: Stage) -> None:
    assert stage.hub.next_due == stage.mono + 60  # the next look at what has lapsed
    bob = stage.enter("bob", "#a")
    bob.cut()
    assert stage.hub.next_due == stage.mono + 30  # the end of the grace period
    assert stage.hub.tick(stage.now) == []
