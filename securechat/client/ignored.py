"""Whom a person does not want to hear, kept on disk for each server.

One small JSON file in the user's state folder, which only its owner can read; without a folder it
is kept for this run only. What is there and cannot be used is taken for absent, and `warning` says
so. Writing raises `OSError`. For one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..chat.nicks import parse_nick
from ..errors import Rejected
from .private import describe, key_of, make_folder, read_private, replace_private

MAX_IGNORED: Final = 1_000
_LIMIT: Final = 1 << 20


class _Kept(BaseModel):
    """The file."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    version: Literal[1] = 1
    server: str
    nicks: list[str]


class Ignored:
    """The nicks of one server that are not heard, compared as the server compares them."""

    def __init__(self, folder: Path | None = None, host: str = "", port: int = 0) -> None:
        self._folder = folder
        self._server = f"{host}:{port}"
        name = f"ignored-{key_of(host, port, '')}.json"
        self._path = None if folder is None else folder / name
        self.warning: str | None = None
        #: By what they are compared by; as they were typed.
        self._nicks: dict[str, str] = {_key(nick): nick for nick in self._load()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._nicks.values())

    def __contains__(self, nick: object) -> bool:
        return bool(self._nicks) and isinstance(nick, str) and _key(nick) in self._nicks

    def add(self, nick: str) -> bool:
        """Hear `nick` no more; False if that was so. Raises `OSError`, and `ValueError` if full."""
        if nick in self:
            return False
        if len(self._nicks) >= MAX_IGNORED:
            raise ValueError(f"at most {MAX_IGNORED:,} nicks can be ignored; /unignore one first")
        self._nicks[_key(nick)] = nick
        self._save()
        return True

    def drop(self, nick: str) -> bool:
        """Hear `nick` again; False if it was heard. Raises `OSError`."""
        if self._nicks.pop(_key(nick), None) is None:
            return False
        self._save()
        return True

    def _load(self) -> list[str]:
        if self._path is None:
            return []
        try:
            data = read_private(self._path, _LIMIT)
            return _Kept.model_validate_json(data or b"").nicks[:MAX_IGNORED]
        except FileNotFoundError:
            return []
        except OSError as error:
            self.warning = f"Whom you ignore was not read. {describe(error)}."
        except ValidationError:
            self.warning = f"Whom you ignore was not read. {self._path}: it is damaged."
        return []

    def _save(self) -> None:
        if self._path is None or self._folder is None:
            return
        make_folder(self._folder)
        kept = _Kept(server=self._server, nicks=list(self))
        replace_private(self._path, kept.model_dump_json(indent=1).encode() + b"\n")


def _key(nick: str) -> str:
    try:
        return parse_nick(nick).key
    except Rejected:  # it is one by another server's rules
        return nick.casefold()
