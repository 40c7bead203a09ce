"""Mutual TLS: only who has a certificate gets in, and its name is the nick."""

from __future__ import annotations

import logging
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from securechat import certs
from securechat.certs import x509
from securechat.client.trust import guard_of
from securechat.errors import CertificateError, Refused
from securechat.net.tls import server_context
from securechat.server.app import Server, ServerConfig

from .conftest import Wire

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of a server, and those of alice, bob and of what is nobody."""
    path = tmp_path_factory.mktemp("mutual") / "certs"
    certs.make(path, now=NOW - timedelta(days=366))
    certs.renew(path, now=NOW)
    for nick in ("alice", "bob", "#nobody"):
        certs.make_client(path, nick, now=NOW)
    certs.make_client(path, "expired", now=NOW - timedelta(days=366))
    certs.make(path.parent / "other", now=NOW)
    certs.make_client(path.parent / "other", "alice", now=NOW)
    return path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    config = ServerConfig(port=0, certs=folder, data=":memory:", client_ca=folder / "ca.pem")
    server = Server(config)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def come(server: Server, folder: Path) -> Iterator[Callable[..., Wire]]:
    with ExitStack() as stack:

        def make(certificate: Path | str | None) -> Wire:
            path = folder / f"client-{certificate}.pem" if isinstance(certificate, str) else None
            shown = certificate if isinstance(certificate, Path) else path
            wire = Wire(server.addresses[0][1], str(folder / "ca.pem"), certificate=shown)
            stack.callback(wire.close)
            return wire

        yield make


def connect(server: Server, folder: Path, *options: str, nick: str) -> Any:
    where = f"localhost:{server.addresses[0][1]}"
    return subprocess.run(
        [
            *(sys.executable, "-m", "securechat", "connect", where, "--nick", nick),
            *("--certs", str(folder), *options),
        ],
        input="hello\n",
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )


def test_the_name_in_the_certificate_is_the_nick(come: Callable[..., Wire]) -> None:
    assert come("alice").hello("alice")["nick"] == "alice"
    refused = come("bob")
    answer = refused.hello("alice")
    assert answer["code"] == "auth_failed"
    assert "for bob" in answer["message"]
    assert refused.hello("bob")["nick"] == "bob"


def test_one_person_has_many_connections_and_is_one(come: Callable[..., Wire]) -> None:
    first, second, bob = come("alice"), come("alice"), come("bob")
    assert first.hello("alice")["session"]
    assert second.hello("alice")["nick"] == "alice"
    bob.hello("bob")
    bob.say("@alice", "which of you?")
    for wire in (first, second):
        assert wire.receive_until(lambda it: it["type"] == "chat")[-1]["text"] == "which of you?"


def test_nobody_goes_by_another_name_than_that_of_the_certificate(
    come: Callable[..., Wire],
) -> None:
    alice = come("alice")
    alice.hello("alice")
    assert alice.answer("nick", nick="queen")["code"] == "forbidden"
    assert alice.answer("nick", nick="Alice")["event"] == "renamed"
    assert come("#nobody").hello("nobody")["code"] == "auth_failed"


@pytest.mark.parametrize("whose", [None, "expired", "other", "server"])
def test_without_the_right_certificate_nobody_gets_in(
    come: Callable[..., Wire], folder: Path, whose: str | None, tmp_path: Path
) -> None:
    certificate: Path | str | None = whose
    if whose == "other":
        certificate = folder.parent / "other" / "client-alice.pem"
    elif whose == "server":
        certificate = tmp_path / "server.pem"
        certificate.write_bytes(
            (folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes()
        )
    with pytest.raises((ssl.SSLError, OSError)):
        come(certificate).hello("alice")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (None, "lets in only who has a certificate"),
        ("other/client-alice.pem", "signed by another authority"),
        ("certs/client-expired.pem", "it has expired"),
        ("certs/client-bob.pem", "Your certificate is for bob"),
        ("certs/ca.pem", "cannot show who you are (not a certificate and its key in PEM)"),
        ("certs/nothing.pem", "cannot show who you are (no such file or directory)"),
    ],
)
def test_the_person_is_told_what_to_do(
    server: Server, folder: Path, certificate: str | None, said: str
) -> None:
    options = ["--client-cert", str(folder.parent / certificate)] if certificate else []
    done = connect(server, folder, *options, nick="alice")
    assert said in done.stderr, done
    assert done.returncode == 5
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_with_it_one_chats(server: Server, folder: Path) -> None:
    file = str(folder / "client-alice.pem")
    done = connect(server, folder, "--client-cert", file, nick="alice")
    assert done.returncode == 0, done
    assert "<alice> hello" in done.stdout


def test_the_log_says_why_one_was_refused(
    come: Callable[..., Wire], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises((ssl.SSLError, OSError)):
        come(None).hello("alice")
    said = "shows no certificate, and --client-ca"
    deadline = time.monotonic() + 5.0
    while not any(said in line for line in caplog.messages):
        assert time.monotonic() < deadline, caplog.messages
        time.sleep(0.01)


def test_an_authority_of_no_use_is_refused_at_the_start(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for path, why in ((tmp_path / "empty.pem", "no PEM"), (tmp_path / "none.pem", "No such file")):
        with pytest.raises(CertificateError, match=why):
            server_context(folder / "cert.pem", folder / "key.pem", path)


def test_a_client_with_a_file_of_no_use_is_told_so(folder: Path) -> None:
    from securechat.client.trust import ByAuthority

    with pytest.raises(Refused, match="cannot show who you are"):
        guard_of(ByAuthority(folder / "ca.pem"), folder / "ca.pem")


def test_a_client_certificate_is_no_servers(folder: Path) -> None:
    leaf = x509.load_certificate((folder / "client-alice.pem").read_bytes())
    assert x509.hosts_of(leaf) == ()
