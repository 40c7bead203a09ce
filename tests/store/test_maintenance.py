"""Looking after a database: what a check finds, what a backup holds, what a restore leaves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from securechat.errors import StoreRefused
from securechat.records import KeepIdentity, Known, Stored
from securechat.store import migrations
from securechat.store.connections import DATABASE_NAME
from securechat.store.index_file import INDEX_NAME
from securechat.store.journal import read_journal
from securechat.store.maintenance import RoomSize, backup, check, restore, stats
from securechat.store.migrations import APPLICATION_ID
from securechat.store.retention import OVERHEAD, Retention, to_ts
from securechat.store.sqlite import SqliteStore, open_store

from .folders import LATER, TS, damage, message, opened, read, texts

DAY = 86_400
NOON = 1_800_000_000.0  # 2027-01-15


def names(directory: Path) -> list[str]:
    """The files in a folder but those that every database has beside it."""
    every = {f"{DATABASE_NAME}{suffix}" for suffix in ("", "-wal", "-shm")} | {"securechat.lock"}
    return sorted(path.name for path in directory.iterdir() if path.name not in every)


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
def store(data: Path) -> Iterator[SqliteStore]:
    """The same folder, with a server on it."""
    with opened(data) as (store, _):
        yield store


# ------------------------------------------------------------------ check


def test_a_sound_database_has_no_problems(data: Path) -> None:
    found = check(data)
    assert (found.problems, found.messages, found.conversations) == ((), 4, 3)
    assert found.server is None


def test_a_check_beside_a_server_tells_its_process(store: SqliteStore, data: Path) -> None:
    store.commit([message("5")], LATER)
    found = check(data)
    assert (found.problems, found.messages, found.server) == ((), 5, os.getpid())
    assert store.commit([message("6")], LATER) == [Stored(4, LATER)]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DELETE FROM message WHERE id = '4'", "#a: the last message is 1, it should be 2"),
        ("UPDATE conversation SET head = 9 WHERE name = '#a'", "#a: the last message is 2, it sh"),
        (
            "DELETE FROM message WHERE id = '1'",
            "#a: 1 texts are there, they should be those from 1",
        ),
        (
            "UPDATE message SET place = place + 5 WHERE id = '4'; "
            "UPDATE conversation SET head = 7 WHERE name = '#a'",
            "#a: from 1 to 7 there are only 2 messages",
        ),
        (
            "UPDATE conversation SET first = 1 WHERE name = '#b'",
            "#b: 1 texts are there, they shoul",
        ),
        (
            "UPDATE message SET text = 'back', digest = NULL WHERE id = '0'",
            "#b: 2 texts are there, they should be those from 2 to 2",
        ),
        (
            "UPDATE message SET text = 'longer' WHERE id = '1'",
            "#a: the messages weigh 328 bytes, not",
        ),
        (
            "UPDATE conversation SET oldest = 'x' WHERE name = '#a'",
            f"#a: the first message is of {TS}",
        ),
        ("UPDATE conversation SET oldest = NULL WHERE name = '#a'", "not of None as written"),
        ("DELETE FROM conversation WHERE name = '#a'", "conversation 2 has messages, but no name"),
        ("INSERT INTO removal VALUES (1, 99, 1)", "removal: a row points nowhere"),
        ("DELETE FROM meta", "the epoch is missing"),
    ],
)
def test_a_check_finds_what_should_not_be(data: Path, sql: str, problem: str) -> None:
    damage(data, sql)
    found = check(data)
    assert any(problem in one for one in found.problems), found.problems


def test_a_check_finds_an_index_that_does_not_fit_its_table(data: Path) -> None:
    with closing(apsw.Connection(str(data / DATABASE_NAME))) as db:
        db.execute(
            "PRAGMA writable_schema = ON;"
            "CREATE TABLE hidden AS SELECT rootpage, sql FROM sqlite_schema"
            " WHERE name = 'message_draft';"
            "DELETE FROM sqlite_schema WHERE name = 'message_draft';"
            "PRAGMA writable_schema = RESET;"
            "DELETE FROM message WHERE id = '4';"
            "PRAGMA writable_schema = ON;"
            "INSERT INTO sqlite_schema SELECT 'index', 'message_draft', 'message', rootpage, sql"
            " FROM hidden;"
            "PRAGMA writable_schema = RESET"
        )
    problems = check(data).problems
    assert any("message_draft" in problem for problem in problems), problems
    assert not any("\n" in problem for problem in problems)


def test_a_check_tells_a_handful_of_problems_and_not_thousands(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), to=f"#r{n}") for n in range(100)], TS)
    damage(tmp_path, "UPDATE conversation SET weight = 1")
    assert len(check(tmp_path).problems) == 20


def test_a_check_of_damaged_pages_says_so(data: Path) -> None:
    path = data / DATABASE_NAME
    content = bytearray(path.read_bytes())
    for page in range(2 * 4_096, len(content), 4_096):
        content[page : page + 16] = b"\xff" * 16
    path.write_bytes(content)
    assert check(data).problems
    assert path.read_bytes() == bytes(content)


def test_there_must_be_a_database_of_ours_to_check(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no database"):
        check(tmp_path)
    (tmp_path / DATABASE_NAME).write_text(
        "Dear diary, today I have written no database at all." * 9
    )
    with pytest.raises(StoreRefused, match="this is not a database"):
        check(tmp_path)


# ------------------------------------------------------------------ backup


def test_a_backup_is_one_private_file_that_holds_everything(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    assert backup(data, file) == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (tmp_path / "other").mkdir()
    file.rename(tmp_path / "other" / DATABASE_NAME)
    assert check(tmp_path / "other").messages == 4
    assert texts(tmp_path / "other") == {1: "hi", 2: "hi"}


def test_a_backup_beside_a_server_holds_what_was_acknowledged(
    store: SqliteStore, data: Path, tmp_path: Path
) -> None:
    store.commit([message("5", "just now")], LATER)
    backup(data, tmp_path / "copy.db")
    assert store.commit([message("6")], LATER) == [Stored(4, LATER)]
    store.close()
    restore(data, tmp_path / "copy.db", NOON)
    assert texts(data) == {1: "hi", 2: "hi", 3: "just now"}


def test_a_backup_never_replaces_anything(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("keep me")
    with pytest.raises(StoreRefused, match=r"it is there already\. Give a name"):
        backup(data, file)
    assert file.read_text() == "keep me"
    file.unlink()
    file.symlink_to("nowhere")
    with pytest.raises(StoreRefused, match="it is there already"):
        backup(data, file)


def test_a_backup_that_cannot_be_written_leaves_nothing(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"could not be written \(No such file or directory\)"):
        backup(data, tmp_path / "missing" / "copy.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    with pytest.raises(StoreRefused, match="there is no database"):
        backup(tmp_path / "missing", tmp_path / "copy.db")


def test_a_damaged_database_is_not_backed_up_as_if_it_were_sound(
    data: Path, tmp_path: Path
) -> None:
    path = data / DATABASE_NAME
    content = bytearray(path.read_bytes())
    for page in range(2 * 4_096, len(content), 4_096):
        content[page : page + 16] = b"\xff" * 16
    path.write_bytes(content)
    with pytest.raises(StoreRefused, match=r"is damaged \(.*`securechat db check`"):
        backup(data, tmp_path / "copy.db")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["data"]


def test_what_is_no_database_is_named_and_not_the_place_of_the_copy(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    path.write_text("a text of somebody's, long enough to have a beginning\n" * 100)
    with pytest.raises(StoreRefused, match=rf"^{path}: this is not a database"):
        backup(tmp_path, tmp_path / "copy.db")
    assert sorted(found.name for found in tmp_path.iterdir()) == [DATABASE_NAME]


# ------------------------------------------------------------------ restore


def test_a_restore_brings_back_what_was_and_keeps_what_is(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    backup(data, file)
    with opened(data) as (store, before):
        store.commit([message("5", "later")], LATER)
    done = restore(data, file, NOON)
    assert done.replaced == data / f"{DATABASE_NAME}.replaced-20270115T080000Z"
    with opened(data) as (store, after):
        assert after.epoch == done.epoch != before.epoch
        assert (after.identities, after.heads) == (before.identities, before.heads)
        assert read(store) == {1: "hi", 2: "hi"}
        (known,) = store.commit([message("4")], LATER)
        assert type(known) is Known
    with closing(apsw.Connection(str(done.replaced))) as db:
        assert db.execute("SELECT text FROM message WHERE id = '5'").fetchall() == [("later",)]
    assert stat.S_IMODE((data / DATABASE_NAME).stat().st_mode) == 0o600
    assert names(data) == [done.replaced.name]


def test_each_restore_has_an_epoch_of_its_own(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy.db")
    assert len({restore(data, tmp_path / "copy.db", NOON).epoch for _ in range(3)}) == 3
    assert len(names(data)) == 3


def test_a_restore_into_an_empty_place_makes_it(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy.db")
    done = restore(tmp_path / "new" / "data", tmp_path / "copy.db", NOON)
    assert done.replaced is None
    assert texts(tmp_path / "new" / "data") == {1: "hi", 2: "hi"}
    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


def test_no_restore_while_a_server_runs(store: SqliteStore, data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy.db")
    with pytest.raises(StoreRefused, match=f"in use by process {os.getpid()}"):
        restore(data, tmp_path / "copy.db", NOON)
    assert store.commit([message("5")], LATER) == [Stored(3, LATER)]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE conversation SET head = 9", "this backup is damaged"),
        ("PRAGMA user_version = 99", "version 99"),
        ("PRAGMA application_id = 7", "not a database of securechat's"),
    ],
)
def test_a_file_that_is_no_sound_backup_changes_nothing(
    data: Path, tmp_path: Path, sql: str, reason: str
) -> None:
    file = tmp_path / "copy.db"
    backup(data, file)
    with closing(apsw.Connection(str(file))) as db:
        db.execute(sql)
    before = (data / DATABASE_NAME).read_bytes()
    with pytest.raises(StoreRefused, match=rf"^nothing was restored: .*{reason}"):
        restore(data, file, NOON)
    assert (data / DATABASE_NAME).read_bytes() == before
    assert names(data) == []


def test_a_backup_that_is_not_there_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"nothing was restored: .*missing\.db: there is no"):
        restore(data, tmp_path / "missing.db", NOON)
    assert names(data) == []


@pytest.mark.parametrize("error", [apsw.FullError("full"), OSError(28, "No space left")])
def test_a_restore_without_room_changes_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def no_room(*_: object) -> None:
        raise error

    backup(data, tmp_path / "copy.db")
    monkeypatch.setattr("securechat.store.backup.copy_online", no_room)
    with pytest.raises(StoreRefused, match="the disk is full"):
        restore(data, tmp_path / "copy.db", NOON)
    assert texts(data) == {1: "hi", 2: "hi"}
    assert names(data) == []


def test_a_backup_of_before_a_migration_is_brought_up_to_date(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(data, tmp_path / "copy.db")
    newer = (*migrations.MIGRATIONS, migrations.Migration("x", "CREATE TABLE x (a ANY) STRICT;"))
    for name in ("migrate", "recognise"):
        monkeypatch.setattr(getattr(migrations, name), "__defaults__", (newer,))
    done = restore(data, tmp_path / "copy.db", NOON)
    assert done.replaced is not None
    assert names(data) == [done.replaced.name]
    damage(data, "INSERT INTO x VALUES (1)")


KILLED = """
import os, signal, sys
from pathlib import Path
from securechat.records import NewMessage
from securechat.store.sqlite import open_store
store = open_store(Path(sys.argv[1]))
store.load()
store.commit([NewMessage("#a", 1, "last", "#a", "ann", "in the log", None, False)], sys.argv[2])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_log_of_a_killed_server_goes_with_its_database(data: Path, tmp_path: Path) -> None:
    """Beside the restored database it would be taken for that one's, and destroy it."""
    backup(data, tmp_path / "copy.db")
    done = subprocess.run([sys.executable, "-c", KILLED, str(data), LATER], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (data / f"{DATABASE_NAME}-wal").stat().st_size > 0
    replaced = restore(data, tmp_path / "copy.db", NOON).replaced
    assert texts(data) == {1: "hi", 2: "hi"}
    assert check(data).problems == ()
    assert replaced is not None
    with closing(apsw.Connection(str(replaced))) as db:
        assert [new.text for _, new in read_journal(db.execute)] == ["in the log"]


def test_a_log_without_a_database_is_put_away_by_a_restore(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy.db")
    done = subprocess.run([sys.executable, "-c", KILLED, str(data), LATER], check=False)
    assert done.returncode == -signal.SIGKILL
    (data / DATABASE_NAME).unlink()
    with pytest.raises(StoreRefused, match="the database is gone, but"):
        open_store(data)
    assert restore(data, tmp_path / "copy.db", NOON).replaced is None
    assert texts(data) == {1: "hi", 2: "hi"}
    assert names(data) == [f"{DATABASE_NAME}.replaced-20270115T080000Z-wal"]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_restore_that_is_cut_short_never_ends_in_an_empty_database(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The folder is synced after each step; here the power goes at one of these."""
    backup(data, tmp_path / "copy.db")
    synced = 0

    class PowerCut(BaseException):
        pass

    def sync_or_die(_path: Path) -> None:
        nonlocal synced
        synced += 1
        if synced == step:
            raise PowerCut

    monkeypatch.setattr("securechat.store.backup.sync_folder", sync_or_die)
    with pytest.raises(PowerCut):
        restore(data, tmp_path / "copy.db", NOON)
    monkeypatch.undo()
    if (data / DATABASE_NAME).exists():
        assert texts(data) == {1: "hi", 2: "hi"}
    else:
        with pytest.raises(StoreRefused, match=r"the database is gone, but .*\.replaced-2027.* is"):
            open_store(data)
        restore(data, data / f"{DATABASE_NAME}.replaced-20270115T080000Z", NOON)
        assert texts(data) == {1: "hi", 2: "hi"}


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefused, match="Not a directory"):
        restore(tmp_path / "file" / "data", tmp_path / "copy.db", NOON)


# ------------------------------------------------------------------ stats


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
        while index.work(500) >= 500:
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
