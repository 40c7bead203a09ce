"""How large a database is, how it grows, and when the disk is full at that pace."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from securechat.store.connections import DATABASE_NAME
from securechat.store.index_file import INDEX_NAME
from securechat.store.maintenance import RoomSize, check, stats
from securechat.store.migrations import APPLICATION_ID
from securechat.store.retention import OVERHEAD, Retention, to_ts
from securechat.store.sqlite import open_store

from .folders import DAY, NOON, message, opened


@pytest.fixture
def free_disk(monkeypatch: pytest.MonkeyPatch) -> int:
    """A disk with five megabytes left."""
    free = 5_000_000
    monkeypatch.setattr(
        "securechat.store.stats.shutil.disk_usage", lambda _: SimpleNamespace(free=free)
    )
    return free


def test_an_empty_database_grows_never(tmp_path: Path, free_disk: int) -> None:
    open_store(tmp_path).close()
    found = stats(tmp_path, NOON)
    assert (found.rooms, found.messages, found.removed) == ((), 0, 0)
    assert (found.messages_per_day, found.bytes_per_day, found.full_on) == (0, 0, None)
    assert found.free_disk_bytes == free_disk
    assert found.file_bytes == (tmp_path / DATABASE_NAME).stat().st_size


def test_rooms_are_told_by_size_and_direct_conversations_as_one(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=30)) as (store, _):
        store.commit([message(f"o{n}", to="#old") for n in range(3)], to_ts(NOON - 40 * DAY))
        store.commit([message("1", "x" * 1_000, to="#big")], to_ts(NOON - 3 * DAY))
        store.commit([message("2", to="#old")], to_ts(NOON - 3 * DAY))
        direct = [message("3", "hello", key="@1:2"), message("4", "hello", key="@1:3")]
        store.commit(direct, to_ts(NOON - 2 * DAY))
        while store.retain(NOON, 99):
            pass
        found = stats(tmp_path, NOON)
    assert found.rooms == (
        RoomSize("#big", 1, 1_000 + OVERHEAD, 1),
        RoomSize("direct", 2, 10 + 2 * OVERHEAD, 2),
        RoomSize("#old", 1, 2 + OVERHEAD, 4),
    )
    assert (found.messages, found.removed, found.server) == (4, 3, os.getpid())
    assert found.file_bytes > (tmp_path / DATABASE_NAME).stat().st_size, "the log counts"


def test_the_pace_is_that_of_the_last_week(tmp_path: Path, free_disk: int) -> None:
    with opened(tmp_path) as (store, _):
        for age in range(20, -1, -1):
            new = [message(f"{age}-{n}", "x" * 90) for n in range(10)]
            store.commit(new, to_ts(NOON - (age + 0.5) * DAY))
        store.commit([message("quiet", to="#quiet")], to_ts(NOON - 15 * DAY))
    found = stats(tmp_path, NOON)
    assert found.pace_days == 7
    assert found.messages_per_day == pytest.approx(10)
    assert found.bytes_per_day == pytest.approx(10 * (90 + OVERHEAD))
    days = (free_disk + found.reusable_bytes) / 2_500
    assert found.full_on == (datetime(2027, 1, 15, 12) + timedelta(days=days)).date()


def test_a_young_database_is_measured_by_its_age(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1"), message("2")], to_ts(NOON - 2 * DAY))
        store.commit([message("3"), message("4")], to_ts(NOON - DAY))
    found = stats(tmp_path, NOON)
    assert (found.pace_days, found.messages_per_day) == (2.0, 2.0)
    assert stats(tmp_path, NOON - 2 * DAY + 1).pace_days == pytest.approx(1 / 24)


@pytest.mark.parametrize(("years", "is_told"), [(9.9, True), (10.1, False), (1e15, False)])
def test_a_day_more_than_ten_years_away_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, years: float, is_told: bool
) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1")], to_ts(NOON - DAY))
    free = years * 365.25 * stats(tmp_path, NOON).bytes_per_day
    monkeypatch.setattr(
        "securechat.store.stats.shutil.disk_usage", lambda _: SimpleNamespace(free=free)
    )
    found = stats(tmp_path, NOON)
    assert found.bytes_per_day > 0
    assert (found.full_on is not None) is is_told


def test_the_index_of_words_counts_too(tmp_path: Path, free_disk: int) -> None:
    with opened(tmp_path) as (store, _):
        said = [message(str(n), f"tulip number {n} in the rain") for n in range(2_000)]
        store.commit(said, to_ts(NOON - DAY))
        store.tidy()
        without = stats(tmp_path, NOON)
        index = store.indexer()
        assert index is not None
        while index.work(500).more:
            pass
        assert stats(tmp_path, NOON).index_bytes > (tmp_path / INDEX_NAME).stat().st_size, "its log"
        index.close()
        found = stats(tmp_path, NOON)
    assert without.index_bytes == 0
    assert found.index_bytes == (tmp_path / INDEX_NAME).stat().st_size
    grown = found.bytes_per_day / without.bytes_per_day - 1
    assert grown == pytest.approx(found.index_bytes / found.rooms[0].weight, abs=0.15)
    assert without.full_on is not None
    assert found.full_on is not None
    assert found.full_on < without.full_on
    assert found.free_disk_bytes == free_disk


def test_an_index_without_words_is_no_growth(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        index = store.indexer()
        assert index is not None
        index.work(9)
        index.close()
        store.commit([message("1")], to_ts(NOON - DAY))
    found = stats(tmp_path, NOON)
    assert found.index_bytes > 0
    assert found.bytes_per_day == found.rooms[0].weight


@pytest.mark.parametrize(("length", "share"), [(4_000, 0.9), (1_000, 0.7), (60, 0.15)])
def test_what_retention_removed_is_room_for_new_messages(
    tmp_path: Path, length: int, share: float
) -> None:
    count = 2_000_000 // (length + OVERHEAD)
    with opened(tmp_path, retention=Retention(keep_mb=0)) as (store, _):
        store.commit([message(f"{n:034}", "x" * length) for n in range(count)], to_ts(NOON))
        full = stats(tmp_path, NOON)
        while store.retain(NOON, 200):
            pass
        found = stats(tmp_path, NOON)
        assert (found.messages, found.removed) == (0, count)
        assert found.reusable_bytes - full.reusable_bytes > share * 2_000_000
        while store.retain(NOON + 40 * DAY, 200):
            pass
        assert stats(tmp_path, NOON).reusable_bytes > full.reusable_bytes + 0.9 * 2_000_000
    assert check(tmp_path).problems == ()


def test_our_mark_is_the_one_that_is_documented() -> None:
    assert APPLICATION_ID.to_bytes(4, "big") == b"SCht"
