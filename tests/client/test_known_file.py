"""The file of known servers: private, whole, and never taken for empty."""

from __future__ import annotations

import os
import threading
from datetime import date
from pathlib import Path

import pytest

from securechat.client.known_file import KnownFile
from securechat.client.known_servers import KnownServers, Server
from securechat.errors import ClientError, NotTrusted

A = "SHA256:" + "A" * 43
TODAY = date(2026, 11, 25)
HERE = Server.at("localhost")


def add(file: KnownFile, port: int) -> None:
    file.change(lambda known: known.with_key(Server.at("localhost", port), A, TODAY))


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert KnownFile(tmp_path / "state").load() == KnownServers()
    assert not (tmp_path / "state").exists()


def test_it_is_kept_where_only_we_can_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        add(KnownFile(tmp_path / "state"), 7)
    finally:
        os.umask(old)
    path = tmp_path / "state" / "known_servers"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert KnownFile(tmp_path / "state").load().find(Server.at("localhost", 7)) == (A, TODAY)


def test_several_at_once_lose_nothing(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=add, args=(KnownFile(tmp_path), port)) for port in range(1, 21)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {server.port for server in KnownFile(tmp_path).load().entries} == set(range(1, 21))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_text("localhost"), "line 1 is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "line 2 is damaged"),
        (lambda path: path.write_bytes(b"\xff\n"), "not UTF-8"),
        (lambda path: path.write_bytes(b"#" * (1 << 20) + b"##"), "longer than"),
        (lambda path: path.chmod(0o666), "others may read it"),
        (lambda path: path.rename(f"{path}2") and path.symlink_to(f"{path}2"), "symbolic link"),
        (lambda path: path.unlink() or path.mkdir(0o600), "not a file"),
    ],
)
def test_a_spoilt_file_stops_everything(tmp_path: Path, spoil: object, why: str) -> None:
    file = KnownFile(tmp_path)
    add(file, 7)
    spoil(file.path)  # type: ignore[operator]
    for act in (file.load, lambda: add(file, 8)):
        with pytest.raises(NotTrusted, match=why) as caught:
            act()
        assert str(file.path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClientError, match="could not be written down"):
        add(KnownFile(tmp_path / "file"), 7)


def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    file = KnownFile(tmp_path)
    add(file, 7)
    before = file.path.read_bytes()

    def refuse(_: KnownServers) -> KnownServers:
        raise ClientError("no")

    with pytest.raises(ClientError, match="no"):
        file.change(refuse)
    assert file.path.read_bytes() == before
    add(file, 8)  # the lock was given back
