"""Makes, renews and checks the certificates of a server: one folder, four files.

    ca.pem       what clients trust             0644  valid 10 years
    ca-key.pem   what signs a new cert.pem      0600  only needed to renew
    cert.pem     what the server shows          0644  valid 90 days
    key.pem      what the server proves it with 0600  lives on when cert.pem is renewed

In come a folder, host names and the time (`now`, an aware datetime). Out comes a
`CertificateSet`. Raised is `CertificateError` and nothing else: every OSError and whatever
`cryptography` raises is translated here into one line with the reason and the cure.

    client.py   certificates for clients, whose name is the nick
    folder.py   make, renew, ensure: what is done to a folder
    pair.py     cert.pem and key.pem, read and checked as a server must
    x509.py     host names and certificates as values; no disk
    files.py    files as keys need them: private, whole or absent, in nobody's way
    words.py    what is said to the person at the keyboard

This package loads `cryptography`, which takes its time: import it where it is needed, not before.
"""

from .client import ClientCertificate, describe_client, make_client
from .folder import LOCAL_HOSTS, RENEW_WITHIN, describe, ensure, make, renew, renew_if_due
from .pair import CertificateSet, check_server_pair
from .words import DEFAULT_DIRECTORY
from .x509 import BACKDATE, CA_LIFE, LEAF_LIFE

__all__ = [
    "BACKDATE",
    "CA_LIFE",
    "DEFAULT_DIRECTORY",
    "LEAF_LIFE",
    "LOCAL_HOSTS",
    "RENEW_WITHIN",
    "CertificateSet",
    "ClientCertificate",
    "check_server_pair",
    "describe",
    "describe_client",
    "ensure",
    "make",
    "make_client",
    "renew",
    "renew_if_due",
]
