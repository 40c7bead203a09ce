"""The commands over this link that have no answer yet.

Pure; a part of `talk`.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final, NamedTuple

from ..protocol import envelopes as wire
from .entries import is_whole


class Asked(NamedTuple):
    """A command without its answer; `ours`: the user did not ask.

    `renamed`: whom it names goes by another nick now, and that is the one that stands in it.
    """

    command: wire.Command
    ours: bool
    renamed: bool = False


class Questions:
    """All of them, by their ids."""

    def __init__(self) -> None:
        self._open: dict[str, Asked] = {}

    def ask(self, command: wire.Command, *, ours: bool) -> None:
        """It was sent."""
        self._open[command.id] = Asked(command, ours)

    def answered_by(self, event: wire.System) -> Asked | None:
        """Whose answer `event` is; with its last frame that one is done with."""
        asked = self._open.get(event.re) if event.re is not None else None
        if asked is not None and is_whole(event):
            del self._open[asked.command.id]
        return asked

    def joining(self) -> Iterator[str]:
        """The conversations that we are about to come into."""
        for one in self._open.values():
            if isinstance(one.command, wire.Join):
                yield one.command.room

    def rename(self, old: str, new: str) -> None:
        """Direct conversation `old` is called `new` now."""
        for id, asked in self._open.items():
            if isinstance(asked.command, wire.Join) and asked.command.room == old:
                command = asked.command.model_copy(update={"room": new})
                self._open[id] = asked._replace(command=command, renamed=True)

    def lose_link(self) -> list[wire.Command]:
        """Nothing will be answered; what the user asked."""
        lost = [one.command for one in self._open.values() if not one.ours]
        self._open.clear()
        return lost


def without_link(command: wire.Command, why: str) -> wire.Error:
    """The answer that a command gets here when the server can give none; `why` has no stop."""
    then = _OFFLINE_CURES.get(type(command), "Try again when it is back")
    return wire.Error(code="offline", message=f"{why}. {then}.", re=command.id)


_OFFLINE_CURES: Final[MappingProxyType[type[wire.Command], str]] = MappingProxyType(
    {
        wire.Join: "The room will be joined when it is back",
        wire.Leave: "The room will not be joined again when it is back",
    }
)
