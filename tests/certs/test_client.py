"""Certificates for clients: whose they are, what they can do, and what stands in their way."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from securechat import certs
from securechat.errors import CertificateError

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    certs.make(tmp_path / "certs", now=NOW)
    return tmp_path / "certs"


def test_one_file_says_who_it_is_and_is_for_nobody_else(folder: Path) -> None:
    made = certs.make_client(folder, "Müller", now=NOW)
    assert made.path == folder / "client-Müller.pem"
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    leaf = x509.load_pem_x509_certificate(made.path.read_bytes())
    [name] = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "Müller"
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH], "it is no server's"
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.not_after == leaf.not_valid_after_utc == NOW + timedelta(days=365, minutes=-5)


def test_nobody_is_replaced_unawares(folder: Path) -> None:
    first = certs.make_client(folder, "alice", now=NOW).path.read_bytes()
    with pytest.raises(CertificateError, match="add --force"):
        certs.make_client(folder, "alice", now=NOW)
    assert (folder / "client-alice.pem").read_bytes() == first
    certs.make_client(folder, "alice", force=True, now=NOW)
    assert (folder / "client-alice.pem").read_bytes() != first
    assert {path.name for path in folder.iterdir() if path.suffix != ".pem"} == set()


def test_it_ends_with_the_authority(folder: Path) -> None:
    late = NOW + timedelta(days=3600)
    assert certs.make_client(folder, "alice", now=late).not_after < late + timedelta(days=60)
    with pytest.raises(CertificateError, match="expired"):
        certs.make_client(folder, "bob", now=NOW + timedelta(days=4000))


def test_without_an_authority_there_is_none(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="is missing"):
        certs.make_client(tmp_path / "nowhere", "alice", now=NOW)
    certs.make(tmp_path / "other", now=NOW)
    (folder / "ca-key.pem").write_bytes((tmp_path / "other" / "ca-key.pem").read_bytes())
    with pytest.raises(CertificateError, match="is not the key of"):
        certs.make_client(folder, "alice", now=NOW)
    (folder / "ca-key.pem").unlink()
    with pytest.raises(CertificateError, match=r"ca-key\.pem"):
        certs.make_client(folder, "alice", now=NOW)


def test_what_to_do_with_it_is_said(folder: Path) -> None:
    said = certs.describe_client(certs.make_client(folder, "alice", now=NOW))
    assert "--client-ca" in said
    assert f"--client-cert {folder / 'client-alice.pem'}" in said
    assert "2027-11-27" in said
