"""The full screen under somebody's hands, in Textual's Pilot, with a client that has no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import process_time
from typing import Any, Final

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from securechat.client.controller import Controller
from securechat.client.unfinished import Unfinished
from securechat.errors import SettingsError
from securechat.protocol import envelopes as wire
from securechat.tui.app import ChatApp
from securechat.tui.chat import Chat
from securechat.tui.choosing import Choosing
from securechat.tui.composer import Composer
from securechat.tui.keymap import keymap
from securechat.tui.keys import CHAT, CHOSEN, COMPOSER
from securechat.tui.messages import Messages
from securechat.tui.overlays import Help, Secrets
from securechat.tui.panel import Panel
from securechat.tui.setup import DEFAULTS, Joins, Setup

from ..cli.scripted import STAMP, ScriptedClient
from ..client.saying import message


class Person:
    """Somebody at the full screen."""

    def __init__(self, client: ScriptedClient, app: ChatApp, pilot: Pilot[int]) -> None:
        self.client, self.app, self.pilot = client, app, pilot

    @property
    def chat(self) -> Chat:
        return self.app.get_default_screen()

    @property
    def composer(self) -> Composer:
        return self.chat.query_one(Composer)

    @property
    def messages(self) -> Messages:
        return self.chat.query_one(Messages)

    def panel(self, name: str) -> str:
        return self.chat.query_one(f"#{name}", Panel).text

    async def press(self, *keys: str) -> None:
        """Press keys, one at once after the other; Pilot's own `press` takes 80 ms for each."""
        for key in keys:
            char = key if len(key) == 1 else {"slash": "/", "space": " "}.get(key)
            self.app.post_message(events.Key(key, char))
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type as fast as a terminal hands a paste over key by key."""
        for char in text:
            self.app.post_message(events.Key("enter" if char == "\n" else _name(char), char))
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        self.composer.post_message(events.Paste(text))
        await self.pilot.pause()

    async def sees(self, text: str, where: Callable[[], str] | None = None) -> None:
        """Wait until it is shown, among the messages unless `where` says otherwise."""
        look = where or (lambda: self.messages.text)
        for _ in range(200):
            if text in look():
                return
            await self.pilot.pause(0.01)
        pytest.fail(f"{text!r} never came:\n{look()}")

    async def sees_side(self, name: str, text: str) -> None:
        await self.sees(text, lambda: self.panel(name))


def _name(char: str) -> str:
    return {" ": "space", "/": "slash", ".": "full_stop"}.get(char, char)


@asynccontextmanager
async def somebody(
    client: ScriptedClient | None = None,
    size: tuple[int, int] = (100, 24),
    setup: Setup = DEFAULTS,
) -> AsyncIterator[Person]:
    client = client or ScriptedClient()
    client.start()
    app = ChatApp(client, Controller(client, "bob", ("#lobby",), has_sides=True), setup)
    async with app.run_test(size=size) as pilot:
        bob = Person(client, app, pilot)
        await bob.sees("earlier")
        yield bob


def play(scene: Callable[[Person], Awaitable[None]], **keys: Any) -> None:
    async def run() -> None:
        async with somebody(**keys) as bob:
            await scene(bob)

    asyncio.run(run())


# ------------------------------------------------------------------ typing


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
        await bob.type("/register\ntulips\n")
        bob.app.post_message(events.Paste("tulips"))
        await bob.type("\nand on")
        assert bob.client.commands[-1] == ("register", {"password": "tulips"})
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


# ------------------------------------------------------------------ states


def test_each_own_message_shows_its_state() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("hello\n")
        await bob.sees("✓<bob> hello")
        await bob.type("lag this\n")
        await bob.sees("…<bob> lag this (sending)")
        await bob.type("refuse it\n")
        await bob.sees("✗<bob> refuse it")
        await bob.sees("not sent (I refuse.) Alt-R sends it again")
        await bob.sees_side("status", "1 not sent: Alt-R")
        await bob.press("alt+r")
        assert [text for _, text, _ in bob.client.said].count("refuse it") == 2
        await bob.sees("✗<bob> refuse it")
        await bob.press("alt+x")
        assert "refuse it" not in bob.messages.text

    play(scene)


def test_the_connection_is_always_in_sight_and_what_was_missed_is_marked() -> None:
    async def scene(bob: Person) -> None:
        await bob.sees_side("status", "│ connected │ TLS 1.3")
        bob.client.post("carol", "seen")
        await bob.sees("seen")
        bob.client.drop()
        await bob.sees_side("status", "│ reconnecting in 2 s")
        await bob.type("later\n")
        await bob.sees("…<bob> later (waits for the connection)")
        await bob.sees_side("status", "│ offline, 1 unsent │ reconnecting in")
        bob.client.come_back()
        bob.client.post("carol", "missed", missed=True)
        await bob.sees("── new messages ─")
        await bob.sees_side("status", "connected")

    play(scene)


def test_a_message_can_be_chosen_to_say_it_again_or_drop_it() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("refuse it\n")
        await bob.sees("✗<bob> refuse it")
        await bob.type("half a sen")
        await bob.press("ctrl+up")
        await bob.sees_side("status", "r sends again, x drops, y copies, Esc: back")
        bob.client.post("carol", "something new")  # moves the draft, not what is chosen
        await bob.sees("something new")
        await bob.press("r")
        await bob.pilot.pause()
        assert [text for _, text, _ in bob.client.said] == ["refuse it"] * 2
        await bob.sees("✗<bob> refuse it")
        await bob.press("ctrl+up", "x")
        await bob.pilot.pause()
        assert "refuse it" not in bob.messages.text
        await bob.type("tence")
        assert bob.composer.text == "half a sentence"

    play(scene)


def test_a_message_can_be_chosen_to_copy_or_answer_it() -> None:
    async def scene(bob: Person) -> None:
        bob.client.post("carol", "one *two*\nthree")
        bob.client.post("dave", "four")
        await bob.sees("four")
        await bob.press("ctrl+up", "up", "y")
        assert bob.app.clipboard == "one *two*\nthree"
        await bob.sees_side("status", "copied: 15 characters")
        await bob.press("ctrl+up", "r")
        await bob.type("yes")
        assert bob.composer.text == "dave: yes"
        await bob.press("ctrl+up", "up", "k")  # no further than the first
        await bob.type(" and k")  # the last is a key for choosing, too
        assert bob.composer.text == "dave: yes and k"
        await bob.press("ctrl+up", "down", "backspace")  # there is none below
        await bob.type("k")
        assert bob.composer.text == "dave: yes and k"
        await bob.press("ctrl+up", "escape", "x")
        assert bob.composer.text == "dave: yes and kx"
        await bob.press("ctrl+up")
        await bob.paste("!")
        assert bob.composer.text == "dave: yes and kx!"
        assert bob.client.said == []

    play(scene)


# ------------------------------------------------------------------ conversations


def test_rooms_count_what_is_new_and_keep_their_drafts() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.type("for the garden")
        bob.client.post("carol", "old news")
        bob.client.post("carol", "bob: come")
        bob.client.post("carol", "psst", "@carol")
        await bob.sees_side("rooms", "1 #lobby")
        await bob.sees_side("rooms", "2!1")
        await bob.press("alt+a")
        await bob.sees_side("rooms", "▸3 @carol")
        assert bob.composer.text == ""
        await bob.press("alt+a")
        await bob.sees("new messages")
        assert "▸1 #lobby" in bob.panel("rooms")
        assert "2!1" not in bob.panel("rooms")
        await bob.type("for the lobby")
        await bob.press("ctrl+n")
        assert bob.composer.text == "for the garden"
        await bob.press("ctrl+p")
        assert bob.composer.text == "for the lobby"
        assert "new messages" not in bob.messages.text
        await bob.press("alt+9", "alt+3")
        assert "▸3 @carol" in bob.panel("rooms")

    play(scene)


def test_what_is_half_typed_survives_the_end_of_the_program(tmp_path: Path) -> None:
    async def first(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.type("for the garden")
        await bob.press("ctrl+p")
        await bob.paste("half a\nsentence")
        bob.app.exit(0)

    async def second(bob: Person) -> None:
        assert bob.composer.text == "half a\nsentence"
        await bob.type(" more")
        assert bob.composer.text == "half a\nsentence more"
        await bob.press("enter")
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        assert bob.composer.text == "for the garden"
        await bob.press("ctrl+u")
        bob.app.exit(0)

    for scene in (first, second):
        kept = Unfinished(tmp_path, "localhost", 1, "bob")
        play(scene, setup=Setup(unfinished=kept))
        kept.close(5.0)
    assert not kept.path.exists()


def test_a_few_letters_jump_to_a_conversation() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.press("ctrl+k")
        await bob.pilot.pause()
        await bob.press("l", "b", "y", "enter")
        await bob.sees_side("rooms", "▸1 #lobby")
        await bob.press("ctrl+k")
        await bob.pilot.pause()
        await bob.press("z", "z", "enter")
        assert "▸1 #lobby" in bob.panel("rooms")
        await bob.press("ctrl+k")
        await bob.pilot.pause()
        await bob.press("down", "enter")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.press("ctrl+k")
        await bob.press("escape")
        assert isinstance(bob.app.screen, Chat)

    play(scene)


def test_both_sides_fold_and_go_when_there_is_no_room() -> None:
    async def scene(bob: Person) -> None:
        await bob.sees_side("people", "carol")
        rooms, people = bob.chat.query_one("#rooms"), bob.chat.query_one("#people")
        for key, shown in (
            ("f7", (False, True)),
            ("f8", (False, False)),
            ("f7", (True, False)),
            ("alt+l", (False, False)),
            ("alt+l", (True, True)),
        ):
            await bob.press(key)
            assert (rooms.display, people.display) == shown
        await bob.pilot.resize_terminal(60, 20)
        await bob.pilot.pause()
        assert (rooms.display, people.display) == (True, False)
        await bob.pilot.resize_terminal(40, 20)
        await bob.pilot.pause()
        assert (rooms.display, people.display) == (False, False)

    play(scene)


# ------------------------------------------------------------------ the messages


class WithHistory(ScriptedClient):
    """Room #lobby began long ago."""

    def start(self) -> None:
        self._seq = 500
        super().start()

    def _answers(self, name: str, keys: dict[str, Any], re: str) -> list[wire.System]:
        if name != "history":
            return super()._answers(name, keys, re)
        before, limit = keys["before"], keys["limit"]
        messages = tuple(
            wire.Posted(
                id=f"i{seq}", to="#lobby", sender="dave", seq=seq, ts=STAMP, text=f"old {seq}"
            )
            for seq in range(max(1, before - limit), before)
        )
        return [wire.HistoryPage(to="#lobby", messages=messages, more=before > limit + 1, re=re)]


