"""Makes, renews and checks the certificates of a server: one folder, four files.

    ca.pem       what clients trust             0644  valid 10 years
    ca-key.pem   what signs a new cert.pem      0600  only needed to renew
    cert.pem     what the server shows          0644  valid 90 days
    key.pem      what the server proves it with 0600  lives on when cert.pem is renewed

In come a folder, host names and the time (`now`, an aware datetime). Out comes a
`CertificateSet`. Raised is `CertificateError` and nothing else: every OSError and whatever
`cryptography` raises is translated here into one line with the reason and the cure.

`cert.pem` holds the leaf alone. A client has its trust anchor already, and sending that along
would only make each handshake longer (RFC 8446, 4.4.2 lets the server leave it out). Files that
come from elsewhere may hold a chain, leaf first.

The extensions are those that RFC 5280 asks for, because Python 3.13 checks them
(VERIFY_X509_STRICT). Keys are ECDSA P-256: a handshake costs half of what RSA-2048 takes.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import re
import secrets
import shlex
import ssl
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NoReturn, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import types as keys
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from securechat.errors import CertificateError

DEFAULT_DIRECTORY = Path("certs")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)  # the most that Mozilla's "modern" profile allows
BACKDATE = timedelta(minutes=5)  # for clients whose clocks are a little behind
RENEW_WITHIN = timedelta(days=30)

_CA, _CA_KEY, _CERT, _KEY = "ca.pem", "ca-key.pem", "cert.pem", "key.pem"
_MODES = {_CA: 0o644, _CA_KEY: 0o600, _CERT: 0o644, _KEY: 0o600}

# What may lie in a folder that still counts as empty: the page that git keeps there, and what a
# freshly made file system brings with it. Hidden files do not count either.
_HARMLESS = frozenset({"README.md", "lost+found"})

_LARGEST_FILE = 1 << 20  # bytes; a chain of certificates is a few thousand


@dataclass(frozen=True, slots=True)
class CertificateSet:
    """A usable certificate and key in `directory`, and what a person compares to trust them.

    `fingerprint` is the SHA-256 of the certificate ("AA:BB:…", as `openssl x509 -fingerprint`
    prints it) and changes with each renewal. `key_fingerprint` is the SHA-256 of the public key
    ("SHA256:…" in base64, as ssh prints it) and stays. `not_after` is in UTC. `hosts` are the
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


# Making and renewing...


def make(
    directory: Path, hosts: Sequence[str] = (), *, force: bool = False, now: datetime
) -> CertificateSet:
    """Make a new CA and a leaf for `LOCAL_HOSTS` and `hosts`; write all four files.

    The folder is made (0700) if it does not exist. If any of the four files does, nothing is
    changed and CertificateError is raised, unless `force`: then each is replaced in one step.
    Without `force` a failure leaves nothing of the new set. Show `describe()` of what is returned.
    """
    names = x509.SubjectAlternativeName(_subject_names([*LOCAL_HOSTS, *hosts]))
    ca_key, key = _make_key(), _make_key()
    ca = _make_ca(ca_key, now)
    leaf = _make_leaf(key.public_key(), names, ca, ca_key, now)
    # cert.pem comes last: where it stands the other three stand too.
    files = {
        _CA_KEY: _encode_key(ca_key),
        _CA: ca.public_bytes(Encoding.PEM),
        _KEY: _encode_key(key),
        _CERT: leaf.public_bytes(Encoding.PEM),
    }
    _publish(directory, files, replace=force)
    return _summarize(directory, leaf)


def renew(directory: Path, *, now: datetime) -> CertificateSet:
    """Replace `cert.pem` by a new one: same CA, same key, same hosts, 90 more days.

    Who trusts the CA or has pinned the key notices nothing. Raises CertificateError, and changes
    nothing, when one of the four files is missing or unusable, they do not belong together, or
    the CA itself has expired (then `make(…, force=True)` is the way on).
    """
    old = _read_pair(directory)
    cert, ca_path, ca_key_path = directory / _CERT, directory / _CA, directory / _CA_KEY
    ca, ca_key = _read_certificate(ca_path), _read_key(ca_key_path)
    if _spki(ca_key.public_key()) != _spki(ca.public_key()):
        raise CertificateError(f"{ca_key_path} is not the key of {ca_path}: {_new_set(directory)}")
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey) or not _is_ours(old, ca):
        raise CertificateError(
            f"{cert} was not made with {ca_path}: renew it where it came from, "
            f"or make a new set with `{_gen_certs(directory, '--force')}`"
        )
    _refuse_dates(ca, ca_path, now, f"make a new set with `{_gen_certs(directory, '--force')}`")
    with _parsing(cert, "certificate with host names"):
        names = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    with _parsing(ca_path, "CA certificate with a subject key identifier"):
        leaf = _make_leaf(old.public_key(), names, ca, ca_key, now)
    _publish(directory, {_CERT: leaf.public_bytes(Encoding.PEM)}, replace=True)
    return _summarize(directory, leaf)


