"""What the tests of certificates share: a strict client in memory, and pairs of other tools.

The times handed in lie around the real present, because OpenSSL looks at the real clock.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from securechat.errors import CertificateError

#: `handshake(cert, key, trusted, name)`, all PEM: a refusal comes out as SSLError.
Handshake: TypeAlias = Callable[[bytes, bytes, bytes, str], None]
#: `refusal(call)`: the line that `call` is refused with.
Refusal: TypeAlias = Callable[[Callable[[], object]], str]
#: `failing(call, at, error)`: `call`, which raises `error` the `at`-th time (from 1).
Failing: TypeAlias = Callable[[Callable[..., Any], int, BaseException], Callable[..., Any]]
#: `at_once(count, call)`: what `count` calls at the same time return, or raise.
AtOnce: TypeAlias = Callable[[int, Callable[[], object]], list[Any]]
Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is not there."""
    return tmp_path / "certs"


@pytest.fixture
def handshake(tmp_path: Path) -> Handshake:
    """Shake hands as a strict client that trusts one certificate."""

    def shake(cert: bytes, key: bytes, trusted: bytes, name: str) -> None:
        pair = tmp_path / "handshake.pem"
        pair.write_bytes(key + cert)
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(pair)
        client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        client_context.load_verify_locations(cadata=trusted.decode())
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
        answering = server_context.wrap_bio(to_server, to_client, server_side=True)
        waiting = [client, answering]
        while waiting:
            for side in list(waiting):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
                waiting.remove(side)

    return shake


@pytest.fixture
def refusal() -> Refusal:
    """The line that a call is refused with: one line, with a reason and a cure."""

    def refused(call: Callable[[], object]) -> str:
        with pytest.raises(CertificateError) as caught:
            call()
        line = str(caught.value)
        assert "\n" not in line
        assert ": " in line
        return line

    return refused


@pytest.fixture
def failing() -> Failing:
    """A function that fails once."""

    def fail_at(call: Callable[..., Any], at: int, error: BaseException) -> Callable[..., Any]:
        count = 0

        def fail(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == at:
                raise error
            return call(*arguments, **options)

        return fail

    return fail_at


@pytest.fixture
def at_once() -> AtOnce:
    """Several calls, each in a thread of its own, that begin together."""

    def race_all(count: int, call: Callable[[], object]) -> list[Any]:
        barrier, results = threading.Barrier(count), []

        def race() -> None:
            barrier.wait()
            try:
                results.append(call())
            except BaseException as error:
                results.append(error)

        threads = [threading.Thread(target=race, name=f"race-{i}") for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return race_all


class Forge:
    """Makes keys and certificates as other tools may."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def sign(self, key: Key, by: Key, *extensions: x509.ExtensionType, days: int = 1000) -> bytes:
        """A certificate for `key`, with just these extensions."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
        builder = builder.not_valid_before(self.now - timedelta(days=1))
        builder = builder.not_valid_after(self.now + timedelta(days=days))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(by, SHA256()).public_bytes(serialization.Encoding.PEM)

    def encode_key(self, key: Key, secret: bytes = b"") -> bytes:
        """`key` as PEM, locked with `secret` if there is one."""
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(secret)
            if secret
            else serialization.NoEncryption(),
        )

    def write_key(self, path: Path, content: bytes) -> None:
        """A key file as it should be: its owner's alone."""
        path.write_bytes(content)
        path.chmod(0o600)

    def read_key(self, path: Path) -> ec.EllipticCurvePrivateKey:
        """The key in a file of ours."""
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


@pytest.fixture
def forge() -> Forge:
    """A forge."""
    return Forge()
