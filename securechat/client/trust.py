"""Whom a client trusts: what a `Trust` is, and what guards a handshake with it.

TLS 1.3 and nothing older (RFC 9325 with RFC 9852). `ByAuthority`: strict X.509 as Python 3.13 has
it, with the host's name. `ByKey`: this public key and no other, whatever the certificate around it
says; that the server holds it is proved by the handshake itself (RFC 8446, 4.4.3). Either way it is
decided before anything of ours is sent, and there is no way to switch it off. Raised: `NotTrusted`,
one line with the reason and the cure.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from ..errors import KeyChanged, NotTrusted, Refused, UnknownSigner
from ..protocol.envelopes import ALPN
from .known_servers import Server, parse_fingerprint

if TYPE_CHECKING:
    from ..certs.x509 import Certificate

# Verification results of OpenSSL (x509_vfy.h); Python has no names for them.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_NOT_OURS: Final = frozenset({2, 18, 19, 20, 21})  # self-signed, or its authority is not loaded
_WRONG_PURPOSE: Final = 26
_WRONG_HOST: Final = (62, 64)  # host name, IP address; also where no name is given at all

_NO_SERVER: Final = (
    "it is not a server's but an authority's own, or made for something else; make one for the "
    "server with `securechat gen-certs`"
)
_CURES: Final = MappingProxyType(
    {
        _NOT_YET_VALID: "it is not valid yet; check this machine's clock, and the server's",
        _EXPIRED: "it has expired; who runs it can renew it with `securechat gen-certs --renew`",
        **dict.fromkeys(
            _NOT_OURS,
            "it is signed by an authority that we do not trust; if it is the right server, ask who "
            "runs it for its ca.pem, or for its fingerprint, and give it with --fingerprint",
        ),
        _WRONG_PURPOSE: _NO_SERVER,
        **dict.fromkeys(
            _WRONG_HOST,
            "it is for another host, or names none; connect by a name that it was made for, or "
            "make one for this name with `securechat gen-certs --host`",
        ),
    }
)
_OTHER_CA: Final = (
    "it is not signed by {ca_file}, which is what it was judged by; if that is another server's, "
    "name the right one with --ca, or the fingerprint of the key with --fingerprint"
)


@dataclass(frozen=True, slots=True)
class ByAuthority:
    """Whoever `ca_file` vouches for; None: whoever this machine's authorities vouch for."""

    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ByKey:
    """Who holds this public key, and nobody else; raises `ValueError` for what is no fingerprint.

    `fingerprint` is the SHA-256 of the key (SubjectPublicKeyInfo), so a renewed certificate with
    the same key stays trusted.
    """

    fingerprint: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", parse_fingerprint(self.fingerprint))


Trust: TypeAlias = ByAuthority | ByKey

SYSTEM: Final = ByAuthority()


@dataclass(frozen=True, slots=True)
class Guard:
    """What a handshake is made with, and who judges the certificate (DER) at its end.

    `admit` raises `NotTrusted`; until it has returned, nothing may be sent. `ca_file`: who must
    have signed it, None: it is another authority's matter, or nobody's.
    """

    context: ssl.SSLContext
    admit: Callable[[bytes, Server], None]
    ca_file: Path | None = None


def guard_of(trust: Trust, certificate: Path | None = None) -> Guard:
    """The guard that lets in whom `trust` means; raises `NotTrusted` for a file of no use.

    `certificate`: a PEM file with a certificate of ours and its key, for a server that wants to
    know who we are; raises `Refused` for one that cannot be used.
    """
    match trust:
        case ByAuthority(ca_file):
            guard = Guard(_verifying_context(ca_file), _refuse_authority, ca_file)
        case ByKey(fingerprint):
            guard = Guard(_bare_context(), lambda der, server: _compare(fingerprint, der, server))
    if certificate is not None:
        _show_certificate(guard.context, certificate)
    return guard


def guard_of_nobody(look: Callable[[str], None]) -> Guard:
    """For a first look, on which nothing is ever sent: `look` is told the key's fingerprint."""
    return Guard(_bare_context(), lambda der, server: look(_fingerprint_of(der, server)))


def explain_distrust(
    error: ssl.SSLCertVerificationError, host: str, ca_file: Path | None = None
) -> NotTrusted:
    """What is wrong with the certificate of `host`, and what to do about it.

    `ca_file` is what it was judged by, which may be there by chance, from another server.
    """
    # The text is OpenSSL's own, or Python's about the name that we asked for.
    unknown = (
        f"it does not pass ({error.verify_message}); ask whoever runs the server for a new one"
    )
    kind = UnknownSigner if error.verify_code in _NOT_OURS else NotTrusted
    if kind is UnknownSigner and ca_file is not None:
        return kind(_refusal(host, _OTHER_CA.format(ca_file=ca_file.absolute())))
    return kind(_refusal(host, _CURES.get(error.verify_code, unknown)))


# ------------------------------------------------------------------ contexts


def _bare_context() -> ssl.SSLContext:
    """A context that lets everyone shake hands: for those who judge the key at the end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols([ALPN])
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.set_alpn_protocols([ALPN])
    try:
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca_file)
    except ssl.SSLError as error:
        raise NotTrusted(
            f"{ca_file} holds no certificate to trust; get the server's ca.pem again."
        ) from error
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise NotTrusted(
            f"{ca_file}, the certificate to trust, cannot be read ({why}); copy ca.pem from the "
            "server, or name the folder that has it."
        ) from error
    return context


def _show_certificate(context: ssl.SSLContext, certificate: Path) -> None:
    try:
        # Without a pass phrase OpenSSL would ask for one at the terminal, and wait.
        context.load_cert_chain(certificate, password="")
    except OSError as error:
        why = "not a certificate and its key in PEM" if isinstance(error, ssl.SSLError) else ""
        raise Refused(
            f"{certificate} cannot show who you are ({why or (error.strerror or '').lower()}); get "
            "the file that `securechat gen-certs --client` made for you."
        ) from error


# ------------------------------------------------------------------ at the end of the handshake


def _refuse_authority(der: bytes, server: Server) -> None:
    """OpenSSL lets an authority's certificate (CA:TRUE) pass for a server's; we do not.

    Who can serve with it can sign with it, too: whoever breaks into that server is any server.
    """
    from ..certs import x509  # loads `cryptography`: when there is something to judge

    if x509.is_authority(_parse(der, server)):
        raise NotTrusted(_refusal(server.host, _NO_SERVER))


def _compare(expected: str, der: bytes, server: Server) -> None:
    shown = _fingerprint_of(der, server)
    if shown != expected:
        raise KeyChanged(
            f"The key of {server} is NOT the one you trust. You trust {expected}, it shows {shown}."
            " Nothing was sent to it. Somebody may be in between, or the server has a new key: ask"
            " who runs it, in another way than this; only if the new one is right, accept it with:"
            f" securechat trust replace {server.typed} {shown}",
            known=expected,
            shown=shown,
        )


def _fingerprint_of(der: bytes, server: Server) -> str:
    from ..certs import x509

    return x509.key_fingerprint(_parse(der, server))


def _parse(der: bytes, server: Server) -> Certificate:
    from ..certs import x509

    try:
        return x509.load_der(der)
    except x509.UNREADABLE as error:
        why = "it cannot be read; ask whoever runs the server for a new one"
        raise NotTrusted(_refusal(server.host, why)) from error


def _refusal(host: str, cure: str) -> str:
    return f"The certificate of {host} is not trusted: {cure}. Nothing was sent to it."