@pytest.mark.slow
def test_scrolling_to_the_top_brings_older_messages_without_a_jump() -> None:
    async def scene(bob: Person) -> None:
        bob.client.flood("40")
        await bob.sees("message 39")
        await bob.press("pageup", "pageup")
        top = bob.messages.text.splitlines()[1]
        await bob.pilot.pause(0.1)
        assert bob.messages.text.splitlines()[1] == top
        for _ in range(200):
            await bob.press("pageup")
            if "old 1\n" in bob.messages.text:
                break
        assert "old 1\n" in bob.messages.text
        asked = [keys for name, keys in bob.client.commands if name == "history"]
        assert [keys["before"] for keys in asked] == [501, 401, 301, 201, 101]
        await bob.press("ctrl+home", "pageup")
        assert len([1 for name, _ in bob.client.commands if name == "history"]) == 5

    play(scene, client=WithHistory())


def test_it_stays_at_the_end_only_if_it_was_there() -> None:
    async def scene(bob: Person) -> None:
        bob.client.flood("60")
        await bob.sees("message 59")
        await bob.press("pageup")
        seen = bob.messages.text.splitlines()[:-1]
        bob.client.flood("20")
        await bob.sees("newer, End")
        for _ in range(20):
            await bob.pilot.pause(0.01)
        assert bob.messages.text.splitlines()[:-1] == seen
        await bob.press("end")
        await bob.sees("message 19 of 20")
        await bob.press("pageup", "pagedown", "pagedown")
        assert bob.messages.is_at_end

    play(scene)


