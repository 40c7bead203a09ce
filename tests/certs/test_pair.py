"""What a server would show is checked first, and each no says what is wrong and what to type."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from securechat import certs
from securechat.certs import CertificateSet

if TYPE_CHECKING:
    from tests.certs.conftest import Failing, Forge, Refusal

    Spoil: TypeAlias = Callable[[CertificateSet, Forge], None]

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def ours(folder: Path) -> CertificateSet:
    return certs.make(folder, now=NOW)


def check(made: CertificateSet, now: datetime = NOW) -> CertificateSet:
    return certs.check_server_pair(made.directory, now=now)


# Taken...


def test_the_set_says_what_is_in_the_files(ours: CertificateSet) -> None:
    leaf = certs.x509.load_certificate(ours.cert.read_bytes())
    assert ours.fingerprint == certs.x509.fingerprint(leaf)
    assert ours.key_fingerprint == certs.x509.key_fingerprint(leaf)
    assert ours.not_after == NOW - timedelta(minutes=5) + 90 * DAY
    assert ours.hosts == ("localhost", "127.0.0.1", "::1")
    assert [path.name for path in (ours.ca, ours.ca_key, ours.cert, ours.key)] == [
        "ca.pem",
        "ca-key.pem",
        "cert.pem",
        "key.pem",
    ]
    assert check(ours) == ours


def test_a_pair_from_elsewhere_is_taken(folder: Path, forge: Forge) -> None:
    """A chain behind the leaf, and no CA of ours."""
    issued = trustme.CA().create_child_ca().issue_cert("chat.example.org", "192.0.2.1")
    folder.mkdir()
    folder.joinpath("cert.pem").write_bytes(b"".join(p.bytes() for p in issued.cert_chain_pems))
    forge.write_key(folder / "key.pem", issued.private_key_pem.bytes())
    pair = certs.check_server_pair(folder, now=datetime.now(UTC))
    assert pair.hosts == ("chat.example.org", "192.0.2.1")


def test_a_pair_without_host_names_is_taken(folder: Path, forge: Forge) -> None:
    key = rsa.generate_private_key(65537, 2048)
    folder.mkdir()
    folder.joinpath("cert.pem").write_bytes(forge.sign(key, key))
    forge.write_key(folder / "key.pem", forge.encode_key(key))
    assert certs.check_server_pair(folder, now=NOW).hosts == ()


def test_a_pair_may_be_symbolic_links(
    ours: CertificateSet, tmp_path: Path, refusal: Refusal
) -> None:
    live = tmp_path / "live"
    live.mkdir()
    live.joinpath("cert.pem").symlink_to(ours.cert)
    live.joinpath("key.pem").symlink_to(ours.key)
    assert certs.check_server_pair(live, now=NOW).fingerprint == ours.fingerprint
    ours.key.chmod(0o644)
    assert "mode 0644" in refusal(lambda: certs.check_server_pair(live, now=NOW))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_for_its_owner_alone_is_taken(ours: CertificateSet, mode: int) -> None:
    ours.key.chmod(mode)
    assert check(ours) == ours


# Refused...


def lack_cert(made: CertificateSet, _: Forge) -> None:
    made.cert.unlink()


def lack_key(made: CertificateSet, _: Forge) -> None:
    made.key.unlink()


def dangle_key(made: CertificateSet, _: Forge) -> None:
    made.key.unlink()
    made.key.symlink_to("nowhere")


def empty_cert(made: CertificateSet, _: Forge) -> None:
    made.cert.write_bytes(b"")


def cut_cert(made: CertificateSet, _: Forge) -> None:
    made.cert.write_bytes(made.cert.read_bytes()[:300])


def key_as_cert(made: CertificateSet, _: Forge) -> None:
    made.cert.write_bytes(made.key.read_bytes())


def binary_key(made: CertificateSet, forge: Forge) -> None:
    forge.write_key(made.key, bytes(range(256)))


def cert_as_key(made: CertificateSet, forge: Forge) -> None:
    forge.write_key(made.key, made.cert.read_bytes())


def locked_key(made: CertificateSet, forge: Forge) -> None:
    forge.write_key(made.key, forge.encode_key(forge.read_key(made.key), b"secret"))


def ca_key_as_key(made: CertificateSet, forge: Forge) -> None:
    forge.write_key(made.key, made.ca_key.read_bytes())


def pipe_as_cert(made: CertificateSet, _: Forge) -> None:
    made.cert.unlink()
    os.mkfifo(made.cert)


def folder_as_key(made: CertificateSet, _: Forge) -> None:
    made.key.unlink()
    made.key.mkdir(mode=0o700)


def garbled_extension(made: CertificateSet, forge: Forge) -> None:
    key = forge.read_key(made.key)
    garbled = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"garbled")
    made.cert.write_bytes(forge.sign(key, key, garbled))


def broken_chain(made: CertificateSet, _: Forge) -> None:
    lines = made.ca.read_bytes().splitlines(keepends=True)
    made.cert.write_bytes(made.cert.read_bytes() + b"".join([lines[0], *lines[2:]]))


def weak_pair(made: CertificateSet, forge: Forge) -> None:
    key = rsa.generate_private_key(65537, 1024)
    made.cert.write_bytes(forge.sign(key, key))
    forge.write_key(made.key, forge.encode_key(key))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lack_cert, "cert.pem is missing"),
        (lack_key, "key.pem is missing"),
        (dangle_key, "key.pem is missing"),
        (empty_cert, "cert.pem is no PEM certificate"),
        (cut_cert, "cert.pem is no PEM certificate"),
        (key_as_cert, "cert.pem is no PEM certificate"),
        (garbled_extension, "cert.pem is no PEM certificate"),
        (binary_key, "key.pem is no PEM private key"),
        (cert_as_key, "key.pem is no PEM private key"),
        (locked_key, "without a pass phrase"),
        (ca_key_as_key, "key.pem is not the key of"),
        (pipe_as_cert, "cert.pem is no regular file"),
        (folder_as_key, "key.pem is no regular file"),
        (broken_chain, "OpenSSL refuses"),
        (weak_pair, "OpenSSL refuses"),
    ],
)
def test_an_unusable_pair_is_refused_with_the_cure(
    ours: CertificateSet, forge: Forge, refusal: Refusal, spoil: Spoil, why: str
) -> None:
    spoil(ours, forge)
    line = refusal(lambda: check(ours))
    assert why in line
    assert f"`securechat gen-certs --force --out {ours.directory}`" in line


def test_a_key_that_others_can_read_is_refused(ours: CertificateSet, refusal: Refusal) -> None:
    ours.key.chmod(0o640)
    line = refusal(lambda: check(ours))
    assert "(mode 0640)" in line
    assert f"chmod 600 {ours.key}" in line


def test_a_missing_folder_is_refused(folder: Path, refusal: Refusal) -> None:
    line = refusal(lambda: certs.check_server_pair(folder, now=NOW))
    assert f"{folder}/cert.pem is missing" in line
    assert not folder.exists()


def test_an_unreadable_file_is_named(
    ours: CertificateSet, refusal: Refusal, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = OSError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(os, "open", failing(os.open, 2, denied))
    line = refusal(lambda: check(ours))
    assert f"cannot read {ours.key} (Permission denied)" in line


# Its dates...


@pytest.mark.parametrize(
    ("moved", "why"), [(91 * DAY, "cert.pem expired on"), (-DAY, "set this machine's clock")]
)
def test_a_certificate_outside_its_dates_is_refused(
    ours: CertificateSet, refusal: Refusal, moved: timedelta, why: str
) -> None:
    assert why in refusal(lambda: check(ours, NOW + moved))


def test_the_dates_themselves_still_count(ours: CertificateSet, refusal: Refusal) -> None:
    second = timedelta(seconds=1)
    first, last = NOW - timedelta(minutes=5), ours.not_after
    assert check(ours, first) == check(ours, last) == ours
    assert "is not valid before" in refusal(lambda: check(ours, first - second))
    assert "expired on" in refusal(lambda: check(ours, last + second))


def test_the_cure_for_an_expired_certificate_works(ours: CertificateSet, refusal: Refusal) -> None:
    late = NOW + 91 * DAY
    line = refusal(lambda: check(ours, late))
    assert f"`securechat gen-certs --renew --out {ours.directory}`" in line
    certs.renew(ours.directory, now=late)
    check(ours, late)
    ours.ca_key.unlink()
    assert "gen-certs --force" in refusal(lambda: check(ours, late + 91 * DAY))
