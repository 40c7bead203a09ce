"""Whom a client trusts: the TLS context, and in words what is wrong with a certificate.

TLS 1.3 and nothing older (RFC 9325 with RFC 9852), strict X.509 as Python 3.13 has it, and the
host's name is checked. There is no way to switch any of it off. Raised: `NotTrusted`, one line with
the reason and the cure.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..errors import NotTrusted
from ..protocol.envelopes import ALPN

# Verification results of OpenSSL (x509_vfy.h); Python has no names for them.
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_NOT_OURS: Final = (2, 18, 19, 20, 21)  # self-signed, or signed by an authority not loaded
_WRONG_HOST: Final = (62, 64)  # host name, IP address

_UNKNOWN_SIGNER: Final = (
    "it is signed by an authority that we do not trust; if it is the right server, ask who runs it "
    "for its ca.pem, and compare the fingerprint"
)
_CURES: Final = MappingProxyType(
    {
        _NOT_YET_VALID: "it is not valid yet; check this machine's clock, and the server's",
        _EXPIRED: "it has expired; who runs it can renew it with `securechat gen-certs --renew`",
        **dict.fromkeys(_NOT_OURS, _UNKNOWN_SIGNER),
        **dict.fromkeys(
            _WRONG_HOST,
            "it is for another host; connect by a name that it was made for, or make one for this "
            "name with `securechat gen-certs --host`",
        ),
    }
)


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that trusts what `ca_file` signed; None: what this machine trusts.

    Raises `NotTrusted` when the file cannot be used.
    """
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


def explain_distrust(error: ssl.SSLCertVerificationError, host: str) -> NotTrusted:
    """What is wrong with the certificate of `host`, and what to do about it."""
    # The text is OpenSSL's own, or Python's about the name that we asked for.
    unknown = (
        f"it does not pass ({error.verify_message}); ask whoever runs the server for a new one"
    )
    cure = _CURES.get(error.verify_code, unknown)
    return NotTrusted(f"The certificate of {host} is not trusted: {cure}. Nothing was sent to it.")