def test_another_width_wraps_anew() -> None:
    async def scene(bob: Person) -> None:
        bob.client.post("carol", "word " * 30 + "end")
        await bob.sees("end")
        before = len([line for line in bob.messages.text.splitlines() if "word" in line])
        await bob.pilot.resize_terminal(40, 24)
        await bob.sees("end")
        await bob.pilot.pause()
        after = [line for line in bob.messages.text.splitlines() if "word" in line]
        assert len(after) > before
        assert all(len(line) <= 40 for line in after)

    play(scene)


def test_searching_in_what_was_said() -> None:
    async def scene(bob: Person) -> None:
        bob.client.post("carol", "the Needle, first")
        bob.client.flood("50")
        bob.client.post("dave", "needle two")
        bob.client.flood("50")
        await bob.sees("message 49")
        await bob.press("ctrl+r")
        await bob.type("needle")
        await bob.sees("needle two")
        await bob.press("ctrl+r")
        await bob.sees("the Needle, first")
        await bob.press("x")
        await bob.sees_side("status", "not found: needlex")
        await bob.press("enter")
        assert "Needle" in bob.messages.text
        await bob.type("typed on")
        assert bob.composer.text == "typed on"
        await bob.press("escape")
        await bob.sees("message 49")

    play(scene)


def test_who_comes_and_goes_is_folded_until_one_asks() -> None:
    async def scene(bob: Person) -> None:
        for nick in ("erin", "frank"):
            bob.client.hear(wire.Joined(room="#lobby", nick=nick))
        bob.client.hear(wire.Left(room="#lobby", nick="erin"))
        await bob.sees("erin, frank joined; erin left")
        await bob.press("alt+j")
        assert "-- frank joined" in bob.messages.text

    play(scene)


