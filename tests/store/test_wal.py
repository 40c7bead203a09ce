"""The log is brought in, bounded and cut off, whoever reads it, and its errors are heard."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.errors import StoreBroken
from securechat.records import (
    Stored,
)
from securechat.store import ahead, connections, wal
from securechat.store.connections import DATABASE_NAME
from securechat.store.sqlite import SqliteStore, open_store

from .erasing import removal
from .faults import FAILED_SYNC, FULL, Faults
from .folders import (
    ANN,
    TS,
    be_killed,
    identity,
    message,
    opened,
    read,
    texts,
)


def test_what_a_killed_server_left_in_its_log_is_synced_before_anything_is_said(
    tmp_path: Path, faults: Faults
) -> None:
    """It may have been written and not yet synced; a repeat would be told that it is stored."""
    be_killed(tmp_path)
    synced = list[str]()
    faults.hook = lambda asked, name: synced.append(Path(name).name) if asked == "sync" else None
    with opened(tmp_path, vfs=faults.vfs):
        assert synced == [f"{DATABASE_NAME}-wal", DATABASE_NAME]
        faults.heal()


def test_opening_beside_a_tool_that_reads_from_before_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "BUSY", 1)
    be_killed(tmp_path)
    with closing(connections.connect_reader(tmp_path / DATABASE_NAME)) as tool:
        tool.execute("BEGIN")
        tool.execute("SELECT count(*) FROM message").fetchall()
        assert len(texts(tmp_path)) == 200
        assert "another program reads the database" in caplog.text


def test_the_log_does_not_grow_beyond_a_checkpoint(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 20)
    store._wal._checkpoint_at = 20
    file = tmp_path / f"{DATABASE_NAME}-wal"
    for n in range(200):
        store.commit([message(str(n), "x" * 1_000)], TS)
    assert file.stat().st_size < (40 + ahead.STEP) * 4_120
    assert (tmp_path / DATABASE_NAME).stat().st_size > 200 * 1_000


def test_a_reader_that_holds_the_log_is_told_of_and_harms_nothing(
    store: SqliteStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(wal, "MANY_PAGES", 60)
    store._wal._checkpoint_at = 20
    store.commit([message("first")], TS)
    store.tidy()
    with closing(connections.connect_reader(tmp_path / DATABASE_NAME)) as slow:
        slow.execute("BEGIN")
        assert slow.execute("SELECT count(*) FROM message").fetchall() == [(1,)]
        for n in range(60):
            store.commit([message(str(n), "x" * 1_000)], TS)
        assert slow.execute("SELECT count(*) FROM message").fetchall() == [(1,)]
    assert "a reader holds it" in caplog.text
    grown = (tmp_path / f"{DATABASE_NAME}-wal").stat().st_size
    for n in range(100, 160):
        store.commit([message(str(n), "x" * 1_000)], TS)
    assert (tmp_path / f"{DATABASE_NAME}-wal").stat().st_size <= grown + 30 * 4_120
    assert len(read(store)) == 121


def test_a_checkpoint_that_cannot_be_synced_is_the_end_too(
    tmp_path: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own checkpoints fail in silence."""
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 1)
    open_store(tmp_path).close()
    with opened(tmp_path, vfs=faults.vfs) as (store, _):
        faults.fail("sync", FAILED_SYNC, suffix=DATABASE_NAME)
        with pytest.raises(StoreBroken, match="IOERR_FSYNC"):
            store.commit([message("1")], TS)
        faults.heal()
    assert texts(tmp_path) == {1: "hi"}, "the commit itself had been on disk"


def test_a_checkpoint_without_room_is_put_off(
    tmp_path: Path,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(wal, "CHECKPOINT_PAGES", 1)
    open_store(tmp_path).close()
    with opened(tmp_path, vfs=faults.vfs) as (store, _):
        faults.fail("write", FULL, suffix=DATABASE_NAME)
        assert store.commit([message("1")], TS) == [Stored(1, TS)]
        assert "the log could not be brought in" in caplog.text
        faults.heal()
        assert store.commit([message("2")], TS) == [Stored(2, TS)]
    assert texts(tmp_path) == {1: "hi", 2: "hi"}


def test_a_log_that_cannot_be_cut_for_another_reason_stops_the_server(tmp_path: Path) -> None:
    class Broken:
        """The connection, whose checkpoint fails."""

        def __init__(self, db: apsw.Connection) -> None:
            self._db = db

        def __getattr__(self, name: str) -> object:
            return getattr(self._db, name)

        def wal_checkpoint(self, **_keys: object) -> None:
            raise apsw.CorruptError("malformed")

    with opened(tmp_path) as (store, _):
        store.commit([identity(ANN, "ann"), message("1", "a secret")], TS)
        whole, store._wal._db = store._db, Broken(store._db)  # type: ignore[assignment]
        with pytest.raises(Exception, match=re.escape("securechat db check")):
            store.commit([removal("#a", 1)], TS)
        store._wal._db = whole


def test_the_log_is_cut_off_when_nobody_reads_it_any_more(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.commit([message("1")], TS)
    file = tmp_path / f"{DATABASE_NAME}-wal"
    with closing(connections.connect_reader(tmp_path / DATABASE_NAME)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchall()
        store.commit([message("2")], TS)
        assert not store._wal.cut()
        assert file.stat().st_size > 0
        reader.execute("COMMIT")
        assert store._wal.cut()
    assert file.stat().st_size == 0
    assert store.commit([message("3")], TS) == [Stored(3, TS)]
    assert read(store) == dict.fromkeys((1, 2, 3), "hi")