def renew_if_due(
    directory: Path, *, now: datetime, within: timedelta = RENEW_WITHIN
) -> CertificateSet | None:
    """Renew a pair of ours that ends `within` that time, or has ended; call it before `ensure`.

    None means that there was nothing to do, or nothing that we can do: no CA key here, a pair
    from elsewhere, or a CA that ends no later than the certificate. CertificateError means that
    the renewal was due and failed; the old pair is as it was, so a server may warn and go on.
    """
    with _bordering(f"cannot look into {directory}"):
        if not all((directory / name).exists() for name in _MODES):
            return None
    leaf = _read_certificate(directory / _CERT)
    ca = _read_certificate(directory / _CA)
    gained = _leaf_end(ca, now) - leaf.not_valid_after_utc
    if leaf.not_valid_after_utc - now > within or gained <= timedelta(0) or not _is_ours(leaf, ca):
        return None
    return renew(directory, now=now)


# Checking...


def check_server_pair(directory: Path, *, now: datetime) -> CertificateSet:
    """Check `cert.pem` and `key.pem`, whoever made them, as a server that starts must.

    Raises CertificateError for a missing file, a key that others than its owner can read,
    something that is not PEM, a certificate outside its dates, a key of another certificate, or
    a pair that OpenSSL itself does not take.
    """
    leaf = _read_pair(directory)
    cert, key = directory / _CERT, directory / _KEY
    with _bordering(f"cannot use {cert} and {key}"):
        option = "--renew" if (directory / _CA_KEY).exists() else "--force"
        cure = f"put a current pair there, or run `{_gen_certs(directory, option)}`"
        _refuse_dates(leaf, cert, now, cure)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except ssl.SSLError as error:  # a weak key, or what follows the leaf is no chain
            raise CertificateError(
                f"OpenSSL refuses {cert} with {key} ({error.reason}): {_new_set(directory)}"
            ) from error
    return _summarize(directory, leaf)


def ensure(directory: Path, *, now: datetime) -> tuple[CertificateSet, bool]:
    """Return a pair that a server can use, and whether it had to be made (then show it).

    All four files are made if the folder is missing or empty; otherwise `check_server_pair`
    decides. A folder that has other files but no `cert.pem` is likely a wrong one, or half of a
    set: CertificateError says what to do.
    """
    with _bordering(f"cannot look into {directory}"):
        found = sorted(entry.name for entry in directory.iterdir()) if directory.exists() else []
    if _CERT in found:
        return check_server_pair(directory, now=now), False
    others = [name for name in found if name not in _HARMLESS and not name.startswith(".")]
    if not others:
        return make(directory, now=now), True
    if _MODES.keys() & set(others):
        cure = f"bring it back, or make a new set with `{_gen_certs(directory, '--force')}`"
    else:
        cure = f"name another folder, or make a set here with `{_gen_certs(directory)}`"
    raise CertificateError(f"{directory} holds {_listed(others)} but no {_CERT}: {cure}")


def describe(made: CertificateSet) -> str:
    """Tell the person who made or renewed a set what is where and what to type next."""
    duties = {
        made.ca: "clients need it to trust the server: hand it out freely",
        made.ca_key: "makes certificates that your clients trust: keep it secret",
        made.cert: "the server shows it to clients",
        made.key: "the server needs it: keep it secret",
    }
    width = max(len(str(path)) for path in duties)
    table = "\n".join(f"  {path!s:<{width}}  {duty}" for path, duty in duties.items())
    place = _option("--certs", made.directory)
    return f"""\
Certificate for {", ".join(made.hosts)}, valid until {_day(made.not_after)}:

{table}

SHA-256 fingerprint of the certificate:
  {made.fingerprint}

Next, in two terminals:
  {shlex.join(["securechat", "serve", *place])}
  {shlex.join(["securechat", "connect", "--nick", "bob", *place])}"""


# Host names...

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def _subject_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """Turn what people type for hosts into names, each once, in the order given."""
    return list(dict.fromkeys(_subject_name(host) for host in hosts))


