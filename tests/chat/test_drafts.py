"""What becomes of a draft: said once, numbered without gaps, or refused, and never dropped."""

from __future__ import annotations

import pytest

from securechat.chat.answers import STORAGE_RETRY
from securechat.chat.effects import Post, Refuse
from securechat.link_events import Lost
from securechat.protocol.envelopes import (
    MAX_TEXT,
    ChangeNick,
    Error,
    Join,
    Leave,
    Ping,
    Posted,
    Quit,
)
from securechat.records import Lookup, NewMessage

from .book import TS
from .stage import Person, Stage, code_of, kinds


def numbers(person: Person) -> list[int]:
    """The numbers of the messages heard; nothing else was."""
    heard = person.hears()
    assert all(isinstance(it, Posted) for it in heard), heard
    return [it.seq for it in heard]


def codes(person: Person) -> list[str]:
    """What was heard: `ok` for an echo, else the code of the error."""
    return [it.code if isinstance(it, Error) else "ok" for it in person.hears()]


# ------------------------------------------------------------------ said


def test_everyone_in_the_room_hears_the_same_and_the_author_too(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    echo = bob.say("#a", "hello,\n\tall", "b-1")
    assert echo == ann.hears()
    assert echo == [
        Posted(id="b-1", to="#a", sender="bob", seq=1, ts=TS, text="hello,\n\tall", action=False)
    ]


def test_an_action_and_a_reply_are_passed_on(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.say("#a", "hello")
    [echo] = bob.say("#a", "waves", action=True, reply_to=1)
    assert (echo.action, echo.reply_to) == (True, 1)


def test_numbers_have_no_gaps_in_each_conversation(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a", "#b"), stage.enter("bob", "#a", "#b")
    ann.hears()
    stage.batch(*(one.draft(room) for _ in range(3) for room in ("#a", "#b") for one in (ann, bob)))
    heard = ann.hears()
    for room in ("#a", "#b"):
        assert [it.seq for it in heard if it.to == room] == [1, 2, 3, 4, 5, 6]
    assert bob.hears() == heard


@pytest.mark.parametrize("text", ["x", "x" * MAX_TEXT, "😀" * MAX_TEXT, "a\tb\nc", "\u202e!", "ﷺ"])
def test_whatever_is_a_text_is_said(stage: Stage, text: str) -> None:
    [echo] = stage.enter("bob", "#a").say("#a", text)
    assert echo.text == text


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_text"),
        (" \t\n\u2003", "bad_text"),
        ("\x00", "bad_text"),
        ("bell\x07", "bad_text"),
        ("\x1b[2J", "bad_text"),
        ("line\r\n", "bad_text"),
        ("\x7f", "bad_text"),
        ("\x85", "bad_text"),
        ("x" * (MAX_TEXT + 1), "text_too_long"),
    ],
)
def test_a_text_that_may_not_be_said_is_refused(stage: Stage, text: str, code: str) -> None:
    bob = stage.enter("bob", "#a")
    [error] = bob.say("#a", text, "b-1")
    assert (error.code, error.re, error.fatal) == (code, "b-1", False)
    assert kinds(bob.say("#a", "fine", "b-1")) == ["Posted"]  # the id was not used up


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("#b", "not_a_member"),
        ("#nowhere", "no_such_room"),
        ("@nobody", "no_such_user"),
        ("@no nick", "no_such_user"),
        ("@" + "x" * 64, "no_such_user"),
    ],
)
def test_who_may_not_speak_there_is_told_why(stage: Stage, to: str, code: str) -> None:
    stage.enter("ann", "#b")
    bob = stage.enter("bob")
    [error] = bob.say(to, id="b-1")
    assert (error.code, error.re, error.fatal) == (code, "b-1", False)
    assert stage.book.messages == {}


def test_a_reply_is_to_a_message_that_exists(stage: Stage) -> None:
    bob = stage.enter("bob", "#a", "#b")
    bob.say("#b")
    assert code_of(bob.say("#a", reply_to=1)) == "bad_envelope"
    assert kinds(bob.say("#b", reply_to=1)) == ["Posted"]


# ------------------------------------------------------------------ sent again


