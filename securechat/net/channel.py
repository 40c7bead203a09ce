"""One TLS connection of the server, owned by one io thread.

In: readiness from the selector, bytes to write. Out: bytes read, and what is still waiting to be
written. Raised: `OSError` (with `ssl.SSLError`), which ends the connection.

Writing keeps two rules of OpenSSL: a piece is at most 16 KiB, one record, so that it goes whole or
not at all (CPython does not set ENABLE_PARTIAL_WRITE); and after WANT_WRITE the very same bytes
are tried again (other bytes of that length would be accepted, and corrupt the stream in silence).
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from enum import IntEnum
from typing import Final, Protocol

from ..protocol.connection import Connection, Role
from .address import host_of, show_peer
from .tls import engine_of

#: The longest plaintext of one TLS record (RFC 8446, 5.1), bytes.
MAX_PIECE: Final = 16_384
#: A whole record always fits, so nothing ever stays behind in OpenSSL's own buffer.
READ_SIZE: Final = MAX_PIECE


class Phase(IntEnum):
    """How far the life of a channel has come."""

    HANDSHAKE = 0
    TALKING = 1
    FINISHING = 2  # the last frames are on their way out
    LINGERING = 3  # our side is shut; what still comes is read away
    DEAD = 4


class Bucket(Protocol):
    """What paces a connection; see `securechat.chat.limits.TokenBucket`."""

    def available(self, now: float) -> int:
        """Frames that may be looked at now."""
        ...

    def charge(self, tokens: int) -> None:
        """Take tokens."""
        ...

    def wait(self) -> float:
        """Seconds until there is one."""
        ...


class Cursor:
    """Where a subscription stands that is not at the head.

    `generation` is unlike any other's: a page wished for by one cursor is of no use to another.
    """

    __slots__ = ("asked", "fell", "generation", "seq")

    def __init__(self, generation: int, seq: int, *, fell: bool) -> None:
        self.generation = generation
        #: The last message that went out.
        self.seq = seq
        #: It was live once: the client is told when it is so again.
        self.fell = fell
        #: A page is on its way.
        self.asked = False


class Channel:
    """A socket with TLS on it, its protocol state and what waits to be written."""

    __slots__ = (
        "behind",
        "bucket",
        "connection",
        "drained",
        "due",
        "feeds",
        "fences",
        "frame_bytes",
        "frame_since",
        "heard",
        "host",
        "interest",
        "number",
        "out",
        "out_bytes",
        "phase",
        "pinged",
        "since",
        "sock",
        "starved",
        "tls",
    )

    def __init__(self, number: int, sock: ssl.SSLSocket, peer: str, now: float) -> None:
        self.number = number
        self.sock = sock
        #: Its records; the socket itself is for the beginning and the end.
        self.tls = engine_of(sock)
        self.host = host_of(peer)
        self.phase = Phase.HANDSHAKE
        self.connection = Connection(Role.SERVER)
        self.bucket: Bucket | None = None
        #: When the phase began, something was heard, waiting bytes went out (monotonic seconds).
        self.since = self.heard = self.drained = now
        #: When its deadlines are looked at next.
        self.due = 0.0
        self.pinged = False
        #: Out of tokens: nothing is read until there are some.
        self.starved = False
        #: Since when a frame has been begun and not finished, and the bytes of it that came.
        self.frame_since: float | None = None
        self.frame_bytes = 0
        self.interest = 0
        self.out: deque[bytes] | None = None
        self.out_bytes = 0
        #: Conversations subscribed to.
        self.feeds: tuple[str, ...] = ()
        #: Those of them that are not at the head.
        self.behind: dict[str, Cursor] | None = None
        #: Frames that wait until nothing is behind.
        self.fences: list[bytes] | None = None

    def __repr__(self) -> str:
        return f"<Channel {self.number} {self.peer} {self.phase.name.lower()}>"

    @property
    def peer(self) -> str:
        """Who is on the other side, for the log and the hub."""
        return show_peer(self.sock, self.host)

    # -------------------------------------------------------------- read

    def receive(self) -> bytes | None:
        """Read a record; empty when the peer has ended, None when there is nothing to read.

        Raises `OSError` when the link is broken, an end without close_notify included.
        """
        try:
            return self.tls.read(READ_SIZE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLZeroReturnError:
            return b""

    def discard(self) -> bool:
        """Read away what comes after `shut`; True when the peer has ended too.

        Shutting our side took the TLS off the socket: these are raw bytes.
        """
        try:
            return not self.sock.recv(65_536)
        except BlockingIOError:
            return False

    # -------------------------------------------------------------- write

    def write(self, pieces: tuple[bytes, ...], size: int) -> None:
        """Write `pieces`, or keep what does not fit now; in order."""
        if self.out is not None:
            self.out.extend(pieces)
            self.out_bytes += size
            return
        write = self.tls.write
        written = 0
        for index, piece in enumerate(pieces):
            try:
                write(piece)
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self.keep(pieces[index:], size - written)
                return
            written += len(piece)

    def keep(self, pieces: tuple[bytes, ...], size: int) -> None:
        """Keep `pieces`, the first of which was tried in vain, for when there is room."""
        self.out = deque(pieces)
        self.out_bytes = size

    def write_data(self, data: bytes) -> None:
        """Write frames that may be longer than one record."""
        if len(data) <= MAX_PIECE:
            self.write((data,), len(data))
        else:
            self.write(cut(data), len(data))

    def flush(self) -> bool:
        """Write on; True when something went out."""
        out = self.out
        moved = False
        while out:
            piece = out[0]
            try:
                self.tls.write(piece)
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                break
            moved = True
            self.out_bytes -= len(piece)
            out.popleft()
            if len(out) > 1:
                self._join_small(out)
        if not out:
            self.out = None
        return moved

    @staticmethod
    def _join_small(out: deque[bytes]) -> None:
        """Make one record of the small pieces in front: none of them was tried yet."""
        size = 0
        count = 0
        for piece in out:
            size += len(piece)
            if size > MAX_PIECE:
                break
            count += 1
        if count > 1:
            out.appendleft(b"".join([out.popleft() for _ in range(count)]))

    # -------------------------------------------------------------- close

    def shut(self) -> bool:
        """Say close_notify and shut our side; the peer may still be sending.

        False: there is no room for close_notify; call again when the socket can be written to.
        """
        try:
            self.sock.unwrap()
        except ssl.SSLWantWriteError:
            return False
        except (OSError, ValueError):
            pass  # it waits for the peer's close_notify, which we do not
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer was quicker
        return True

    def close(self) -> None:
        """Give everything back."""
        self.phase = Phase.DEAD
        self.out = self.behind = self.fences = None
        self.sock.close()


def cut(data: bytes) -> tuple[bytes, ...]:
    """`data` in pieces of one TLS record each."""
    if len(data) <= MAX_PIECE:
        return (data,)
    return tuple(data[at : at + MAX_PIECE] for at in range(0, len(data), MAX_PIECE))
