"""Somebody at the full screen, in Textual's Pilot, with a client that has no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from securechat.client.controller import Controller
from securechat.tui.app import ChatApp
from securechat.tui.chat import Chat
from securechat.tui.composer import Composer
from securechat.tui.messages import Messages
from securechat.tui.panel import Panel
from securechat.tui.setup import DEFAULTS, Setup

from ..cli.scripted import ScriptedClient


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
