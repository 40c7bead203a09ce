"""What a front end needs of a client; `client.client.ChatClient` is one, tests play another."""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any, Protocol, runtime_checkable

from .events import ClientEvent
from .ignored import Ignored


class Client(Protocol):
    """Calls from any thread; `events` is for that of the front end."""

    events: SimpleQueue[ClientEvent]

    def start(self) -> None:
        """Begin to connect."""

    def say(self, to: str, text: str, *, action: bool = False) -> str:
        """Send a message; returns the draft's id."""

    def command(self, name: str, **keys: Any) -> str:
        """Send a command; returns the id that its answers carry in `re`."""

    def confirm_drafts(self, send: bool) -> None:
        """Say what becomes of drafts that wait for a person's word."""

    def hurry(self) -> None:
        """Wait no longer for the next try to come back."""

    def settle(self, timeout: float | None, left: int = 0) -> bool:
        """Wait until all drafts but `left` are settled; False if `timeout` (seconds) was over."""

    def close(self, reason: str | None = None, timeout: float = 3.0) -> None:
        """Leave; `Ended` is the last event."""


@runtime_checkable
class KeepsIgnored(Protocol):
    """A client that keeps whom its person does not want to hear."""

    @property
    def ignored(self) -> Ignored:
        """The same list each time; for the thread of the front end."""
