"""What the files in a user's state folder name: servers, nicks, rooms, people. For completion.

Quick, and so without the models that read these files in earnest: what is damaged, or too long, is
passed by, and nothing is raised. Nothing that is found here is believed, only offered to be typed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import platformdirs

from .known_servers import KnownServers

#: Bytes that are looked at of each file, and files of each kind: the youngest.
_LIMIT: Final = 65_536
_MOST_FILES: Final = 200


class Remembered(NamedTuple):
    """Names, as they can be typed; each once, in no order that means anything."""

    servers: tuple[str, ...]
    nicks: tuple[str, ...]
    rooms: tuple[str, ...]
    people: tuple[str, ...]


def default_state_dir() -> Path:
    """Where this user's clients keep what must outlive them."""
    return platformdirs.user_state_path("securechat", appauthor=False)


def remember(folder: Path) -> Remembered:
    """All names in `folder`."""
    talks = list(_conversations(folder))
    return Remembered(
        tuple(_servers(folder / "known_servers")),
        _unique(one.get("nick") for one in _objects(folder, "session-*.json")),
        _unique(one for one in talks if one.startswith("#")),
        _unique(one for one in talks if one.startswith("@")),
    )


def last_nick(folder: Path, host: str, port: int) -> str:
    """The nick that a person used last on a server, "" where none is known.

    Scripts have their sessions in `folder`, too; only of people are the rooms kept (`whereabouts`).
    """
    server = f"{host}:{port}"
    for path in _youngest(folder, "rooms-*.json"):
        for one in _read(path.with_name(path.name.replace("rooms", "session", 1))):
            nick = one.get("nick")
            if one.get("server") == server and isinstance(nick, str):
                return nick
    return ""


def _servers(path: Path) -> Iterator[str]:
    try:
        known = KnownServers.parse(path.read_text("utf-8"))
    except (OSError, ValueError):
        return
    yield from (server.typed for server in sorted(known.entries))


def _conversations(folder: Path) -> Iterator[str]:
    """Of bookmarks and outboxes."""
    for one in _objects(folder, "bookmark-*.json"):
        yield str(one.get("conversation"))
    for line in _objects(folder, "outbox-*.jsonl"):
        for cursors in (_sub(line, "begin").get("cursors"), line.get("seen")):
            if isinstance(cursors, dict):
                yield from cursors
        yield str(_sub(line, "say").get("to"))


def _sub(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _objects(folder: Path, pattern: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of all such files."""
    for path in _youngest(folder, pattern):
        yield from _read(path)


def _youngest(folder: Path, pattern: str) -> list[Path]:
    try:
        paths = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []
    return paths[:_MOST_FILES]


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file: one, or one a line."""
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT)
    except OSError:
        return
    for piece in data.split(b"\n") if path.suffix == ".jsonl" else [data]:
        try:
            value = json.loads(piece)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def _unique(names: Iterator[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in names if isinstance(one, str) and one))
