"""A guest's session, kept per server and nick, so that the same person gets the same nick again.

One small JSON file each, in the user's state folder. What is there and cannot be used is taken for
absent, and said so: a client must start all the same. Writing raises `OSError`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from .private import describe, key_of, make_folder, read_private, replace_private
from .remembered import default_state_dir as default_state_dir

_LIMIT: Final = 65_536


class _Kept(BaseModel):
    """The file."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    version: Literal[1] = 1
    server: str
    nick: str
    session: str


class Loaded(NamedTuple):
    """The session token, if there is one that can be used; `warning`: why a file was passed by."""

    session: str | None
    warning: str | None = None


class GuestState:
    """The sessions of one server's guests in `folder`."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self._folder = folder
        self._host = host
        self._port = port
        self._server = f"{host}:{port}"

    def path(self, nick: str) -> Path:
        """The file of one nick."""
        return self._folder / f"session-{key_of(self._host, self._port, nick)}.json"

    def load(self, nick: str) -> Loaded:
        """The session of `nick`."""
        loaded = _read(self.path(nick))
        return loaded if isinstance(loaded, Loaded) else Loaded(loaded.session)

    def nicks_of(self, session: str) -> tuple[str, ...]:
        """Every nick under which that session was kept: one person may have gone by several."""
        found = [_read(path) for path in sorted(self._folder.glob("session-*.json"))]
        return tuple(
            kept.nick
            for kept in found
            if isinstance(kept, _Kept) and (kept.server, kept.session) == (self._server, session)
        )

    def save(self, nick: str, session: str) -> None:
        """Keep `session` as that of `nick`, unless it is there already."""
        if self.load(nick).session == session:
            return
        make_folder(self._folder)
        kept = _Kept(server=self._server, nick=nick, session=session)
        replace_private(self.path(nick), kept.model_dump_json(indent=1).encode() + b"\n")

    def forget(self, nick: str) -> None:
        """Keep no session of `nick`."""
        self.path(nick).unlink(missing_ok=True)


def _read(path: Path) -> _Kept | Loaded:
    """What is in a file; or that there is none, or none that can be used."""
    try:
        data = read_private(path, _LIMIT)
    except FileNotFoundError:
        return Loaded(None)
    except OSError as error:
        return Loaded(None, f"The kept session was not used. {describe(error)}.")
    try:
        return _Kept.model_validate_json(data or b"")
    except ValidationError:
        return Loaded(None, f"The kept session was not used. {path}: it is damaged.")
