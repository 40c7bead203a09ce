"""The two files that a server needs, `cert.pem` and `key.pem`, whoever made them.

In come a folder and the time. Out comes a `CertificateSet`. Raised is `CertificateError`.

`cert.pem` of ours holds the leaf alone. A client has its trust anchor already, and sending that
along would only make each handshake longer (RFC 8446, 4.4.2 lets the server leave it out). Files
that come from elsewhere may hold a chain, leaf first.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from ..errors import CertificateError
from . import files, x509
from .words import bordering, day, gen_certs, new_set, parsing

CA: Final = "ca.pem"
CA_KEY: Final = "ca-key.pem"
CERT: Final = "cert.pem"
KEY: Final = "key.pem"


@dataclass(frozen=True, slots=True)
class CertificateSet:
    """A usable certificate and key in `directory`, and what a person compares to trust them.

    `key_fingerprint` is what people compare and clients remember: the SHA-256 of the public key
    ("SHA256:…" in base64, as ssh prints it), which stays. `fingerprint` is the SHA-256 of the
    certificate ("AA:BB:…", as `openssl x509 -fingerprint` prints it) and tells one renewal from
    the next. `not_after` is in UTC. `hosts` are the
    names and addresses that clients can reach this server by. Of the four paths only `cert` and
    `key` are sure to exist: a pair from elsewhere has no CA of ours.
    """

    directory: Path
    ca: Path
    ca_key: Path
    cert: Path
    key: Path
    fingerprint: str
    key_fingerprint: str
    not_after: datetime
    hosts: tuple[str, ...]


def check_server_pair(directory: Path, *, now: datetime) -> CertificateSet:
    """Check `cert.pem` and `key.pem`, whoever made them, as a server that starts must.

    Raises CertificateError for a missing file, a key that others than its owner can read,
    something that is not PEM, a certificate outside its dates, a key of another certificate, or
    a pair that OpenSSL itself does not take.
    """
    leaf = read_pair(directory)
    cert, key = directory / CERT, directory / KEY
    with bordering(f"cannot use {cert} and {key}"):
        option = "--renew" if (directory / CA_KEY).exists() else "--force"
        cure = f"put a current pair there, or run `{gen_certs(directory, option)}`"
        refuse_dates(leaf, cert, now, cure)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except ssl.SSLError as error:  # a weak key, or what follows the leaf is no chain
            raise CertificateError(
                f"OpenSSL refuses {cert} with {key} ({error.reason}): {new_set(directory)}"
            ) from error
    return summarize(directory, leaf)


def summarize(directory: Path, leaf: x509.Certificate) -> CertificateSet:
    """Describe the set in `directory` whose `cert.pem` is `leaf`."""
    return CertificateSet(
        directory=directory,
        ca=directory / CA,
        ca_key=directory / CA_KEY,
        cert=directory / CERT,
        key=directory / KEY,
        fingerprint=x509.fingerprint(leaf),
        key_fingerprint=x509.key_fingerprint(leaf),
        not_after=leaf.not_valid_after_utc,
        hosts=x509.hosts_of(leaf),
    )


def read_pair(directory: Path) -> x509.Certificate:
    """Read `cert.pem` and check that `key.pem` is its key; the dates are not looked at."""
    leaf = read_certificate(directory / CERT)
    if not x509.belongs_to(read_key(directory / KEY), leaf):
        raise CertificateError(
            f"{directory / KEY} is not the key of {directory / CERT}: {new_set(directory)}"
        )
    return leaf


def read_certificate(path: Path) -> x509.Certificate:
    """Read the first certificate of a file."""
    with parsing(path, "PEM certificate"):
        return x509.load_certificate(files.read(path))


def read_key(path: Path) -> PrivateKeyTypes:
    """Read a key that nobody but its owner can read."""
    with parsing(path, "PEM private key without a pass phrase"):
        return x509.load_key(files.read(path, secret=True))


def refuse_dates(certificate: x509.Certificate, path: Path, now: datetime, cure: str) -> None:
    """Raise CertificateError unless `now` is within the dates of `certificate`, ends included."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        raise CertificateError(f"{path} expired on {day(end)} (today is {day(now)}): {cure}")
    if now < start:
        raise CertificateError(
            f"{path} is not valid before {start:%Y-%m-%d %H:%M} UTC and it is "
            f"{now.astimezone(UTC):%Y-%m-%d %H:%M} here: set this machine's clock"
        )
