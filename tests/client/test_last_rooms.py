"""The rooms of the last time: kept by server and nick, and never a reason not to start."""

from __future__ import annotations

from pathlib import Path

from securechat.client.last_rooms import LastRooms


def test_each_nick_has_its_rooms_on_each_server(tmp_path: Path) -> None:
    rooms = LastRooms(tmp_path, "chat.example.org", 55_555)
    assert rooms.load("bob") == ()
    rooms.keep("bob", ["#lobby", "#garden"])
    rooms.keep("carol", ["#tools"])
    assert rooms.load("bob") == ("#lobby", "#garden")
    assert rooms.load("carol") == ("#tools",)
    assert LastRooms(tmp_path, "chat.example.org", 1).load("bob") == ()
    assert rooms.path("bob").stat().st_mode & 0o777 == 0o600


def test_what_is_kept_is_not_written_again(tmp_path: Path) -> None:
    rooms = LastRooms(tmp_path, "localhost", 55_555)
    rooms.keep("bob", ["#lobby"])
    rooms.path("bob").unlink()
    rooms.keep("bob", ["#lobby"])
    assert not rooms.path("bob").exists()


def test_what_cannot_be_used_is_taken_for_absent(tmp_path: Path) -> None:
    rooms = LastRooms(tmp_path, "localhost", 55_555)
    for text in ("", "{}", "[1, null]", "no JSON", '["lobby", "#A b", "@carol"]'):
        rooms.path("bob").write_text(text)
        rooms.path("bob").chmod(0o600)
        assert rooms.load("bob") == ()
    rooms.path("bob").write_text('["#lobby", "#lobby", 7, "#tools"]')
    assert rooms.load("bob") == ("#lobby", "#tools")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rooms = LastRooms(tmp_path / "file", "localhost", 55_555)
    rooms.keep("bob", ["#lobby"])
    assert rooms.problem is not None
    assert "could not be kept" in rooms.problem
