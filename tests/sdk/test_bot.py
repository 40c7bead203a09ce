"""A bot in a real room."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from securechat import Bot, ChatLike, Context, Refused
from securechat.sdk import bot as bot_module
from securechat.sdk.lanes import Lanes
from securechat.testing import ChatServer

DEADLINE = 10.0


def test_a_bot_answers_and_says_what_it_is(chat_server: ChatServer) -> None:
    bot = Bot("robby")

    @bot.command("echo")
    def echo(_context: Context, *, text: str) -> str:
        return text

    with chat_server.running(bot), chat_server.connect("ann") as ann:
        asked = ann.send("#lobby", "!echo hello  there")
        answer = ann.receive(DEADLINE)
        assert (answer.sender, answer.text, answer.reply_to) == ("robby", "hello  there", asked.seq)
        assert answer.by_bot
        ann.send("@robby", "echo psst")
        assert ann.receive(DEADLINE).conversation == "@robby"


def test_two_bots_do_not_talk_for_ever(chat_server: ChatServer) -> None:
    def parrot(nick: str) -> Bot:
        bot = Bot(nick)
        bot.on_message(lambda context: f"{nick} heard {context.message.sender}")
        return bot

    with (
        chat_server.running(parrot("one")),
        chat_server.running(parrot("two")),
        chat_server.connect("ann") as ann,
    ):
        ann.send("#lobby", "hello")
        heard = {ann.receive(DEADLINE).text for _ in range(2)}
        assert heard == {"one heard ann", "two heard ann"}
        assert ann.send("#lobby", "that was all").seq == 4


def test_the_order_of_a_room_is_kept_while_others_go_on(chat_server: ChatServer) -> None:
    bot, go_on = Bot("robby", rooms=["#slow", "#quick"]), threading.Event()

    @bot.on_message
    def answer(context: Context) -> str:
        if context.message.text == "wait":
            go_on.wait(DEADLINE)
        return f"done {context.message.text}"

    with chat_server.running(bot), chat_server.connect("ann", rooms=["#slow", "#quick"]) as ann:
        for text in ("wait", "1", "2"):
            ann.send("#slow", text)
        ann.send("#quick", "3")
        assert ann.receive(DEADLINE).text == "done 3"
        go_on.set()
        assert [ann.receive(DEADLINE).text for _ in range(3)] == ["done wait", "done 1", "done 2"]


def test_a_handler_that_fails_does_not_stop_the_bot(
    chat_server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    bot = Bot("robby")

    @bot.on_start
    def start(_chat: ChatLike) -> None:
        raise RuntimeError("a bug")

    @bot.on_message
    def divide(context: Context) -> str:
        return str(6 // int(context.message.text))

    with chat_server.running(bot), chat_server.connect("ann") as ann:
        ann.send("#lobby", "0")
        ann.send("#lobby", "2")
        assert ann.receive(DEADLINE).text == "3"
    assert "a bug" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_what_was_not_answered_is_answered_by_the_next_start(chat_server: ChatServer) -> None:
    bot, answered = Bot("robby", since="last"), list[str]()

    @bot.on_message
    def note(context: Context) -> None:
        answered.append(context.message.text)

    with chat_server.connect("ann") as ann:
        with chat_server.running(bot):
            ann.send("#lobby", "one")
        ann.send("#lobby", "two")
        ann.send("@robby", "three")
        with chat_server.running(bot):
            while "three" not in answered or "two" not in answered:
                ann.who()
    assert sorted(answered) == ["one", "three", "two"]


@pytest.mark.slow
def test_it_starts_once_and_connects_each_time(tmp_path: Path) -> None:
    bot, seen, back = Bot("robby"), list[object](), threading.Event()

    @bot.on_start
    def start(_chat: ChatLike) -> None:
        seen.append("start")

    @bot.on_connect
    def connect(_chat: ChatLike, resumed: bool) -> None:
        seen.append(resumed)
        if resumed:
            back.set()

    with ChatServer(tmp_path, keep=True) as server, server.running(bot):
        server.restart()
        assert back.wait(DEADLINE)
    assert seen == ["start", False, True]


def test_what_keeps_a_bot_from_coming_up_is_raised(chat_server: ChatServer) -> None:
    with pytest.raises(Refused), chat_server.running(Bot("server")):
        pytest.fail("it has come up")


def test_a_bot_that_is_stopped_lets_its_handlers_end(
    chat_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot, begun, stopping, done = Bot("robby"), threading.Event(), threading.Event(), list[str]()

    class Watched(Lanes):
        def close(self, timeout: float) -> bool:
            stopping.set()
            return super().close(timeout)

    @bot.on_message
    def work(context: Context) -> None:
        begun.set()
        stopping.wait(DEADLINE)
        context.reply("done")
        done.append(context.message.text)

    monkeypatch.setattr(bot_module, "Lanes", Watched)
    with chat_server.connect("ann") as ann:
        with chat_server.running(bot):
            ann.send("#lobby", "work")
            assert begun.wait(DEADLINE)
        assert done == ["work"]
        assert ann.receive(DEADLINE).text == "done"


def test_a_bot_can_be_started_again(chat_server: ChatServer) -> None:
    bot = Bot("robby")
    bot.on_message(lambda _context: "here")
    with chat_server.connect("ann") as ann:
        for _ in range(2):
            with chat_server.running(bot):
                ann.send("#lobby", "anybody?")
                assert ann.receive(DEADLINE).text == "here"


def test_many_questions_are_all_answered_in_order(chat_server: ChatServer) -> None:
    bot = Bot("robby")
    bot.on_message(lambda context: f"re {context.message.text}")
    with chat_server.running(bot), chat_server.connect("ann") as ann:
        for number in range(20):
            ann.send("#lobby", str(number))
        answers = [ann.receive(DEADLINE).text for _ in range(20)]
        assert answers == [f"re {number}" for number in range(20)]
