"""The tables and their versions: made whole, recognised, brought up to date or left alone."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import apsw
import pytest

from securechat.errors import StoreRefused
from securechat.store.migrations import (
    APPLICATION_ID,
    MIGRATIONS,
    Migration,
    create,
    migrate,
    recognise,
)

from .folders import connect, names, query

ONE = (Migration("notes", "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT;"),)
TWO = (*ONE, Migration("more", "ALTER TABLE meta ADD COLUMN more INTEGER NOT NULL DEFAULT 7;"))
BROKEN = (
    *TWO,
    Migration("half", "CREATE TABLE half (a INTEGER) STRICT; INSERT INTO missing VALUES (1);"),
)

#: What has been released must not change: those who have run it would have another database.
RELEASED = (
    *("4972e5e3ab034da5", "765710acc0c61d90", "10135d1da0486d21"),
    *("baef5db354d50ae6", "0ed625db7fbb46a8", "ace0776a10482d47"),
)


def test_what_was_released_never_changes() -> None:
    digests = tuple(hashlib.sha256(step.sql.encode()).hexdigest()[:16] for step in MIGRATIONS)
    assert digests == RELEASED


def test_a_new_database_is_ours_in_wal_mode_and_private(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    before = os.umask(0)
    try:
        create(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert query(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert query(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert query(path, "PRAGMA journal_mode") == [("wal",)]
    assert names(tmp_path) == ["x.db"]


def test_every_table_is_strict(tmp_path: Path) -> None:
    create(tmp_path / "x.db")
    found = query(tmp_path / "x.db", "SELECT name, strict FROM pragma_table_list")
    tables = {name: strict for name, strict in found if not name.startswith("sqlite_")}
    ours = (
        "meta",
        "identity",
        "conversation",
        "message",
        "removal",
        "presence",
        "topic",
        "journal",
        "erased",
    )
    new = ("account", "session", "invite", "room_rule", "sanction", "audit", "erasure")
    assert tables == dict.fromkeys(ours + new, 1)


def test_each_new_database_has_its_own_epoch(tmp_path: Path) -> None:
    epochs = set()
    for name in ("a.db", "b.db"):
        create(tmp_path / name)
        epochs.update(query(tmp_path / name, "SELECT value FROM meta WHERE key = 'epoch'"))
    assert len(epochs) == 2
    assert all(len(epoch) == 32 for (epoch,) in epochs)


def test_what_a_crash_left_of_a_database_in_the_making_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "x.db.new").write_bytes(b"half of it")
    (tmp_path / "x.db.new-journal").write_bytes(b"a journal")
    create(tmp_path / "x.db")
    assert names(tmp_path) == ["x.db"]


def test_making_one_that_fails_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    with pytest.raises(apsw.SQLError):
        create(tmp_path / "x.db", BROKEN)
    assert not (tmp_path / "x.db").exists()


def test_one_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    create(tmp_path / "x.db", TWO)
    before = (tmp_path / "x.db").read_bytes()
    db = connect(tmp_path / "x.db")
    assert migrate(db, tmp_path / "x.db", TWO) is None
    db.close()
    assert (tmp_path / "x.db").read_bytes() == before
    assert names(tmp_path) == ["x.db"]


def test_an_older_one_is_copied_and_then_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    create(path, ONE)
    db = connect(path)
    db.execute("INSERT INTO meta VALUES ('said', 'hello')")
    kept = migrate(db, path, TWO)
    db.close()
    assert kept == tmp_path / "x.db.before-v2"
    assert query(path, "SELECT * FROM meta WHERE key = 'said'") == [("said", "hello", 7)]
    assert query(path, "PRAGMA user_version") == [(2,)]
    assert query(kept, "SELECT * FROM meta WHERE key = 'said'") == [("said", "hello")]
    assert query(kept, "PRAGMA user_version") == [(1,)]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_step_that_fails_takes_the_others_back(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    create(path, ONE)
    db = connect(path)
    with pytest.raises(apsw.SQLError, match="no such table"):
        migrate(db, path, BROKEN)
    assert not db.in_transaction
    db.close()
    assert query(path, "PRAGMA user_version") == [(1,)]
    tables = query(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    assert tables == [("meta",)]
    assert (tmp_path / "x.db.before-v3").exists()


def test_no_step_runs_without_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "x.db"
    create(path, ONE)
    monkeypatch.setattr("securechat.store.files._copy_pages", no_room)
    db = connect(path)
    with pytest.raises(StoreRefused, match=r"must be copied .* No space left"):
        migrate(db, path, TWO)
    db.close()
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert not (tmp_path / "x.db.before-v2").exists()


def test_a_newer_one_is_refused_with_both_numbers(tmp_path: Path) -> None:
    create(tmp_path / "x.db", TWO)
    db = connect(tmp_path / "x.db")
    with pytest.raises(StoreRefused, match="version 2, this securechat knows up to 1"):
        migrate(db, tmp_path / "x.db", ONE)
    db.close()


def test_a_version_that_never_was_is_damage(tmp_path: Path) -> None:
    create(tmp_path / "x.db", ONE)
    db = connect(tmp_path / "x.db")
    db.pragma("user_version", 0)
    with pytest.raises(StoreRefused, match="damaged, its version is 0"):
        recognise(db, tmp_path / "x.db", ONE)
    db.close()


def test_a_database_of_someone_elses_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreRefused, match="not a database of securechat's"):
        recognise(db, path)
    db.close()
