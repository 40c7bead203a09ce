"""What a front end asks of the engine, as values that travel through one queue."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..protocol.envelopes import Command, Draft


class Say(NamedTuple):
    """Send a new draft."""

    draft: Draft


class Ask(NamedTuple):
    """Send a command."""

    command: Command


class Confirm(NamedTuple):
    """Send the held drafts, or give them up."""

    send: bool


class Hurry(NamedTuple):
    """Do not wait for the next try to connect."""


class Leave(NamedTuple):
    """Quit; `at_once`: without waiting for the server's goodbye."""

    reason: str | None
    at_once: bool = False


Request: TypeAlias = Say | Ask | Confirm | Hurry | Leave
