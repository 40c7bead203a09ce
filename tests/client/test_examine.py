"""Every stage of the way to a server, when it works and when it does not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from securechat.client.examine import _covers, examine
from securechat.client.known_file import KnownFile
from securechat.client.known_servers import Server
from securechat.client.trust_policy import Wishes
from securechat.findings import Finding, Mark

from .impostors import NOW, Authority, impostor

STAGES = (
    *("name", "tcp", "tls", "certificate", "key"),
    *("protocol", "clock", "round trip", "limits"),
)
LOCAL = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def file(tmp_path: Path) -> KnownFile:
    return KnownFile(tmp_path / "state")


def look(
    port: int, file: KnownFile, host: str = LOCAL, timeout: float = 5.0, **wishes: Any
) -> dict[str, Finding]:
    found = list(examine(host, port, Wishes(**wishes), file, timeout=timeout))
    assert tuple(one.topic for one in found) == STAGES
    return {one.topic: one for one in found}


def ends_at(found: dict[str, Finding], topic: str) -> Finding:
    """The finding that failed; those before it did not, and those behind it were not reached."""
    at = STAGES.index(topic)
    assert all(found[one].mark in (Mark.OK, Mark.WARN) for one in STAGES[:at]), found
    assert all(found[one] == (one, Mark.SKIPPED, "not reached", "") for one in STAGES[at + 1 :])
    assert found[topic].mark is Mark.FAIL
    return found[topic]


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where each who comes gets `answer`."""
    listener = socket.create_server((LOCAL, 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                answer(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


# ------------------------------------------------------------------ what fails


def test_a_name_without_an_address(file: KnownFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    found = ends_at(look(1, file, "nosuch.example"), "name")
    assert found.text == "nosuch.example has no address: Name or service not known"
    assert found.cure == "getent hosts nosuch.example"


def test_nothing_listens(file: KnownFile) -> None:
    with socket.create_server((LOCAL, 0)) as free:
        port = free.getsockname()[1]
    found = ends_at(look(port, file), "tcp")
    assert found.text == f"127.0.0.1:{port}: nothing listens there"
    assert found.cure == f"securechat serve --port {port}"


def test_plain_http(file: KnownFile) -> None:
    with listening(lambda peer: peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        found = ends_at(look(port, file), "tls")
    assert "does not speak TLS (plain HTTP, perhaps)" in found.text
    assert found.cure == f"securechat doctor {LOCAL}:PORT"  # to serve there would be in vain


def test_a_server_that_says_nothing(file: KnownFile) -> None:
    with listening(lambda peer: peer.recv(1 << 16) and peer.recv(1 << 16)) as port:  # type: ignore[arg-type]
        found = ends_at(look(port, file, timeout=0.3), "tls")
    assert "no answer within 0.3 s" in found.text


def test_tls_1_2_is_not_enough(authority: Authority, file: KnownFile) -> None:
    leaf = authority.issue(LOCAL)
    leaf.context.minimum_version = ssl.TLSVersion.TLSv1_2
    leaf.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with impostor(leaf) as server:
        found = ends_at(look(server.port, file), "tls")
    assert found.text == "TLS 1.2, and securechat needs TLS 1.3"


def test_another_key_than_the_known_one(authority: Authority, file: KnownFile) -> None:
    leaf, before = authority.issue(LOCAL), f"SHA256:{'A' * 43}"
    with impostor(leaf) as server:
        where = Server.at(LOCAL, server.port)
        file.change(lambda known: known.with_key(where, before, NOW.date()))
        found = ends_at(look(server.port, file), "key")
        assert server.heard == b""
    assert f"it is {leaf.fingerprint}, NOT the one known since" in found.text
    assert found.cure == f"securechat trust replace {where} {leaf.fingerprint}"


def test_another_key_than_the_named_one(authority: Authority, file: KnownFile) -> None:
    with impostor(authority.issue(LOCAL)) as server:
        found = ends_at(look(server.port, file, fingerprint=f"SHA256:{'A' * 43}"), "key")
        assert server.heard == b""
    assert "NOT the one you named" in found.text


def test_an_authority_that_did_not_sign(
    authority: Authority, file: KnownFile, tmp_path: Path
) -> None:
    with impostor(authority.issue(LOCAL)) as server:
        found = ends_at(look(server.port, file, ca_file=Authority(tmp_path).ca_file), "key")
        assert server.heard == b""
    assert f"it is not signed by {tmp_path}" in found.text
    assert " --nick NICK --fingerprint SHA256:" in found.cure


@pytest.mark.parametrize(
    ("names", "dates", "text", "cure"),
    [
        (("other.example",), (-1.0, 30.0), "not for 127.0.0.1", "--host 127.0.0.1"),
        ((LOCAL,), (-10.0, -2.0), "it ended on", "securechat gen-certs --renew"),
        ((LOCAL,), (1.0, 30.0), "not valid before", "date"),
        ((LOCAL,), (-1.0, 3.5), "(3 days)", "securechat gen-certs --renew"),
    ],
)
def test_what_is_wrong_with_a_certificate(
    authority: Authority,
    file: KnownFile,
    names: tuple[str, ...],
    dates: tuple[float, float],
    text: str,
    cure: str,
) -> None:
    with impostor(authority.issue(*names, start=dates[0], end=dates[1])) as server:
        found = look(server.port, file, timeout=0.3)
    assert found["certificate"].mark is Mark.WARN
    assert text in found["certificate"].text
    assert cure in found["certificate"].cure


def test_a_tls_server_that_is_no_chat(authority: Authority, file: KnownFile) -> None:
    with impostor(authority.issue(LOCAL)) as server:
        found = look(server.port, file, timeout=1.0)
    assert found["tls"].mark is Mark.WARN
    assert "it does not name securechat/1" in found["tls"].text
    told = ends_at(found, "protocol").text
    assert "says nothing" in told or "did not answer our greeting" in told, "whichever is first"


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("hosts", "host", "covered"),
    [
        (("chat.example",), "Chat.Example.", True),
        (("*.example.org",), "chat.example.org", True),
        (("*.example.org",), "a.chat.example.org", False),
        (("*.example.org",), "example.org", False),
        (("::1",), "0:0::1", True),
        (("127.0.0.1",), "127.0.0.2", False),
        ((), "localhost", False),
    ],
)
def test_the_names_of_a_certificate(hosts: tuple[str, ...], host: str, covered: bool) -> None:
    assert _covers(hosts, host) is covered
