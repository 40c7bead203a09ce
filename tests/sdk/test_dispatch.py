"""What a bot answers to, without a server: the harness of `securechat.testing` drives it."""

from __future__ import annotations

import logging
from datetime import datetime

import pytest

from securechat import Bot, ChatLike, Context
from securechat.sdk.dispatch import FAILED
from securechat.testing import Harness, Said


def a_bot(**keys: object) -> Bot:
    bot = Bot("robby", **keys)  # type: ignore[arg-type]

    @bot.command("add")
    def add(_context: Context, first: int, second: int = 1) -> str:
        """Add two numbers.

        And nothing else.
        """
        return str(first + second)

    @bot.command("wave")
    def wave(context: Context) -> None:
        context.reply("waves", action=True)

    @bot.command("break")
    def fail(_context: Context) -> str:
        raise RuntimeError("a bug")

    @bot.on_message
    def tell(context: Context) -> str | None:
        return f"heard {context.message.text}" if "robby" in context.message.text else None

    return bot


def test_a_command_is_answered_where_it_was_given() -> None:
    harness = Harness(a_bot())
    assert harness.hear("!add 1 2", to="#tea") == ["3"]
    assert harness.hear("  !ADD 1", to="#tea") == ["2"]
    harness.hear("!wave", to="#tea")
    assert harness.said == [
        Said("#tea", "3", reply_to=1),
        Said("#tea", "2", reply_to=3),
        Said("#tea", "waves", action=True, reply_to=5),
    ]


def test_alone_with_a_bot_one_needs_no_sign() -> None:
    harness = Harness(a_bot())
    assert harness.hear("add 1 2", sender="ann", to="@robby") == ["3"]
    assert harness.hear("!add 1 2", sender="ann", to="@robby") == ["3"]
    assert harness.hear("hello robby", sender="ann", to="@robby") == ["heard hello robby"]
    assert {one.to for one in harness.said} == {"@ann"}


def test_what_does_not_fit_is_answered_with_the_usage() -> None:
    [told] = Harness(a_bot()).hear("!add one")
    assert told.startswith("first does not fit. Usage: !add first [second]")


@pytest.mark.parametrize("text", ["add 1 2", "!subtract 1", "!", "! add 1", "/add 1 2", ""])
def test_what_is_no_command_is_let_be(text: str) -> None:
    assert Harness(a_bot()).hear(text) == []


def test_every_other_message_goes_to_on_message() -> None:
    harness = Harness(a_bot())
    assert harness.hear("good morning, robby") == ["heard good morning, robby"]
    assert harness.hear("!unknown robby") == ["heard !unknown robby"]
    assert harness.hear("!add 1 robby") != ["heard !add 1 robby"]


def test_an_action_is_no_command() -> None:
    assert Harness(a_bot()).hear("!add 1 2", action=True) == []


def test_own_messages_are_not_heard_and_other_bots_only_if_wished() -> None:
    harness = Harness(a_bot())
    assert harness.hear("!add 1 2", sender="robby") == []
    assert harness.hear("!add 1 2", by_bot=True) == []
    curious = Harness(a_bot(ignore_bots=False))
    assert curious.hear("!add 1 2", by_bot=True) == ["3"]
    assert curious.hear("!add 1 2", sender="robby", by_bot=True) == []


def test_help_lists_the_commands_and_explains_one() -> None:
    harness = Harness(a_bot(prefix="?"))
    assert harness.hear("?help") == [
        "?add  Add two numbers.\n"
        "?break\n"
        "?help  What this bot can do, or what one of its commands takes.\n"
        "?wave"
    ]
    explained = (
        "Add two numbers. Usage: ?add first [second], where first is a whole number, "
        "second is a whole number."
    )
    assert harness.hear("?help add") == harness.hear("?help ?ADD") == [explained]


def test_a_bot_may_have_a_help_of_its_own_but_only_one_of_each() -> None:
    bot = Bot("robby")

    @bot.command("help")
    def help(_context: Context) -> str:
        return "Help yourself."

    assert Harness(bot).hear("!help") == ["Help yourself."]
    for name in ("help", "Add", "two words", ""):
        with pytest.raises(ValueError, match="command"):
            bot.command(name)


@pytest.mark.parametrize("prefix", ["", " ", "/", "! "])
def test_a_prefix_that_nobody_can_type_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Bot("robby", prefix=prefix)


def test_a_handler_that_fails_is_logged_and_the_bot_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = Harness(a_bot(), strict=False)
    assert harness.hear("!break") == [FAILED]
    assert "a bug" in caplog.text
    assert harness.hear("!add 1") == ["2"]


def test_a_test_sees_what_a_handler_raises() -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        Harness(a_bot()).hear("!break")


def test_an_answer_that_is_refused_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    harness = Harness(a_bot())
    with caplog.at_level(logging.WARNING), harness.refusing("forbidden", "You are muted."):
        assert harness.hear("!add 1") == []
    assert "You are muted." in caplog.text
    assert harness.hear("!add 1") == ["2"]


def test_it_starts_once_and_connects_each_time() -> None:
    bot, seen = Bot("robby"), list[object]()

    @bot.on_start
    def start(chat: ChatLike) -> None:
        seen.append("start")
        chat.send("#lobby", "good morning")

    @bot.on_connect
    def connect(_chat: ChatLike, resumed: bool) -> None:
        seen.append(resumed)

    harness = Harness(bot)
    harness.reconnect()
    harness.reconnect(resumed=False)
    assert seen == ["start", False, True, False]
    assert harness.said == [Said("#lobby", "good morning")]


def test_what_a_handler_may_ask_is_made_of_what_was_said() -> None:
    bot, seen = Bot("robby"), list[object]()

    @bot.command("look")
    def look(context: Context) -> str:
        page = context.chat.history("#lobby", limit=2)
        seen.append([one.text for one in page.messages])
        seen.append([one.nick for one in context.chat.who("#lobby")])
        seen.append(page.more)
        assert isinstance(context.message.time, datetime)
        return ""

    harness = Harness(bot)
    harness.hear("one", sender="eve")
    harness.hear("two", sender="ann")
    assert harness.hear("!look", sender="ann") == []
    assert seen == [["two", "!look"], ["robby", "eve", "ann"], True]


@pytest.mark.parametrize(("text", "code"), [("  ", "bad_text"), ("x" * 4_001, "text_too_long")])
def test_what_no_server_takes_the_harness_does_not_take(
    text: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    bot = Bot("robby")
    bot.on_message(lambda _context: text)
    harness = Harness(bot)
    assert harness.hear("hello") == []
    assert ("text" in caplog.text, harness.said) == (True, []), code