def test_what_is_sent_again_is_answered_to_that_connection_alone(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    other = stage.enter("bob", "#a", session=bob.session)
    first = bob.say("#a", "hello", "b-1")
    ann.say("#a")
    for one in (ann, bob, other):
        one.hears()
    assert bob.say("#a", "hello", "b-1") == first
    assert other.say("#a", "hello", "b-1") == first
    assert ann.hears() == bob.hears() == []
    assert [message.id for message in stage.book.messages["#a"]] == ["b-1", "d2"]


def test_a_repeat_in_the_same_batch_is_answered_behind_the_first(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.batch(bob.draft("#a", "hello", "b-1"), bob.draft("#a", "hello", "b-1"))
    first, again = bob.hears()
    assert first == again
    assert numbers(ann) == [1]


@pytest.mark.parametrize(("to", "text"), [("#a", "another"), ("#b", "hello"), ("@ann", "hello")])
def test_an_id_stands_for_one_message(stage: Stage, to: str, text: str) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a", "#b")
    bob.say("#a", "hello", "b-1")
    ann.hears()
    [error] = bob.say(to, text, "b-1")
    assert (error.code, error.re) == ("id_conflict", "b-1")
    assert ann.hears() == []


def test_an_id_is_told_to_be_used_even_where_one_may_not_speak(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.say("#a", "hello", "b-1")
    assert code_of(bob.say("#nowhere", "hello", "b-1")) == "id_conflict"


def test_the_same_id_of_another_person_is_another_message(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.say("#a", "hello", "1")
    [echo] = [it for it in bob.say("#a", "hello", "1") if it.sender == "bob"]
    assert echo.seq == 2


def test_a_repeat_is_looked_for_before_the_address_is_resolved(stage: Stage) -> None:
    """What was stored gets its frame, though its author has left and the receiver is renamed."""
    ann, bob = stage.enter("ann"), stage.enter("bob", "#a")
    in_room = bob.say("#a", "hello", "b-1")
    [to_ann] = bob.say("@ann", "hello", "b-2")
    bob.ask(Leave, room="#a")
    ann.ask(ChangeNick, nick="amy")
    bob.hears()
    assert bob.say("#a", "hello", "b-1") == in_room
    assert bob.say("@ann", "hello", "b-2") == [to_ann]
    assert stage.effects == [
        Refuse(
            bob.number,
            Lookup(2, "b-2", "@ann", "hello"),
            "no_such_user",
            "They go by amy now. Send it to that nick.",
        )
    ]
    assert code_of(bob.say("@ann", "hello", "b-3")) == "no_such_user"


def test_a_repeat_is_known_on_another_connection_and_after_a_restart(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    first = bob.say("#a", "hello", "b-1")
    stage.restart(crash=True)
    again = stage.enter("bob", session=bob.session)
    assert again.say("#a", "hello", "b-1") == first  # before it has even joined
    assert len(stage.book.messages["#a"]) == 1


def test_a_draft_whose_author_is_gone_is_said_all_the_same(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.batch(bob.draft("#a"), (bob.number, Lost("reset")))
    assert numbers(ann) == [1]


# ------------------------------------------------------------------ a full disk


def test_what_could_not_be_stored_was_not_accepted(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.book.full = True
    [error] = bob.say("#a", id="b-1")
    assert (error.code, error.re, error.fatal) == ("storage", "b-1", False)
    assert error.retry_after == STORAGE_RETRY
    assert ann.hears() == []
    assert stage.hub.heads == {}


def test_after_a_refusal_nothing_overtakes_the_first_refused(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob", "#a")
    ann.hears()
    stage.book.full = True
    stage.batch(bob.draft("#a", "one", "1"), bob.draft("#a", "two", "2"))
    stage.book.full = False
    stage.batch(bob.draft("#a", "three", "3"), bob.draft("#a", "two", "2"))
    assert codes(bob) == ["storage"] * 4
    stage.batch(
        bob.draft("#a", "four", "4"),
        bob.draft("#a", "one", "1"),
        bob.draft("#a", "two", "2"),
        bob.draft("#a", "three", "3"),
    )
    assert codes(bob) == ["storage", "ok", "ok", "ok"]
    assert [it.text for it in ann.hears()] == ["one", "two", "three"]


def test_the_first_refused_may_be_refused_again(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    stage.book.full = True
    for _ in range(2):
        stage.batch(bob.draft("#a", "one", "1"), bob.draft("#a", "two", "2"))
    stage.book.full = False
    stage.batch(bob.draft("#a", "two", "2"), bob.draft("#a", "one", "1"))
    assert codes(bob) == [*["storage"] * 5, "ok"]


def test_a_refusal_holds_back_that_connection_alone(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    other = stage.enter("bob", "#a", session=bob.session)
    ann = stage.enter("ann", "#a")
    stage.book.full = True
    bob.say("#a", id="1")
    stage.book.full = False
    other.hears()
    assert kinds(other.say("#a", id="2")) == ["Posted"]
    assert kinds(ann.say("#a")) == ["Posted"]
    bob.hears()
    assert kinds(bob.ask(Ping)) == ["ServerPong"]
    assert code_of(bob.say("#a", id="3")) == "storage"


def test_a_draft_that_may_not_be_said_there_waits_its_turn_too(stage: Stage) -> None:
    """Whether it was stored before cannot be said while the store does not answer."""
    bob = stage.enter("bob", "#a")
    stage.book.full = True
    assert code_of(bob.say("#nowhere", id="1")) == "storage"
    stage.book.full = False
    assert code_of(bob.say("#a", id="2")) == "storage"
    assert code_of(bob.say("#nowhere", id="1")) == "no_such_room"
    assert kinds(bob.say("#a", id="2")) == ["Posted"]


def test_a_first_refused_draft_that_comes_again_as_nonsense_sets_the_others_free(
    stage: Stage,
) -> None:
    bob = stage.enter("bob", "#a")
    stage.book.full = True
    bob.say("#a", "one", "1")
    stage.book.full = False
    assert code_of(bob.say("#a", "\x07", "1")) == "bad_text"
    assert kinds(bob.say("#a", "two", "2")) == ["Posted"]


def test_who_quits_in_the_batch_that_could_not_be_stored_is_told_before_bye(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    stage.book.full = True
    stage.batch(bob.draft("#a", id="1"), bob.wants(Quit))
    assert kinds(bob.hears()) == ["Error", "Bye"]


# ------------------------------------------------------------------ as effects


def test_a_draft_is_one_effect(stage: Stage) -> None:
    bob = stage.enter("bob", "#a")
    bob.say("#a", "hello", "b-1")
    assert stage.effects == [
        Post(bob.number, NewMessage("#a", 1, "b-1", "#a", "bob", "hello", None, False))
    ]


def test_a_room_joined_in_the_same_batch_may_be_spoken_in(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.batch(bob.wants(Join, room="#a"), bob.draft("#a"))
    assert kinds(bob.hears()) == ["Joined", "Posted"]
