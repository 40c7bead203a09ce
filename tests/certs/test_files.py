"""Keys are files that nobody else can read, that appear whole, and that overwrite nothing."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from securechat.certs import files
from securechat.certs.files import PRIVATE, PUBLIC, File

if TYPE_CHECKING:
    from tests.certs.conftest import Failing, Refusal

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


@pytest.fixture
def umask() -> Iterator[Callable[[int], None]]:
    before = os.umask(0o022)

    def set_umask(mask: int) -> None:
        os.umask(mask)

    yield set_umask
    os.umask(before)


# Private...


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o027, 0o077, 0o177, 0o277, 0o777])
def test_modes_are_the_same_under_every_umask(
    folder: Path, umask: Callable[[int], None], mask: int
) -> None:
    umask(mask)
    publish(folder, NEW)
    umask(0o022)
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == MODES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_files_are_opened_new_private_and_synced_before_they_get_their_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    opened: list[tuple[int, int]] = []
    real_open, real_fsync, real_link, real_unlink = os.open, os.fsync, os.link, os.unlink

    def spy_open(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if flags & os.O_CREAT:
            opened.append((flags, mode))
            steps.append("open")
        return real_open(path, flags, mode, **options)

    def spy_fsync(descriptor: int) -> None:
        steps.append("fsync")
        real_fsync(descriptor)

    def spy_link(source: Any, target: Any, **options: Any) -> None:
        steps.append(f"link {target}")
        real_link(source, target, **options)

    def spy_unlink(path: Any, **options: Any) -> None:
        real_unlink(path, **options)
        steps.append("unlink temporary")

    monkeypatch.setattr(os, "unlink", spy_unlink)
    monkeypatch.setattr(os, "open", spy_open)
    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "link", spy_link)
    publish(folder, NEW)
    needed = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    assert opened == [(needed, 0o600)] * 4
    placing = [step for name in NAMES for step in (f"link {name}", "unlink temporary")]
    assert steps == [*(["open", "fsync"] * 4), *placing, "fsync"]


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    publish(tmp_path, NEW)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_new_folder_is_private_from_the_first_moment(
    folder: Path, umask: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    umask(0)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    publish(folder, NEW)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


# In nobody's way...


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dangling", [False, True])
def test_a_planted_symbolic_link_is_refused(
    tmp_path: Path, folder: Path, refusal: Refusal, name: str, dangling: bool, replace: bool
) -> None:
    target = tmp_path / "elsewhere"
    if not dangling:
        target.write_bytes(b"precious")
    folder.mkdir()
    folder.joinpath(name).symlink_to(target)
    assert name in refusal(lambda: publish(folder, NEW, replace=replace))
    assert target.exists() is not dangling
    assert dangling or target.read_bytes() == b"precious"
    assert os.listdir(folder) == [name]  # noqa: PTH208 - links that dangle count


@pytest.mark.parametrize("name", NAMES)
def test_one_file_that_is_there_keeps_all_from_being_written(
    folder: Path, refusal: Refusal, name: str
) -> None:
    folder.mkdir()
    folder.joinpath(name).write_bytes(b"mine")
    line = refusal(lambda: publish(folder, NEW))
    assert f"holds {name} already" in line
    assert "--force" in line
    assert snapshot(folder) == {name: b"mine"}


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_that_appears_in_the_last_moment_stays(
    folder: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    real_link = os.link

    def late(source: Any, target: str, **options: Any) -> None:
        if target == "key.pem":
            folder.joinpath("key.pem").write_bytes(b"another's")
        real_link(source, target, **options)

    monkeypatch.setattr(os, "link", late)
    assert "File exists" in refusal(lambda: publish(folder, NEW, replace=replace))
    assert snapshot(folder) == {"key.pem": b"another's"}


@pytest.mark.parametrize("there", [NAMES, NAMES[:2], NAMES[2:], ()])
def test_replacing_replaces_what_is_there_and_adds_the_rest(
    folder: Path, there: tuple[str, ...]
) -> None:
    publish(folder, {name: OLD[name] for name in there})
    publish(folder, NEW, replace=True)
    assert snapshot(folder) == NEW
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == MODES


def test_replacing_tightens_a_key_that_was_open(folder: Path) -> None:
    publish(folder, OLD)
    folder.joinpath("key.pem").chmod(0o644)
    publish(folder, NEW, replace=True)
    assert stat.S_IMODE(folder.joinpath("key.pem").stat().st_mode) == 0o600


# Folders...


@pytest.mark.parametrize(
    ("code", "cure"),
    [(errno.EACCES, "choose another folder"), (errno.EROFS, "can be written to")],
)
def test_a_folder_that_cannot_be_made_is_named(
    folder: Path,
    refusal: Refusal,
    failing: Failing,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    cure: str,
) -> None:
    monkeypatch.setattr(Path, "mkdir", failing(Path.mkdir, 1, OSError(code, os.strerror(code))))
    line = refusal(lambda: publish(folder, NEW))
    assert str(folder) in line
    assert cure in line


def test_a_folder_is_made_only_to_make_a_set_in_it(folder: Path, refusal: Refusal) -> None:
    def open_it() -> None:
        with files.locked(folder):
            pytest.fail("it is not there")

    assert f"`securechat gen-certs --out {folder}`" in refusal(open_it)
    publish(folder / "a" / "b", NEW)
    assert snapshot(folder / "a" / "b") == NEW
    folder.joinpath("dangling").symlink_to("nowhere")
    assert "cannot write into" in refusal(lambda: publish(folder / "dangling", NEW))


def test_a_file_where_the_folder_should_be_is_named(folder: Path, refusal: Refusal) -> None:
    folder.write_bytes(b"")
    assert "name a folder" in refusal(lambda: publish(folder, NEW))


def test_a_folder_moved_away_meanwhile_is_still_the_one(tmp_path: Path, folder: Path) -> None:
    with files.locked(folder, create=True) as opened:
        folder.rename(tmp_path / "moved")
        files.publish(opened, {"key.pem": File(b"k", PRIVATE)}, replace=False)
        assert opened.names() == ["key.pem"]
    assert snapshot(tmp_path / "moved") == {"key.pem": b"k"}


# Reading...


def test_a_file_is_read_through_links(tmp_path: Path) -> None:
    tmp_path.joinpath("real").write_bytes(b"secret")
    tmp_path.joinpath("real").chmod(0o600)
    tmp_path.joinpath("link").symlink_to("real")
    assert files.read(tmp_path / "link", secret=True) == b"secret"


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o777])
def test_a_secret_that_others_can_use_is_refused(
    tmp_path: Path, refusal: Refusal, mode: int
) -> None:
    path = tmp_path / "a key.pem"
    path.write_bytes(b"secret")
    path.chmod(mode)
    line = refusal(lambda: files.read(path, secret=True))
    assert f"(mode {mode:04o})" in line
    assert f"chmod 600 '{path}'" in line
    assert files.read(path) == b"secret"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_secret_of_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    tmp_path.joinpath("key.pem").write_bytes(b"secret")
    tmp_path.joinpath("key.pem").chmod(mode)
    assert files.read(tmp_path / "key.pem", secret=True) == b"secret"


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, refusal: Refusal) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in refusal(lambda: files.read(tmp_path / "pipe"))
    assert "no regular file" in refusal(lambda: files.read(tmp_path))
    assert "is missing" in refusal(lambda: files.read(tmp_path / "none"))


def test_a_file_that_cannot_be_opened_is_named(
    tmp_path: Path, refusal: Refusal, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = OSError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(os, "open", failing(os.open, 1, denied))
    line = refusal(lambda: files.read(tmp_path / "key.pem"))
    assert f"cannot read {tmp_path}/key.pem (Permission denied)" in line
