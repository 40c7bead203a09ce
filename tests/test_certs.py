"""Certificates are judged by what trusts them: real handshakes in memory, strict, on every claim.

The times handed in lie around the real present, because OpenSSL looks at the real clock.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import importlib.util
import os
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from securechat import certs
from securechat.certs import CertificateSet
from securechat.errors import CertificateError

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
FILES = ("ca-key.pem", "ca.pem", "cert.pem", "key.pem")
SCRIPT = Path(__file__).parent.parent / "scripts" / "gen_certs.py"


# What the tests look through...


def handshake(server: CertificateSet, trusted: Path, name: str) -> None:
    """Shake hands as `name`, trusting one file; a refusal comes out as SSLError."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(server.cert, server.key)
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    client_context.load_verify_locations(trusted)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server_context.wrap_bio(to_server, to_client, server_side=True)
    done = [False, False]
    while not all(done):
        for i, side in enumerate((client, answering)):
            try:
                side.do_handshake()
                done[i] = True
            except ssl.SSLWantReadError:
                pass


def refusal(call: Callable[[], object]) -> str:
    """Return the line that `call` is refused with: one line, with a reason and a cure."""
    with pytest.raises(CertificateError) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    assert ": " in line
    return line


def snapshot(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def extensions(path: Path) -> dict[str, tuple[x509.ExtensionType, bool]]:
    return {type(e.value).__name__: (e.value, e.critical) for e in certificate(path).extensions}


def write_key(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def encode_key(key: Key, secret: bytes = b"") -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption(),
    )


def sign(key: Key, by: Key, *extensions: x509.ExtensionType, days: int = 1000) -> bytes:
    """Make a certificate for `key` as another tool may: with just these extensions."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(NOW - DAY).not_valid_after(NOW + days * DAY)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(by, SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "certs"


@pytest.fixture
def ours(folder: Path) -> CertificateSet:
    return certs.make(folder, now=NOW)


@pytest.fixture
def foreign(folder: Path) -> CertificateSet:
    """A pair that another tool made: cert.pem with a chain behind the leaf, key.pem, no CA."""
    issuer = trustme.CA().create_child_ca()
    issued = issuer.issue_cert("chat.example.org", "192.0.2.1")
    folder.mkdir()
    folder.joinpath("cert.pem").write_bytes(b"".join(p.bytes() for p in issued.cert_chain_pems))
    write_key(folder / "key.pem", issued.private_key_pem.bytes())
    return certs.check_server_pair(folder, now=datetime.now(UTC))


# Made for clients to trust...


@pytest.mark.parametrize("name", certs.LOCAL_HOSTS)
def test_local_names_pass_the_strict_checks(ours: CertificateSet, name: str) -> None:
    handshake(ours, ours.ca, name)


def test_a_pinned_leaf_passes_the_strict_checks(ours: CertificateSet) -> None:
    handshake(ours, ours.cert, "localhost")


@pytest.mark.parametrize(
    ("host", "listed", "reached_as"),
    [
        ("chat.example.org", "chat.example.org", "chat.example.org"),
        ("CHAT.Example.org.", "chat.example.org", "chat.example.org"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example", "münchen.example"),
        ("*.example.org", "*.example.org", "a.example.org"),
        ("build_host", "build_host", "build_host"),
        ("4chan.org", "4chan.org", "4chan.org"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("2001:DB8::7", "2001:db8::7", "2001:db8:0::7"),
        ("[2001:db8::7]", "2001:db8::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1", "fe80::1"),
        ("[fe80::1%25]", "fe80::1", "fe80::1"),
        ("a" * 63 + ".example", "a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_further_hosts_pass_too(folder: Path, host: str, listed: str, reached_as: str) -> None:
    made = certs.make(folder, [host], now=NOW)
    assert made.hosts == (*certs.LOCAL_HOSTS, listed)
    handshake(made, made.ca, reached_as)


@pytest.mark.parametrize("name", ["example.org", "127.0.0.2", "::2", "xlocalhost"])
def test_other_names_are_not_covered(ours: CertificateSet, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        handshake(ours, ours.ca, name)


def test_another_ca_does_not_do(ours: CertificateSet, tmp_path: Path) -> None:
    other = certs.make(tmp_path / "other", now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        handshake(ours, other.ca, "localhost")


def test_a_client_takes_it_for_90_days(folder: Path) -> None:
    old = certs.make(folder, now=NOW - 90 * DAY)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        handshake(old, old.ca, "localhost")
    still_good = certs.make(folder, force=True, now=NOW - 89 * DAY)
    handshake(still_good, still_good.ca, "localhost")


def test_a_client_whose_clock_is_five_minutes_behind_takes_it(folder: Path) -> None:
    ahead = certs.make(folder, now=NOW + timedelta(minutes=4, seconds=50))
    handshake(ahead, ahead.ca, "localhost")


def test_the_ca_profile(ours: CertificateSet) -> None:
    ca, found = certificate(ours.ca), extensions(ours.ca)
    assert found.keys() == {"BasicConstraints", "KeyUsage", "SubjectKeyIdentifier"}
    assert found["BasicConstraints"] == (x509.BasicConstraints(True, 0), True)
    usage, critical = found["KeyUsage"]
    assert isinstance(usage, x509.KeyUsage)
    assert critical
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert ca.not_valid_after_utc - ca.not_valid_before_utc == certs.CA_LIFE
    ca.verify_directly_issued_by(ca)


def test_the_leaf_profile(ours: CertificateSet) -> None:
    leaf, found = certificate(ours.cert), extensions(ours.cert)
    ca_identifier = certificate(ours.ca).extensions.get_extension_for_class(
        x509.SubjectKeyIdentifier
    )
    public_key = leaf.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert public_key.curve.name == "secp256r1"
    assert found.pop("BasicConstraints") == (x509.BasicConstraints(False, None), True)
    usage, critical = found.pop("KeyUsage")
    assert isinstance(usage, x509.KeyUsage)
    assert critical
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert {name: value for name, (value, _) in found.items()} == {
        "SubjectAlternativeName": leaf.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value,
        "ExtendedKeyUsage": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        "SubjectKeyIdentifier": x509.SubjectKeyIdentifier.from_public_key(public_key),
        "AuthorityKeyIdentifier": x509.AuthorityKeyIdentifier(
            ca_identifier.value.digest, None, None
        ),
    }
    assert leaf.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == 90 * DAY


def test_each_ca_has_a_name_of_its_own(ours: CertificateSet, tmp_path: Path) -> None:
    other = certs.make(tmp_path / "other", now=NOW)
    assert certificate(ours.ca).subject != certificate(other.ca).subject


def test_the_files_are_plain_pem(ours: CertificateSet) -> None:
    assert {
        name: content.splitlines()[0] for name, content in snapshot(ours.directory).items()
    } == {
        "ca.pem": b"-----BEGIN CERTIFICATE-----",
        "ca-key.pem": b"-----BEGIN PRIVATE KEY-----",
        "cert.pem": b"-----BEGIN CERTIFICATE-----",
        "key.pem": b"-----BEGIN PRIVATE KEY-----",
    }
    assert all(c.count(b"BEGIN") == 1 for c in snapshot(ours.directory).values())


def test_the_set_says_what_is_in_the_files(ours: CertificateSet) -> None:
    der = ssl.PEM_cert_to_DER_cert(ours.cert.read_text())
    spki = (
        serialization.load_pem_private_key(ours.key.read_bytes(), None)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    pairs = [f"{byte:02X}" for byte in hashlib.sha256(der).digest()]
    assert ours.fingerprint == ":".join(pairs)
    pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    assert ours.key_fingerprint == f"SHA256:{pin.removesuffix('=')}"
    assert ours.not_after == NOW - timedelta(minutes=5) + 90 * DAY
    assert ours.hosts == ("localhost", "127.0.0.1", "::1")
    assert sorted(p.name for p in (ours.ca, ours.ca_key, ours.cert, ours.key)) == list(FILES)
    assert certs.check_server_pair(ours.directory, now=NOW) == ours


def test_a_host_said_twice_is_listed_once(folder: Path) -> None:
    typed = ["b.org", "LOCALHOST.", "a.org", "B.org", "0:0::1", "fe80::1%eth0", "fe80::1%eth1"]
    made = certs.make(folder, typed, now=NOW)
    assert made.hosts == (*certs.LOCAL_HOSTS, "b.org", "a.org", "fe80::1")


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("", "empty"),
        ("chat example", "white space"),
        (" localhost", "white space"),
        ("chat.example\n", "white space"),
        ("münchen.example", "xn-- form"),
        ("\u212aelvin.example", "xn-- form"),
        ("chat.example:55555", "without scheme or port"),
        ("https://chat.example", "without scheme or port"),
        ("[::1]:55555", "without scheme or port"),
        ("[127.0.0.1]", "brackets"),
        ("[::1", "without scheme or port"),
        ("fe80::1%", "without scheme or port"),
        ("chat..example", "each part"),
        (".", "each part"),
        ("-chat.example", "each part"),
        ("chat-.example", "each part"),
        ("chat!.example", "each part"),
        ("a" * 64 + ".example", "each part"),
        ("10.0.0.0/8", "each part"),
        ("\x1b[31m.example", "each part"),
        (".".join(["a" * 63] * 4), "longer than 253"),
        ("256.1.1.1", "looks like an IP"),
        ("127.1", "looks like an IP"),
        ("127.0.0.01", "looks like an IP"),
        ("*", "two parts"),
        ("*.org", "two parts"),
        ("*.*.org", "whole first part"),
        ("a*.example.org", "whole first part"),
        ("a.*.example.org", "whole first part"),
        ("0.0.0.0", "every address"),
        ("[::]", "every address"),
    ],
)
def test_what_is_no_host_is_refused_before_anything_is_written(
    folder: Path, host: str, why: str
) -> None:
    line = refusal(lambda: certs.make(folder, ["fine.example", host], now=NOW))
    assert why in line
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 240
    assert not folder.exists()


@given(st.text(max_size=20) | st.text(alphabet="az09*.:%[]_-", max_size=20))
def test_any_text_is_a_host_or_refused(host: str) -> None:
    try:
        (name,) = certs._subject_names([host])
    except CertificateError:
        return
    x509.SubjectAlternativeName([name])
    assert str(name.value).isascii()


# Written so that nobody else can read a key...


@pytest.fixture
def umask() -> Iterator[Callable[[int], None]]:
    before = os.umask(0o022)
    yield lambda mask: void(os.umask(mask))
    os.umask(before)


def void(_: object) -> None:
    """Drop a value."""


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o027, 0o077, 0o177, 0o277, 0o777])
def test_modes_are_the_same_under_every_umask(
    tmp_path: Path, umask: Callable[[int], None], mask: int
) -> None:
    umask(mask)
    made = certs.make(tmp_path / "certs", now=NOW)
    umask(0o022)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in made.directory.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca-key.pem": 0o600, "cert.pem": 0o644, "key.pem": 0o600}
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700


def test_files_are_opened_new_private_and_synced_before_they_get_their_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    opened: list[tuple[int, int]] = []
    real_open, real_fsync, real_link, real_unlink = os.open, os.fsync, os.link, os.unlink

    def spy_open(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if flags & os.O_CREAT:
            opened.append((flags, mode))
            steps.append("open")
        return real_open(path, flags, mode, **options)

    def spy_fsync(descriptor: int) -> None:
        steps.append("fsync")
        real_fsync(descriptor)

    def spy_link(source: Any, target: Any, **options: Any) -> None:
        steps.append(f"link {target}")
        real_link(source, target, **options)

    def spy_unlink(path: Any, **options: Any) -> None:
        real_unlink(path, **options)
        steps.append("unlink temporary")

    monkeypatch.setattr(os, "unlink", spy_unlink)
    monkeypatch.setattr(os, "open", spy_open)
    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "link", spy_link)
    certs.make(folder, now=NOW)
    needed = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    assert opened == [(needed, 0o600)] * 4
    placing = [
        step
        for name in ("ca-key.pem", "ca.pem", "key.pem", "cert.pem")
        for step in (f"link {name}", "unlink temporary")
    ]
    assert steps == [*(["open", "fsync"] * 4), *placing, "fsync"]


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    certs.make(tmp_path, now=NOW)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_new_folder_is_private_from_the_first_moment(
    folder: Path, umask: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    umask(0)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    certs.make(folder, now=NOW)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_nested_folder_is_made(tmp_path: Path) -> None:
    assert certs.make(tmp_path / "a" / "b", now=NOW).cert.is_file()


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("dangling", [False, True])
def test_a_planted_symbolic_link_is_refused(
    tmp_path: Path, folder: Path, name: str, dangling: bool, force: bool
) -> None:
    target = tmp_path / "elsewhere"
    if not dangling:
        target.write_bytes(b"precious")
    folder.mkdir()
    folder.joinpath(name).symlink_to(target)
    line = refusal(lambda: certs.make(folder, force=force, now=NOW))
    assert name in line
    assert target.exists() is not dangling
    assert dangling or target.read_bytes() == b"precious"
    assert names_in(folder) == [name]


@pytest.mark.parametrize("name", FILES)
def test_one_file_that_is_there_keeps_all_from_being_written(folder: Path, name: str) -> None:
    folder.mkdir()
    folder.joinpath(name).write_bytes(b"mine")
    line = refusal(lambda: certs.make(folder, now=NOW))
    assert f"holds {name} already" in line
    assert "--force" in line
    assert snapshot(folder) == {name: b"mine"}


def test_force_replaces_all_four(ours: CertificateSet) -> None:
    before = snapshot(ours.directory)
    made = certs.make(ours.directory, ["new.example"], force=True, now=NOW)
    after = snapshot(ours.directory)
    assert after.keys() == before.keys() == set(FILES)
    assert all(after[name] != before[name] for name in FILES)
    handshake(made, made.ca, "new.example")


def test_force_tightens_a_key_that_was_open(ours: CertificateSet) -> None:
    ours.key.chmod(0o644)
    certs.make(ours.directory, force=True, now=NOW)
    assert stat.S_IMODE(ours.key.stat().st_mode) == 0o600


def test_of_many_at_once_exactly_one_makes_the_set(folder: Path) -> None:
    barrier, made, refused = threading.Barrier(8), [], []

    def race() -> None:
        barrier.wait()
        try:
            made.append(certs.make(folder, now=NOW))
        except CertificateError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=race, name=f"race-{i}") for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(refused) == 7
    assert names_in(folder) == list(FILES)
    assert certs.check_server_pair(folder, now=NOW) == made[0]
    handshake(made[0], made[0].ca, "localhost")


def test_a_file_that_appears_in_the_last_moment_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_link = os.link

    def late(source: Any, target: str, **options: Any) -> None:
        if target == "key.pem":
            folder.joinpath("key.pem").write_bytes(b"another's")
        real_link(source, target, **options)

    monkeypatch.setattr(os, "link", late)
    line = refusal(lambda: certs.make(folder, now=NOW))
    assert "File exists" in line
    assert snapshot(folder) == {"key.pem": b"another's"}


def failing(call: Callable[..., Any], at: int, error: BaseException) -> Callable[..., Any]:
    """Return `call`, which raises `error` the `at`-th time (from 1)."""
    count = 0

    def fail(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            raise error
        return call(*arguments, **options)

    return fail


FAULTS = [("open", 5), ("fchmod", 4), ("fsync", 5), ("link", 4)]


@pytest.mark.parametrize(
    ("name", "at"), [(name, at) for name, most in FAULTS for at in range(1, most + 1)]
)
def test_a_full_disk_leaves_no_half_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, at: int
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, name, failing(getattr(os, name), at, full))
    line = refusal(lambda: certs.make(folder, now=NOW))
    assert "No space left on device" in line
    assert "free some space" in line
    assert names_in(folder) == []


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_control_c_leaves_no_half_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(os, "link", failing(os.link, at, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        certs.make(folder, now=NOW)
    assert names_in(folder) == []


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_failed_force_leaves_the_old_set(
    ours: CertificateSet, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    before = snapshot(ours.directory)
    monkeypatch.setattr(os, "fsync", failing(os.fsync, at, OSError(errno.EIO, "I/O error")))
    assert "I/O error" in refusal(lambda: certs.make(ours.directory, force=True, now=NOW))
    assert snapshot(ours.directory) == before


@pytest.mark.parametrize(
    ("code", "cure"),
    [(errno.EACCES, "choose another folder"), (errno.EROFS, "can be written to")],
)
def test_a_folder_that_cannot_be_made_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, cure: str
) -> None:
    monkeypatch.setattr(Path, "mkdir", failing(Path.mkdir, 1, OSError(code, os.strerror(code))))
    line = refusal(lambda: certs.make(folder, now=NOW))
    assert str(folder) in line
    assert cure in line


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    tmp_path.joinpath("certs").write_bytes(b"")
    assert "name a folder" in refusal(lambda: certs.make(tmp_path / "certs", now=NOW))
    assert "name a folder" in refusal(lambda: certs.ensure(tmp_path / "certs", now=NOW))


# Renewed so that nobody notices...


def test_renewal_keeps_key_hosts_and_ca(folder: Path) -> None:
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
        handshake(new, new.ca, name)
    handshake(new, new.cert, "localhost")


def test_an_expired_certificate_can_be_renewed(folder: Path) -> None:
    certs.make(folder, now=NOW - 400 * DAY)
    new = certs.renew(folder, now=NOW)
    handshake(new, new.ca, "localhost")


def test_a_renewed_certificate_never_outlives_its_ca(ours: CertificateSet) -> None:
    ca_end = certificate(ours.ca).not_valid_after_utc
    assert certs.renew(ours.directory, now=ca_end - DAY).not_after == ca_end


@pytest.mark.parametrize("name", FILES)
def test_renewal_needs_every_file(ours: CertificateSet, name: str) -> None:
    ours.directory.joinpath(name).unlink()
    before = snapshot(ours.directory)
    line = refusal(lambda: certs.renew(ours.directory, now=NOW))
    assert f"{name} is missing" in line
    assert "--force" in line
    assert snapshot(ours.directory) == before


def spoil_ca_key_mode(made: CertificateSet, _: CertificateSet) -> None:
    made.ca_key.chmod(0o640)


def spoil_ca_key(made: CertificateSet, other: CertificateSet) -> None:
    write_key(made.ca_key, other.ca_key.read_bytes())


def spoil_ca(made: CertificateSet, other: CertificateSet) -> None:
    made.ca.write_bytes(other.ca.read_bytes())
    write_key(made.ca_key, other.ca_key.read_bytes())


def spoil_key(made: CertificateSet, other: CertificateSet) -> None:
    write_key(made.key, other.key.read_bytes())


def spoil_cert_by_link(made: CertificateSet, _: CertificateSet) -> None:
    made.cert.rename(made.directory / "real.pem")
    made.cert.symlink_to("real.pem")


def spoil_ca_text(made: CertificateSet, _: CertificateSet) -> None:
    made.ca.write_text("not PEM")


def spoil_ca_key_kind(made: CertificateSet, _: CertificateSet) -> None:
    key = rsa.generate_private_key(65537, 2048)
    write_key(made.ca_key, encode_key(key))
    made.ca.write_bytes(sign(key, key))
    made.cert.write_bytes(sign(read_key(made.key), key, days=90))


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
    ours: CertificateSet,
    tmp_path: Path,
    spoil: Callable[[CertificateSet, CertificateSet], None],
    why: str,
) -> None:
    spoil(ours, certs.make(tmp_path / "other", now=NOW))
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
    folder: Path, on_ca: bool, on_leaf: bool, why: str
) -> None:
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    names = x509.SubjectAlternativeName([x509.DNSName("own.example")])
    folder.mkdir()
    folder.joinpath("ca.pem").write_bytes(sign(ca_key, ca_key, *[identifier][:on_ca]))
    folder.joinpath("cert.pem").write_bytes(sign(key, ca_key, *[names][:on_leaf]))
    write_key(folder / "ca-key.pem", encode_key(ca_key))
    write_key(folder / "key.pem", encode_key(key))
    assert why in refusal(lambda: certs.renew(folder, now=NOW))


def test_an_expired_ca_cannot_renew(ours: CertificateSet) -> None:
    line = refusal(lambda: certs.renew(ours.directory, now=NOW + 3651 * DAY))
    assert "ca.pem expired on" in line
    assert "--force" in line


def test_a_ca_from_the_future_points_to_the_clock(ours: CertificateSet) -> None:
    assert "clock" in refusal(lambda: certs.renew(ours.directory, now=NOW - DAY))


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
    ours: CertificateSet,
    tmp_path: Path,
    spoil: Callable[[CertificateSet, CertificateSet], None],
) -> None:
    spoil(ours, certs.make(tmp_path / "other", now=NOW))
    assert certs.renew_if_due(ours.directory, now=ours.not_after) is None


def test_a_ca_at_its_end_does_not_renew_at_every_start(ours: CertificateSet) -> None:
    ca_end = certificate(ours.ca).not_valid_after_utc
    assert certs.renew_if_due(ours.directory, now=ca_end - DAY) is not None
    assert certs.renew_if_due(ours.directory, now=ca_end - DAY / 2) is None
    assert certs.renew_if_due(ours.directory, now=ca_end + DAY) is None


def test_a_renewal_that_cannot_be_written_leaves_the_old_pair(
    ours: CertificateSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(ours.directory)
    read_only = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(os, "replace", failing(os.replace, 1, read_only))
    line = refusal(lambda: certs.renew_if_due(ours.directory, now=ours.not_after - DAY))
    assert "Read-only file system" in line
    assert snapshot(ours.directory) == before
    certs.check_server_pair(ours.directory, now=ours.not_after - DAY)


# Checked before a server shows it...


def test_a_pair_from_elsewhere_is_taken_and_never_renewed(foreign: CertificateSet) -> None:
    assert foreign.hosts == ("chat.example.org", "192.0.2.1")
    before = snapshot(foreign.directory)
    assert certs.ensure(foreign.directory, now=datetime.now(UTC)) == (foreign, False)
    assert certs.renew_if_due(foreign.directory, now=foreign.not_after) is None
    assert "ca.pem is missing" in refusal(lambda: certs.renew(foreign.directory, now=NOW))
    assert snapshot(foreign.directory) == before


def test_a_pair_without_host_names_is_taken(folder: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    folder.mkdir()
    folder.joinpath("cert.pem").write_bytes(sign(key, key))
    write_key(folder / "key.pem", encode_key(key))
    assert certs.check_server_pair(folder, now=NOW).hosts == ()


def test_a_pair_may_be_symbolic_links(ours: CertificateSet, tmp_path: Path) -> None:
    live = tmp_path / "live"
    live.mkdir()
    live.joinpath("cert.pem").symlink_to(ours.cert)
    live.joinpath("key.pem").symlink_to(ours.key)
    assert certs.check_server_pair(live, now=NOW).fingerprint == ours.fingerprint
    ours.key.chmod(0o644)
    assert "mode 0644" in refusal(lambda: certs.check_server_pair(live, now=NOW))


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o777])
def test_a_key_that_others_can_use_is_refused(ours: CertificateSet, mode: int) -> None:
    ours.key.chmod(mode)
    line = refusal(lambda: certs.check_server_pair(ours.directory, now=NOW))
    assert f"(mode {mode:04o})" in line
    assert f"chmod 600 {ours.key}" in line


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_for_its_owner_alone_is_taken(ours: CertificateSet, mode: int) -> None:
    ours.key.chmod(mode)
    certs.check_server_pair(ours.directory, now=NOW)


def lack_cert(made: CertificateSet) -> None:
    made.cert.unlink()


def lack_key(made: CertificateSet) -> None:
    made.key.unlink()


def dangle_key(made: CertificateSet) -> None:
    made.key.unlink()
    made.key.symlink_to("nowhere")


def empty_cert(made: CertificateSet) -> None:
    made.cert.write_bytes(b"")


def cut_cert(made: CertificateSet) -> None:
    made.cert.write_bytes(made.cert.read_bytes()[:300])


def key_as_cert(made: CertificateSet) -> None:
    made.cert.write_bytes(made.key.read_bytes())


def binary_key(made: CertificateSet) -> None:
    write_key(made.key, bytes(range(256)))


def cert_as_key(made: CertificateSet) -> None:
    write_key(made.key, made.cert.read_bytes())


def locked_key(made: CertificateSet) -> None:
    write_key(made.key, encode_key(read_key(made.key), b"secret"))


def ca_key_as_key(made: CertificateSet) -> None:
    write_key(made.key, made.ca_key.read_bytes())


def pipe_as_cert(made: CertificateSet) -> None:
    made.cert.unlink()
    os.mkfifo(made.cert)


def folder_as_key(made: CertificateSet) -> None:
    made.key.unlink()
    made.key.mkdir(mode=0o700)


def garbled_extension(made: CertificateSet) -> None:
    key = read_key(made.key)
    garbled = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"garbled")
    made.cert.write_bytes(sign(key, key, garbled))


def broken_chain(made: CertificateSet) -> None:
    lines = made.ca.read_bytes().splitlines(keepends=True)
    made.cert.write_bytes(made.cert.read_bytes() + b"".join([lines[0], *lines[2:]]))


def weak_pair(made: CertificateSet) -> None:
    key = rsa.generate_private_key(65537, 1024)
    made.cert.write_bytes(sign(key, key))
    write_key(made.key, encode_key(key))


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
    ours: CertificateSet, spoil: Callable[[CertificateSet], None], why: str
) -> None:
    spoil(ours)
    line = refusal(lambda: certs.check_server_pair(ours.directory, now=NOW))
    assert why in line
    assert f"`securechat gen-certs --force --out {ours.directory}`" in line


def test_a_missing_folder_is_refused_by_the_check(folder: Path) -> None:
    line = refusal(lambda: certs.check_server_pair(folder, now=NOW))
    assert f"{folder}/cert.pem is missing" in line


def test_an_unreadable_file_is_named(ours: CertificateSet, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = OSError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(os, "open", failing(os.open, 2, denied))
    line = refusal(lambda: certs.check_server_pair(ours.directory, now=NOW))
    assert f"cannot read {ours.key} (Permission denied)" in line


@pytest.mark.parametrize(
    ("moved", "why"),
    [
        (91 * DAY, "cert.pem expired on"),
        (-DAY, "is not valid before"),
    ],
)
def test_a_certificate_outside_its_dates_is_refused(
    ours: CertificateSet, moved: timedelta, why: str
) -> None:
    assert why in refusal(lambda: certs.check_server_pair(ours.directory, now=NOW + moved))


def test_the_dates_themselves_still_count(ours: CertificateSet) -> None:
    certs.check_server_pair(ours.directory, now=NOW - timedelta(minutes=5))
    certs.check_server_pair(ours.directory, now=ours.not_after)


def test_the_cure_for_an_expired_certificate_works(ours: CertificateSet) -> None:
    late = NOW + 91 * DAY
    line = refusal(lambda: certs.check_server_pair(ours.directory, now=late))
    assert f"`securechat gen-certs --renew --out {ours.directory}`" in line
    certs.renew(ours.directory, now=late)
    certs.check_server_pair(ours.directory, now=late)
    ours.ca_key.unlink()
    line = refusal(lambda: certs.check_server_pair(ours.directory, now=late + 91 * DAY))
    assert "gen-certs --force" in line


# Made on first use...


@pytest.mark.parametrize("found", [None, (), ("README.md", ".gitkeep", "lost+found")])
def test_a_set_is_made_where_there_is_none(folder: Path, found: tuple[str, ...] | None) -> None:
    if found is not None:
        folder.mkdir()
        for name in found:
            folder.joinpath(name).touch()
    made, new = certs.ensure(folder, now=NOW)
    assert new
    handshake(made, made.ca, "localhost")
    assert certs.ensure(folder, now=NOW) == (made, False)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (["notes.txt"], "holds notes.txt but no cert.pem: name another folder"),
        (["a", "b", "c"], "holds a and 2 more but no cert.pem: name another folder"),
        (["key.pem"], "holds key.pem but no cert.pem: bring it back"),
        (["ca-key.pem", "x\x1b[2J"], "holds ca-key.pem and 1 more but no cert.pem: bring it back"),
        (["\x1b[2J"], r"holds \x1b[2J but no cert.pem"),
    ],
)
def test_a_folder_with_other_files_is_not_taken_for_an_empty_one(
    folder: Path, found: list[str], why: str
) -> None:
    folder.mkdir()
    for name in found:
        folder.joinpath(name).touch()
    assert why in refusal(lambda: certs.ensure(folder, now=NOW))
    assert names_in(folder) == sorted(found)


def test_what_is_there_is_checked(ours: CertificateSet) -> None:
    ours.key.chmod(0o644)
    assert "mode 0644" in refusal(lambda: certs.ensure(ours.directory, now=NOW))


# Told to the person at the keyboard...


def test_the_description_of_the_default_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = certs.make(Path("certs"), ["chat.example"], now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert (
        certs.describe(made)
        == f"""\
Certificate for localhost, 127.0.0.1, ::1, chat.example, valid until 2026-05-01:

  certs/ca.pem      clients need it to trust the server: hand it out freely
  certs/ca-key.pem  makes certificates that your clients trust: keep it secret
  certs/cert.pem    the server shows it to clients
  certs/key.pem     the server needs it: keep it secret

SHA-256 fingerprint of the certificate:
  {made.fingerprint}

Next, in two terminals:
  securechat serve
  securechat connect --nick bob"""
    )


def test_the_description_of_another_folder_can_be_typed(tmp_path: Path) -> None:
    made = certs.make(tmp_path / "my certs", now=NOW)
    lines = certs.describe(made).splitlines()
    assert lines[-2:] == [
        f"  securechat serve --certs '{made.directory}'",
        f"  securechat connect --nick bob --certs '{made.directory}'",
    ]


# The script...


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_certs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_runs_from_anywhere(tmp_path: Path) -> None:
    run = [sys.executable, str(SCRIPT)]
    first, second = (
        subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        for _ in range(2)
    )
    made = certs.check_server_pair(tmp_path / "certs", now=datetime.now(UTC))
    assert (first.returncode, first.stderr) == (0, "")
    assert made.fingerprint in first.stdout
    assert first.stdout.endswith("  securechat serve\n  securechat connect --nick bob\n")
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith("gen_certs: certs holds ca-key.pem and 3 more already")
    assert second.stderr.count("\n") == 1


def test_the_script_takes_hosts_force_and_renew(
    script: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(folder)]
    assert script.main([*out, "--host", "a.example", "--host", "192.0.2.7"]) == 0
    first = certs.check_server_pair(folder, now=datetime.now(UTC))
    assert first.hosts[3:] == ("a.example", "192.0.2.7")
    assert script.main([*out, "--renew"]) == 0
    renewed = certs.check_server_pair(folder, now=datetime.now(UTC))
    assert renewed.key_fingerprint == first.key_fingerprint
    assert renewed.fingerprint != first.fingerprint
    assert script.main([*out, "--force"]) == 0
    forced = certs.check_server_pair(folder, now=datetime.now(UTC))
    assert forced.key_fingerprint != first.key_fingerprint
    printed = capsys.readouterr()
    assert all(made.fingerprint in printed.out for made in (first, renewed, forced))
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--renew", "--host", "a.example"], "--renew keeps the hosts"),
        (["--renew", "--force"], "not allowed with"),
        (["surplus"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_of_the_script_exits_2(
    script: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        script.main(arguments)
    assert caught.value.code == 2
    assert why in capsys.readouterr().err


def test_the_script_refuses_in_one_line(
    script: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--out", str(folder), "--host", "no host"]) == 1
    assert capsys.readouterr().err == (
        "gen_certs: 'no host' is no host to make a certificate for: it has white space in it\n"
    )
