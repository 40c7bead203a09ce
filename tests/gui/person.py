"""Somebody at the chat in a window that nobody sees, with a client that has no network."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from securechat.client.controller import Controller
from securechat.client.unfinished import Unfinished
from securechat.gui.chat import Chat
from securechat.gui.dialogs import Dialog
from securechat.gui.pump import Pump
from securechat.gui.theme import Theme
from securechat.protocol import envelopes as wire

from ..cli.scripted import STAMP, ScriptedClient

PATIENCE = 10.0
#: The first message that the server has, and the one before those that come to the window.
OLDEST, BEFORE = 4_800, 5_000


class PagedClient(ScriptedClient):
    """One that has messages from before we came, for who scrolls up."""

    def __init__(self) -> None:
        super().__init__()
        self._seq = BEFORE

    def _old(self, to: str, seq: int) -> wire.Posted:
        return wire.Posted(id=f"o{seq}", to=to, sender="eve", seq=seq, ts=STAMP, text=f"old {seq}")

    def _answers(self, name: str, keys: dict[str, Any], re: str) -> list[wire.System]:
        if name == "search":
            hits = tuple(self._old("#lobby", seq) for seq in (BEFORE + 1, 4_950, 4_850))
            return [wire.SearchPage(messages=hits, more=False, re=re)]
        if name != "history":
            return super()._answers(name, keys, re)
        first = max(OLDEST, keys["before"] - keys["limit"])
        page = tuple(self._old("#lobby", seq) for seq in range(first, keys["before"]))
        return [wire.HistoryPage(to=keys["to"], messages=page, more=first > OLDEST, re=re)]


class Person:
    """Bob. `title`: that of the window."""

    def __init__(self, root: tk.Tk, folder: Path) -> None:
        self.root = root
        self.unfinished = Unfinished(folder, "localhost", 55555, "bob")
        self.client = PagedClient()
        self.client.start()
        self.title = ""
        self.theme = Theme(root)
        self.theme.dress("light", 10)
        self.chat = Chat(
            root,
            self.client,
            Controller(self.client, "bob", ("#lobby",), has_sides=True),
            self.unfinished,
            lambda: self.theme.palette,
            heard=lambda _entries: None,
            titled=self._set_title,
            menu=lambda menu: menu.add_command(label="Leave"),
        )
        self.chat.frame.dress(self.theme.palette, self.theme.unit)
        self.chat.frame.pack(fill="both", expand=True)
        root.geometry("900x600+0+0")
        self.pump = Pump(root, self.chat.take)
        self.chat.composer.text.focus_force()
        self.sees("you are in #lobby")

    def _set_title(self, title: str) -> None:
        self.title = title

    @property
    def shown(self) -> str:
        """The messages in the widget."""
        return self.chat.messages.text.get("1.0", "end-1c")

    @property
    def typed(self) -> str:
        """What stands in the composer."""
        return self.chat.composer.typed

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Let the window work until something holds."""
        end = time.monotonic() + PATIENCE
        while not until():
            if time.monotonic() > end:
                pytest.fail(f"{what}; shown:\n{self.shown}")
            self.root.update()
            time.sleep(0.002)

    def sees(self, text: str) -> None:
        """Wait until it stands among the messages."""
        self.wait(lambda: text in self.shown, f"{text!r} never came")

    def type(self, text: str) -> None:
        """Press keys in the composer, a letter each."""
        field = self.chat.composer.text
        for char in text:
            name = {" ": "space", "\n": "Return", "/": "slash", ":": "colon"}.get(char, char)
            name = {"#": "numbersign", "@": "at"}.get(name, name)
            field.event_generate(f"<Key-{name}>")
        self.root.update()

    def press(self, sequence: str, widget: tk.Misc | None = None) -> None:
        """Press one key, or use the mouse."""
        (widget or self.chat.composer.text).event_generate(sequence)
        self.root.update()

    def settle(self) -> None:
        """Let the window take in what is there."""
        self.wait(self.client.events.empty, "events were left over")
        self.root.update()

    def leave(self) -> None:
        """Go."""
        self.pump.stop()
        self.chat.close()
        self.root.destroy()
        self.unfinished.close(PATIENCE)


def dialog(bob: Person) -> Dialog:
    """The one that is open."""
    bob.root.update()
    [found] = [one for one in bob.chat.frame.winfo_children() if isinstance(one, Dialog)]
    return found
