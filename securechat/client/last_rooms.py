"""The rooms that somebody was in, for the next start: one small file per server and nick.

What is there and cannot be used is taken for absent. What could not be written is in `problem`, one
line for a person: it costs a room that has to be joined again, no more.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..protocol.envelopes import ROOM_PATTERN
from .private import describe, key_of, make_folder, open_private, read_all, replace_private

_LIMIT: Final = 65_536
_ROOM: Final = re.compile(ROOM_PATTERN)
#: Rooms that are joined again at most.
_MOST: Final = 50


class LastRooms:
    """The rooms of one server's people in `folder`."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self._folder = folder
        self._place = host, port
        self._kept: tuple[str, tuple[str, ...]] | None = None
        self.problem: str | None = None

    def path(self, nick: str) -> Path:
        """The file of one nick."""
        return self._folder / f"rooms-{key_of(*self._place, nick)}.json"

    def load(self, nick: str) -> tuple[str, ...]:
        """Where `nick` was, in the order of joining."""
        try:
            descriptor = open_private(self.path(nick))
            try:
                kept = json.loads(read_all(descriptor, _LIMIT) or b"null")
            finally:
                os.close(descriptor)
        except (OSError, ValueError):  # none, or none that can be used
            return ()
        names = kept if isinstance(kept, list) else ()
        rooms = (one for one in names if isinstance(one, str) and _ROOM.fullmatch(one))
        return tuple(dict.fromkeys(rooms))[:_MOST]

    def keep(self, nick: str, rooms: Sequence[str]) -> None:
        """Have the file of `nick` say this, if it does not already."""
        wanted = nick, tuple(rooms[:_MOST])
        if wanted == self._kept:
            return
        self._kept = wanted
        try:
            make_folder(self._folder)
            replace_private(self.path(nick), json.dumps(wanted[1]).encode() + b"\n")
        except OSError as error:
            self.problem = f"Which rooms you are in could not be kept ({describe(error)})."
