"""Handshakes in memory: what a server takes, what it refuses, and what the log says about it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from securechat.errors import CertificateError
from securechat.net.tls import Engine, describe_failure, engine_of, server_context

if TYPE_CHECKING:
    from tests.conftest import Certificates


class Line:
    """A client and a server, joined by two buffers; `errors` holds how each of them failed."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext) -> None:
        self.to_server, self.to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.to_client, self.to_server, server_hostname="localhost")
        self.server = server.wrap_bio(self.to_server, self.to_client, server_side=True)
        self.errors: dict[str, ssl.SSLError] = {}

    def shake(self) -> Line:
        waiting = {"client": self.client, "server": self.server}
        for _ in range(4):  # a handshake of TLS 1.3 takes two flights
            for name, side in list(waiting.items()):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
                except ssl.SSLError as error:
                    self.errors[name] = error
                del waiting[name]
        return self


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> ssl.SSLContext:
    return server_context(certificates.directory / "cert.pem", certificates.directory / "key.pem")


@pytest.fixture
def client(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates.ca)
    return context


# Taken...


def test_what_is_agreed_on_is_tls_1_3(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    line = Line(server, client).shake()
    assert line.errors == {}
    assert line.server.version() == line.client.version() == "TLSv1.3"
    assert line.server.compression() is None
    line.client.write(b"hello")
    assert line.server.read() == b"hello"


def test_no_tickets_are_given(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    line = Line(server, client).shake()
    assert line.to_client.pending == 0  # they would come right behind the handshake
    line.server.write(b"x")
    assert line.client.read() == b"x"
    assert line.client.session is not None
    assert not line.client.session.has_ticket


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        (["securechat/1"], "securechat/1"),
        (["h2", "securechat/1", "http/1.1"], "securechat/1"),
        ([], None),
        (["h2", "http/1.1"], None),
    ],
)
def test_alpn_is_ours_or_none_and_never_a_reason_to_refuse(
    server: ssl.SSLContext, client: ssl.SSLContext, offered: list[str], selected: str | None
) -> None:
    if offered:
        client.set_alpn_protocols(offered)
    line = Line(server, client).shake()
    assert line.errors == {}
    assert line.server.selected_alpn_protocol() == selected
    assert line.client.selected_alpn_protocol() == selected


# Refused...


def test_a_client_without_tls_1_3_is_refused_with_the_right_alert(
    server: ssl.SSLContext, client: ssl.SSLContext
) -> None:
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    line = Line(server, client).shake()
    assert describe_failure(line.errors["server"]) == "the client speaks no TLS 1.3"
    assert "PROTOCOL_VERSION" in line.errors["client"].reason


def test_a_client_that_does_not_trust_us_is_told_apart(server: ssl.SSLContext) -> None:
    line = Line(server, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)).shake()
    assert isinstance(line.errors["client"], ssl.SSLCertVerificationError)
    assert describe_failure(line.errors["server"]) == "the client does not trust our certificate"


def swap_key(folder: Path) -> None:
    other = trustme.CA().issue_cert("localhost").private_key_pem
    other.write_to_path(str(folder / "key.pem"))


def lock_key(folder: Path) -> None:
    path = folder / "key.pem"
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )


def lose_key(folder: Path) -> None:
    (folder / "key.pem").unlink()


def spoil_certificate(folder: Path) -> None:
    (folder / "cert.pem").write_text("not PEM")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (swap_key, "key values mismatch"),
        (lock_key, "not PEM, or locked with a pass phrase"),
        (lose_key, "no such file or directory"),
        (spoil_certificate, "not PEM, or locked with a pass phrase"),
    ],
)
def test_a_pair_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, certificates: Certificates, spoil: Callable[[Path], None], why: str
) -> None:
    for name in ("cert.pem", "key.pem"):
        tmp_path.joinpath(name).write_bytes((certificates.directory / name).read_bytes())
    spoil(tmp_path)
    with pytest.raises(CertificateError) as caught:
        server_context(tmp_path / "cert.pem", tmp_path / "key.pem")
    assert str(caught.value) == (
        f"{tmp_path}/cert.pem and {tmp_path}/key.pem cannot be used together ({why}): "
        "make a new pair with `securechat gen-certs --force`"
    )


