"""The one TLS context of a server: TLS 1.3 and nothing older, no tickets, ALPN `securechat/1`.

Reasons: RFC 9325 with RFC 9852 (new protocols require TLS 1.3); tickets gain 0.06 ms of a 0.32 ms
handshake and have lost data where a client sends and closes without reading (openssl#7948).
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, cast

from ..errors import CertificateError
from ..protocol.envelopes import ALPN

_HTTP: Final = "not TLS: plain HTTP on this port"
_NOT_TLS: Final = "not TLS"
_NO_CERTIFICATE: Final = "the client shows no certificate, and --client-ca asks for one"
_DISTRUST: Final = "the client does not trust our certificate"

#: What OpenSSL's reasons mean to the person who reads the log; its other reasons speak for
#: themselves. From 3.2 on it names some of them differently.
_MEANINGS: Final = {
    "http request": _HTTP,
    "https proxy request": _HTTP,
    "wrong version number": _NOT_TLS,
    "packet length too long": _NOT_TLS,
    "record layer failure": _NOT_TLS,
    "peer did not return a certificate": _NO_CERTIFICATE,
    "certificate verify failed": "the client's certificate is not one of --client-ca, or is over",
    "unsupported protocol": "the client speaks no TLS 1.3",
    "tlsv1 alert unknown ca": _DISTRUST,
    "sslv3 alert bad certificate": _DISTRUST,
    "ssl/tls alert bad certificate": _DISTRUST,
    "sslv3 alert certificate unknown": _DISTRUST,
    "ssl/tls alert certificate unknown": _DISTRUST,
}


class _SlimSocket(ssl.SSLSocket):
    """An `SSLSocket` without a dict of its own.

    Each would make one with room for 30 names (CPython 3.11): 336 bytes for each connection, where
    slots take 64. What a later CPython keeps under other names goes to the dict as before.
    """

    __slots__ = (
        "_connected",
        "_context",
        "_session",
        "_sslobj",
        "do_handshake_on_connect",
        "server_hostname",
        "server_side",
        "suppress_ragged_eofs",
    )


def server_context(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """A context that serves `certificate`, with `client_ca` only those whom it has signed.

    Raises `CertificateError` if the pair, or the authority, cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = _SlimSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols([ALPN])
    try:
        # Without a pass phrase OpenSSL would ask for one at the terminal, and wait.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        unread = isinstance(error, ssl.SSLError) and error.reason is None
        why = "not PEM, or locked with a pass phrase" if unread else describe_failure(error)
        raise CertificateError(
            f"{certificate} and {key} cannot be used together ({why}): "
            "make a new pair with `securechat gen-certs --force`"
        ) from error
    _prove(context, certificate)
    if client_ca is not None:
        _demand_certificate(context, client_ca)
    return context


def _demand_certificate(context: ssl.SSLContext, client_ca: Path) -> None:
    """Let nobody in without a certificate of this authority (RFC 8446, 4.3.2)."""
    try:
        context.load_verify_locations(client_ca)
    except OSError as error:
        why = "no PEM certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise CertificateError(
            f"{client_ca} cannot say who is a client ({why}): name the ca.pem with whose key "
            "`securechat gen-certs --client NICK` made their certificates"
        ) from error
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT


def certified_name(sock: ssl.SSLSocket) -> str | None:
    """The common name of the peer's certificate, "" if it has not one; None: it needed none."""
    if sock.context.verify_mode is ssl.CERT_NONE:
        return None
    subject = (sock.getpeercert() or {}).get("subject", ())
    names = [
        value
        for relative_name in cast(Sequence[Sequence[tuple[str, str]]], subject)
        for kind, value in relative_name
        if kind == "commonName"
    ]
    return names[0] if len(names) == 1 else ""


def _prove(context: ssl.SSLContext, certificate: Path) -> None:
    """Shake hands with ourselves in memory: a pair that loads may still not serve."""
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours.check_hostname = False
    ours.verify_mode = ssl.CERT_NONE  # whom to trust is the client's question; this one is ours
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = ours.wrap_bio(to_client, to_server)
    try:
        for _ in range(2):
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLError as error:
        raise CertificateError(
            f"{certificate} cannot serve TLS 1.3 ({error.reason}), which takes RSA, P-256, P-384, "
            "P-521 and Ed25519 keys: make a new pair with `securechat gen-certs --force`"
        ) from error


def allows_old_groups(context: ssl.SSLContext) -> bool:
    """Whether a key can be agreed on in a group beyond X25519, P-256 and P-384."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.set_ecdh_curve("secp521r1")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    try:
        client.wrap_bio(to_client, to_server).do_handshake()
    except ssl.SSLWantReadError:
        pass
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        return True
    except ssl.SSLError:
        return False
    return True


class Engine(Protocol):
    """What encrypts and decrypts beneath a socket."""

    def read(self, len: int, /) -> bytes:
        """Plaintext that came, of at most one record; raises as `SSLSocket.recv` does."""
        ...

    def write(self, data: bytes, /) -> int:
        """Send `data`; raises as `SSLSocket.send` does."""
        ...


def engine_of(sock: ssl.SSLSocket) -> Engine:
    """What `sock` does its reading and writing with.

    Its `recv` and `send` are two Python calls around it and a look into a dict, at each record of
    each receiver: 4 % of what a delivery costs in a small room. The name is not public, though
    CPython has had it since 3.7; where it is not, the socket has both methods itself.
    """
    found: Engine | None = getattr(sock, "_sslobj", None)
    return sock if found is None else found


def describe_failure(error: Exception) -> str:
    """Why a handshake or a link failed, in a few words for one log line."""
    if isinstance(error, ssl.SSLEOFError):
        return "the peer hung up without close_notify"
    if isinstance(error, ssl.SSLError):
        reason: str | None = getattr(error, "reason", None)  # only OpenSSL's own errors have one
        if reason is None:
            return "TLS error"
        said = reason.lower().replace("_", " ")
        return _MEANINGS.get(said, said)
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return type(error).__name__
