"""The certificate that a server shows: at the start, and when it turns over while people talk.

In come the folder and the time; out comes a `Served`, a pair and a context that was proved with it
in memory. Raised: `CertificateError` for a pair that cannot be used.
"""

from __future__ import annotations

import logging
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from ..certs import CertificateSet, check_server_pair, ensure, renew_if_due
from ..errors import CertificateError
from ..net.tls import allows_old_groups, server_context

log = logging.getLogger(__name__)

WARN_WITHIN: Final = timedelta(days=14)


_OLD_GROUPS: Final = (
    "key exchange is not limited to X25519, P-256 and P-384: OPENSSL_CONF names another "
    "configuration, or this server was not started by `securechat serve`"
)


class Served(NamedTuple):
    """A pair, and the context that shows it."""

    pair: CertificateSet
    context: ssl.SSLContext


def prepare(directory: Path, now: datetime, client_ca: Path | None = None) -> Served:
    """The pair to start with: renewed when it is time, made when there is none."""
    renew_in_time(directory, now)
    pair, made = ensure(directory, now=now)
    if made:
        log.info("made certificates in %s", directory)
    return Served(pair, server_context(pair.cert, pair.key, client_ca))


def load_again(directory: Path, now: datetime, client_ca: Path | None = None) -> Served:
    """The pair that lies there now; nothing is made or renewed, and what is wrong is raised."""
    pair = check_server_pair(directory, now=now)
    return Served(pair, server_context(pair.cert, pair.key, client_ca))


def tell_groups(served: Served) -> None:
    """Log it where OpenSSL offers more key exchange groups than Mozilla's modern profile."""
    if allows_old_groups(served.context):
        log.info("%s", _OLD_GROUPS)


def tell_change(old: CertificateSet, new: CertificateSet, now: datetime) -> None:
    """Log what a turnover means for clients, once new connections are shown `new`."""
    if new.fingerprint == old.fingerprint:
        log.info("the certificate is the same as before")
    elif new.key_fingerprint == old.key_fingerprint:
        log.info("new connections are shown the new certificate, with the same key")
    else:
        log.warning(
            "new connections are shown a new certificate with a new key, %s: "
            "clients that know the old one refuse it until `securechat trust replace`",
            new.key_fingerprint,
        )
    tell_days_left(new, now)


def renew_in_time(directory: Path, now: datetime) -> bool:
    """Renew a pair of ours that ends soon; whether there is a new one."""
    try:
        renewed = renew_if_due(directory, now=now)
    except CertificateError as error:
        log.warning("the certificate was not renewed: %s", error)
        return False
    if renewed is None:
        return False
    log.info("renewed the certificate")
    return True


def tell_days_left(pair: CertificateSet, now: datetime) -> None:
    """Log until when `pair` is good, and warn when that is soon."""
    left = pair.not_after - now
    if left > WARN_WITHIN:
        log.info("the certificate is good for %d days, until %s", left.days, pair.not_after.date())
    else:
        log.warning(
            "the certificate ends in %d days, on %s, and nobody has renewed it: "
            "put a new pair there, then `kill -HUP` this server or `securechat reload`",
            max(0, left.days),
            pair.not_after.date(),
        )
