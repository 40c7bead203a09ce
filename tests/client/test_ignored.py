"""Whom a person does not want to hear: kept for each server, compared as the server compares."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from securechat.client import ignored
from securechat.client.ignored import Ignored


def at(folder: Path, host: str = "chat.example", port: int = 55555) -> Ignored:
    return Ignored(folder, host, port)


def test_it_is_kept_for_the_next_run_and_for_that_server_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first = at(folder)
    assert "eve" not in first
    assert first.add("Eve")
    assert not first.add("EVE")
    assert "eve" in first
    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = at(folder)
    assert list(again) == ["Eve"]
    assert "eVe" in again
    assert "eve" not in at(folder, "other.example")
    assert again.drop("eve")
    assert not again.drop("eve")
    assert list(at(folder)) == []


def test_without_a_folder_it_is_for_this_run() -> None:
    mine = Ignored()
    assert mine.add("eve")
    assert "eve" in mine
    assert 5 not in mine
    assert "eve" not in Ignored()


def test_what_cannot_be_used_is_said_and_taken_for_absent(tmp_path: Path) -> None:
    at(tmp_path).add("eve")
    [file] = tmp_path.iterdir()
    file.write_text("{}")
    broken = at(tmp_path)
    assert list(broken) == []
    assert broken.warning is not None
    assert "is damaged" in broken.warning
    file.chmod(0o666)
    assert at(tmp_path).warning is not None
    broken.add("mallory")
    assert list(at(tmp_path)) == ["mallory"]


def test_a_nick_of_another_servers_rules_can_be_ignored(tmp_path: Path) -> None:
    mine = at(tmp_path)
    mine.add("~Odd~")
    assert "~odd~" in at(tmp_path)


def test_there_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignored, "MAX_IGNORED", 1)
    mine = Ignored()
    mine.add("eve")
    with pytest.raises(ValueError, match="at most 1 nick"):
        mine.add("mallory")
