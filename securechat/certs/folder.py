"""What is done to a folder of certificates: `make`, `renew`, and `ensure` that there is a set.

In come a folder, host names and the time. Out comes a `CertificateSet`. Raised is
`CertificateError`. Who changes a folder, or finds it half changed, does so with its lock held, so
several servers and people may set to work on one folder at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from ..errors import CertificateError
from . import files, x509
from .files import PRIVATE, PUBLIC, File, Folder
from .pair import (
    CA,
    CA_KEY,
    CERT,
    KEY,
    CertificateSet,
    check_server_pair,
    read_certificate,
    read_key,
    read_pair,
    refuse_dates,
    summarize,
)
from .words import bordering, day, gen_certs, listed, option, parsing

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
RENEW_WITHIN = timedelta(days=30)

_NAMES = (CA_KEY, CA, KEY, CERT)

# What may lie in a folder that still counts as empty: the page that git keeps there, and what a
# freshly made file system brings with it. Hidden files do not count either.
_HARMLESS = frozenset({"README.md", "lost+found"})


# Making and renewing...


def make(
    directory: Path, hosts: Sequence[str] = (), *, force: bool = False, now: datetime
) -> CertificateSet:
    """Make a new CA and a leaf for `LOCAL_HOSTS` and `hosts`; write all four files.

    The folder is made (0700) if it does not exist. If any of the four files does, nothing is
    changed and CertificateError is raised, unless `force`: then the whole set is replaced. A
    failure leaves nothing of the new set, and the old one as it was. Show `describe()` of what is
    returned.
    """
    names = x509.parse_hosts([*LOCAL_HOSTS, *hosts])
    with files.locked(directory, create=True) as folder:
        return _make(folder, names, replace=force, now=now)


def _make(folder: Folder, names: x509.Names, *, replace: bool, now: datetime) -> CertificateSet:
    ca_key, key = x509.make_key(), x509.make_key()
    ca = x509.make_ca(ca_key, now)
    leaf = x509.make_leaf(key.public_key(), names, ca, ca_key, now)
    # cert.pem comes last: where it stands the other three stand too.
    made = {
        CA_KEY: File(x509.dump_key(ca_key), PRIVATE),
        CA: File(x509.dump_certificate(ca), PUBLIC),
        KEY: File(x509.dump_key(key), PRIVATE),
        CERT: File(x509.dump_certificate(leaf), PUBLIC),
    }
    files.publish(folder, made, replace=replace)
    return summarize(folder.path, leaf)


def renew(directory: Path, *, now: datetime) -> CertificateSet:
    """Replace `cert.pem` by a new one: same CA, same key, same hosts, 90 more days.

    Who trusts the CA or has pinned the key notices nothing. Raises CertificateError, and changes
    nothing, when one of the four files is missing or unusable, they do not belong together, or
    the CA itself has expired (then `make(…, force=True)` is the way on).
    """
    with files.locked(directory) as folder:
        return _renew(folder, now)


def renew_if_due(
    directory: Path, *, now: datetime, within: timedelta = RENEW_WITHIN
) -> CertificateSet | None:
    """Renew a pair of ours that ends `within` that time, or has ended; call it before `ensure`.

    None means that there was nothing to do, or nothing that we can do: no CA key here, a pair
    from elsewhere, or a CA that ends no later than the certificate. CertificateError means that
    the renewal was due and failed; the old pair is as it was, so a server may warn and go on.
    """
    with bordering(f"cannot look into {directory}"):
        if not all((directory / name).exists() for name in _NAMES):
            return None
    with files.locked(directory) as folder:
        leaf, ca = read_certificate(directory / CERT), read_certificate(directory / CA)
        gained = x509.leaf_end(ca, now) - leaf.not_valid_after_utc
        due = leaf.not_valid_after_utc - now <= within and gained > timedelta(0)
        return _renew(folder, now) if due and x509.is_issued_by(leaf, ca) else None


def _renew(folder: Folder, now: datetime) -> CertificateSet:
    directory = folder.path
    old = read_pair(directory)
    cert, ca_path, ca_key_path = directory / CERT, directory / CA, directory / CA_KEY
    ca, ca_key = read_certificate(ca_path), read_key(ca_key_path)
    new_set = f"make a new set with `{gen_certs(directory, '--force')}`"
    if not x509.belongs_to(ca_key, ca):
        raise CertificateError(
            f"{ca_key_path} is not the key of {ca_path}: bring back the right file, or {new_set}"
        )
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey) or not x509.is_issued_by(old, ca):
        raise CertificateError(
            f"{cert} was not made with {ca_path}: renew it where it came from, or {new_set}"
        )
    refuse_dates(ca, ca_path, now, new_set)
    with parsing(cert, "certificate with host names"):
        names = x509.names_of(old)
    with parsing(ca_path, "CA certificate with a subject key identifier"):
        leaf = x509.make_leaf(old.public_key(), names, ca, ca_key, now)
    files.publish(folder, {CERT: File(x509.dump_certificate(leaf), PUBLIC)}, replace=True)
    return summarize(directory, leaf)


# Being sure of a set...


def ensure(directory: Path, *, now: datetime) -> tuple[CertificateSet, bool]:
    """Return a pair that a server can use, and whether it had to be made (then show it).

    All four files are made if the folder is missing or empty; otherwise `check_server_pair`
    decides. A folder that has other files but no `cert.pem` is likely a wrong one, or half of a
    set: CertificateError says what to do. Of several at once in an empty folder one makes the set,
    and the others wait and use it.
    """
    with bordering(f"cannot look into {directory}"):
        found = (directory / CERT).exists()
    if not found:
        with files.locked(directory, create=True) as folder:
            names = folder.names()
            if CERT not in names:  # nobody was quicker
                _refuse_others(directory, names)
                hosts = x509.parse_hosts(LOCAL_HOSTS)
                return _make(folder, hosts, replace=False, now=now), True
    try:
        return _check(directory, now), False
    except CertificateError:
        # Perhaps it is just being replaced: look again when nobody is at it.
        with files.locked(directory):
            return _check(directory, now), False


def _check(directory: Path, now: datetime) -> CertificateSet:
    """The pair that a server can use; no key beside it may be read by others, the CA's least."""
    made = check_server_pair(directory, now=now)
    with bordering(f"cannot look into {directory}"):
        if made.ca_key.exists():
            files.refuse_shared(made.ca_key, made.ca_key.stat().st_mode)
    return made


def _refuse_others(directory: Path, names: Sequence[str]) -> None:
    """Raise CertificateError if there is anything that shows that this is no empty folder."""
    others = [name for name in names if name not in _HARMLESS and not name.startswith(".")]
    if not others:
        return
    if set(_NAMES) & set(others):
        cure = f"bring it back, or make a new set with `{gen_certs(directory, '--force')}`"
    else:
        cure = f"name another folder, or make a set here with `{gen_certs(directory)}`"
    raise CertificateError(f"{directory} holds {listed(others)} but no {CERT}: {cure}")


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
    place = option("--certs", made.directory)
    return f"""\
Certificate for {", ".join(made.hosts)}, valid until {day(made.not_after)}:

{table}

Fingerprint of the server's key, for people to compare; a renewal does not change it:
  {made.key_fingerprint}

Next, in two terminals:
  {shlex.join(["securechat", "serve", *place])}
  {shlex.join(["securechat", "connect", "--nick", "bob", *place])}"""
