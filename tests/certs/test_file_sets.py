"""A set of files is placed as one: all of it or nothing, one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from securechat.certs import files
from securechat.certs.files import PRIVATE, PUBLIC, File
from securechat.errors import CertificateError

if TYPE_CHECKING:
    from tests.certs.conftest import AtOnce, Failing, Refusal

NAMES = ("ca-key.pem", "ca.pem", "key.pem", "cert.pem")
OLD = {name: f"old {name}".encode() for name in NAMES}
NEW = {name: f"new {name}".encode() for name in NAMES}
MODES = {"ca-key.pem": PRIVATE, "ca.pem": PUBLIC, "key.pem": PRIVATE, "cert.pem": PUBLIC}


def publish(path: Path, contents: Mapping[str, bytes], *, replace: bool = False) -> None:
    with files.locked(path, create=True) as folder:
        wanted = {name: File(data, MODES[name]) for name, data in contents.items()}
        files.publish(folder, wanted, replace=replace)


def snapshot(path: Path) -> dict[str, bytes]:
    """All that lies there, hidden files too."""
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


# Whole or absent...

FAULTS = [("open", 5), ("fchmod", 4), ("fsync", 5), ("link", 4)]


@pytest.mark.parametrize(
    ("name", "at"), [(name, at) for name, most in FAULTS for at in range(1, most + 1)]
)
def test_a_full_disk_leaves_no_half_set(
    folder: Path,
    refusal: Refusal,
    failing: Failing,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    at: int,
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, name, failing(getattr(os, name), at, full))
    line = refusal(lambda: publish(folder, NEW))
    assert "No space left on device" in line
    assert "free some space" in line
    assert snapshot(folder) == {}


@pytest.mark.parametrize(
    ("name", "at"),
    [(name, at) for name, most in [*FAULTS, ("replace", 4)] for at in range(1, most + 1)],
)
@pytest.mark.parametrize("there", [NAMES, NAMES[1:3]])
def test_a_failed_replacement_leaves_the_old_set(
    folder: Path,
    refusal: Refusal,
    failing: Failing,
    monkeypatch: pytest.MonkeyPatch,
    there: tuple[str, ...],
    name: str,
    at: int,
) -> None:
    before = {name: OLD[name] for name in there}
    publish(folder, before)
    if name == "replace" and at > len(there):
        at = len(there)
    broken = OSError(errno.EIO, "I/O error")
    monkeypatch.setattr(os, name, failing(getattr(os, name), at, broken))
    assert "I/O error" in refusal(lambda: publish(folder, NEW, replace=True))
    assert snapshot(folder) == before


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_control_c_leaves_no_half_set(
    folder: Path, failing: Failing, monkeypatch: pytest.MonkeyPatch, at: int, replace: bool
) -> None:
    before = OLD if replace else {}
    publish(folder, before)
    name = "replace" if replace else "link"
    monkeypatch.setattr(os, name, failing(getattr(os, name), at, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        publish(folder, NEW, replace=replace)
    assert snapshot(folder) == before


def test_what_cannot_be_taken_back_does_not_hide_why(
    folder: Path, refusal: Refusal, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(folder, OLD)
    # Of the renames the third and the first one back fail.
    worse = failing(os.replace, 4, OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(os, "replace", failing(worse, 3, OSError(errno.EIO, "I/O error")))
    assert "I/O error" in refusal(lambda: publish(folder, NEW, replace=True))
    assert snapshot(folder).keys() == OLD.keys()


#: Ends at once, without a last word, instead of the n-th renaming of a replacement.
KILLED = """
import os, sys
from pathlib import Path
from securechat.certs import files
path, names, at = Path(sys.argv[1]), sys.argv[3:], int(sys.argv[2])
rename = os.replace
def replace(*arguments, **options):
    global at
    at -= 1
    if not at:
        os._exit(9)
    rename(*arguments, **options)
os.replace = replace
with files.locked(path) as folder:
    new = {name: files.File(f"killed {name}".encode(), files.PRIVATE) for name in names}
    files.publish(folder, new, replace=True)
"""


@pytest.mark.parametrize("at", [1, 3])
def test_what_a_kill_leaves_is_healed_by_doing_it_again(folder: Path, at: int) -> None:
    publish(folder, OLD)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, str(folder), str(at), *NAMES]
    assert subprocess.run(command, cwd=root, timeout=30, check=False).returncode == 9
    left = snapshot(folder)
    mixed = [left[name].decode().split()[0] for name in NAMES]
    assert mixed == ["killed"] * (at - 1) + ["old"] * (5 - at)
    assert len(left) > len(NAMES)  # keys among them, that nobody would look for
    folder.joinpath(".mine.pem.tmp").write_bytes(b"no file of ours")
    folder.joinpath(".key.pem.0123456789abcdef.tmp").mkdir()
    publish(folder, NEW, replace=True)
    folder.joinpath(".key.pem.0123456789abcdef.tmp").rmdir()
    assert snapshot(folder) == {**NEW, ".mine.pem.tmp": b"no file of ours"}


# One at a time...


def test_of_many_at_once_exactly_one_makes_the_set(folder: Path, at_once: AtOnce) -> None:
    number = itertools.count(1)

    def race() -> bytes:
        mine = str(next(number)).encode()
        publish(folder, dict.fromkeys(NAMES, mine))
        return mine

    done = at_once(8, race)
    (winner,) = [one for one in done if isinstance(one, bytes)]
    assert sum(isinstance(one, CertificateError) for one in done) == 7
    assert snapshot(folder) == dict.fromkeys(NAMES, winner)


def test_sets_that_replace_each_other_are_never_mixed(folder: Path, at_once: AtOnce) -> None:
    number = itertools.count(1)

    def race() -> list[int]:
        kinds = []
        for _ in range(10):
            publish(folder, dict.fromkeys(NAMES, str(next(number)).encode()), replace=True)
            with files.locked(folder):
                found = snapshot(folder)
            assert found.keys() == set(NAMES)
            kinds.append(len(set(found.values())))
        return kinds

    assert at_once(4, race) == [[1] * 10] * 4


def test_a_lock_that_is_never_given_back_is_not_waited_for_in_vain(
    tmp_path: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    with files.locked(tmp_path) as held:
        assert held.locked
        line = refusal(lambda: publish(tmp_path, NEW))
    assert "locked by another program" in line
    assert sum(naps) == pytest.approx(5.0)
    assert snapshot(tmp_path) == {}
    publish(tmp_path, NEW)


def test_a_file_system_without_locks_is_written_to_all_the_same(
    folder: Path, refusal: Refusal, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(folder, {})
    folder.joinpath(".key.pem.0123456789abcdef.tmp").write_bytes(b"someone is writing")
    no_locks = OSError(errno.ENOLCK, "No locks available")
    monkeypatch.setattr(fcntl, "flock", failing(fcntl.flock, 1, no_locks))
    publish(folder, NEW)
    assert snapshot(folder) == {**NEW, ".key.pem.0123456789abcdef.tmp": b"someone is writing"}
    assert "already" in refusal(lambda: publish(folder, NEW))