def rings_of(bob: Person) -> list[str]:
    """What is sent to the terminal from now on, beside what is drawn."""
    sent: list[str] = []
    bob.chat.alarm._write = sent.append
    return sent


def test_a_call_rings_and_no_more_than_once_in_a_while() -> None:
    async def scene(bob: Person) -> None:
        rung = rings_of(bob)
        bob.client.post("carol", "bob was here", missed=True)
        bob.client.post("carol", "nothing for Bobby")
        await bob.sees("Bobby")
        assert rung == []
        for _ in range(3):
            bob.client.call()
        await bob.sees("!<carol> bob: come here")
        assert rung == ["\a"]

    play(scene)


def test_what_rings_can_be_chosen_and_who_looks_elsewhere_is_shown_a_notice() -> None:
    async def scene(bob: Person) -> None:
        rung = rings_of(bob)
        await bob.type("/bell off\n")
        await bob.sees("bell: off")
        bob.client.call()
        await bob.sees("come here")
        assert rung == []
        await bob.type("/bell all\n")
        bob.app.post_message(events.AppBlur())
        await bob.pilot.pause()
        bob.client.post("carol", "anybody there?")
        await bob.sees("anybody there?")
        assert rung == ["\a\x1b]777;notify;carol in #lobby;anybody there?\x1b\\"]
        await bob.paste("it goes")
        await bob.type(" to the composer")
        assert bob.composer.text == "it goes to the composer"

    play(scene, setup=Setup(environ={"TERM": "foot"}))


