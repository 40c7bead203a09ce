"""A backup is whole and verified; a restore leaves what was there beside it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.errors import StoreRefused
from securechat.records import Known, Stored
from securechat.store import migrations
from securechat.store.connections import DATABASE_NAME
from securechat.store.journal import read_journal
from securechat.store.maintenance import backup, check, restore
from securechat.store.sqlite import SqliteStore, open_store

from .folders import LATER, NOON, damage, message, names, opened, read, texts


def test_a_backup_is_one_private_file_that_holds_everything(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    assert backup(data, file) == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (tmp_path / "other").mkdir()
    file.rename(tmp_path / "other" / DATABASE_NAME)
    assert check(tmp_path / "other").messages == 4
    assert texts(tmp_path / "other") == {1: "hi", 2: "hi"}


def test_a_backup_beside_a_server_holds_what_was_acknowledged(
    serving: SqliteStore, data: Path, tmp_path: Path
) -> None:
    serving.commit([message("5", "just now")], LATER)
    backup(data, tmp_path / "copy.db")
    assert serving.commit([message("6")], LATER) == [Stored(4, LATER)]
    serving.close()
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


def test_no_restore_while_a_server_runs(serving: SqliteStore, data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "copy.db")
    with pytest.raises(StoreRefused, match=f"in use by process {os.getpid()}"):
        restore(data, tmp_path / "copy.db", NOON)
    assert serving.commit([message("5")], LATER) == [Stored(3, LATER)]


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


def test_a_file_that_is_no_backup_is_called_that(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# securechat\n")
    for file in (readme, tmp_path):
        with pytest.raises(StoreRefused, match=f"{file}: this is no backup. Name a file that"):
            restore(tmp_path / "data", file, 0.0)
