"""What the store on disk promises beyond what every store does: all is there after the end of the
process, and where the disk fails nothing is believed that may not be true."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from securechat.errors import StoreBroken, StoreFull
from securechat.records import (
    Conflict,
    Known,
    Lookup,
    Stored,
    Unknown,
)
from securechat.store.connections import DATABASE_NAME
from securechat.store.maintenance import check
from securechat.store.sqlite import SqliteStore, open_store

from .faults import FAILED_SYNC, FAILED_WRITE, FULL, Faults
from .folders import (
    ANN,
    BOB,
    EVE,
    LATER,
    PLENTY,
    TS,
    be_killed,
    identity,
    message,
    opened,
    posted,
    read,
    texts,
)

# ------------------------------------------------------------------ after the end


def test_a_new_conversation_of_a_refused_draft_may_be_made_later(store: SqliteStore) -> None:
    store.commit([message("1")], TS)
    assert type(store.commit([message("1", to="#b")], TS)[0]) is Conflict
    assert store.commit([message("2", to="#b"), message("3", to="#c")], TS) == [Stored(1, TS)] * 2
    assert read(store, "#b") == read(store, "#c") == {1: "hi"}


def test_a_direct_message_of_someone_never_stored_shows_the_names_of_then(
    store: SqliteStore,
) -> None:
    store.commit([identity(BOB, "bob"), message("1", to="@Eve", by=BOB, key="@2:3")], TS)
    store.commit([message("1", to="@bob", by=EVE, key="@2:3")], TS)
    with closing(store.reader()) as reader:
        chats = [posted(one) for one in reader.after("@2:3", 0, 2, 9, PLENTY).payloads]
    assert [(chat.sender, chat.to) for chat in chats] == [("bob", "@Eve"), ("nick3", "@bob")]


def test_a_killed_process_loses_nothing_and_leaves_no_obstacle(tmp_path: Path) -> None:
    acknowledged = be_killed(tmp_path)
    assert (tmp_path / f"{DATABASE_NAME}-wal").stat().st_size > 0
    assert texts(tmp_path) == {n + 1: f"text {n}" for n in acknowledged}
    assert check(tmp_path).problems == ()


# ------------------------------------------------------------------ no room


def no_room(store: SqliteStore) -> None:
    """Let the database have as many pages as it has."""
    store._db.pragma("max_page_count", store._db.pragma("page_count"))


def room(store: SqliteStore) -> None:
    store._db.pragma("max_page_count", 2**31)


def test_a_full_disk_keeps_nothing_and_numbers_nothing_and_recovers(store: SqliteStore) -> None:
    store.commit([message("1"), message("2")], TS)
    no_room(store)
    large = [message(f"x{n}", "y" * 4_000) for n in range(3)]
    for _ in range(2):
        with pytest.raises(StoreFull, match=r"the disk is full, nothing was stored\. Free some"):
            store.commit([message("3"), *large, message("4", to="#b")], TS)
    assert read(store) == {1: "hi", 2: "hi"}
    assert read(store, "#b") == {}
    assert not store._db.in_transaction
    room(store)
    assert store.commit([message("3"), *large, message("4", to="#b")], LATER) == [
        *(Stored(seq, LATER) for seq in (3, 4, 5, 6)),
        Stored(1, LATER),
    ]


def test_repeats_are_answered_and_pages_read_while_the_disk_is_full(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.commit([message("1", "y" * 3_000)], TS)
    no_room(store)
    with pytest.raises(StoreFull):
        store.commit([message("2", "y" * 4_000), message("3", "y" * 4_000)], TS)
    assert type(store.commit([message("1", "y" * 3_000)], TS)[0]) is Known
    assert type(store.commit([Lookup(ANN, "2", "#a", "y")], TS)[0]) is Unknown
    assert list(read(store)) == [1]
    store.close()
    assert check(tmp_path).problems == ()


def test_a_write_that_finds_no_room_is_not_the_end(tmp_path: Path, faults: Faults) -> None:
    open_store(tmp_path).close()
    with opened(tmp_path, vfs=faults.vfs) as (store, _):
        store.commit([message("1")], TS)
        faults.fail("write", FULL)
        for _ in range(3):
            with pytest.raises(StoreFull):
                store.commit([message("2")], TS)
        faults.heal()
        assert store.commit([message("3")], TS) == [Stored(2, TS)]
    assert check(tmp_path).problems == ()


def test_a_program_that_locks_the_database_is_waited_for_and_then_refused(
    store: SqliteStore, tmp_path: Path
) -> None:
    store._db.set_busy_timeout(1)
    with closing(apsw.Connection(str(tmp_path / DATABASE_NAME))) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFull, match=r"another program has the database locked"):
            store.commit([message("1")], TS)
        shell.execute("ROLLBACK")
    assert store.commit([message("1")], TS) == [Stored(1, TS)]


# ------------------------------------------------------------------ a disk that fails


@pytest.mark.parametrize(
    ("operation", "error", "name"),
    [("sync", FAILED_SYNC, "IOERR_FSYNC"), ("write", FAILED_WRITE, "IOERR_WRITE")],
)
def test_after_a_failed_write_nothing_is_written_any_more(
    tmp_path: Path, faults: Faults, operation: str, error: apsw.Error, name: str
) -> None:
    open_store(tmp_path).close()
    with opened(tmp_path, vfs=faults.vfs) as (store, _):
        store.commit([message("1")], TS)
        faults.fail(operation, error)
        with pytest.raises(StoreBroken, match=rf"{name}.*, what .* `securechat db check`") as first:
            store.commit([message("2")], TS)
        assert str(tmp_path / DATABASE_NAME) in str(first.value)
        faults.heal()
        written = list[str]()
        faults.hook = lambda asked, _: written.append(asked) if asked != "read" else None
        for act in (lambda: store.commit([message("3")], TS), lambda: store.retain(0.0, 9)):
            with pytest.raises(StoreBroken) as later:
                act()
            assert str(later.value) == str(first.value)
    assert written == [], "not even when it is closed"
    assert set(texts(tmp_path)) in ({1}, {1, 2}), "what failed may be there or not"


def test_an_error_of_ours_takes_the_commit_back_and_no_more(store: SqliteStore) -> None:
    store.commit([message("1")], TS)
    with pytest.raises(UnicodeEncodeError):
        store.commit([message("2"), message("3", "\ud800")], TS)
    assert store.commit([message("4")], TS) == [Stored(2, TS)]


def test_a_rollback_that_fails_is_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1")], TS)
        execute = store._execute

        def failing(sql: str, *values: Any) -> Any:
            if sql == "ROLLBACK":
                raise FAILED_WRITE
            return execute(sql, *values)

        monkeypatch.setattr(store, "_execute", failing)
        with pytest.raises(StoreBroken, match="IOERR_WRITE"):
            store.commit([message("2", "\ud800")], TS)
        monkeypatch.setattr(store, "_execute", execute)
        with pytest.raises(StoreBroken, match="IOERR_WRITE"):
            store.commit([message("3")], TS)
    assert texts(tmp_path) == {1: "hi"}


STRACE = shutil.which("strace")

INJECTED = """
import sys
from pathlib import Path
from securechat.errors import StoreError
from securechat.records import NewMessage
from securechat.store.sqlite import open_store
store = open_store(Path(sys.argv[1]))
store.load()
for n in range(12):
    try:
        new = NewMessage("#a", 1, str(n), "#a", "ann", f"text {n}", None, False)
        store.commit([new], sys.argv[2])
        print(n, "stored")
    except StoreError as error:
        print(n, type(error).__name__)
