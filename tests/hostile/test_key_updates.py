"""A flood of KeyUpdates that was made beforehand, and so comes quicker than it can be read.

One peer, which never said hello, sends them all at once; a member pings meanwhile. Without the
watch (`unwatched`, the negative control) the io thread reads nothing else until it has read them
all, for seconds; with it the peer is cut.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import struct
import time
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from tests.gauntlet import scale

from .siege import Machine, Served, wait_until_idle

tlslite = pytest.importorskip("tlslite", reason="tlslite-ng is not installed")

from .test_tls_peers import Pulse, shaken  # noqa: E402

pytestmark = scale.MARKS

FLOOD: Final = 300_000 if scale.GAUNTLET else 100_000
_PEACE: Final = 30.0
#: Of each cipher suite: the AEAD, the length of its key, the hash (RFC 8446, B.4).
_SUITES: Final[dict[int, tuple[Any, int, str]]] = {
    0x1301: (AESGCM, 16, "sha256"),
    0x1302: (AESGCM, 32, "sha384"),
    0x1303: (ChaCha20Poly1305, 32, "sha256"),
}
_KEY_UPDATE: Final = b"\x18\0\0\1\0"  # update_not_requested
_INNER: Final = _KEY_UPDATE + b"\x16"
_HEADER: Final = b"\x17\3\3" + struct.pack("!H", len(_INNER) + 16)


def expand(secret: bytes, label: bytes, length: int, digest: str) -> bytes:
    """HKDF-Expand-Label without a context (RFC 8446, 7.1), for what fits into one block."""
    label = b"tls13 " + label
    info = struct.pack("!HB", length, len(label)) + label + b"\0"
    return hmac.digest(secret, info + b"\1", digest)[:length]


def key_updates(connection: Any, count: int) -> bytes:
    """So many KeyUpdates, each under the keys that the one before has brought."""
    aead, key_length, digest = _SUITES[connection.session.cipherSuite]
    secret, records = bytes(connection.session.cl_app_secret), bytearray()
    for _ in range(count):
        key = expand(secret, b"key", key_length, digest)
        nonce = expand(secret, b"iv", 12, digest)  # the number of each record is 0
        records += _HEADER + aead(key).encrypt(nonce, _INNER, _HEADER)
        secret = expand(secret, b"traffic upd", hashlib.new(digest).digest_size, digest)
    return bytes(records)


def longest_wait(server: Served, pulse: Pulse, flood: int) -> float:
    """How long a member waits for an answer at most, seconds, while a peer floods."""
    with socket.create_connection(("127.0.0.1", server.port), 10.0) as sock:
        records = key_updates(shaken(sock), flood)
        with pulse.beating():
            time.sleep(0.2)
            with contextlib.suppress(OSError):
                sock.settimeout(60.0)
                sock.sendall(records)
            time.sleep(1.0)
        pulse.beat()
    return max(pulse.waits) / 1e3


def test_who_floods_is_cut_before_others_have_waited_long(
    machine: Machine, record_property: scale.RecordProperty
) -> None:
    server = machine.serve("--rate", "0")
    with contextlib.closing(Pulse(server.port)) as pulse:
        with pulse.beating():  # some files are opened a moment late
            time.sleep(1.0)
        before = server.usage
        watched = longest_wait(server, pulse, FLOOD)
        assert "with records that say nothing" in server.log.read_text()
        after = wait_until_idle(server, before, _PEACE)
    assert after <= before
    server = machine.serve("--rate", "0", module="tests.hostile.unwatched")
    with contextlib.closing(Pulse(server.port)) as pulse:
        unwatched = longest_wait(server, pulse, FLOOD)
    scale.tell(
        record_property,
        f"KeyUpdates: {FLOOD:,} at once hold up others for {watched:.2f} s, unwatched for"
        f" {unwatched:.2f} s",
    )
    assert watched < 0.75 * unwatched
