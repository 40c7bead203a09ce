"""The files of databases: a copy is whole or not there, and nothing that has a name is replaced."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from securechat.errors import StoreRefused
from securechat.store.files import copy_online, remove, unused_name
from securechat.store.migrations import Migration, create

from .faults import Faults
from .folders import connect, names, query

ONE = (Migration("notes", "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT;"),)


def test_a_copy_never_replaces_anything(tmp_path: Path) -> None:
    create(tmp_path / "x.db", ONE)
    (tmp_path / "y.db").write_text("keep me")
    db = connect(tmp_path / "x.db")
    with pytest.raises(FileExistsError):
        copy_online(db, tmp_path / "y.db")
    db.close()
    assert (tmp_path / "y.db").read_text() == "keep me"
    assert names(tmp_path) == ["x.db", "y.db"]


@pytest.mark.parametrize("taken", [False, True])
def test_where_there_are_no_hard_links_a_copy_still_never_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def no_links(_self: Path, _target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    create(tmp_path / "x.db", ONE)
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    db = connect(tmp_path / "x.db")
    if taken:
        (tmp_path / "y.db").write_text("keep me")
        with pytest.raises(FileExistsError):
            copy_online(db, tmp_path / "y.db")
        assert (tmp_path / "y.db").read_text() == "keep me"
    else:
        copy_online(db, tmp_path / "y.db")
        assert query(tmp_path / "y.db", "PRAGMA quick_check") == [("ok",)]
    db.close()


def test_a_copy_that_others_write_beside_is_of_one_moment(
    tmp_path: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("securechat.store.files._COPY_STEP", 1)
    path, copied = tmp_path / "x.db", tmp_path / "y.db"
    create(path, ONE)
    writer = connect(path)
    writer.executemany("INSERT INTO meta VALUES (?, ?)", ((f"k{n}", "v" * 4_000) for n in range(9)))
    writes = 0

    def write_more(operation: str, _name: str) -> None:
        nonlocal writes
        if operation == "read":
            writes += 1
            writer.execute("INSERT INTO meta VALUES (?, ?)", (f"late{writes}", "v" * 4_000))

    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=faults.vfs)
    db.pragma("user_version")
    faults.hook = write_more
    copy_online(db, copied)
    faults.hook = None
    db.close()
    writer.close()
    rows = [name for (name,) in query(copied, "SELECT key FROM meta WHERE key <> 'epoch'")]
    late = [name for name in rows if name.startswith("late")]
    assert writes > 9, "the test must write while pages are copied"
    assert len(rows) - len(late) == 9
    assert len(late) <= 1, "what came behind the first look at the database is not in the copy"
    assert query(copied, "PRAGMA integrity_check") == [("ok",)]
    assert query(copied, "PRAGMA journal_mode") == [("delete",)]


def test_an_inspection_that_fails_leaves_no_copy(tmp_path: Path) -> None:
    def object_to(_copy: apsw.Connection) -> None:
        raise StoreRefused("no")

    create(tmp_path / "x.db", ONE)
    db = connect(tmp_path / "x.db")
    with pytest.raises(StoreRefused, match=r"^no$"):
        copy_online(db, tmp_path / "y.db", inspect=object_to)
    db.close()
    assert names(tmp_path) == ["x.db"]


def test_names_that_are_taken_are_counted_on(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    for expected in ("x.db.old", "x.db.old-2", "x.db.old-3"):
        found = unused_name(path, ".old")
        assert found.name == expected
        found.symlink_to("nowhere")


def test_removing_takes_what_lies_beside_it_and_nothing_else(tmp_path: Path) -> None:
    for name in ("x.db", "x.db-wal", "x.db-shm", "x.db-journal", "x.db.old", "y.db"):
        (tmp_path / name).touch()
    remove(tmp_path / "x.db")
    remove(tmp_path / "x.db")
    assert names(tmp_path) == ["x.db.old", "y.db"]
