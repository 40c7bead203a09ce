"""The lock of a data folder: one holder, named; the dead hold nothing."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from securechat.errors import StoreRefused
from securechat.store.lock import LOCK_NAME, FolderLock, holder_of

HOLD = """
import sys
from pathlib import Path
from securechat.store.lock import FolderLock
FolderLock.acquire(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_holder(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends or it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_the_file_tells_the_process_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with FolderLock.acquire(tmp_path):
        path = tmp_path / LOCK_NAME
        assert path.read_text() == f"{os.getpid()}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert holder_of(tmp_path) == os.getpid()
    assert (tmp_path / LOCK_NAME).read_text() == ""
    assert holder_of(tmp_path) is None


def test_a_second_holder_is_refused_with_the_first_ones_process_id(tmp_path: Path) -> None:
    with another_holder(tmp_path) as first:
        assert holder_of(tmp_path) == first.pid
        with pytest.raises(StoreRefused, match=rf"in use by process {first.pid}\. Stop that"):
            FolderLock.acquire(tmp_path)


def test_a_second_one_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with (
        FolderLock.acquire(tmp_path),
        pytest.raises(StoreRefused, match=f"in use by process {os.getpid()}"),
    ):
        FolderLock.acquire(tmp_path)


def test_who_was_refused_took_nothing_from_the_holder(tmp_path: Path) -> None:
    with FolderLock.acquire(tmp_path):
        for _ in range(2):
            with pytest.raises(StoreRefused):
                FolderLock.acquire(tmp_path)
        assert holder_of(tmp_path) == os.getpid()


def test_a_killed_process_holds_nothing_though_its_file_is_there(tmp_path: Path) -> None:
    with another_holder(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert (tmp_path / LOCK_NAME).read_text() == f"{first.pid}\n"
    assert holder_of(tmp_path) is None
    with FolderLock.acquire(tmp_path):
        assert holder_of(tmp_path) == os.getpid()


def test_release_may_be_called_twice_and_frees_it_at_once(tmp_path: Path) -> None:
    lock = FolderLock.acquire(tmp_path)
    lock.release()
    lock.release()
    FolderLock.acquire(tmp_path).release()


def test_a_program_that_the_holder_starts_does_not_inherit_it(tmp_path: Path) -> None:
    lock = FolderLock.acquire(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", "print('up', flush=True); open(0).read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"up\n"
        lock.release()
        FolderLock.acquire(tmp_path).release()


def test_a_holder_that_has_not_told_its_number_is_another_process(tmp_path: Path) -> None:
    with FolderLock.acquire(tmp_path):
        (tmp_path / LOCK_NAME).write_text("")
        assert holder_of(tmp_path) == 0
        with pytest.raises(StoreRefused, match="in use by another process"):
            FolderLock.acquire(tmp_path)


def test_nobody_holds_a_folder_without_a_lock_file(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    assert holder_of(tmp_path / "missing") is None


def test_a_link_or_a_folder_in_its_place_is_refused_and_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep me")
    (tmp_path / LOCK_NAME).symlink_to(target)
    with pytest.raises(StoreRefused, match=r"the lock file cannot be opened \(.+\)\. Give a"):
        FolderLock.acquire(tmp_path)
    assert target.read_text() == "keep me"


def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("securechat.store.lock.fcntl.flock", no_locks)
    with pytest.raises(StoreRefused, match=r"cannot be locked \(No locks available\)"):
        FolderLock.acquire(tmp_path)
    assert holder_of(tmp_path) is None