def test_a_cleared_screen_is_empty_and_scrolling_brings_all_back() -> None:
    async def scene(bob: Person) -> None:
        bob.client.post("carol", "before")
        await bob.sees("before")
        await bob.type("/clear\n")
        assert bob.messages.text.strip() == ""
        bob.client.post("carol", "behind")
        await bob.sees("behind")
        await bob.press("pageup")
        await bob.sees("old 490")
        assert "before" not in bob.messages.text

    play(scene, client=WithHistory())


@pytest.mark.slow
def test_a_hundred_thousand_messages_cost_no_more_than_ten() -> None:
    async def scene(bob: Person) -> None:
        log = bob.chat._desks["#lobby"].log
        text = "so many words that one row is not enough for all of them " * 2
        for seq in range(10, 100_010):
            log.add(message(text, seq=seq), seen=True)
        best = 1.0
        for _ in range(5):
            began = process_time()
            log.add(message("new", seq=200_000), seen=True)
            bob.chat._draw()
            await bob.pilot.pause()
            best = min(best, process_time() - began)
        assert best < 0.02
        began = process_time()
        bob.messages.to_top()
        await bob.pilot.resize_terminal(60, 30)
        await bob.pilot.pause()
        assert process_time() - began < 0.5  # laying out all of them takes seconds

    play(scene)


# ------------------------------------------------------------------ all around


def test_the_help_is_made_of_the_table_that_is_obeyed() -> None:
    for rows, does in ((COMPOSER, Composer), (CHAT, Chat), (CHOSEN, Choosing)):
        for row in rows:
            assert callable(getattr(does, f"action_{row.action}")), row

    async def scene(bob: Person) -> None:
        await bob.press("f1")
        await bob.pilot.pause()
        assert isinstance(bob.app.screen, Help)
        await bob.press("pagedown", "down", "escape")
        assert isinstance(bob.app.screen, Chat)
        await bob.type("x")
        assert bob.composer.text == "x"

    play(scene)


def test_keys_can_be_changed_and_are_told_so() -> None:
    changed = keymap({"send-again": ["Ctrl-G"], "kill-word-left": ["f5"], "next": ["ctrl-w"]})

    async def scene(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.press("ctrl+w")
        await bob.sees_side("rooms", "▸1 #lobby")
        await bob.type("refuse it")
        await bob.press("f5")
        assert bob.composer.text == "refuse "
        await bob.type("that\n")
        await bob.sees("not sent (I refuse.) Ctrl-G sends it again")
        await bob.sees_side("status", "1 not sent: Ctrl-G")
        await bob.press("ctrl+g")
        assert [text for _, text, _ in bob.client.said] == ["refuse that"] * 2

    play(scene, setup=Setup(keys=changed))


def test_what_is_changed_is_kept_for_the_next_start_or_told() -> None:
    kept: list[tuple[str, str]] = []

    def remember(key: str, value: str) -> None:
        kept.append((key, value))
        if key == "theme":
            raise SettingsError("config.toml could not be written: no room.")

    async def scene(bob: Person) -> None:
        await bob.type("/bell off\n/bell\n")
        await bob.press("alt+j", "alt+j", "f9")
        await bob.sees("!! config.toml could not be written: no room.")
        assert bob.app.theme == "textual-light"

    play(scene, setup=Setup(remember=remember))
    assert kept == [("bell", "off"), ("joins", "show"), ("joins", "fold"), ("theme", "light")]


def test_comings_and_goings_can_be_hidden_for_good() -> None:
    async def scene(bob: Person) -> None:
        bob.client.hear(wire.Joined(room="#lobby", nick="erin"))
        bob.client.post("erin", "hello")
        await bob.sees("<erin> hello")
        assert "erin joined" not in bob.messages.text
        assert "erin" in bob.panel("people")

    play(scene, setup=Setup(joins=Joins.HIDE))


def test_every_theme_shows_the_same_text() -> None:
    async def scene(bob: Person) -> None:
        bob.client.post("carol", "bob: so *bold* `x`")
        await bob.sees("bold")
        seen = bob.messages.text
        for _ in range(3):
            await bob.press("f9")
            await bob.pilot.pause()
            assert bob.messages.text == seen
        await bob.press("ctrl+l")
        assert bob.messages.text == seen

    play(scene)


def test_no_color_takes_all_colours_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scene(bob: Person) -> None:
        bob.client.post("carol", "hello")
        await bob.sees("hello")
        for strips in bob.app.screen._compositor.render_strips():
            for _, style, _ in strips.apply_filter(
                bob.app._filters[-1], bob.app.background_colors[0]
            ):
                triplet = style and style.color and style.color.triplet
                assert not triplet or len(set(triplet)) == 1

    play(scene)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (["ctrl+d"], 0),
        (["ctrl+c", "ctrl+c"], 130),
        (["x", "ctrl+c", "ctrl+c"], 130),
        ([*"/quit", "enter"], 0),
    ],
)
def test_ways_out(keys: list[str], code: int) -> None:
    async def scene(bob: Person) -> None:
        await bob.press(*[_name(key) for key in keys])
        await bob.pilot.pause()
        assert bob.app.return_value == code

    play(scene)


