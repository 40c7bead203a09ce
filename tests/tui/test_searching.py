"""Searching under somebody's hands: a list of hits, one of them among the others, and there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.widget import Widget

from securechat.client.events import Message
from securechat.client.log import Log
from securechat.protocol import envelopes as wire
from securechat.tui.panel import Panel
from securechat.tui.searching import FAR, Around, Hits

from ..cli.scripted import STAMP, ScriptedClient
from ..client.saying import message
from .person import Person, play


def posted(room: str, seq: int, text: str = "") -> wire.Posted:
    text = text or f"message {seq}"
    return wire.Posted(id=f"i{seq}", to=room, sender="carol", seq=seq, ts=STAMP, text=text)


class Archive(ScriptedClient):
    """A client whose server has `size` messages in every room, and finds every hundredth."""

    def __init__(self, size: int = 1_000) -> None:
        super().__init__()
        self.size = size

    def start(self) -> None:
        self._seq = self.size  # the newest is "earlier"
        super().start()

    def _answers(self, name: str, keys: dict[str, Any], re: str) -> list[wire.System]:
        if name == "search":
            return [self._search(keys, re)]
        if name == "history":
            return [self._history(keys, re)]
        return super()._answers(name, keys, re)

    def _search(self, keys: dict[str, Any], re: str) -> wire.System:
        if keys["query"] == "nothing":
            return wire.SearchPage(messages=(), more=False, re=re)
        top = int(keys.get("before", self.size))
        seqs = range(top, max(0, top - 500), -100)
        found = tuple(posted(keys["query"], seq, f"a tulip {seq}") for seq in seqs)
        more = seqs[-1] > 100
        return wire.SearchPage(
            messages=found, more=more, next=str(seqs[-1] - 100) if more else None, re=re
        )

    def _history(self, keys: dict[str, Any], re: str) -> wire.System:
        stop = min(keys["before"], self.size + 1)
        start = max(1, stop - keys["limit"])
        page = tuple(posted(keys["to"], seq) for seq in range(start, stop))
        return wire.HistoryPage(to=keys["to"], messages=page, more=start > 1, re=re)


def overlay(bob: Person, kind: type[Widget]) -> str:
    """What is shown in an overlay, with its title; "" where there is none, or not all of it yet."""
    if not isinstance(bob.app.screen, kind) or not bob.app.screen.query(Panel):
        return ""
    box, panel = bob.app.screen.query("Vertical").first(), bob.app.screen.query_one(Panel)
    return f"{box.border_title}\n{panel.text}\n{box.border_subtitle}"


def search(scene: Callable[[Person], Awaitable[None]], size: int = 1_000) -> None:
    play(scene, client=Archive(size))


def test_hits_are_listed_newest_first_and_older_ones_come_at_the_end() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/search #lobby\n")
        await bob.sees("1 of 5 and more found", lambda: overlay(bob, Hits))
        lines = overlay(bob, Hits).splitlines()
        assert lines[1].startswith("▸ 2026-11-23")
        assert lines[1].endswith("#lobby <carol> a tulip 1000")
        assert lines[5].endswith("a tulip 600")
        for _ in range(5):
            await bob.press("down")
        await bob.sees("of 10 found", lambda: overlay(bob, Hits))
        await bob.press("pagedown", "pagedown")
        await bob.sees("10 of 10 found", lambda: overlay(bob, Hits))
        await bob.press("up", "pageup")
        await bob.sees("1 of 10 found", lambda: overlay(bob, Hits))
        await bob.press("escape")
        assert overlay(bob, Hits) == ""
        assert "tulip" not in bob.messages.text

    search(scene)


def test_a_hit_opens_among_the_others_and_leads_to_its_place() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/search #lobby\n")
        await bob.sees("a tulip 600", lambda: overlay(bob, Hits))
        await bob.press("down", "down", "down", "enter")
        await bob.sees("message 700", lambda: overlay(bob, Around))
        assert overlay(bob, Around).startswith("#lobby, Monday, 2026-11-23\n")
        await bob.press("pageup", "pageup", "pageup")
        await bob.sees("message 675", lambda: overlay(bob, Around))
        await bob.press("enter")
        await bob.sees("message 700")
        assert isinstance(bob.app.screen, type(bob.chat))
        hit = bob.messages.hit
        log = bob.chat._desks["#lobby"].log
        assert hit is not None
        assert hit == log.number_of(700)

    search(scene)


def test_a_hit_that_is_held_is_shown_at_once() -> None:
    async def scene(bob: Person) -> None:
        for seq in range(900, 1_001):
            bob.client.events.put(Message("#lobby", posted("#lobby", seq), False, False))
        await bob.sees("message 1000")
        await bob.type("/search #lobby\n")
        await bob.sees("a tulip 900", lambda: overlay(bob, Hits))
        await bob.press("down", "enter")
        await bob.sees("message 900")
        assert isinstance(bob.app.screen, type(bob.chat))

    search(scene)


def test_who_types_on_is_not_disturbed_by_what_was_found() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("half ")
        bob.chat._controller.find("#lobby")
        await bob.sees("a tulip 600", lambda: overlay(bob, Hits))
        await bob.type(" quite a sentence\nand")
        await bob.sees("half  quite a sentence")
        assert (overlay(bob, Hits), bob.composer.text) == ("", "and")
        await bob.type(" more\n/search #lobby\n")
        await bob.sees("a tulip 600", lambda: overlay(bob, Hits))
        await bob.press("down", "enter")
        await bob.sees("message 900", lambda: overlay(bob, Around))
        bob.app.screen.post_message(events.Paste("pasted"))
        await bob.sees("pasted", lambda: bob.composer.text)
        await bob.pilot.pause()
        assert isinstance(bob.app.screen, type(bob.chat))

    search(scene)


def test_a_hit_in_another_room_joins_it_and_says_so_before() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/search #garden\n")
        await bob.sees("Enter joins #garden and shows it", lambda: overlay(bob, Hits))
        await bob.press("enter")
        await bob.sees("message 1000", lambda: overlay(bob, Around))
        assert ("join", {"room": "#garden"}) in bob.client.commands
        await bob.press("escape", "escape")
        await bob.sees_side("title", "#garden")

    search(scene)


def test_what_is_too_far_back_is_only_shown_among_the_others() -> None:
    size = FAR + 1_000

    async def scene(bob: Person) -> None:
        await bob.type("/context 100\n")
        await bob.sees("message 100", lambda: overlay(bob, Around))
        asked = len(bob.client.commands)
        await bob.press("enter")
        await bob.pilot.pause(0.1)
        assert len(bob.client.commands) == asked
        assert "earlier" in bob.messages.text

    search(scene, size)


def test_nothing_found_is_said_among_the_messages() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/search nothing\n")
        await bob.sees("nothing was found")

    search(scene)


def test_who_is_away_is_marked() -> None:
    async def scene(bob: Person) -> None:
        bob.client.hear(wire.AwayIs(nick="carol", text="lunch"))
        await bob.sees_side("people", "carol (away)")
        bob.client.hear(wire.AwayIs(nick="bob", text="tea", re="c99"))
        await bob.sees("you are away: tea")
        await bob.sees_side("status", "│ away │")

    play(scene)


def test_a_message_is_looked_up_by_its_number() -> None:
    log = Log()
    assert log.number_of(3) is None
    for seq in (2, 0, 4, 5):
        log.add(message(seq=seq), seen=True)
    assert [log.number_of(seq) for seq in (1, 2, 3, 4, 5, 6)] == [None, 0, None, 2, 3, None]
