"""Certificates for clients: one file for each nick, with the key that belongs to it.

In come the folder that has `ca.pem` and `ca-key.pem`, a nick and the time; out comes a
`ClientCertificate`. Raised is `CertificateError`.

A server that was started with `--client-ca ca.pem` takes the name in the certificate for the nick.
The file holds a secret: it goes to the one person whom it is for.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from ..errors import CertificateError
from . import files, x509
from .files import PRIVATE, File
from .pair import CA, CA_KEY, read_certificate, read_key, refuse_dates
from .words import day, gen_certs, option, parsing


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What `nick` connects with, until `not_after` (UTC)."""

    nick: str
    path: Path
    not_after: datetime


def make_client(
    directory: Path, nick: str, *, force: bool = False, now: datetime
) -> ClientCertificate:
    """Make `client-NICK.pem`, certificate and key; an older one is replaced only with `force`.

    Raises CertificateError, and changes nothing, when the CA or its key is missing or unusable, or
    when the file is there already.
    """
    name = f"client-{nick}.pem"
    with files.locked(directory) as folder:
        path = directory / name
        if name in folder.names() and not force:
            raise CertificateError(
                f"{path} is there already and nothing was changed: add --force to replace it by a "
                "new one; the old one stays good until it ends"
            )
        ca, ca_key = _read_authority(directory, now)
        key = x509.make_key()
        with parsing(directory / CA, "CA certificate with a subject key identifier"):
            leaf = x509.make_client_leaf(key.public_key(), nick, ca, ca_key, now)
        data = x509.dump_certificate(leaf) + x509.dump_key(key)
        files.publish(folder, {name: File(data, PRIVATE)}, replace=force)
    return ClientCertificate(nick, path, leaf.not_valid_after_utc)


def _read_authority(directory: Path, now: datetime) -> tuple[x509.Certificate, x509.OurKey]:
    ca, ca_key = read_certificate(directory / CA), read_key(directory / CA_KEY)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey) or not x509.belongs_to(ca_key, ca):
        raise CertificateError(
            f"{directory / CA_KEY} is not the key of {directory / CA}: bring back the right file"
        )
    renew = f"make a new set with `{gen_certs(directory, '--force')}`"
    refuse_dates(ca, directory / CA, now, renew)
    return ca, ca_key


def describe_client(made: ClientCertificate) -> str:
    """Tell who made it what to do with it."""
    directory = made.path.parent
    serve = ["securechat", "serve", *option("--certs", directory)]
    connect = ["securechat", "connect", "--nick", made.nick, "--client-cert", str(made.path)]
    return f"""\
Certificate for {made.nick}, valid until {day(made.not_after)}:

  {made.path}      {made.nick} connects with it: hand it to nobody else

Next, in two terminals:
  {shlex.join([*serve, "--client-ca", str(directory / CA)])}
  {shlex.join([*connect, *option("--certs", directory)])}"""
