"""A server that cannot begin leaves nothing behind: no file, no port, no descriptor."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from securechat.config import ServerConfig
from securechat.errors import ServerStartError, StoreRefused
from securechat.server import app
from securechat.server.app import Server
from securechat.store.lock import FolderLock


def config(folder: Path, port: int = 0) -> ServerConfig:
    return ServerConfig(port=port, certs=folder / "certs", data=str(folder / "data"))


def open_files() -> int:
    return len([*Path("/dev/fd").iterdir()])


def test_who_cannot_have_the_port_makes_no_files(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(ServerStartError, match="another program listens there"):
            Server(config(tmp_path, other.getsockname()[1]))
        assert list(tmp_path.iterdir()) == []


def test_who_cannot_have_the_data_gives_the_port_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    (tmp_path / "data").mkdir()
    with FolderLock.acquire(tmp_path / "data"):
        before = open_files()
        with pytest.raises(StoreRefused, match="in use by process"):
            Server(config(tmp_path, port))
        assert open_files() == before
        socket.create_server(("127.0.0.1", port)).close()


def test_who_cannot_load_the_data_gives_it_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreRefused("damaged")

    monkeypatch.setattr(app, "Hub", fail)
    before = open_files()
    with pytest.raises(StoreRefused, match="damaged"):
        Server(config(tmp_path))
    assert open_files() == before
    FolderLock.acquire(tmp_path / "data").release()
