"""The operator's door: who may come in, what is answered, and what a killed server leaves there."""

from __future__ import annotations

import json
import os
import queue
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from securechat.chat.admin import Asked, ListAccounts
from securechat.chat.effects import Reply
from securechat.server import admin
from securechat.server.admin import MAX_LINE, SOCKET_NAME, AdminSocket


class Hub:
    """Answers each request with its name, or not at all."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.door: AdminSocket | None = None
        self.silent = False
        self.error: str | None = None

    def tell(self, asked: Asked) -> None:
        self.asked.append(asked)
        if not self.silent:
            assert self.door is not None
            self.door.take(Reply(0, ({"late": True},)))  # one that came too late for another
            self.door.take(Reply(asked.ticket, ({"did": asked.request.do},), self.error))


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("d")  # short: a socket's path has 107 bytes


@pytest.fixture
def hub(folder: Path) -> Iterator[Hub]:
    hub = Hub()
    hub.door = AdminSocket(folder, hub.tell, lambda _: {"fingerprint": "SHA256:x"})
    hub.door.open()
    yield hub
    hub.door.close()


def say(folder: Path, line: bytes) -> Any:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(10.0)
        sock.connect(str(folder / SOCKET_NAME))
        sock.sendall(line)
        heard = b""
        while more := sock.recv(65_536):
            heard += more
    assert heard.endswith(b"\n")
    return json.loads(heard)


def test_a_request_is_answered_with_rows_and_facts(folder: Path, hub: Hub) -> None:
    assert say(folder, b'{"do":"accounts"}\n') == {
        "rows": [{"did": "accounts"}],
        "fingerprint": "SHA256:x",
    }
    assert hub.asked == [Asked(1, ListAccounts())]


def test_a_password_is_hashed_before_the_hub_hears_of_it(folder: Path, hub: Hub) -> None:
    say(folder, b'{"do":"passwd","name":"ann","password":"canary-7"}\n')
    [asked] = hub.asked
    assert asked.hashed is not None
    assert asked.hashed.startswith("$argon2id$")
    assert "canary" not in repr(asked)


def test_a_refusal_is_passed_on(folder: Path, hub: Hub) -> None:
    hub.error = "No."
    assert say(folder, b'{"do":"accounts"}\n') == {"error": "No."}


@pytest.mark.parametrize(
    "line",
    [
        *(b"\n", b"null\n", b"{}\n", b'{"do":"dance"}\n', b"\xff\n"),
        *(b'{"do":"role","name":"a","role":"king"}\n', b'{"do":"accounts","x":1}\n'),
        b'{"do":"passwd","name":"a","password":""}\n',
        b'{"do":"passwd","name":"a","password":["canary"]}\n',
        b"x" * (2 * MAX_LINE) + b"\n",
    ],
)
def test_nonsense_is_refused_and_repeated_nowhere(
    folder: Path, hub: Hub, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        said = say(folder, line)
    except (ConnectionError, BrokenPipeError):
        assert len(line) > MAX_LINE
        said = {"error": ""}
    assert said.keys() == {"error"}
    assert "canary" not in json.dumps(said) + caplog.text
    assert hub.asked == []
    assert say(folder, b'{"do":"accounts"}\n')["rows"]


def test_a_server_that_does_not_answer_is_said_so(
    folder: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "PATIENCE", 0.1)
    hub.silent = True
    assert "did not answer" in say(folder, b'{"do":"accounts"}\n')["error"]


@pytest.mark.usefixtures("hub")
def test_who_says_nothing_is_sent_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "PATIENCE", 0.1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.connect(str(folder / SOCKET_NAME))
        silent.settimeout(10.0)
        assert silent.recv(1) == b""
    assert say(folder, b'{"do":"accounts"}\n')["rows"]


def test_only_its_own_user_opens_the_socket(hub: Hub) -> None:
    assert hub.door is not None
    status = hub.door.path.stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == os.geteuid()


def test_another_user_is_sent_away_by_what_the_kernel_says(
    folder: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "_trusted", lambda _: False)
    assert "user that the server runs as" in say(folder, b'{"do":"accounts"}\n')["error"]
    assert hub.asked == []


def test_the_trusted_are_the_servers_user_and_root() -> None:
    assert admin._trusted(os.geteuid())
    assert admin._trusted(0)
    assert not admin._trusted(os.geteuid() + 1)


def test_a_socket_that_a_killed_server_left_is_replaced(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(folder / SOCKET_NAME))
    hub = Hub()
    hub.door = AdminSocket(folder, hub.tell, lambda _: {})
    hub.door.open()
    assert say(folder, b'{"do":"accounts"}\n')["rows"]
    hub.door.close()
    assert not (folder / SOCKET_NAME).exists()
    assert "admin" not in {thread.name for thread in threading.enumerate()}


def test_a_path_too_long_for_a_socket_is_no_reason_not_to_serve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    door = AdminSocket(folder, queue.SimpleQueue[Asked]().put, lambda _: {})
    door.open()
    door.close()
    assert "no `securechat admin` for this server" in caplog.text
