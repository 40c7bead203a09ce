"""Certificates are judged by what trusts them: real handshakes, strict, on every claim."""

from __future__ import annotations

import base64
import hashlib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography import x509 as library
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from securechat.certs import BACKDATE, CA_LIFE, LEAF_LIFE, x509
from securechat.errors import CertificateError

if TYPE_CHECKING:
    from tests.certs.conftest import Forge, Handshake, Refusal

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
LOCAL = ("localhost", "127.0.0.1", "::1")


class Issued(NamedTuple):
    """A CA and a leaf of it, and how a client that trusts some certificate sees the leaf."""

    ca: x509.Certificate
    ca_key: x509.OurKey
    leaf: x509.Certificate
    key: x509.OurKey

    def show(self, handshake: Handshake, name: str, trusted: x509.Certificate) -> None:
        """Shake hands as `name` with a client that trusts `trusted`."""
        leaf, key = x509.dump_certificate(self.leaf), x509.dump_key(self.key)
        handshake(leaf, key, x509.dump_certificate(trusted), name)


def issue(hosts: Sequence[str] = LOCAL, now: datetime = NOW) -> Issued:
    ca_key, key = x509.make_key(), x509.make_key()
    ca = x509.make_ca(ca_key, now)
    leaf = x509.make_leaf(key.public_key(), x509.parse_hosts(hosts), ca, ca_key, now)
    return Issued(ca, ca_key, leaf, key)


@pytest.fixture(scope="module")
def issued() -> Issued:
    return issue()


def extensions(
    certificate: x509.Certificate,
) -> dict[str, tuple[library.ExtensionType, bool]]:
    return {type(e.value).__name__: (e.value, e.critical) for e in certificate.extensions}


# What clients take...


@pytest.mark.parametrize("name", LOCAL)
def test_local_names_pass_the_strict_checks(
    issued: Issued, handshake: Handshake, name: str
) -> None:
    issued.show(handshake, name, trusted=issued.ca)


def test_a_pinned_leaf_passes_the_strict_checks(issued: Issued, handshake: Handshake) -> None:
    issued.show(handshake, "localhost", trusted=issued.leaf)


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
def test_what_is_typed_for_a_host_reaches_it(
    handshake: Handshake, host: str, listed: str, reached_as: str
) -> None:
    made = issue([host])
    assert x509.hosts_of(made.leaf) == (listed,)
    made.show(handshake, reached_as, trusted=made.ca)