def _subject_name(host: str) -> x509.GeneralName:
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        return x509.DNSName(_dns_name(host))
    if bracketed and isinstance(address, IPv4Address):
        _refuse_host(host, "only IPv6 addresses go in brackets")
    if address.is_unspecified:
        _refuse_host(host, "it means every address; give the one that clients connect to")
    if isinstance(address, IPv6Address):
        # A zone ("%eth0") means something on one machine only (RFC 4007), and an iPAddress has
        # no place for it: it is 16 bytes (RFC 5280, 4.2.1.6).
        address = IPv6Address(address.packed)
    return x509.IPAddress(address)


def _dns_name(host: str) -> str:
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


# X.509...

_Extensions: TypeAlias = dict[x509.ExtensionType, bool]  # each with whether it is critical


def _make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _make_ca(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
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


def _make_leaf(
    public_key: keys.CertificatePublicKeyTypes,
    names: x509.SubjectAlternativeName,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    """Sign a server certificate; ExtensionNotFound if `ca` has no subject key identifier."""
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    extensions: _Extensions = {
        names: False,
        x509.BasicConstraints(ca=False, path_length=None): True,
        _key_usage(signs_certificates=False): True,
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]): False,
        x509.SubjectKeyIdentifier.from_public_key(public_key): False,
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority): False,
    }
    subject, end = _name("securechat server"), _leaf_end(ca, now)
    return _sign(subject, public_key, extensions, now, end, issuer=ca.subject, issuer_key=ca_key)


def _sign(
    subject: x509.Name,
    public_key: keys.CertificatePublicKeyTypes,
    extensions: _Extensions,
    now: datetime,
    end: datetime,
    *,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
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


def _leaf_end(ca: x509.Certificate, now: datetime) -> datetime:
    """Tell when a leaf made `now` ends: never after the CA, as no client would take it then."""
    return min(now - BACKDATE + LEAF_LIFE, ca.not_valid_after_utc)


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


def _is_ours(leaf: x509.Certificate, ca: x509.Certificate) -> bool:
    """Tell whether `ca` signed `leaf`, with the kind of key that we make."""
    if not isinstance(ca.public_key(), ec.EllipticCurvePublicKey):
        return False
    try:
        leaf.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):  # another issuer, algorithm or key
        return False
    return True


def _spki(key: keys.PublicKeyTypes) -> bytes:
    """Return the SubjectPublicKeyInfo: what tells two public keys apart, and what is pinned."""
    return key.public_bytes(Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _hosts(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        str(name.value) for name in names if isinstance(name, x509.DNSName | x509.IPAddress)
    )


def _summarize(directory: Path, leaf: x509.Certificate) -> CertificateSet:
    key_digest = hashlib.sha256(_spki(leaf.public_key())).digest()
    return CertificateSet(
        directory=directory,
        ca=directory / _CA,
        ca_key=directory / _CA_KEY,
        cert=directory / _CERT,
        key=directory / _KEY,
        fingerprint=leaf.fingerprint(SHA256()).hex(":").upper(),
        key_fingerprint="SHA256:" + base64.b64encode(key_digest).decode().rstrip("="),
        not_after=leaf.not_valid_after_utc,
        hosts=_hosts(leaf),
    )


# Files...


def _encode_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_pair(directory: Path) -> x509.Certificate:
    """Read `cert.pem` and check that `key.pem` is its key; the dates are not looked at."""
    leaf = _read_certificate(directory / _CERT)
    key = _read_key(directory / _KEY)
    if _spki(key.public_key()) != _spki(leaf.public_key()):
        raise CertificateError(
            f"{directory / _KEY} is not the key of {directory / _CERT}: {_new_set(directory)}"
        )
    return leaf


def _read_certificate(path: Path) -> x509.Certificate:
    with _parsing(path, "PEM certificate"):
        certificate = x509.load_pem_x509_certificate(_read(path))
        # Both are parsed on first use: let what is wrong with them come out here.
        _ = certificate.public_key(), certificate.extensions
    return certificate


def _read_key(path: Path) -> keys.PrivateKeyTypes:
    with _parsing(path, "PEM private key without a pass phrase"):
        return serialization.load_pem_private_key(_read(path, secret=True), password=None)


def _read(path: Path, *, secret: bool = False) -> bytes:
    """Return what a file holds; symbolic links are followed, as certbot and others lay them.

    Mode and kind are those of the file that was opened, not of what the path named before.
    """
    with _bordering(f"cannot read {path}"):
        # O_NONBLOCK: a named pipe must not hold us up. It means nothing for a regular file.
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise CertificateError(f"{path} is missing: {_new_set(path.parent)}") from error
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise CertificateError(f"{path} is no regular file: {_new_set(path.parent)}")
            if secret and mode & 0o077:
                raise CertificateError(
                    f"{path} can be read by others than its owner (mode {mode & 0o777:04o}): "
                    f"run `chmod 600 {shlex.quote(str(path))}`, and make a new set if they may "
                    "have read it"
                )
            return os.read(descriptor, _LARGEST_FILE)
        finally:
            os.close(descriptor)


def _publish(directory: Path, files: Mapping[str, bytes], *, replace: bool) -> None:
    """Put whole files in place, in the order given: each appears complete or not at all.

    Each is written under a name of its own, synced, then linked (which fails where anything
    stands, be it a dangling symbolic link) or, to `replace`, renamed.
    """
    temporaries = {name: f".{name}.{secrets.token_hex(8)}.tmp" for name in files}
    placed: list[str] = []
    with _bordering(f"cannot write into {directory}"), _open_folder(directory) as folder:
        _refuse_in_the_way(directory, folder, files, replace=replace)
        try:
            for name, data in files.items():
                _write_new(folder, temporaries[name], data, _MODES[name])
            for name, temporary in temporaries.items():
                if replace:
                    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                else:
                    os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                    placed.append(name)
                    os.unlink(temporary, dir_fd=folder)
            os.fsync(folder)
        except BaseException:
            for name in placed:
                os.unlink(name, dir_fd=folder)
            raise
        finally:
            for temporary in temporaries.values():
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)


