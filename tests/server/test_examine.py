"""What a server stands on: the folder, the disk, the database, certificates, limits, SQLite."""

from __future__ import annotations

import os
import resource
import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from securechat import certs
from securechat.config import ChatLimits
from securechat.findings import Finding, Mark
from securechat.server import examine as module
from securechat.server.examine import examine
from securechat.store.lock import FolderLock
from securechat.store.migrations import create

NOW = datetime.now(UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    create(folder / "securechat.db")
    return folder


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    certs.make(tmp_path / "certs", (), force=False, now=NOW)
    return tmp_path / "certs"


def look(data: Path, pair: Path) -> dict[str, Finding]:
    return {one.topic: one for one in examine(data, pair, 19_000)}


def test_all_is_well(data: Path, pair: Path) -> None:
    before = sorted(data.iterdir())
    found = look(data, pair)
    assert {one.mark for one in found.values()} <= {Mark.OK, Mark.WARN}
    assert found["certificate"].text == "good for 89 days, for localhost, 127.0.0.1, ::1"
    assert found["key"].text.startswith("SHA256:")
    assert found["running"].text == "no server uses this folder now"
    assert found["database"].mark is Mark.OK
    assert f"securechat db check --data {data}" in found["database"].text
    assert [path for path in sorted(data.iterdir()) if "-" not in path.name] == before


def test_who_serves_is_named(data: Path, pair: Path) -> None:
    with FolderLock.acquire(data):
        assert look(data, pair)["running"].text == f"process {os.getpid()} serves it"


def test_no_folder_no_certificates(tmp_path: Path) -> None:
    found = look(tmp_path / "x", tmp_path / "y")
    assert found["certificate"].mark is Mark.WARN
    assert found["certificate"].cure == f"securechat gen-certs --out {tmp_path}/y"
    assert found["data"].mark is Mark.FAIL
    for topic in ("running", "disk", "fsync", "database"):
        assert found[topic].mark is Mark.SKIPPED


def test_rights(data: Path, pair: Path) -> None:
    (data / "securechat.db").chmod(0o644)
    (pair / "ca-key.pem").chmod(0o644)
    found = look(data, pair)
    assert found["data"].cure == f"chmod 600 {data}/securechat.db"
    assert (found["ca key"].mark, found["ca key"].cure) == (
        Mark.FAIL,
        f"chmod 600 {pair}/ca-key.pem",
    )


def test_certificates_that_cannot_be_used_or_end_soon(data: Path, pair: Path) -> None:
    soon = list(module._certificates(pair, NOW + timedelta(days=80)))
    assert soon[0].mark is Mark.WARN
    assert soon[0].cure == f"securechat gen-certs --renew --out {pair} && securechat reload"
    [ended] = module._certificates(pair, NOW + timedelta(days=100))
    assert ended.mark is Mark.FAIL
    (pair / "key.pem").chmod(0o644)
    assert look(data, pair)["certificate"].mark is Mark.FAIL


@pytest.mark.parametrize("text", [b"", b"SQLite format 3\0", b"no database at all" * 100])
def test_a_database_that_is_none(data: Path, pair: Path, text: bytes) -> None:
    (data / "securechat.db").write_bytes(text)
    found = look(data, pair)["database"]
    assert (found.mark, found.cure) == (Mark.FAIL, f"securechat db check --data {data}")


def test_no_database_yet(tmp_path: Path, pair: Path) -> None:
    assert look(tmp_path, pair)["database"].mark is Mark.OK


@pytest.mark.parametrize(("free", "mark"), [(1 << 20, "fail"), (1 << 29, "warn"), (1 << 40, "ok")])
def test_space(
    data: Path, pair: Path, monkeypatch: pytest.MonkeyPatch, free: int, mark: str
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(free))
    assert look(data, pair)["disk"].mark.value == mark


def test_a_disk_that_cannot_be_written(
    data: Path, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    found = look(data, pair)["fsync"]
    assert found.mark is Mark.FAIL
    assert found.text == f"{data} cannot be written: No space left on device"


@pytest.mark.parametrize(
    ("version", "mark"),
    [
        ("3.40.1", "fail"),
        ("3.44.5", "fail"),
        ("3.44.6", "ok"),
        ("3.50.6", "fail"),
        ("3.50.7", "ok"),
        ("3.51.2", "fail"),
        ("3.51.3", "ok"),
        ("3.54.1", "ok"),
    ],
)
def test_sqlite_with_the_wal_reset_bug(version: str, mark: str) -> None:
    assert module._sqlite(version).mark.value == mark


@pytest.mark.parametrize(
    ("hard", "mark", "text"),
    [
        (resource.RLIM_INFINITY, "ok", "no limit, so the 19,000 connections that it may take"),
        (1024, "warn", "1,024, so 960 connections at most (now 1,024)"),
        (19_063, "ok", "19,063, so 18,999 connections at most (now 1,024)"),
        (
            20_000,
            "ok",
            "20,000, enough for the 19,000 connections that it may take (now 1,024)",
        ),
    ],
)
def test_descriptors(hard: int, mark: str, text: str) -> None:
    found = module._descriptors(1024, hard, ChatLimits().connections)
    assert (found.mark.value, found.text) == (mark, text)
