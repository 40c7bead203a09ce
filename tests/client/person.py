"""Somebody at a controller, with a client that answers by the script."""

from __future__ import annotations

from datetime import UTC, datetime

from securechat.client.controller import Controller
from securechat.client.entries import Entry

from ..cli.scripted import ScriptedClient

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Person:
    """Somebody at a controller; everything that there is to see comes out of each word."""

    def __init__(self, *, interactive: bool = True) -> None:
        self.client = ScriptedClient()
        self.chat = Controller(self.client, "bob", ("#lobby",), interactive=interactive)
        self.client.start()
        self.seen = self.look()

    def look(self) -> list[Entry]:
        """Take all that the client has told."""
        seen: list[Entry] = []
        while not self.client.events.empty():
            seen += self.chat.take(self.client.events.get(), NOW)
        return seen

    def type(self, line: str) -> list[str]:
        """Type a line where one is; what is shown then."""
        return [entry.text for entry in self.chat.enter(line, NOW, self.chat.focus) + self.look()]
