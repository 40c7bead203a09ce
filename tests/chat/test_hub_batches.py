"""One batch: what is asked in one breath, and what a failure of ours in it does to others."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from securechat.chat import commands
from securechat.chat.effects import Keep
from securechat.protocol.envelopes import (
    ChangeNick,
    Join,
    Joined,
    Leave,
    Left,
    Quit,
    Time,
    Topic,
    TopicIs,
)
from securechat.records import KeepPresence, Kept

from .stage import Stage, kinds


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


def test_what_nobody_waits_for_is_settled_in_silence(stage: Stage) -> None:
    keep = Keep(KeepPresence(1, "#a", True))
    assert stage.hub.settle(keep, Kept()) == []


def test_the_hub_wants_to_be_called_when_something_is_due(stage: Stage) -> None:
    assert stage.hub.next_due == stage.mono + 60  # the next look at what has lapsed
    bob = stage.enter("bob", "#a")
    bob.cut()
    assert stage.hub.next_due == stage.mono + 30  # the end of the grace period
    assert stage.hub.tick(stage.now) == []
