"""In which rooms somebody was last, so that the next start begins there.

One small JSON file for each server and nick, in the user's state folder. What is there and cannot
be used is taken for absent: one begins in the lobby then. Writing raises `OSError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..protocol.envelopes import Room
from .private import key_of, make_folder, read_private, replace_private

_LIMIT: Final = 65_536
#: A server lets one connection be in so many (README, "Limits").
_MOST: Final = 200


class _Kept(BaseModel):
    """The file; the rooms in the order in which one came."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: Literal[1] = 1
    rooms: tuple[Room, ...]


class Whereabouts:
    """The rooms of `nick` on one server, kept in `folder`."""

    def __init__(self, folder: Path, host: str, port: int, nick: str) -> None:
        self._path = folder / f"rooms-{key_of(host, port, nick)}.json"

    def load(self) -> tuple[str, ...]:
        """Where one was; nothing: nowhere, or nobody knows."""
        try:
            data = read_private(self._path, _LIMIT)
            return _Kept.model_validate_json(data or b"").rooms[:_MOST]
        except (OSError, ValidationError):
            return ()

    def keep(self, rooms: Iterable[str]) -> None:
        """One is in `rooms` now; where there are none, the next start is as the first."""
        make_folder(self._path.parent)
        kept = _Kept(rooms=tuple(rooms)[:_MOST])
        replace_private(self._path, kept.model_dump_json().encode() + b"\n")
