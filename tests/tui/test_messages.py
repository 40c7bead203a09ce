"""The messages on the full screen: scrolled, folded, found, told by a bell, cheap however many."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from textual import events

from securechat.protocol import envelopes as wire
from securechat.tui.setup import Setup

from ..cli.scripted import STAMP, ScriptedClient
from ..client.saying import message
from .person import Person, play


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
        best = 1.0
        for columns in (60, 70, 80):
            began = process_time()
            bob.messages.to_top()
            await bob.pilot.resize_terminal(columns, 30)
            await bob.pilot.pause()
            best = min(best, process_time() - began)
        assert best < 0.5  # laying out all of them takes seconds

    play(scene)
