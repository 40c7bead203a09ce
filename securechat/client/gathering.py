"""Answers that come in several frames, put together to one.

Pure; a part of `timeline`. Everything is bounded: rows beyond a number, and answers that were begun
and never end, are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..protocol.envelopes import (
    ConversationList,
    HelpIs,
    Members,
    RoomList,
    SanctionList,
    SessionList,
    System,
)
from .entries import is_whole

#: Rows of one answer that comes in several frames, and answers that may be under way.
MAX_ROWS: Final = 20_000
MAX_ANSWERS: Final = 100

#: Where the rows stand, of answers that may come in several frames.
_ROWS: Final[Mapping[type[System], str]] = MappingProxyType(
    {
        Members: "members",
        RoomList: "rooms",
        ConversationList: "conversations",
        SessionList: "sessions",
        SanctionList: "bans",
        HelpIs: "commands",
    }
)


class Gathering:
    """The answers of which a part is here, by the command that each belongs to."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, event: System) -> System | None:
        """The event with all its rows, once its last frame is there; None before."""
        name = _ROWS.get(type(event))
        if name is None:
            return event
        key = event.re or ""
        if len(self._rows) > MAX_ANSWERS:
            self._rows.clear()
        gathered = self._rows.setdefault(key, [])
        gathered += getattr(event, name)[: MAX_ROWS - len(gathered)]
        if not is_whole(event):
            return None
        del self._rows[key]
        return event.model_copy(update={name: tuple(gathered)})

    def clear(self) -> None:
        """No answer that was begun will be ended."""
        self._rows.clear()
