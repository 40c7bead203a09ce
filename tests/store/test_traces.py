"""Traces of erased texts are gone from every file, sooner or later, and a stretch at a time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from securechat.errors import StoreBroken
from securechat.store import traces
from securechat.store.connections import DATABASE_NAME, connect_reader
from securechat.store.maintenance import check
from securechat.store.scrub import Scrub
from securechat.store.sqlite import SqliteStore, open_store
from securechat.store.traces import Traces

from .erasing import fill, remains, removal, said_still
from .faults import FAILED_WRITE
from .folders import TS, message, opened


def test_a_server_that_dies_before_it_is_done_does_the_rest_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 2_000, rooms=10)
    with monkeypatch.context() as patch, opened(tmp_path) as (store, _):
        patch.setattr(Scrub, "run", lambda _self, _pages: False)
        store.commit([removal(f"#r{room}", seq) for room in range(10) for seq in range(1, 150)], TS)
        assert store.retain(0.0, 500) == 500, "it would like to go on"
    living = said_still(tmp_path)
    tokens = [token for n in range(2_000) if (token := f"SECRET-{n:06d}") not in living]
    assert len(tokens) > 1_000
    assert remains(tmp_path, tokens) == {}
    assert check(tmp_path).problems == ()


def test_a_long_file_is_looked_through_a_stretch_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 600, rooms=3)
    monkeypatch.setattr(traces, "SCRUB_PAGES", 16)
    with opened(tmp_path) as (store, _):
        store.commit([removal("#r0", 1)], TS)
        rounds = 0
        while store.retain(0.0, 500):
            rounds += 1
        assert rounds > 3
        assert store.retain(0.0, 500) == 0


def test_the_file_of_a_store_that_erased_nothing_is_not_touched(tmp_path: Path) -> None:
    fill(tmp_path, 200, rooms=2)
    before = (tmp_path / DATABASE_NAME).read_bytes()
    store = open_store(tmp_path)
    store.load()
    store.retain(0.0, 10)
    store.close()
    assert (tmp_path / DATABASE_NAME).read_bytes() == before


def test_it_is_told_once_that_nothing_is_left(store: SqliteStore, tmp_path: Path) -> None:
    store.commit([message(str(n)) for n in range(9)], TS)
    gone: list[bool] = []
    left = Traces(
        lambda: Scrub(tmp_path / DATABASE_NAME, None, 4_096),
        store._wal,
        judge=lambda error: error,
        note_gone=lambda: gone.append(left.may_be_left),
    )
    assert not left.may_be_left
    with closing(connect_reader(tmp_path / DATABASE_NAME)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchall()
        store.commit([removal("#a", 3)], TS)
        left.add()
        assert not left.clear(), "a reader needs the log: there is nothing to do now"
        assert (left.may_be_left, gone) == (True, [])
    assert not left.clear()
    assert (left.may_be_left, gone) == (False, [False])


def test_a_disk_that_fails_meanwhile_is_judged(store: SqliteStore) -> None:
    class Failing:
        def begin_again(self) -> None:
            pass

        def run(self, _pages: int) -> bool:
            raise FAILED_WRITE

    left = Traces(
        lambda: cast("Scrub", Failing()),
        store._wal,
        judge=lambda error: StoreBroken(f"judged: {error}"),
        note_gone=lambda: pytest.fail("something is left"),
    )
    with pytest.raises(StoreBroken, match="judged: injected"):
        left.add()
    assert left.may_be_left
