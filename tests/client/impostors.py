"""Certificates with faults, made for a test, and a TLS server that writes down what it is sent."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import create_server, socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from securechat.certs import x509 as ours

NOW = datetime.now(UTC)


class Authority:
    """A CA, and leaves of its own with whatever is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ours.make_key()
        self.certificate = ours.make_ca(self.key, NOW)
        self.ca_file = folder / f"ca-{id(self)}.pem"
        self.ca_file.write_bytes(ours.dump_certificate(self.certificate))

    def issue(
        self,
        *names: str,
        key: ours.OurKey | None = None,
        is_authority: bool = False,
        start: float = -1.0,
        end: float = 30.0,
    ) -> Leaf:
        """A leaf for `names`, valid from `start` to `end` days from now."""
        key = key or ours.make_key()
        issuer = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        builder = (
            x509.CertificateBuilder()
            .subject_name(ours._name("a server"))
            .public_key(key.public_key())
            .issuer_name(self.certificate.subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=start))
            .not_valid_after(NOW + timedelta(days=end))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True)
            .add_extension(ours._key_usage(signs_certificates=False), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.value), False
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(_name, names)), False)
        return Leaf(builder.sign(self.key, hashes.SHA256()), key, self.folder)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Leaf:
    """A certificate with its key, and what a server needs to show it."""

    def __init__(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, folder: Path
    ) -> None:
        self.key = key
        self.fingerprint = ours.key_fingerprint(certificate)
        cert_file, key_file = folder / f"{id(self)}.pem", folder / f"{id(self)}-key.pem"
        cert_file.write_bytes(ours.dump_certificate(certificate))
        key_file.write_bytes(ours.dump_key(key))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.num_tickets = 0
        self.context.load_cert_chain(cert_file, key_file)


class Impostor:
    """Shakes hands with everyone; `heard` is what it was sent then, and `met` how many came."""

    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.heard = b""
        self.met = 0
        self._hears = threading.Condition()
        self._listener = create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="impostor")
        self._thread.start()

    def wait_for(self, said: bytes) -> None:
        """Until somebody has said that."""
        with self._hears:
            assert self._hears.wait_for(lambda: said in self.heard, 10.0), self.heard

    def close(self) -> None:
        """Hear the last one out, and end."""
        self._listener.shutdown(2)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self.met += 1
            with raw, contextlib.suppress(OSError):
                self._hear(raw)

    def _hear(self, raw: socket) -> None:
        raw.settimeout(10.0)
        with self.leaf.context.wrap_socket(raw, server_side=True) as sock:
            while data := sock.recv(65_536):
                with self._hears:
                    self.heard += data
                    self._hears.notify_all()


@contextmanager
def impostor(leaf: Leaf) -> Iterator[Impostor]:
    """A server that shows `leaf`."""
    server = Impostor(leaf)
    try:
        yield server
    finally:
        server.close()
