"""Certificates are renewed so that nobody notices, when it is time, and only if they are ours."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from securechat import certs
from securechat.certs import CertificateSet

if TYPE_CHECKING:
    from tests.certs.conftest import AtOnce, Failing, Forge, Handshake, Refusal

    Spoil: TypeAlias = Callable[[CertificateSet, CertificateSet, Forge], None]

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
FILES = ("ca-key.pem", "ca.pem", "key.pem", "cert.pem")


@pytest.fixture
def ours(folder: Path) -> CertificateSet:
    return certs.make(folder, now=NOW)


def snapshot(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def ca_end(made: CertificateSet) -> datetime:
    return x509.load_pem_x509_certificate(made.ca.read_bytes()).not_valid_after_utc


def reach(made: CertificateSet, name: str, handshake: Handshake) -> None:
    """Shake hands as a client that trusts `ca.pem`."""
    cert, key, ca = (path.read_bytes() for path in (made.cert, made.key, made.ca))
    handshake(cert, key, ca, name)


# Renewed so that nobody notices...


def test_renewal_keeps_key_hosts_and_ca(folder: Path, handshake: Handshake) -> None:
    old = certs.make(folder, ["chat.example", "192.0.2.7"], now=NOW - 80 * DAY)
    before = snapshot(folder)
    new = certs.renew(folder, now=NOW)
    after = snapshot(folder)
    assert {name for name in before if before[name] != after[name]} == {"cert.pem"}
    assert after.keys() == before.keys()
    assert new.key_fingerprint == old.key_fingerprint
    assert new.fingerprint != old.fingerprint
    assert new.hosts == old.hosts
    assert new.not_after - old.not_after == 80 * DAY
    assert stat.S_IMODE(new.cert.stat().st_mode) == 0o644
    for name in new.hosts:
        reach(new, name, handshake)


def test_an_expired_certificate_can_be_renewed(folder: Path, handshake: Handshake) -> None:
    certs.make(folder, now=NOW - 400 * DAY)
    reach(certs.renew(folder, now=NOW), "localhost", handshake)


def test_a_renewed_certificate_never_outlives_its_ca(ours: CertificateSet) -> None:
    assert certs.renew(ours.directory, now=ca_end(ours) - DAY).not_after == ca_end(ours)


@pytest.mark.parametrize("name", FILES)
def test_renewal_needs_every_file(ours: CertificateSet, refusal: Refusal, name: str) -> None:
    ours.directory.joinpath(name).unlink()
    before = snapshot(ours.directory)
    line = refusal(lambda: certs.renew(ours.directory, now=NOW))
    assert f"{name} is missing" in line
    assert "--force" in line
    assert snapshot(ours.directory) == before


def test_renewal_makes_no_folder(folder: Path, refusal: Refusal) -> None:
    assert f"{folder} is missing" in refusal(lambda: certs.renew(folder, now=NOW))
    assert certs.renew_if_due(folder, now=NOW) is None
    assert not folder.exists()


def spoil_ca_key_mode(made: CertificateSet, _: CertificateSet, __: Forge) -> None:
    made.ca_key.chmod(0o640)


def spoil_ca_key(made: CertificateSet, other: CertificateSet, forge: Forge) -> None:
    forge.write_key(made.ca_key, other.ca_key.read_bytes())


def spoil_ca(made: CertificateSet, other: CertificateSet, forge: Forge) -> None:
    made.ca.write_bytes(other.ca.read_bytes())
    forge.write_key(made.ca_key, other.ca_key.read_bytes())


def spoil_key(made: CertificateSet, other: CertificateSet, forge: Forge) -> None:
    forge.write_key(made.key, other.key.read_bytes())


def spoil_cert_by_link(made: CertificateSet, _: CertificateSet, __: Forge) -> None:
    made.cert.rename(made.directory / "real.pem")
    made.cert.symlink_to("real.pem")


def spoil_ca_text(made: CertificateSet, _: CertificateSet, __: Forge) -> None:
    made.ca.write_text("not PEM")


def spoil_ca_key_kind(made: CertificateSet, _: CertificateSet, forge: Forge) -> None:
    key = rsa.generate_private_key(65537, 2048)
    forge.write_key(made.ca_key, forge.encode_key(key))
    made.ca.write_bytes(forge.sign(key, key))
    made.cert.write_bytes(forge.sign(forge.read_key(made.key), key, days=90))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (spoil_ca_key_mode, "mode 0640"),
        (spoil_ca_key, "ca-key.pem is not the key of"),
        (spoil_ca, "was not made with"),
        (spoil_ca_key_kind, "was not made with"),
        (spoil_key, "/key.pem is not the key of"),
        (spoil_cert_by_link, "no regular file"),
        (spoil_ca_text, "ca.pem is no PEM certificate"),
    ],
)
def test_what_cannot_be_renewed_is_refused_and_left_alone(
    ours: CertificateSet, tmp_path: Path, refusal: Refusal, forge: Forge, spoil: Spoil, why: str
) -> None:
    spoil(ours, certs.make(tmp_path / "other", now=NOW), forge)
    before = snapshot(ours.directory)
    assert why in refusal(lambda: certs.renew(ours.directory, now=NOW))
    assert snapshot(ours.directory) == before


@pytest.mark.parametrize(
    ("on_ca", "on_leaf", "why"),
    [
        (True, False, "cert.pem is no certificate with host names"),
        (False, True, "ca.pem is no CA certificate with a subject key identifier"),
    ],
)
def test_a_set_without_the_extensions_that_renewal_needs_is_refused(
    folder: Path, refusal: Refusal, forge: Forge, on_ca: bool, on_leaf: bool, why: str
) -> None:
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    names = x509.SubjectAlternativeName([x509.DNSName("own.example")])
    folder.mkdir()
    folder.joinpath("ca.pem").write_bytes(forge.sign(ca_key, ca_key, *[identifier][:on_ca]))
    folder.joinpath("cert.pem").write_bytes(forge.sign(key, ca_key, *[names][:on_leaf]))
    forge.write_key(folder / "ca-key.pem", forge.encode_key(ca_key))
    forge.write_key(folder / "key.pem", forge.encode_key(key))
    assert why in refusal(lambda: certs.renew(folder, now=NOW))


@pytest.mark.parametrize(
    ("moved", "why", "cure"),
    [(3651 * DAY, "ca.pem expired on", "--force"), (-DAY, "ca.pem is not valid before", "clock")],
)
def test_a_ca_outside_its_dates_cannot_renew(
    ours: CertificateSet, refusal: Refusal, moved: timedelta, why: str, cure: str
) -> None:
    line = refusal(lambda: certs.renew(ours.directory, now=NOW + moved))
    assert why in line
    assert cure in line


# Renewed when it is time...


@pytest.mark.parametrize("left", [timedelta(days=30), DAY, -DAY])
def test_what_ends_within_30_days_is_renewed(ours: CertificateSet, left: timedelta) -> None:
    new = certs.renew_if_due(ours.directory, now=ours.not_after - left)
    assert new is not None
    assert new.not_after - ours.not_after == 90 * DAY - left - timedelta(minutes=5)
    assert new.key_fingerprint == ours.key_fingerprint


def test_what_lasts_longer_is_left_alone(ours: CertificateSet) -> None:
    before = snapshot(ours.directory)
    early = ours.not_after - timedelta(days=30, seconds=1)
    assert certs.renew_if_due(ours.directory, now=early) is None
    assert certs.renew_if_due(ours.directory, now=NOW - 1000 * DAY) is None
    assert snapshot(ours.directory) == before
    assert certs.renew_if_due(ours.directory, now=early, within=31 * DAY) is not None


@pytest.mark.parametrize("name", FILES)
def test_without_every_file_nothing_is_renewed(ours: CertificateSet, name: str) -> None:
    ours.directory.joinpath(name).unlink()
    before = snapshot(ours.directory)
    assert certs.renew_if_due(ours.directory, now=ours.not_after) is None
    assert snapshot(ours.directory) == before


@pytest.mark.parametrize("spoil", [spoil_ca, spoil_ca_key_kind])
def test_what_is_not_ours_is_not_renewed_by_itself(
    ours: CertificateSet, tmp_path: Path, forge: Forge, spoil: Spoil
) -> None:
    spoil(ours, certs.make(tmp_path / "other", now=NOW), forge)
    assert certs.renew_if_due(ours.directory, now=ours.not_after) is None


def test_a_ca_at_its_end_does_not_renew_at_every_start(ours: CertificateSet) -> None:
    end = ca_end(ours)
    assert certs.renew_if_due(ours.directory, now=end - DAY) is not None
    assert certs.renew_if_due(ours.directory, now=end - DAY / 2) is None
    assert certs.renew_if_due(ours.directory, now=end + DAY) is None


def test_a_renewal_that_cannot_be_written_leaves_the_old_pair(
    ours: CertificateSet, refusal: Refusal, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, late = snapshot(ours.directory), ours.not_after - DAY
    read_only = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(os, "replace", failing(os.replace, 1, read_only))
    line = refusal(lambda: certs.renew_if_due(ours.directory, now=late))
    assert "Read-only file system" in line
    assert snapshot(ours.directory) == before
    certs.check_server_pair(ours.directory, now=late)


def test_of_many_that_start_at_once_one_renews(ours: CertificateSet, at_once: AtOnce) -> None:
    late = ours.not_after - DAY
    done = at_once(4, lambda: certs.renew_if_due(ours.directory, now=late))
    (renewed,) = [result for result in done if result is not None]
    assert certs.check_server_pair(ours.directory, now=late) == renewed
