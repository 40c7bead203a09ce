"""Host names, keys and certificates as values: no disk, no clock.

In come host names as people type them, keys, PEM and the time (`now`, aware). Out come what
`cryptography` makes of them. Raised are `CertificateError` for what is no host, and one of
`UNREADABLE` for PEM that cannot be used.

The extensions are those that RFC 5280 asks for, because Python 3.13 checks them
(VERIFY_X509_STRICT). Keys are ECDSA P-256: a handshake costs half of what RSA-2048 takes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NoReturn, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import types as keys
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import CertificateError

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)  # the most that Mozilla's "modern" profile allows
CLIENT_LIFE = timedelta(days=365)  # a person has to fetch the next one by hand
BACKDATE = timedelta(minutes=5)  # for clients whose clocks are a little behind

Certificate: TypeAlias = x509.Certificate
Names: TypeAlias = x509.SubjectAlternativeName
OurKey: TypeAlias = ec.EllipticCurvePrivateKey
_Extensions: TypeAlias = dict[x509.ExtensionType, bool]  # each with whether it is critical

#: Whatever comes out of the functions here over a file that is not what it should be.
UNREADABLE = (
    ValueError,
    TypeError,  # also what an encrypted key gives
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


# Host names...

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def parse_hosts(hosts: Iterable[str]) -> Names:
    """Turn what people type for hosts into names, each once, in the order given."""
    return x509.SubjectAlternativeName(dict.fromkeys(_parse_host(host) for host in hosts))


def _parse_host(host: str) -> x509.GeneralName:
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        return x509.DNSName(_parse_dns_name(host))
    if bracketed and isinstance(address, IPv4Address):
        _refuse_host(host, "only IPv6 addresses go in brackets")
    if address.is_unspecified:
        _refuse_host(host, "it means every address; give the one that clients connect to")
    if isinstance(address, IPv6Address):
        # A zone ("%eth0") means something on one machine only (RFC 4007), and an iPAddress has
        # no place for it: it is 16 bytes (RFC 5280, 4.2.1.6).
        address = IPv6Address(address.packed)
    return x509.IPAddress(address)


def _parse_dns_name(host: str) -> str:
    """Check one host name and return it as it goes into a certificate: lower case, no last dot.

    Underscores are taken although RFC 1123 does not know them: container networks do. `str.lower`
    turns a few characters into ASCII ones (U+212A, the Kelvin sign), so the typed form is judged.
    """
    name = host.lower().removesuffix(".")
    first, *rest = name.split(".")
    labels = rest if first == "*" else [first, *rest]
    objections = (
        (not host, "it is empty"),
        (any(character.isspace() for character in host), "it has white space in it"),
        (not host.isascii(), "write an international name in its xn-- form"),
        (":" in host, "give a name or an address alone, without scheme or port"),
        # RFC 9525, 6.3; and OpenSSL matches none that stands right below a top-level name.
        ("*" in "".join(labels), "'*' may only stand for the whole first part"),
        (first == "*" and len(rest) < 2, "'*' needs two parts behind it, as in *.example.org"),
        (len(name) > 253, "it is longer than 253 characters"),
        (
            not all(_LABEL.fullmatch(label) for label in labels),
            "each part between dots is 1 to 63 letters, digits, '-' or '_', no '-' at its ends",
        ),
        (bool(labels) and labels[-1].isdigit(), "it looks like an IP address but is none"),
    )
    for objection, why in objections:
        if objection:
            _refuse_host(host, why)
    return name


def _refuse_host(host: str, why: str) -> NoReturn:
    shown = ascii(host if len(host) <= 64 else host[:63] + "…")
    raise CertificateError(f"{shown} is no host to make a certificate for: {why}")


# Making...


def make_key() -> OurKey:
    """Make a private key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_ca(key: OurKey, now: datetime) -> Certificate:
    """Make a CA certificate of `key` that `key` signs."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # A name of its own for each CA, so that two of them in one trust store are not mixed up.
    name = _name(f"securechat CA {identifier.digest[:4].hex()}")
    extensions: _Extensions = {
        x509.BasicConstraints(ca=True, path_length=0): True,
        _key_usage(signs_certificates=True): True,
        identifier: False,
    }
    end = now - BACKDATE + CA_LIFE
    return _sign(name, key.public_key(), extensions, now, end, issuer=name, issuer_key=key)


def make_leaf(
    public_key: keys.CertificatePublicKeyTypes,
    names: Names,
    ca: Certificate,
    ca_key: OurKey,
    now: datetime,
) -> Certificate:
    """Make a server certificate; ExtensionNotFound if `ca` has no subject key identifier."""
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    extensions: _Extensions = {
        names: False,
        x509.BasicConstraints(ca=False, path_length=None): True,
        _key_usage(signs_certificates=False): True,
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]): False,
        x509.SubjectKeyIdentifier.from_public_key(public_key): False,
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority): False,
    }
    subject, end = _name("securechat server"), leaf_end(ca, now)
    return _sign(subject, public_key, extensions, now, end, issuer=ca.subject, issuer_key=ca_key)


def make_client_leaf(
    public_key: keys.CertificatePublicKeyTypes,
    nick: str,
    ca: Certificate,
    ca_key: OurKey,
    now: datetime,
) -> Certificate:
    """Make a certificate with which a client, and no server, is `nick`; raises as `make_leaf`."""
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    extensions: _Extensions = {
        x509.BasicConstraints(ca=False, path_length=None): True,
        _key_usage(signs_certificates=False): True,
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]): False,
        x509.SubjectKeyIdentifier.from_public_key(public_key): False,
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority): False,
    }
    end = leaf_end(ca, now, CLIENT_LIFE)
    return _sign(
        _name(nick), public_key, extensions, now, end, issuer=ca.subject, issuer_key=ca_key
    )


def leaf_end(ca: Certificate, now: datetime, life: timedelta = LEAF_LIFE) -> datetime:
    """Tell when a leaf made `now` ends: never after the CA, as nobody would take it then."""
    return min(now - BACKDATE + life, ca.not_valid_after_utc)


def _sign(
    subject: x509.Name,
    public_key: keys.CertificatePublicKeyTypes,
    extensions: _Extensions,
    now: datetime,
    end: datetime,
    *,
    issuer: x509.Name,
    issuer_key: OurKey,
) -> Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(end)
    )
    for value, critical in extensions.items():
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer_key, SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


# PEM...


def dump_certificate(certificate: Certificate) -> bytes:
    """Return `certificate` as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def dump_key(key: OurKey) -> bytes:
    """Return `key` as PEM, without a pass phrase: a server that starts has nobody to ask."""
    return key.private_bytes(
        Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_certificate(pem: bytes) -> Certificate:
    """Return the first certificate in `pem`, its key and extensions parsed; or `UNREADABLE`."""
    certificate = x509.load_pem_x509_certificate(pem)
    # Both are parsed on first use: let what is wrong with them come out here.
    _ = certificate.public_key(), certificate.extensions
    return certificate


def load_der(der: bytes) -> Certificate:
    """Return the certificate in `der`, as a handshake shows it; or `UNREADABLE`."""
    certificate = x509.load_der_x509_certificate(der)
    _ = certificate.public_key(), certificate.extensions
    return certificate


def load_key(pem: bytes) -> keys.PrivateKeyTypes:
    """Return the private key in `pem`, of whatever kind; or `UNREADABLE`."""
    return serialization.load_pem_private_key(pem, password=None)


# What they say...


def is_issued_by(leaf: Certificate, ca: Certificate) -> bool:
    """Tell whether `ca` signed `leaf`, with the kind of key that we make."""
    if not isinstance(ca.public_key(), ec.EllipticCurvePublicKey):
        return False
    try:
        leaf.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):  # another issuer, algorithm or key
        return False
    return True


