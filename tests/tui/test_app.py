"""Leaving: the code, the goodbye, and what is told of messages that were not sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from securechat.client.controller import Controller
from securechat.errors import GaveUp
from securechat.tui import app

from ..cli.scripted import ScriptedClient


def run(
    monkeypatch: pytest.MonkeyPatch, code: int | None, *lines: str
) -> tuple[int, ScriptedClient, list[str]]:
    """Type `lines`, leave the screen with `code`: what comes of it, and what is complained of."""
    client, told = ScriptedClient(), list[str]()
    client.start()

    def typed(self: app.ChatApp, **_keys: object) -> int | None:
        controller: Controller = self.get_default_screen()._controller
        for line in lines:
            controller.enter(line, datetime.now(UTC), "#lobby")
        while not client.events.empty():
            controller.take(client.events.get(), datetime.now(UTC))
        return code

    monkeypatch.setattr(app.ChatApp, "run", typed)
    return app.run(client, "bob", ("#lobby",), told.append), client, told


def test_quitting_takes_the_reason_along(monkeypatch: pytest.MonkeyPatch) -> None:
    code, client, told = run(monkeypatch, 0, "hello", "/quit good night")
    assert (code, client.closed, told) == (0, ["good night"], [])


def test_what_was_not_sent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    code, client, told = run(monkeypatch, 0, "lag this")
    assert (code, client.closed) == (1, [None])
    assert told == ["1 message was not sent; the next start with this nick sends them."]


def test_sigterm_has_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, 143, "lag this")[0] == 143


def test_what_ended_the_client_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GaveUp):
        run(monkeypatch, None, "end")
