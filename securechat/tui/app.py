"""The full screen as a whole: `run` is what `securechat connect` calls.

It raises the ClientError that ended the client, as the line mode does, and returns the exit code
otherwise. The terminal is given back at once when one leaves; only then are a moment's words spent
with the server.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from queue import Empty
from typing import Final

from textual import events
from textual.app import App

from ..client.controller import Controller
from ..client.entries import counted
from ..client.farewell import take_leave
from ..client.interface import Client
from .chat import Chat
from .palette import CONTRAST
from .sequences import keys_of, know_alt
from .setup import DEFAULTS, THEMES, Setup
from .terminal import Terminal

_TERMINATED: Final = 143
#: Seconds that a slow disk may take for what is half typed.
_TIDY: Final = 0.5


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
    #rooms.slim { width: 16; }
    #people.slim { width: 13; }
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
    #secrets { width: 50; max-width: 90%; height: auto; padding: 0 1;
               border: round $foreground; background: $panel; }
    Hits, Around { align: center middle; background: $background 60%; }
    #hits { width: 96%; height: 70%; border: round $foreground; background: $panel; }
    #around { width: 96%; height: 90%; border: round $foreground; background: $panel; }
    #hits Panel, #around Panel { height: 1fr; }
    """

    def __init__(
        self, client: Client, controller: Controller, setup: Setup = DEFAULTS, typed: str = ""
    ) -> None:
        # With its own colours Textual would only make them greys: NO_COLOR means none at all.
        super().__init__(driver_class=Terminal, ansi_color="NO_COLOR" in os.environ)
        self._typed = typed
        self._client = client
        self._controller = controller
        self._farewell: threading.Thread | None = None
        self._now = setup.clock
        self._chat = Chat(client, controller, setup, self.send_sequence)
        self.register_theme(CONTRAST)
        self.theme = THEMES[setup.theme]

    def exit(self, result: int | None = None, *_more: object, **_keys: object) -> None:
        """Leave, once; while Textual gives the terminal back, for 0.2 s, the goodbye is said."""
        if self._farewell is None:
            self._chat.keep_unfinished()
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

    def send_sequence(self, sequence: str) -> None:
        """Hand an escape sequence to the terminal, whole, behind what is drawn already.

        Textual has a public call for the bell alone; the driver's `write` is what that uses.
        """
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    async def on_event(self, event: events.Event) -> None:
        """All that happens comes through here first."""
        if isinstance(event, events.Key | events.Paste):
            self._chat.alarm.key(self._now())
        await super().on_event(event)

    def on_app_focus(self) -> None:
        """The terminal says that it has the keyboard."""
        self._chat.alarm.focus(True)

    def on_app_blur(self) -> None:
        """The terminal says that another window has the keyboard."""
        self._chat.alarm.focus(False)

    def on_load(self) -> None:
        """What was typed before comes before all keys."""
        for key in keys_of(self._typed):
            self.post_message(key)

    def on_mount(self) -> None:
        """SIGTERM ends the app, which gives the terminal back."""
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGTERM, lambda: self.exit(_TERMINATED)
        )


def run(
    client: Client,
    nick: str,
    rooms: Sequence[str],
    complain: Callable[[str], None],
    setup: Setup = DEFAULTS,
    *,
    typed: str = "",
) -> int:
    """Chat on the terminal until the person leaves; returns the exit code.

    The client is started already. `complain` tells what was not sent, once the terminal is back.
    `typed` was typed before, as a terminal sends it, and is obeyed first.
    """
    know_alt()
    controller = Controller(client, nick, tuple(rooms), has_sides=True)
    controller.bell.level = setup.bell
    controller.timeline.heed(setup.words)
    app = ChatApp(client, controller, setup, typed)
    code = app.run(mouse=False)
    if setup.unfinished is not None:
        setup.unfinished.close(_TIDY)
        if setup.unfinished.problem is not None:
            complain(setup.unfinished.problem)
    if controller.error is not None:
        raise controller.error
    app.wait_for_goodbye()
    left = _left(client, controller, setup.clock)
    if left:
        told = counted(left, "message was", "messages were")
        complain(f"{told} not sent; the next start with this nick sends them.")
    return code or (1 if left else 0)


def _left(client: Client, controller: Controller, now: Callable[[], datetime]) -> int:
    """How many of our messages nobody knows to be stored, when all is heard."""
    while not controller.done:
        try:
            controller.take(client.events.get_nowait(), now())
        except Empty:
            break
    return len(controller.timeline.drafts)
