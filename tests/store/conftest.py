"""Disks and stores for the tests of the stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.records import KeepIdentity
from securechat.store.migrations import create
from securechat.store.retention import Retention, to_ts
from securechat.store.sqlite import SqliteStore

from .faults import Faults
from .folders import DAY, LATER, NOON, TS, message, opened


@pytest.fixture
def faults() -> Iterator[Faults]:
    """A disk that fails where the test says so; name it with `vfs=faults.vfs`."""
    disk = Faults()
    yield disk
    disk.unregister()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A new store on disk."""
    with opened(tmp_path) as (store, _):
        yield store


@pytest.fixture
def db(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A new database, and no store around it."""
    create(tmp_path / "bare.db")
    with closing(apsw.Connection(str(tmp_path / "bare.db"))) as db:
        yield db


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a database of four messages in three conversations, one text removed."""
    folder = tmp_path / "data"
    with opened(folder, retention=Retention(keep_days=1)) as (store, _):
        store.commit([KeepIdentity(1, "ann", b"1", 1.0)], TS)
        store.commit([message("0", to="#b")], to_ts(NOON - 9 * DAY))
        store.retain(NOON, 9)
        store.commit([message("1"), message("2", to="#b"), message("3", key="@1:2")], TS)
        store.commit([message("4")], LATER)
    return folder


@pytest.fixture
def serving(data: Path) -> Iterator[SqliteStore]:
    """A server on the folder `data`."""
    with opened(data) as (store, _):
        yield store
