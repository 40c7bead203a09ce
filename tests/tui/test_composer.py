"""What is typed: it comes in order, is never disturbed, and is what it says."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from textual import events

from securechat.client.controller import Controller
from securechat.tui.app import ChatApp
from securechat.tui.composer import Composer

from ..cli.scripted import ScriptedClient
from .person import Person, play


@pytest.mark.slow
def test_what_arrives_never_disturbs_what_is_typed() -> None:
    sentence = "the quick brown fox jumps over the lazy dog"

    async def scene(bob: Person) -> None:
        for number, char in enumerate(sentence):
            for _ in range(25):  # far more between two letters than 500 a second
                bob.client.post("carol", f"bob: message {number}")
            await bob.type(char)
        assert bob.composer.text == sentence
        await bob.sees(f"bob: message {len(sentence) - 1}")
        assert bob.composer.text == sentence
        await bob.press("enter")
        assert bob.client.said == [("#lobby", sentence, False)]

    play(scene)


def test_keys_are_obeyed_in_their_order_however_fast_they_come() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("one\ntwo\n")
        assert [text for _, text, _ in bob.client.said] == ["one", "two"]
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        bob.app.post_message(events.Key("alt+1", None))
        await bob.type("for the lobby\n")
        assert bob.client.said[-1] == ("#lobby", "for the lobby", False)

    play(scene)


def test_what_is_typed_at_once_behind_a_key_is_for_what_the_key_opened() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        bob.app.post_message(events.Key("ctrl+k", None))
        await bob.type("lbx")
        bob.app.post_message(events.Key("backspace", None))
        await bob.type("y\nfor the lobby\n")
        await bob.sees_side("rooms", "▸1 #lobby")
        assert bob.client.said[-1] == ("#lobby", "for the lobby", False)

        bob.app.post_message(events.Key("ctrl+k", None))
        bob.app.post_message(events.Key("down", None))
        await bob.type("\nfor the garden\n")
        assert bob.client.said[-1] == ("#garden", "for the garden", False)

        bob.app.post_message(events.Key("ctrl+r", None))
        await bob.type("needle\ntyped on\n")
        assert bob.client.said[-1] == ("#garden", "typed on", False)

        said = len(bob.client.said)
        await bob.type("/register\nredtulips\n")
        bob.app.post_message(events.Paste("redtulips"))
        await bob.type("\nand on")
        assert bob.client.commands[-1] == ("register", {"password": "redtulips"})
        assert len(bob.client.said) == said
        assert bob.composer.text == "and on"

    play(scene)


def test_what_was_typed_before_the_screen_was_there_comes_first() -> None:
    async def scene() -> None:
        client = ScriptedClient()
        app = ChatApp(client, Controller(client, "bob", ("#lobby",), has_sides=True), typed="a\rb")
        client.start()
        async with app.run_test() as pilot:
            await Person(client, app, pilot).type("c\nd")
            assert [text for _, text, _ in client.said] == ["a", "bc"]
            assert app.get_default_screen().query_one(Composer).text == "d"

    asyncio.run(scene())


READLINE: Final = (
    ("one two", ["ctrl+w"], "one "),
    ("one two ", ["ctrl+w", "ctrl+w"], ""),
    ("one two", ["ctrl+u"], ""),
    ("one two", ["ctrl+a", "ctrl+k"], ""),
    ("one two", ["ctrl+a", "alt+d"], " two"),
    ("one two", ["ctrl+w", "ctrl+a", "ctrl+y"], "twoone "),
    ("one two", ["ctrl+left", "x"], "one xtwo"),
    ("one two", ["alt+b", "alt+b", "alt+f", "x"], "onex two"),
    ("one", ["ctrl+t"], "oen"),
    ("one", ["ctrl+b", "ctrl+t"], "oen"),
    ("o", ["ctrl+t"], "o"),
    ("one", ["backspace", "x"], "onx"),
    ("one", ["ctrl+a", "delete", "x"], "xne"),
    ("one", ["ctrl+a", "ctrl+d"], "ne"),
    ("one", ["ctrl+a", "ctrl+f", "ctrl+e", "x"], "onex"),
    ("one", ["ctrl+u", "ctrl+underscore"], "one"),
    ("one", ["alt+enter", "x", "ctrl+u", "ctrl+u", "y"], "oney"),
    ("one", ["ctrl+a", "end", "x"], "onex"),
    ("one", ["ctrl+c"], ""),
    ("ca", ["tab"], "carol: "),
    ("x da", ["tab"], "x dave "),
    ("/jo", ["tab", "i", "tab"], "/join "),
    ("/zz", ["tab"], "/zz"),
    ("x c", ["tab", "tab", "shift+tab"], "x carol "),
)


@pytest.mark.slow
def test_readlines_keys() -> None:
    async def scene(bob: Person) -> None:
        for typed, keys, left in READLINE:
            bob.composer.load_text("")
            await bob.type(typed)
            await bob.press(*keys)
            assert bob.composer.text == left, (typed, keys)

    play(scene)


def test_up_and_down_bring_back_what_was_typed_and_keep_the_draft() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("one\ntwo\nhalf a")
        await bob.press("up", "up", "up")
        assert bob.composer.text == "one"
        await bob.press("down", "down", "down")
        assert bob.composer.text == "half a"
        await bob.press("ctrl+c", "up")
        assert bob.composer.text == "half a"
        await bob.press("alt+enter", "x", "up")  # in several lines it moves
        assert bob.composer.cursor_location[0] == 0
        await bob.press("down")
        assert bob.composer.cursor_location[0] == 1

    play(scene)


def test_a_paste_lands_whole_is_harmless_and_does_nothing_by_itself() -> None:
    text = "/quit\n" + "\n".join(f"line {number}" for number in range(30))

    async def scene(bob: Person) -> None:
        await bob.paste(text.replace("\n", "\r\n") + "\x1b[31m")
        assert bob.composer.text == text + "\\x1b[31m"
        await bob.press("enter")
        assert bob.client.said == []
        await bob.sees_side("status", "31 lines: Enter again sends them")
        await bob.press("backspace")
        await bob.press("enter", "enter")
        await bob.press("ctrl+c")
        assert bob.client.closed == []

    play(scene)


def test_several_lines_are_one_message_and_no_command() -> None:
    async def scene(bob: Person) -> None:
        await bob.paste("/quit\nand stay")
        await bob.press("enter")
        assert bob.client.said == [("#lobby", "/quit\nand stay", False)]
        assert bob.composer.text == ""

    play(scene)


def test_what_cannot_be_done_is_told_and_stays_to_be_mended() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/jion garden\n")
        await bob.sees("mean /join?")
        assert bob.composer.text == "/jion garden"
        assert bob.client.said == []

    play(scene)


def test_nobody_is_told_that_one_types() -> None:
    async def scene(bob: Person) -> None:
        before = list(bob.client.commands)
        await bob.type("half a sentence")
        await bob.press("left", "backspace", "ctrl+u")
        await bob.pilot.pause(0.1)
        assert (bob.client.said, bob.client.commands) == ([], before)

    play(scene)
