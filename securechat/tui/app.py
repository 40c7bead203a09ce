"""The full screen as a whole: `run` is what `securechat connect` calls.

It raises the ClientError that ended the client, as the line mode does, and returns the exit code
otherwise. The terminal is given back at once when one leaves; only then are a moment's words spent
with the server.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from queue import Empty
from typing import Final

from textual.app import App

from ..client.controller import Client, Controller
from ..client.entries import counted
from ..client.farewell import take_leave
from .chat import Chat
from .palette import CONTRAST
from .sequences import know_alt

_TERMINATED: Final = 143


class ChatApp(App[int], inherit_bindings=False):
    """Textual's part: the look, signals, and the one screen."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Chat { background: $background; }
    #middle { height: 1fr; }
    #talk { width: 1fr; }
    #title { height: 1; background: $panel; }
    #messages { height: 1fr; }
    #rooms { width: 20; border-right: solid $foreground 30%; }
    #people { width: 17; border-left: solid $foreground 30%; padding: 0 0 0 1; }
    #rooms.narrow, #rooms.folded, #people.narrow, #people.folded { display: none; }
    #status { height: 1; background: $panel; }
    #search { height: 1; border: none; padding: 0 1; }
    #composer { height: auto; min-height: 1; max-height: 8; background: $background; }
    #composer:focus { border: none; }
    Help, Jump, Secrets { align: center middle; background: $background 60%; }
    #help { width: 78; max-width: 100%; height: 90%; padding: 0 1;
            border: round $foreground; background: $panel; }
    #jump { width: 40; max-width: 90%; height: 13; padding: 0 1;
            border: round $foreground; background: $panel; }
    #found { height: 10; }
    #secrets { width: 50; max-width: 90%; height: 4; padding: 0 1;
               border: round $foreground; background: $panel; }
    Hits, Around { align: center middle; background: $background 60%; }
    #hits { width: 96%; height: 70%; border: round $foreground; background: $panel; }
    #around { width: 96%; height: 90%; border: round $foreground; background: $panel; }
    #hits Panel, #around Panel { height: 1fr; }
    """

    def __init__(self, client: Client, controller: Controller) -> None:
        super().__init__()
        self._client = client
        self._controller = controller
        self._farewell: threading.Thread | None = None
        self._chat = Chat(client, controller)
        self.register_theme(CONTRAST)

    def exit(self, result: int | None = None, *_more: object, **_keys: object) -> None:
        """Leave, once; while Textual gives the terminal back, for 0.2 s, the goodbye is said."""
        if self._farewell is None:
            self._farewell = threading.Thread(target=self._say_goodbye, name="farewell")
            self._farewell.start()
            super().exit(result)

    def _say_goodbye(self) -> None:
        leaving = self._controller.leaving
        lag = self._controller.timeline.farewell
        take_leave(self._client, None if leaving is None else leaving.reason, lag)

    def wait_for_goodbye(self) -> None:
        """See that the client is closed."""
        if self._farewell is None:
            self._say_goodbye()
        else:
            self._farewell.join()

    def get_default_screen(self) -> Chat:
        """The chat, and nothing else."""
        return self._chat

    def on_mount(self) -> None:
        """SIGTERM ends the app, which gives the terminal back."""
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGTERM, lambda: self.exit(_TERMINATED)
        )


def run(client: Client, nick: str, rooms: Sequence[str], complain: Callable[[str], None]) -> int:
    """Chat on the terminal until the person leaves; returns the exit code.

    The client is started already. `complain` tells what was not sent, once the terminal is back.
    """
    know_alt()
    controller = Controller(client, nick, tuple(rooms))
    app = ChatApp(client, controller)
    code = app.run(mouse=False)
    if controller.error is not None:
        raise controller.error
    app.wait_for_goodbye()
    left = _left(client, controller)
    if left:
        told = counted(left, "message was", "messages were")
        complain(f"{told} not sent; the next start with this nick sends them.")
    return code or (1 if left else 0)


def _left(client: Client, controller: Controller) -> int:
    """How many of our messages nobody knows to be stored, when all is heard."""
    while not controller.done:
        try:
            controller.take(client.events.get_nowait(), datetime.now(UTC))
        except Empty:
            break
    return len(controller.timeline.drafts)