@pytest.mark.parametrize("name", ["example.org", "127.0.0.2", "::2", "xlocalhost"])
def test_other_names_are_not_covered(issued: Issued, handshake: Handshake, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        issued.show(handshake, name, trusted=issued.ca)


def test_another_ca_does_not_do(issued: Issued, handshake: Handshake) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        issued.show(handshake, "localhost", trusted=issue().ca)


def test_a_client_takes_it_for_90_days(handshake: Handshake) -> None:
    old = issue(now=NOW - 90 * DAY)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        old.show(handshake, "localhost", trusted=old.ca)
    still_good = issue(now=NOW - 89 * DAY)
    still_good.show(handshake, "localhost", trusted=still_good.ca)


def test_a_client_whose_clock_is_five_minutes_behind_takes_it(handshake: Handshake) -> None:
    ahead = issue(now=NOW + timedelta(minutes=4, seconds=50))
    ahead.show(handshake, "localhost", trusted=ahead.ca)


# What stands in them...


def test_the_ca_profile(issued: Issued) -> None:
    ca, found = issued.ca, extensions(issued.ca)
    assert found.keys() == {"BasicConstraints", "KeyUsage", "SubjectKeyIdentifier"}
    assert found["BasicConstraints"] == (library.BasicConstraints(True, 0), True)
    usage, critical = found["KeyUsage"]
    assert isinstance(usage, library.KeyUsage)
    assert critical
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert ca.not_valid_after_utc - ca.not_valid_before_utc == CA_LIFE == 3650 * DAY
    ca.verify_directly_issued_by(ca)


def test_the_leaf_profile(issued: Issued) -> None:
    leaf, found = issued.leaf, extensions(issued.leaf)
    ca_identifier = extensions(issued.ca)["SubjectKeyIdentifier"][0]
    assert isinstance(ca_identifier, library.SubjectKeyIdentifier)
    public_key = leaf.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert public_key.curve.name == "secp256r1"
    assert found.pop("BasicConstraints") == (library.BasicConstraints(False, None), True)
    usage, critical = found.pop("KeyUsage")
    assert isinstance(usage, library.KeyUsage)
    assert critical
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert {name: value for name, (value, _) in found.items()} == {
        "SubjectAlternativeName": x509.parse_hosts(LOCAL),
        "ExtendedKeyUsage": library.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        "SubjectKeyIdentifier": library.SubjectKeyIdentifier.from_public_key(public_key),
        "AuthorityKeyIdentifier": library.AuthorityKeyIdentifier(ca_identifier.digest, None, None),
    }
    assert leaf.not_valid_before_utc == NOW - BACKDATE == NOW - timedelta(minutes=5)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == LEAF_LIFE == 90 * DAY


def test_each_ca_has_a_name_of_its_own(issued: Issued) -> None:
    assert issued.ca.subject != issue().ca.subject


def test_a_leaf_never_outlives_its_ca(issued: Issued) -> None:
    names, end = x509.names_of(issued.leaf), issued.ca.not_valid_after_utc
    late = x509.make_leaf(issued.key.public_key(), names, issued.ca, issued.ca_key, end - DAY)
    assert late.not_valid_after_utc == x509.leaf_end(issued.ca, end - DAY) == end


def test_fingerprints_are_those_that_other_tools_print(issued: Issued) -> None:
    der = ssl.PEM_cert_to_DER_cert(x509.dump_certificate(issued.leaf).decode())
    spki = issued.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pairs = [f"{byte:02X}" for byte in hashlib.sha256(der).digest()]
    assert x509.fingerprint(issued.leaf) == ":".join(pairs)
    pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    assert x509.key_fingerprint(issued.leaf) == f"SHA256:{pin.removesuffix('=')}"


def test_who_issued_what(issued: Issued, forge: Forge) -> None:
    other, rsa_key = issue(), rsa.generate_private_key(65537, 2048)
    rsa_ca = x509.load_certificate(forge.sign(rsa_key, rsa_key))
    assert x509.is_issued_by(issued.leaf, issued.ca)
    assert not x509.is_issued_by(issued.leaf, other.ca)
    assert not x509.is_issued_by(rsa_ca, rsa_ca)
    assert x509.belongs_to(issued.key, issued.leaf)
    assert not x509.belongs_to(other.key, issued.leaf)


# PEM...


def test_what_is_written_is_read_again(issued: Issued) -> None:
    certificate, key = x509.dump_certificate(issued.leaf), x509.dump_key(issued.key)
    assert certificate.splitlines()[0] == b"-----BEGIN CERTIFICATE-----"
    assert key.splitlines()[0] == b"-----BEGIN PRIVATE KEY-----"
    assert (certificate.count(b"BEGIN"), key.count(b"BEGIN")) == (1, 1)
    assert x509.load_certificate(certificate) == issued.leaf
    assert x509.belongs_to(x509.load_key(key), issued.leaf)


def test_of_a_chain_the_first_is_read(issued: Issued) -> None:
    chain = x509.dump_certificate(issued.leaf) + x509.dump_certificate(issued.ca)
    assert x509.load_certificate(chain) == issued.leaf


GOOD = x509.dump_certificate(issue().leaf)


@given(st.binary(max_size=40), st.integers(0, 700), st.booleans())
def test_any_bytes_are_read_or_unreadable(noise: bytes, at: int, cut: bool) -> None:
    pem = GOOD[:at] + noise + (b"" if cut else GOOD[at:])
    for load in (x509.load_certificate, x509.load_key):
        try:
            load(pem)
        except x509.UNREADABLE:
            continue


def test_a_locked_key_is_unreadable(issued: Issued, forge: Forge) -> None:
    with pytest.raises(x509.UNREADABLE):
        x509.load_key(forge.encode_key(issued.key, b"secret"))


def test_a_leaf_without_names_has_no_hosts(issued: Issued, forge: Forge) -> None:
    nameless = x509.load_certificate(forge.sign(issued.key, issued.key))
    assert x509.hosts_of(nameless) == ()
    with pytest.raises(x509.UNREADABLE):
        x509.names_of(nameless)


def test_of_other_kinds_of_names_only_hosts_are_told(issued: Issued, forge: Forge) -> None:
    names = library.SubjectAlternativeName(
        [library.RFC822Name("a@example.org"), library.DNSName("own.example")]
    )
    leaf = x509.load_certificate(forge.sign(issued.key, issued.key, names))
    assert x509.hosts_of(leaf) == ("own.example",)


# Host names...


def test_a_host_said_twice_is_listed_once() -> None:
    typed = [*LOCAL, "b.org", "LOCALHOST.", "a.org", "B.org", "0:0::1", "fe80::1%eth0"]
    names = x509.parse_hosts([*typed, "fe80::1%eth1"])
    assert [str(name.value) for name in names] == [*LOCAL, "b.org", "a.org", "fe80::1"]


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
def test_what_is_no_host_is_refused(refusal: Refusal, host: str, why: str) -> None:
    line = refusal(lambda: x509.parse_hosts(["fine.example", host]))
    assert why in line
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 240


@given(st.text(max_size=20) | st.text(alphabet="az09*.:%[]_-", max_size=20))
def test_any_text_is_a_host_or_refused(host: str) -> None:
    try:
        (name,) = x509.parse_hosts([host])
    except CertificateError:
        return
    assert str(name.value).isascii()
