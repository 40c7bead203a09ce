"""How far a script has read: kept, held by one at a time, and never believed when damaged."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from securechat.client.bookmark import Bookmark, BookmarkError


def bookmark(
    folder: Path,
    notes: list[str] | None = None,
    *,
    host: str = "h",
    nick: str = "bob",
    conversation: str = "#lobby",
) -> Bookmark:
    told = [] if notes is None else notes
    return Bookmark(folder, host, 1, nick, conversation, told.append)


def test_what_was_read_is_known_to_the_next(tmp_path: Path) -> None:
    with bookmark(tmp_path / "state") as first:
        assert first.load("e1") is None
        first.save("e1", 7)
    with bookmark(tmp_path / "state", nick="BOB") as again:
        assert again.load("e1") == 7
    for path in (tmp_path / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("host", "nick", "conversation"),
    [("h", "eve", "#lobby"), ("h", "bob", "#garden"), ("elsewhere", "bob", "#lobby")],
)
def test_each_server_nick_and_room_has_its_own(
    tmp_path: Path, host: str, nick: str, conversation: str
) -> None:
    other = bookmark(tmp_path, host=host, nick=nick, conversation=conversation)
    with bookmark(tmp_path) as one, other as another:
        one.save("e1", 7)
        assert another.load("e1") is None


def test_another_history_begins_anew_and_says_so(tmp_path: Path) -> None:
    notes: list[str] = []
    with bookmark(tmp_path, notes) as one:
        one.save("e1", 7)
        assert one.load("e2") is None
    assert "another one than before" in notes[0]


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with bookmark(tmp_path), pytest.raises(BookmarkError, match="Another `tail"):
        bookmark(tmp_path).__enter__()
    with bookmark(tmp_path):
        pass


def test_a_damaged_file_is_taken_for_none(tmp_path: Path) -> None:
    notes: list[str] = []
    with bookmark(tmp_path, notes) as one:
        one.save("e1", 7)
        [path] = tmp_path.glob("*.json")
        path.write_text("{")
        assert one.load("e1") is None
    assert "damaged" in notes[0]


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(BookmarkError, match="cannot be kept"):
        bookmark(tmp_path / "state").__enter__()