def test_a_pair_that_loads_and_cannot_serve_is_refused(tmp_path: Path) -> None:
    """TLS 1.3 has no signatures with the curve of this key (RFC 8446, 4.2.3)."""
    key = ec.generate_private_key(ec.SECP256K1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1))
    certificate = builder.sign(key, SHA256()).public_bytes(serialization.Encoding.PEM)
    tmp_path.joinpath("cert.pem").write_bytes(certificate)
    tmp_path.joinpath("key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(
        CertificateError, match=r"cannot serve TLS 1\.3 .* P-256, .* `securechat gen"
    ):
        server_context(tmp_path / "cert.pem", tmp_path / "key.pem")


# What the log says...


def failure(server: ssl.SSLContext, sent: bytes, *, hang_up: bool = False) -> str:
    """What is said about a peer that sends `sent` instead of a handshake."""
    incoming = ssl.MemoryBIO()
    side = server.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    incoming.write(sent)
    if hang_up:
        incoming.write_eof()
    with pytest.raises(ssl.SSLError) as caught:
        side.do_handshake()
    return describe_failure(caught.value)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n",
        b"POST /login HTTP/1.1\r\n\r\n",
        b"CONNECT chat.example:443 HTTP/1.1\r\n\r\n",
    ],
)
def test_plain_http_is_named(server: ssl.SSLContext, sent: bytes) -> None:
    assert failure(server, sent) == "not TLS: plain HTTP on this port"


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"NICK bob\r\nUSER bob 0 * :Bob\r\n",
        b'\0\0\0\x12{"type":"command"}',
        b"\x16\x03\x01\xff\xff" + b"x" * 100,
    ],
)
def test_other_protocols_are_not_tls(server: ssl.SSLContext, sent: bytes) -> None:
    assert failure(server, sent) == "not TLS"


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"])
def test_a_peer_that_hangs_up_is_named(server: ssl.SSLContext, sent: bytes) -> None:
    assert failure(server, sent, hang_up=True) == "the peer hung up without close_notify"


def test_an_end_without_close_notify_is_named_behind_a_handshake(
    server: ssl.SSLContext, client: ssl.SSLContext
) -> None:
    line = Line(server, client).shake()
    line.to_server.write_eof()
    with pytest.raises(ssl.SSLEOFError) as caught:
        line.server.read()
    assert describe_failure(caught.value) == "the peer hung up without close_notify"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "connection reset by peer"),
        (OSError("no errno"), "oserror"),
        (ssl.SSLError(1, "unnamed"), "TLS error"),
        (ssl.SSLZeroReturnError(6, "closed"), "TLS error"),
        (ValueError("secret"), "ValueError"),
    ],
)
def test_other_errors_are_named_in_a_few_words(error: Exception, said: str) -> None:
    assert describe_failure(error) == said


@pytest.mark.parametrize("public", [True, False])
def test_records_are_read_and_written_with_the_public_methods_or_beneath(
    server: ssl.SSLContext, client: ssl.SSLContext, public: bool
) -> None:
    near, far = socket.socketpair()
    with (
        near,
        far,
        server.wrap_socket(near, server_side=True, do_handshake_on_connect=False) as ours,
    ):
        engine = cast(Engine, ours) if public else engine_of(ours)
        assert (engine is ours) is public
        caller = threading.Thread(target=_echo, args=(client, far), name="echo")
        caller.start()
        ours.do_handshake()
        assert engine.write(b"hello") == 5
        assert engine.read(16_384) == b"hello"
        caller.join()


def _echo(context: ssl.SSLContext, sock: socket.socket) -> None:
    with context.wrap_socket(sock, server_hostname="localhost") as peer:
        peer.sendall(peer.recv(100))


def test_what_a_socket_knows_of_itself_lies_in_slots(server: ssl.SSLContext) -> None:
    ours, theirs = socket.socketpair()
    with theirs, server.wrap_socket(ours, server_side=True, do_handshake_on_connect=False) as sock:
        assert sock.server_side
        assert not vars(sock), "this CPython keeps something else: give it a slot, see _SlimSocket"