def test_a_lonely_interrupt_only_clears(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(bob: Person) -> None:
        await bob.press("ctrl+c")
        await bob.sees_side("status", "Ctrl-C again quits")
        monkeypatch.setattr("securechat.tui.composer._TWICE", -1.0)  # too late
        await bob.press("ctrl+c")
        assert bob.app.return_value is None
        assert bob.app.is_running

    play(scene)


def test_the_end_of_the_client_ends_the_screen() -> None:
    async def scene(bob: Person) -> None:
        bob.client.give_up()
        for _ in range(200):
            await bob.pilot.pause(0.01)
            if not bob.app.is_running:
                break
        assert bob.app.return_value is None

    play(scene)


# ------------------------------------------------------------------ passwords


async def _asked(bob: Person, question: str) -> None:
    """Wait until a question stands there."""

    def look() -> str:
        screen = bob.app.screen
        if not isinstance(screen, Secrets):
            return ""
        return str(screen.query_one("#question").render())

    await bob.sees(question, look)


def test_a_password_is_typed_where_nobody_sees_it() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/register\n")
        await _asked(bob, "New password:")
        await bob.press(*"tulips")
        field = bob.app.screen.query_one(Input)
        assert field.password
        assert "tulips" not in str(field.render())
        await bob.press("enter")
        await _asked(bob, "The same once more:")
        await bob.press(*"tulips", "enter")
        await bob.pilot.pause()
        assert bob.client.commands[-1] == ("register", {"password": "tulips"})
        assert bob.app.screen is bob.chat
        await bob.press("up")
        assert bob.composer.text == "/register"

    play(scene)


def test_a_password_may_be_left_unsaid_or_mistyped() -> None:
    async def scene(bob: Person) -> None:
        commands = list(bob.client.commands)
        await bob.type("/login carol\n")
        await _asked(bob, "Password:")
        await bob.press(*"tul", "escape")
        await bob.pilot.pause()
        assert bob.app.screen is bob.chat
        await bob.type("/register\n")
        await _asked(bob, "New password:")
        await bob.press(*"tulips", "enter", *"tulip", "enter")
        await bob.sees("two different passwords")
        await bob.sees("Type /register to be asked again.")
        assert bob.client.commands == commands

    play(scene)


def test_a_password_in_the_line_is_thrown_away() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/login carol tulips\n")
        await bob.sees("The password is asked for by itself")
        assert bob.composer.text == ""
        await bob.press("up")
        assert bob.composer.text == ""
        assert "tulips" not in bob.messages.text

    play(scene)
