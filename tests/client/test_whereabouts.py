"""Where somebody was: kept on disk as it changes, and begun with at the next start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from securechat.client.whereabouts import Whereabouts


def at(folder: Path, nick: str = "bob") -> Whereabouts:
    return Whereabouts(folder, "localhost", 55555, nick)


def test_rooms_are_kept_for_each_nick(tmp_path: Path) -> None:
    assert at(tmp_path).load() == ()
    at(tmp_path).keep(["#ops", "#lobby"])
    at(tmp_path, "carol").keep([])
    assert at(tmp_path).load() == ("#ops", "#lobby")
    assert at(tmp_path, "carol").load() == ()
    [path] = [one for one in tmp_path.iterdir() if "#ops" in one.read_text("utf-8")]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": 2, "rooms": ["#a"]}', '{"version": 1, "rooms": ["a b"]}']
)
def test_what_cannot_be_used_is_taken_for_absent(tmp_path: Path, text: str) -> None:
    at(tmp_path).keep(["#ops"])
    [path] = tmp_path.iterdir()
    path.write_text(text)
    assert at(tmp_path).load() == ()


def test_no_more_than_a_server_lets_in(tmp_path: Path) -> None:
    at(tmp_path).keep(f"#r{number}" for number in range(300))
    [path] = tmp_path.iterdir()
    assert len(json.loads(path.read_text("utf-8"))["rooms"]) == 200
