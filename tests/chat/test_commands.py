"""The table of commands: whole, explained by itself, and polite when it says no."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from securechat.chat import commands
from securechat.chat.commands import HELP
from securechat.chat.effects import SendList
from securechat.chat.rows import Need, check_text
from securechat.errors import Rejected
from securechat.protocol import envelopes
from securechat.protocol.codec import encode
from securechat.protocol.envelopes import (
    FATAL_CODES,
    ChangeNick,
    Command,
    CommandHelp,
    Error,
    Hello,
    Help,
    HelpIs,
    Join,
    Leave,
    Pong,
    Quit,
    Topic,
    Who,
)

from .stage import Said, Stage, code_of

# ------------------------------------------------------------------ the table


def test_every_command_of_the_wire_has_a_row() -> None:
    """`hello` alone has none: it is answered before there is anybody to ask."""
    assert set(commands.COMMANDS) == set(envelopes.COMMANDS.values()) - {Hello}


@pytest.mark.parametrize("kind", commands.COMMANDS)
def test_a_row_names_a_key_that_its_command_has(kind: type[Command]) -> None:
    row = commands.COMMANDS[kind]
    if row.need is not Need.NOTHING:
        assert row.key in kind.model_fields
    assert row.usage.split()[0] == kind.model_fields["name"].default
    assert row.summary[0].islower()
    assert not row.summary.endswith(".")
    assert list(inspect.signature(row.handler).parameters) == ["hub", "session", "command"]


@pytest.mark.parametrize("kind", commands.COMMANDS)
def test_a_row_says_what_must_be_given_and_what_may(kind: type[Command]) -> None:
    must = [field for field in kind.model_fields.values() if field.is_required()]
    may = [field for name, field in kind.model_fields.items() if name not in ("type", "name")]
    words = commands.COMMANDS[kind].usage.split()[1:]
    assert bool(words) is (len(may) > 1)  # the id is not typed
    assert (bool(words) and words[0].isupper() and words[0][0] != "[") is (len(must) > 1)


# ------------------------------------------------------------------ help


def test_help_is_the_table(stage: Stage) -> None:
    bob = stage.enter("bob")
    [answer] = bob.ask(Help)
    assert answer == HelpIs(commands=tuple(HELP.values()), re="q")
    assert [row.name for row in answer.commands] == [
        kind.model_fields["name"].default for kind in commands.COMMANDS if kind is not Pong
    ]
    [effect] = stage.effects
    assert isinstance(effect, SendList)


def test_help_explains_one_command(stage: Stage) -> None:
    [answer] = stage.enter("bob").ask(Help, command="join")
    assert answer.commands == (
        CommandHelp(
            name="join",
            usage="join ROOM [after SEQ | last N]",
            summary="enter a room, or make it",
        ),
    )


@pytest.mark.parametrize(
    ("asked", "hint"), [("jion", "`join`"), ("TOPICS", "`topic`"), ("zzz", None), ("", None)]
)
def test_help_for_what_is_no_command_names_the_nearest(
    stage: Stage, asked: str, hint: str | None
) -> None:
    [error] = stage.enter("bob").ask(Help, command=asked)
    assert error.code == "unknown_command"
    assert ("Did you mean" in error.message) is (hint is not None)
    assert hint is None or hint in error.message


# ------------------------------------------------------------------ texts


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)])
def test_no_control_character_but_newline_and_tab_is_said(code: int) -> None:
    text = f"a{chr(code)}b"
    if text in ("a\nb", "a\tb", "a b"):
        check_text(text, 10)
    else:
        with pytest.raises(Rejected) as refusal:
            check_text(text, 10)
        assert refusal.value.code == "bad_text"


def test_the_limit_of_a_text_is_in_characters() -> None:
    check_text("😀" * 10, 10)
    with pytest.raises(Rejected, match="At most 10 characters") as refusal:
        check_text("😀" * 11, 10)
    assert refusal.value.code == "text_too_long"


# ------------------------------------------------------------------ polite noes

#: A word that cannot stand in a message of ours.
LOUD = "Zyxwv"


def refused(stage: Stage) -> Iterator[Said]:
    """Everything that a client can be refused, with as much of its own in it as will go."""
    ann = stage.enter("ann", "#here")
    bob = stage.enter("bob", "#full")
    room, nick = "#zyxwv" + "x" * 26, LOUD + "x" * 27
    bob.ask(ChangeNick, nick="a" * 31 + "b")
    bob.ask(ChangeNick, nick="日" * 32)
    yield ann.wants(Join, room="#here")
    yield ann.wants(Join, room=room)
    yield ann.wants(Join, room=f"@{nick}")
    yield ann.wants(Leave, room="#full")
    yield ann.wants(Leave, room=room)
    yield ann.wants(Leave, room=f"@{nick}")
    yield ann.wants(ChangeNick, nick=LOUD * 1000)
    yield ann.wants(ChangeNick, nick=LOUD + " " + LOUD)
    yield ann.wants(ChangeNick, nick="日" * 32)
    yield ann.wants(ChangeNick, nick="securechat")
    yield ann.wants(Who, room=f"@{nick}")
    yield ann.wants(Topic, room="#here", text=LOUD + "\n")
    yield ann.wants(Topic, room="#here", text=" ")
    yield ann.wants(Topic, room="#full", text=LOUD)
    yield ann.wants(Help, command=LOUD + "x" * 59)
    yield ann.draft("@bob", LOUD)
    yield ann.draft(room, LOUD)
    yield ann.draft(f"@{LOUD}" + "é" * 59, LOUD)
    yield ann.draft("#here", LOUD * 1000)
    yield ann.draft("#here", LOUD + "\x07")
    yield ann.draft("#here", LOUD, reply_to=2**53 - 1)
    yield ann.draft("@" + "a" * 31 + "b", LOUD)  # a former nick: the longest message of all


def test_a_no_is_short_tells_what_to_do_and_repeats_nothing() -> None:
    stage = Stage(subscriptions=1)
    seen = set()
    for number, envelope in refused(stage):
        person = stage.people[number]
        person.hears()
        [error] = person.tell(envelope)
        assert isinstance(error, Error), (envelope, error)
        assert error.code not in FATAL_CODES
        assert error.re == envelope.id  # type: ignore[union-attr]
        assert not error.fatal
        assert LOUD.lower() not in error.message.lower()
        assert len(encode(error)) < 512
        assert "\n" not in error.message
        seen.add(error.code)
    assert seen == {
        *("already_joined", "forbidden", "no_such_user", "not_a_member", "no_such_room"),
        *("bad_nick", "nick_taken", "bad_text", "text_too_long", "bad_envelope"),
        "unknown_command",
    }


def test_what_is_said_behind_quit_is_for_nobody(stage: Stage) -> None:
    bob = stage.enter("bob")
    stage.batch(bob.wants(Quit), bob.wants(Who, id="w"))
    [bye] = bob.hears()
    assert bye.re == "q"


def test_need_is_checked_before_the_handler_runs(stage: Stage) -> None:
    bob = stage.enter("bob")
    assert code_of(bob.ask(Who, room="#nowhere")) == "no_such_room"
    assert code_of(bob.ask(Topic, room="#nowhere")) == "no_such_room"
