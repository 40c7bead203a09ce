"""Another nick: told to whom it concerns, and the old one reserved for a day."""

from __future__ import annotations

import pytest

from securechat.chat.identities import MAX_FORMER
from securechat.protocol.envelopes import (
    ChangeNick,
    Quit,
    Renamed,
)

from .stage import Stage, code_of, kinds

DAY = 86_400.0


def test_a_new_nick_is_told_once_to_everyone_concerned(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a", "#b"), stage.enter("bob", "#a", "#b")
    other = stage.enter("bob", session=bob.session)
    partner, stranger = stage.enter("partner"), stage.enter("stranger", "#c")
    partner.say("@bob")
    for one in (ann, bob, other, partner, stranger):
        one.hears()
    assert bob.ask(ChangeNick, nick="rob") == [Renamed(old="bob", nick="rob", re="q")]
    told = [Renamed(old="bob", nick="rob")]
    assert ann.hears() == other.hears() == partner.hears() == told
    assert stranger.hears() == []
    assert stage.book.identities[2].nick == "rob"


def test_a_new_nick_of_somebody_alone_is_news_to_nobody(stage: Stage) -> None:
    stage.enter("ann")
    bob = stage.enter("bob")
    assert bob.ask(ChangeNick, nick="rob") == [Renamed(old="bob", nick="rob", re="q")]
    assert [type(effect).__name__ for effect in stage.effects] == ["Keep", "Send"]


def test_the_nick_that_one_has_is_no_news(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    assert bob.ask(ChangeNick, nick="bob") == [Renamed(old="bob", nick="bob", re="q")]
    assert ann.hears() == []
    assert len(stage.effects) == 1


@pytest.mark.parametrize(
    ("nick", "code"),
    [("ann", "nick_taken"), ("аnn", "nick_taken"), ("system", "nick_taken"), ("a b", "bad_nick")],
)
def test_a_nick_that_cannot_be_had_is_refused(stage: Stage, nick: str, code: str) -> None:
    stage.enter("ann")
    assert code_of(stage.enter("bob").ask(ChangeNick, nick=nick)) == code


def test_a_former_nick_is_nobody_elses_for_a_day(stage: Stage) -> None:
    bob, ann = stage.enter("bob"), stage.enter("ann")
    bob.ask(ChangeNick, nick="rob")
    assert code_of(ann.ask(ChangeNick, nick="bob")) == "nick_taken"
    stage.wait(DAY + 60)
    assert stage.book.identities[1].former == ()
    ann.hears()
    assert kinds(ann.ask(ChangeNick, nick="bob")) == ["Renamed"]


def test_a_former_nick_is_reserved_across_a_restart(stage: Stage) -> None:
    stage.enter("bob").ask(ChangeNick, nick="rob")
    stage.restart(down=3600)
    ann = stage.enter("ann")
    assert code_of(ann.ask(ChangeNick, nick="bob")) == "nick_taken"
    assert code_of(ann.say("@bob")) == "no_such_user"
    stage.wait(DAY)
    assert kinds(ann.ask(ChangeNick, nick="bob")) == ["Renamed"]


def test_a_guest_cannot_reserve_every_nick_there_is(stage: Stage) -> None:
    bob = stage.enter("bob")
    for number in range(MAX_FORMER):
        assert kinds(bob.ask(ChangeNick, nick=f"x{number}z")) == ["Renamed"]
    assert code_of(bob.ask(ChangeNick, nick="one-more")) == "forbidden"


def test_a_session_whose_welcome_may_never_have_been_read_frees_its_nick_soon(
    stage: Stage,
) -> None:
    first = stage.connection()
    stage.batch(first.hello("bob"))
    first.cut()
    again = stage.connection()
    stage.batch(again.hello("bob"))
    [refused] = again.hears()
    assert refused.code == "nick_taken"  # it may have been read after all
    stage.wait(2 * 60)
    stage.batch(again.hello("bob"))
    [welcome] = again.hears()
    assert welcome.nick == "bob"


def test_the_same_over_a_crash(stage: Stage) -> None:
    stage.batch(stage.connection().hello("bob"))
    stage.restart(crash=True, down=61)
    assert stage.enter("bob").session == "token-2"


def test_whoever_says_something_keeps_the_nick(stage: Stage) -> None:
    bob = stage.connection()
    stage.batch(bob.hello("bob"))
    bob.ask(Quit)
    stage.wait(2 * 60)
    assert stage.hub.identities.by_nick("bob") is not None