def is_authority(certificate: Certificate) -> bool:
    """Tell whether `certificate` may sign others (CA:TRUE)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def belongs_to(key: keys.PrivateKeyTypes, certificate: Certificate) -> bool:
    """Tell whether `key` is the private key of `certificate`."""
    return _spki(key.public_key()) == _spki(certificate.public_key())


def names_of(leaf: Certificate) -> Names:
    """Return the names of `leaf` as they stand there; ExtensionNotFound if it has none."""
    return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def hosts_of(leaf: Certificate) -> tuple[str, ...]:
    """Return the host names and addresses of `leaf`."""
    try:
        names = names_of(leaf)
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress)
    )


def fingerprint(certificate: Certificate) -> str:
    """Return the SHA-256 of `certificate`: "AA:BB:…", as `openssl x509 -fingerprint` prints it."""
    return certificate.fingerprint(SHA256()).hex(":").upper()


def key_fingerprint(certificate: Certificate) -> str:
    """Return the SHA-256 of its public key: "SHA256:…" in base64, as ssh prints it."""
    digest = hashlib.sha256(_spki(certificate.public_key())).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _spki(key: keys.PublicKeyTypes) -> bytes:
    """Return the SubjectPublicKeyInfo: what tells two public keys apart, and what is pinned."""
    return key.public_bytes(Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
