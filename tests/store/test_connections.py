"""How a database is opened: with what settings, and which files are refused and left alone."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.errors import StoreRefused
from securechat.records import (
    Stored,
)
from securechat.store import connections, migrations
from securechat.store.connections import DATABASE_NAME, connect_reader
from securechat.store.lock import holder_of
from securechat.store.sqlite import SqliteStore, open_store

from .folders import (
    ANN,
    PLENTY,
    TS,
    damage,
    identity,
    message,
    numbers,
    opened,
    texts,
)

# ------------------------------------------------------------------ files and settings


def test_files_and_folder_are_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    before = os.umask(0)
    try:
        with opened(folder) as (store, _), closing(store.reader()):
            store.commit([message("1")], TS)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    finally:
        os.umask(before)
    suffixes = ("db", "db-wal", "db-shm", "lock")
    assert modes == {f"securechat.{suffix}": 0o600 for suffix in suffixes}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_settings_are_those_that_the_promises_need(store: SqliteStore) -> None:
    for name, value in {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "journal_size_limit": 64 * 1024 * 1024,
    }.items():
        assert store._db.pragma(name) == value
    with closing(store.reader()) as reader:
        assert reader._db.pragma("query_only") == 1
        assert reader._db.readonly("main")
        with pytest.raises(apsw.ReadOnlyError):
            reader._db.execute("DELETE FROM meta")


def test_a_setting_that_does_not_take_refuses_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WRITER_PRAGMAS", {"synchronous": 2, "no_such_thing": 1})
    with pytest.raises(StoreRefused, match=r"does not take no_such_thing=1 \(it is None\)"):
        open_store(tmp_path)
    assert holder_of(tmp_path) is None


def test_a_database_that_others_could_read_is_closed_to_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_store(tmp_path).close()
    (tmp_path / DATABASE_NAME).chmod(0o644)
    open_store(tmp_path).close()
    assert stat.S_IMODE((tmp_path / DATABASE_NAME).stat().st_mode) == 0o600
    assert "others could read the database" in caplog.text


def test_a_file_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / DATABASE_NAME
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE theirs (a)")
    file.chmod(0o644)
    before = file.read_bytes()
    with pytest.raises(StoreRefused, match="not a database of securechat's"):
        open_store(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert file.read_bytes() == before


def test_a_second_server_is_refused_with_the_first_ones_process_id(
    store: SqliteStore, tmp_path: Path
) -> None:
    with pytest.raises(StoreRefused, match=f"in use by process {os.getpid()}"):
        open_store(tmp_path)
    assert store.commit([message("1")], TS) == [Stored(1, TS)]


# ------------------------------------------------------------------ files that are not as they were


def truncate(size: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, size)


def overwrite(offset: int, data: bytes) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    return act


def replace_by_another(path: Path) -> None:
    path.unlink()
    with closing(apsw.Connection(str(path))) as db:
        db.execute("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")


def make_newer(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as db:
        db.pragma("user_version", 99)


def forget_epoch(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as db:
        db.execute("DELETE FROM meta")


def name_strangely(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as db:
        db.execute("UPDATE conversation SET name = '@nobody' WHERE name = '#a'")


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "emptied": (truncate(0), "the file is empty, so it was truncated"),
    "one byte left": (truncate(1), "not a database of securechat's"),
    "a header left": (truncate(100), "damaged|not a database"),
    "a page left": (truncate(4_096), "damaged"),
    "a page and a byte left": (truncate(4_097), "damaged"),
    "most left": (truncate(40_000), "damaged"),
    "a picture": (overwrite(0, b"GIF89a"), "not a database"),
    "another mark": (overwrite(68, b"none"), "not a database of securechat's"),
    "no schema": (overwrite(100, b"\xff" * 64), "damaged"),
    "rubbish behind the first page": (overwrite(4_096, b"\xff" * 36_864), "damaged"),
    "another database": (replace_by_another, "not a database of securechat's"),
    "newer": (make_newer, "version 99, this securechat knows up to"),
    "no epoch": (forget_epoch, "it holds what we never wrote"),
    "a strange name": (name_strangely, "it holds what we never wrote"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_damaged_or_foreign_file_is_refused_and_left_as_it_is(tmp_path: Path, how: str) -> None:
    spoil, reason = SPOILED[how]
    path = tmp_path / DATABASE_NAME
    with opened(tmp_path) as (store, _):
        store.commit([identity(ANN, "ann"), message("1"), message("2", "x" * 4_000)], TS)
    spoil(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreRefused, match=reason) as refused:
            open_store(tmp_path)
        assert str(path) in str(refused.value)
        assert any(cure in str(refused.value) for cure in ("--data", "securechat db"))
    assert path.read_bytes() == before
    assert holder_of(tmp_path) is None


def test_a_file_cut_within_its_last_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    open_store(tmp_path).close()
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(StoreRefused, match="shorter than it says"):
        open_store(tmp_path)


@pytest.mark.parametrize(
    "left", [f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}.replaced-x", f"{DATABASE_NAME}.before-v2"]
)
def test_a_database_that_is_gone_is_not_replaced_by_an_empty_one(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_bytes(b"something")
    with pytest.raises(StoreRefused, match=f"the database is gone, but {left} is there"):
        open_store(tmp_path)
    assert not (tmp_path / DATABASE_NAME).exists()
    (tmp_path / left).unlink()
    open_store(tmp_path).close()


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path / "real").close()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / DATABASE_NAME).symlink_to(tmp_path / "real" / DATABASE_NAME)
    with pytest.raises(StoreRefused, match="is a symbolic link"):
        open_store(tmp_path / "linked")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefused, match=r"cannot be opened \(Not a directory\)"):
        open_store(tmp_path / "file" / "data")


def test_a_database_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(tmp_path).close()
    monkeypatch.setattr("securechat.store.connections.os.access", lambda *_: False)
    with pytest.raises(StoreRefused, match="may not read and write the database"):
        open_store(tmp_path)


def test_a_disk_without_shared_memory_works_for_one_connection(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with opened(tmp_path, vfs="unix-none") as (store, _):
        assert store._db.pragma("locking_mode") == "exclusive"
        with closing(store.reader()) as reader, closing(store.reader()) as other:
            store.commit([message("1"), message("2")], TS)
            assert numbers(reader.after("#a", 0, 2, 9, PLENTY)) == [1, 2]
            assert numbers(other.before("#a", 2, 9, PLENTY)) == [1]
        assert store.commit([message("3")], TS) == [Stored(3, TS)]
    assert list(texts(tmp_path)) == [1, 2, 3]


def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).mkdir(mode=0o700)
    with pytest.raises(StoreRefused, match="cannot be opened"):
        open_store(tmp_path)
    assert (tmp_path / DATABASE_NAME).is_dir()


def test_a_database_that_another_program_keeps_locked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY", 1)
    open_store(tmp_path).close()
    with closing(apsw.Connection(str(tmp_path / DATABASE_NAME))) as shell:
        shell.pragma("locking_mode", "exclusive")
        shell.execute("CREATE TABLE scratch (a)")
        with pytest.raises(StoreRefused, match=r"another program has the database locked\. Close"):
            open_store(tmp_path)


def test_a_full_disk_makes_no_half_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("securechat.store.migrations.sync_folder", no_room)
    monkeypatch.setattr("securechat.store.migrations.make_file", no_room)
    with pytest.raises(StoreRefused, match=r"the disk is full\. Free some space, then start again"):
        open_store(tmp_path)
    assert not (tmp_path / DATABASE_NAME).exists()
    assert holder_of(tmp_path) is None


def test_a_reader_that_does_not_take_its_settings_is_refused(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READER_PRAGMAS", {"query_only": 2})
    with pytest.raises(StoreRefused, match="does not take query_only=2"):
        store.reader()
    with pytest.raises(StoreRefused, match="cannot be opened"):
        connect_reader(tmp_path / "missing.db")


def test_an_unknown_disk_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    with pytest.raises(StoreRefused, match="cannot be opened"):
        open_store(tmp_path, vfs="no-such-vfs")
    assert holder_of(tmp_path) is None


def test_an_older_database_is_brought_up_to_date_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1")], TS)
    newer = (*migrations.MIGRATIONS, migrations.Migration("x", "CREATE TABLE x (a ANY) STRICT;"))
    for name in ("migrate", "recognise"):
        function = getattr(migrations, name)
        monkeypatch.setattr(function, "__defaults__", (newer,))
    with caplog.at_level(logging.WARNING):
        assert texts(tmp_path) == {1: "hi"}
    kept = f"{tmp_path / DATABASE_NAME}.before-v{len(newer)}"
    assert f"as it was before: {kept}" in caplog.text
    damage(tmp_path, "INSERT INTO x VALUES (1)")
