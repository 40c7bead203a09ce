"""One TLS link, non-blocking: bytes in, bytes out, for the one thread that owns it.

Bytes go in pieces of at most `PIECE`, and a piece that could not be written is tried again as the
very same object: OpenSSL takes other bytes of the same length without complaint and mixes up the
stream. Raised: `OSError` (`ssl.SSLError` is one) when the link is broken, which an end without
close_notify is too (RFC 8446, 6.1: what came may not be all that was sent).
"""

from __future__ import annotations

import select
import ssl
from types import MappingProxyType
from typing import Final

from ..errors import CannotConnect, ClientError, Refused

PIECE: Final = 16_384
"""Most bytes of one write; a TLS record holds no more."""

READ_BUDGET: Final = 262_144
"""Bytes after which `read` lets others have their turn."""


class Link:
    """An established TLS link; `sock` is non-blocking and its handshake is done."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._out = bytearray()
        self._piece = b""
        self._write_blocked = False
        self._read_wants_write = False
        self._failure: OSError | None = None
        #: `read` has more for us without waiting for the selector.
        self.has_more = False

    def fileno(self) -> int:
        """What to select on."""
        return self._sock.fileno()

    @property
    def interest(self) -> int:
        """For what: `select.POLLIN`, `select.POLLOUT`."""
        write = self._write_blocked or self._read_wants_write
        return select.POLLIN | (select.POLLOUT if write else 0)

    def read(self) -> list[bytes]:
        """What has arrived, in pieces; []: nothing now.

        Raises `OSError` at the end of the link, but only when all that came before was given.
        """
        self.has_more = self._read_wants_write = False
        if self._failure is not None:
            raise self._failure
        chunks: list[bytes] = []
        budget = READ_BUDGET
        try:
            while budget > 0:
                chunk = self._sock.recv(PIECE)
                if not chunk:
                    raise ConnectionError("the server closed the connection")
                chunks.append(chunk)
                budget -= len(chunk)
        except ssl.SSLWantReadError:
            return chunks
        except ssl.SSLWantWriteError:
            self._read_wants_write = True
            return chunks
        except OSError as error:
            if not chunks:
                raise
            self._failure = error
        self.has_more = True
        return chunks

    def write(self, data: bytes) -> None:
        """Have `data` written by the next `flush`."""
        self._out += data

    def flush(self) -> bool:
        """Write what can be written now; True if the other side had to make room for it."""
        drained = False
        while self._piece or self._out:
            if not self._piece:
                self._piece = bytes(self._out[:PIECE])
                del self._out[:PIECE]
            try:
                self._sock.send(self._piece)  # all or nothing: partial writes are off in Python
            except ssl.SSLWantWriteError:
                self._write_blocked = True
                return drained
            except ssl.SSLWantReadError:
                self._write_blocked = False
                return drained
            self._piece = b""
            drained = drained or self._write_blocked
        self._write_blocked = False
        return drained

    def close(self) -> None:
        """Say close_notify if it can be said at once, and close; nothing is waited for."""
        if not self._piece:  # between two tries of one piece nothing else may be written
            try:
                self._sock.unwrap()
            except (OSError, ValueError):
                pass  # SSLWantReadError: said, not answered. Any other: there is nobody to tell
        self._sock.close()


#: What a server says of our certificate, once the handshake is over for us (RFC 8446, 6.2).
_CERTIFICATE_ALERTS: Final = MappingProxyType(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED": "lets in only who has a certificate: ask who runs it "
        "for one, and give it with --client-cert",
        "TLSV1_ALERT_UNKNOWN_CA": "does not take your certificate: it is signed by another "
        "authority than its own. Ask who runs it for one",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": "does not take your certificate: it has expired. Ask "
        "who runs it for a new one",
        **dict.fromkeys(
            (
                *("SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"),
                *("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_REVOKED"),
            ),
            "does not take your certificate: it is not one for clients. Ask who runs it for one",
        ),
    }
)


def explain_loss(error: OSError) -> ClientError:
    """A link that broke, as what may end a client: `Refused` when our certificate was."""
    reason = (getattr(error, "reason", None) or "").replace("SSL/TLS_ALERT", "SSLV3_ALERT")
    why = _CERTIFICATE_ALERTS.get(reason)
    if why is not None:
        return Refused(f"The server {why}.")
    return CannotConnect(describe_loss(error))


def describe_loss(error: OSError) -> str:
    """Why a link broke, for a person."""
    if isinstance(error, ssl.SSLEOFError):
        return "the connection broke off"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "unknown reason"  # Python's own have none
        return f"TLS failed: {reason.lower().replace('_', ' ')}"
    return error.strerror.lower() if error.strerror else str(error)