store.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("inject", "said"),
    [
        ("fdatasync:error=EIO:when=6", r"(stored )+(StoreBroken )+"),
        ("fdatasync:error=ENOSPC:when=6", r"(stored )+(StoreBroken )+"),
        ("pwrite64:error=EIO:when=16", r"(stored )+(StoreBroken )+"),
        ("pwrite64:error=ENOSPC:when=16", r"(stored )+StoreFull (stored )+"),
        ("pwrite64:error=EDQUOT:when=16", r"(stored )+StoreFull (stored )+"),
    ],
)
def test_what_the_system_says_is_understood(tmp_path: Path, inject: str, said: str) -> None:
    """The faults that a real kernel reports, injected into real system calls."""
    open_store(tmp_path).close()
    database = tmp_path / DATABASE_NAME
    assert STRACE is not None
    command = [
        *(STRACE, "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", f"inject={inject}"),
        *("-P", str(database), "-P", f"{database}-wal", "-P", f"{database}-shm"),
        *("-P", str(tmp_path), sys.executable, "-c", INJECTED, str(tmp_path), TS),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr.lower():
        pytest.skip("strace is not allowed to trace here")
    heard = [line.split() for line in done.stdout.splitlines()]
    assert re.fullmatch(said, "".join(f"{kind} " for _, kind in heard)), done.stdout + done.stderr
    kept = {text.split()[1]: seq for seq, text in texts(tmp_path).items()}
    assert sorted(kept.values()) == list(range(1, len(kept) + 1))
    assert {n for n, kind in heard if kind == "stored"} <= kept.keys()
    assert kept.keys().isdisjoint(n for n, kind in heard if kind == "StoreFull")
    assert check(tmp_path).problems == ()


# ------------------------------------------------------------------ the log, and other disks
