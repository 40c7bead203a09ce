"""Disks and stores for the tests of the stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.store.migrations import create
from securechat.store.sqlite import SqliteStore

from .faults import Faults
from .folders import opened


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
