"""TLS records that say nothing: floods of KeyUpdate, of empty records, and how they are bounded.

In: channels. Out: how much was read from a socket, and whether that was too much for what was said.
Raised: `Wordless`, an `OSError`, which ends the connection.

OpenSSL reads on within one `SSL_read` until a record has a word for us or the socket has nothing
more (CPython sets SSL_MODE_AUTO_RETRY), and 27 bytes of a KeyUpdate cost it as much as a message.
So 4 MB of them, made beforehand, held an io thread for seconds (measured), of a peer that need not
even have said hello. Two looks, neither of which a message pays for:

- whoever has the thread read, in vain, more than two of the longest records could explain is cut
  (`Tally`); that is looked at only where a read brought nothing;
- whoever sends quicker than it is read, so that `SSL_read` does not come back, is found from
  another thread by the frame that the io thread stands in, and its link is shut (`free`).

The receive buffer (`RECEIVE_BUFFER`) bounds what is still read after that.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import logging
import socket
import sys
import termios
import time
from collections.abc import Iterable
from typing import Final, Protocol

from .channel import MAX_PIECE, Channel
from .gate import Fact
from .loop_config import Report

log = logging.getLogger(__name__)

#: What the kernel holds of one connection that was not read, bytes; it reckons twice that.
RECEIVE_BUFFER: Final = 64 * 1_024
#: Bytes read in a row that brought no word: two of the longest records.
MOST_IN_VAIN: Final = 2 * (MAX_PIECE + 256)
#: A turn of an io thread that has taken so long, seconds, is looked at.
_LONG_TURN: Final = 0.1
#: So often within that turn, so long apart, the same connection must have been read.
_LOOKS: Final = 3
_APART: Final = 0.02
#: Where `tcpi_bytes_received` stands in `struct tcp_info` (linux/tcp.h), and how long it is.
_RECEIVED_AT: Final = 128
_RECEIVED_SIZE: Final = 8


class Wordless(OSError):
    """Too many records that say nothing."""


def bytes_read(sock: socket.socket) -> int:
    """How many bytes were read from a TCP socket so far; a little less while more arrive.

    Elsewhere than on Linux that is not told: 0.
    """
    if sys.platform != "linux":
        return 0
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_AT + _RECEIVED_SIZE)
    received = int.from_bytes(info[_RECEIVED_AT:], "little")
    unread = array.array("i", [0])
    fcntl.ioctl(sock.fileno(), termios.FIONREAD, unread)
    return received - unread[0]


class Tally:
    """What was read in vain, by connection; of one io thread."""

    def __init__(self, report: Report) -> None:
        self._report = report
        #: When something was heard last, and what had been read at the first vain read since.
        self._since: dict[int, tuple[float, int]] = {}

    def note(self, channel: Channel, now: float) -> None:
        """A read brought no word; raises `Wordless` when that was too often."""
        heard, before = self._since.get(channel.number, (0.0, 0))
        read = bytes_read(channel.sock)
        if heard != channel.heard:
            self._since[channel.number] = (channel.heard, read)
        elif read - before > MOST_IN_VAIN:
            self._report(channel.number, Fact.OFFENDED, now)
            raise Wordless(f"{read - before} bytes of TLS records that say nothing")

    def forget(self, channel: Channel) -> None:
        """It has ended."""
        self._since.pop(channel.number, None)


class Turning(Protocol):
    """An io thread, as far as is looked at it from another one."""

    @property
    def turn(self) -> float | None:
        """When its present turn began, monotonic seconds; None: it sleeps."""
        ...

    @property
    def ident(self) -> int | None:
        """The thread's, None: it was not started."""
        ...


def free(loops: Iterable[Turning], report: Report) -> None:
    """Shut the links of those who keep an io thread from coming back; from another thread."""
    for loop in loops:
        turn = loop.turn
        if turn is None or time.monotonic() - turn < _LONG_TURN:
            continue
        with contextlib.suppress(OSError):  # it has just ended by itself
            culprit = _who_is_read(loop, turn)
            if culprit is not None:
                _cut(culprit, report)


def _cut(channel: Channel, report: Report) -> None:
    """Shut the link past the TLS, which the io thread is busy with; it reads the end next."""
    socket.socket.shutdown(channel.sock, socket.SHUT_RDWR)
    report(channel.number, Fact.OFFENDED, time.monotonic())
    log.warning(
        "connection %d from %s: cut, for it held up others with records that say nothing",
        *(channel.number, channel.host),
    )


def _who_is_read(loop: Turning, turn: float) -> Channel | None:
    """The one connection in whose read the thread is, and has been, while its turn did not end."""
    culprit, read = _being_read(loop), 0
    for _ in range(_LOOKS):
        if culprit is None or _being_read(loop) is not culprit or loop.turn != turn:
            return None
        before, read = read, bytes_read(culprit.sock)
        if read <= before:
            return None
        time.sleep(_APART)
    return culprit


def _being_read(loop: Turning) -> Channel | None:
    """The channel whose `receive` the thread is in: its frame tells, at no cost to itself."""
    frame = sys._current_frames().get(loop.ident or 0)
    if frame is None or frame.f_code is not Channel.receive.__code__:
        return None
    channel = frame.f_locals["self"]
    assert isinstance(channel, Channel)
    return channel
