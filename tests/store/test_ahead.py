"""The log's file is longer than what is in it, and nothing else changes by that."""

from __future__ import annotations

from pathlib import Path

import pytest

from securechat.records import NewMessage, Stored
from securechat.store.ahead import STEP, Ahead
from securechat.store.sqlite import SqliteStore, open_store

TS = "2026-01-01T00:00:00.000000Z"
PAGE = 4_096 + 24


def say(store: SqliteStore, number: int) -> None:
    message = NewMessage("#lobby", 1, f"run-{number}", "#lobby", "ann", "hello", None, False)
    assert store.commit([message], TS) == [Stored(number, TS)]


def log_of(folder: Path) -> Path:
    return folder / "securechat.db-wal"


def test_a_commit_finds_room_in_the_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    try:
        say(store, 1)
        sizes = set()
        for number in range(2, 2 + STEP // 4):  # a commit takes one page, some of them two
            say(store, number)
            sizes.add(log_of(tmp_path).stat().st_size)
        assert len(sizes) == 1
        assert sizes.pop() >= STEP * PAGE
    finally:
        store.close()


def test_what_a_killed_server_left_before_the_zeros_is_found(tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    store = open_store(tmp_path)
    try:
        for number in range(1, 6):
            say(store, number)
        for name in ("securechat.db", "securechat.db-wal"):
            (left / name).write_bytes((tmp_path / name).read_bytes())
    finally:
        store.close()
    assert not any(log_of(left).read_bytes()[-PAGE:])
    again = open_store(left)
    try:
        say(again, 6)
    finally:
        again.close()


def test_it_grows_with_the_log_and_not_beyond_where_that_begins_anew(tmp_path: Path) -> None:
    database = tmp_path / "securechat.db"
    file = log_of(tmp_path)
    file.touch()
    one = Ahead(database, 4_096, most=200)
    for pages in (1, one.until + 1, 150):
        one.lengthen(pages)
        assert file.stat().st_size == 32 + (pages + STEP) * PAGE
        assert pages < one.until < pages + STEP
    size = file.stat().st_size
    one.lengthen(200)
    assert file.stat().st_size == size


def test_a_file_that_is_long_already_is_left_as_it_is(tmp_path: Path) -> None:
    file = log_of(tmp_path)
    file.write_bytes(b"x" * (32 + 300 * PAGE))
    one = Ahead(tmp_path / "securechat.db", 4_096, most=200)
    one.lengthen(10)
    assert file.read_bytes() == b"x" * (32 + 300 * PAGE)
    assert one.until > 200


def test_after_the_file_was_cut_it_is_looked_at_again(tmp_path: Path) -> None:
    file = log_of(tmp_path)
    file.touch()
    one = Ahead(tmp_path / "securechat.db", 4_096, most=200)
    one.lengthen(1)
    one.forget()
    file.write_bytes(b"")
    one.lengthen(one.until + 1)
    assert file.stat().st_size == 32 + (1 + STEP) * PAGE


def test_without_room_commits_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Ahead, "_lengthen", no_room)
    store = open_store(tmp_path)
    try:
        for number in range(1, 4):
            say(store, number)
        assert log_of(tmp_path).stat().st_size < STEP * PAGE
    finally:
        store.close()
