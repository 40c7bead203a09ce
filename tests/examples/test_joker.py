"""The teller of jokes."""

from __future__ import annotations

from collections.abc import Callable

from securechat import Bot
from securechat.testing import ChatServer, Harness
from securechat.testing.fixtures import chat_server

__all__ = ["chat_server"]


def test_it_tells_a_joke_and_any_of_them(load: Callable[[str], Bot]) -> None:
    harness = Harness(load("joker"))
    [joke] = harness.hear("!joke")
    assert joke in {harness.hear(f"!joke {number}")[0] for number in range(1, 5)}


def test_it_knows_no_fifth_one(load: Callable[[str], Bot]) -> None:
    assert Harness(load("joker")).hear("!joke 5") == ["I know 4 jokes."]


def test_it_tells_how_it_is_asked(load: Callable[[str], Bot]) -> None:
    [usage] = Harness(load("joker")).hear("!joke please")
    assert usage == ("number does not fit. Usage: !joke [number], where number is a whole number.")


def test_it_tells_jokes_in_a_real_room(load: Callable[[str], Bot], chat_server: ChatServer) -> None:
    with chat_server.running(load("joker")), chat_server.connect("ann") as ann:
        asked = ann.send("#lobby", "!joke 3")
        joke = ann.receive(10)
    assert (joke.sender, joke.reply_to, joke.by_bot) == ("joker", asked.seq, True)
    assert "UDP" in joke.text