@contextmanager
def _open_folder(directory: Path) -> Iterator[int]:
    """Open a folder, made if need be: from here on it is the same one, whatever its path."""
    with suppress(FileExistsError):  # if it is no folder, open says so
        directory.mkdir(mode=0o700, parents=True)
        directory.chmod(0o700)  # gives back what an odd umask took away
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)


def _refuse_in_the_way(
    directory: Path, folder: int, names: Iterable[str], *, replace: bool
) -> None:
    found: dict[str, int] = {}
    for name in names:
        with suppress(FileNotFoundError):
            found[name] = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if found and not replace:
        raise CertificateError(
            f"{directory} holds {_listed(found)} already and nothing was changed: add --force to "
            "replace the whole set (clients then need the new ca.pem), or --renew for a new "
            "cert.pem from the same CA and key"
        )
    for name, mode in found.items():
        if not stat.S_ISREG(mode):
            raise CertificateError(
                f"{directory / name} is no regular file and nothing was changed: "
                "remove it yourself, then try again"
            )


def _write_new(folder: int, name: str, data: bytes, mode: int) -> None:
    """Write and sync a file that did not exist and that nobody else could ever read.

    Opened 0600 and only then given its mode: whatever the umask, it is never too open, and in
    the end it is what `mode` says.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


# Refusals...


@contextmanager
def _bordering(failure: str) -> Iterator[None]:
    """Translate what the operating system says no with."""
    try:
        yield
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "check the folder and its file system")
        raise CertificateError(f"{failure} ({error.strerror or error}): {cure}") from error


_CURES = {
    errno.EACCES: "choose another folder, or run as the user that owns this one",
    errno.EPERM: "choose another folder, or run as the user that owns this one",
    errno.EROFS: "choose a folder that can be written to",
    errno.ENOSPC: "free some space, then try again",
    errno.EDQUOT: "free some space, then try again",
    errno.ENOTDIR: "name a folder, not a file",
    errno.EEXIST: "something else is writing there; see what it made, then try again",
}


@contextmanager
def _parsing(path: Path, expected: str) -> Iterator[None]:
    """Translate whatever `cryptography` raises over the content of a file."""
    try:
        yield
    except (
        ValueError,
        TypeError,  # also what an encrypted key gives
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise CertificateError(
            f"{path} is no {expected} that we can use: {_new_set(path.parent)}"
        ) from error


def _refuse_dates(certificate: x509.Certificate, path: Path, now: datetime, cure: str) -> None:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        raise CertificateError(f"{path} expired on {_day(end)} (today is {_day(now)}): {cure}")
    if now < start:
        raise CertificateError(
            f"{path} is not valid before {start:%Y-%m-%d %H:%M} UTC and it is "
            f"{now.astimezone(UTC):%Y-%m-%d %H:%M} here: set this machine's clock"
        )


def _new_set(directory: Path) -> str:
    command = _gen_certs(directory, "--force")
    return f"bring back the right file, or make a new set with `{command}`"


def _gen_certs(directory: Path, *options: str) -> str:
    return shlex.join(["securechat", "gen-certs", *options, *_option("--out", directory)])


def _option(name: str, directory: Path) -> list[str]:
    return [] if directory == DEFAULT_DIRECTORY else [name, str(directory)]


def _listed(names: Iterable[str]) -> str:
    first, *others = names
    return ascii(first)[1:-1] + (f" and {len(others)} more" if others else "")


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
