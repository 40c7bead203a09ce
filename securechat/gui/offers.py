"""The context menus of a chat: for a conversation, a person, or what stands among the messages.

What a row does is done by the chat: `Doer`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from ..client.entries import Entry
from ..client.harmless import harmless_line
from ..client.log import Moves
from . import menus
from .layout import Layout
from .links import links_of
from .model import Model
from .outward import Outward
from .pieces import AGAIN, DROP
from .questions import Questions


class Doer(Protocol):
    """What rows of a menu do."""

    model: Model

    def enter(self, text: str) -> bool:
        """Do a line as if it were typed."""

    def clicked(self, tag: str) -> None:
        """Do what a word among the messages offers."""


class Offers:
    """The menus of one chat, above its `frame`."""

    def __init__(self, frame: Layout, doer: Doer, questions: Questions, outward: Outward) -> None:
        self._frame = frame
        self._doer = doer
        self._questions = questions
        self._outward = outward
        self._pop_up = menus.PopUp(frame)

    def of_conversation(self, name: str, x: int, y: int) -> None:
        """Offer what can be done with a conversation."""
        self._show(self._rows(menus.of_conversation(name, self._doer.model.features)), x, y)

    def of_person(self, nick: str, x: int, y: int) -> None:
        """Offer what can be done with a person."""
        self._show(self._rows(menus.of_person(nick, self._doer.model.features)), x, y)

    def of_message(self, line: int, x: int, y: int) -> None:
        """Offer what can be done with what stands in a line of the messages."""
        rows: list[menus.Row | None] = []
        text = self._frame.messages.text
        if text.tag_ranges("sel"):
            rows.append(menus.Row("Copy", lambda: text.event_generate("<<Copy>>")))
        draft = self._doer.model.page.draft_at(line)
        if draft is not None and draft.id in self._doer.model.timeline.refused:
            rows.append(menus.Row("Send again", self._click(f"{AGAIN}{draft.id}")))
            rows.append(menus.Row("Drop", self._click(f"{DROP}{draft.id}")))
        item = self._doer.model.page.item_at(line)
        if item is not None and not isinstance(item, Moves) and item.nick:
            rows += self._of_entry(item)
        self._show(rows, x, y)

    def _of_entry(self, entry: Entry) -> list[menus.Row | None]:
        features = self._doer.model.features
        rows: list[menus.Row | None] = [
            menus.Row(f"Open {_short(link.address)}", partial(self._outward.go, link.address))
            for link in links_of(entry)
        ]
        rows.append(menus.Row("Copy this message", partial(self._copy, entry.text)))
        rows.append(menus.Row("Quote", partial(self._quote, entry)))
        rows += self._rows(menus.of_message(entry.seq, features))
        if not entry.own:
            rows += [None, *self._rows(menus.of_person(entry.nick, features))]
        return rows

    def _show(self, rows: menus.Rows, x: int, y: int) -> None:
        if rows:
            self._pop_up.show(rows, x, y)

    def _rows(self, choices: list[menus.Choice]) -> list[menus.Row]:
        return [menus.Row(one.label, partial(self.choose, one), one.group) for one in choices]

    def choose(self, choice: menus.Choice) -> None:
        """Do what a row says, or ask for what it still lacks."""
        if choice.asks:
            self._questions.rest_of(choice)
        else:
            self._doer.enter(choice.line)

    def _click(self, tag: str) -> Callable[[], None]:
        return partial(self._doer.clicked, tag)

    def _copy(self, text: str) -> None:
        self._frame.clipboard_clear()
        self._frame.clipboard_append(text)

    def _quote(self, entry: Entry) -> None:
        first = harmless_line(entry.text)[:200]
        self._frame.composer.insert(f"> {harmless_line(entry.nick)}: {first}\n")


def _short(address: str) -> str:
    return address if len(address) <= 60 else f"{address[:59]}…"
