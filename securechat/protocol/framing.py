"""Frames: a length of 4 bytes, unsigned, big-endian, then that many bytes of payload.

In: bytes as the transport delivers them, cut anywhere. Out: whole payloads, in order.
Raised: `RemoteProtocolError("frame_too_large")`, from the four length bytes alone, before a byte of
the payload is kept; and `LocalProtocolError` for a payload that we must not send.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from ..errors import LocalProtocolError, RemoteProtocolError

_LENGTH: Final = Struct("!I")
HEADER_SIZE: Final = _LENGTH.size

#: Largest payload before `welcome`, bytes.
GREETING_MAX_FRAME: Final = 4_096
#: Largest payload after `welcome` unless it says otherwise, bytes.
DEFAULT_MAX_FRAME: Final = 65_536

_pack_length = _LENGTH.pack
_unpack_length_at = _LENGTH.unpack_from


def encode_frame(payload: bytes, max_frame: int = DEFAULT_MAX_FRAME) -> bytes:
    """`payload` with its length in front, ready for the wire.

    Raises `LocalProtocolError` when the payload is empty or longer than `max_frame` bytes.
    """
    size = len(payload)
    if not 0 < size <= max_frame:
        raise LocalProtocolError(f"a frame of {size} bytes; 1 to {max_frame} may be sent")
    return _pack_length(size) + payload


#: The length in front of a payload of so many bytes, for who knows that they may be sent.
encode_header: Final = _LENGTH.pack


def only_payload(data: bytes, max_frame: int) -> bytes | None:
    """The payload of `data`, if that is one whole frame that may be sent, and nothing else."""
    size = len(data) - HEADER_SIZE
    if 0 < size <= max_frame and _unpack_length_at(data)[0] == size:
        return data[HEADER_SIZE:]
    return None


class FrameDecoder:
    """Cuts a byte stream into payloads.

    Feed it with `receive`, then take payloads with `take` until it returns an empty list.
    """

    __slots__ = ("_buffer", "max_frame")

    def __init__(self, max_frame: int = GREETING_MAX_FRAME) -> None:
        self._buffer = b""
        self.max_frame = max_frame

    @property
    def pending(self) -> int:
        """How many bytes wait here, whole frames included."""
        return len(self._buffer)

    def receive(self, data: bytes) -> None:
        """Keep `data`; nothing is looked at before `take`."""
        self._buffer = self._buffer + data if self._buffer else data

    def has_frame(self) -> bool:
        """Whether `take(1)` would give a frame or raise."""
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return False
        size: int = _unpack_length_at(buffer)[0]
        return not 0 < size <= self.max_frame or len(buffer) >= HEADER_SIZE + size

    def take(self, limit: int) -> list[bytes]:
        """At most `limit` whole payloads, oldest first; an empty list means: feed me.

        Raises `RemoteProtocolError` at a length out of bounds. Frames before it are given first:
        the error comes with the next call.
        """
        buffer = self._buffer
        end = len(buffer)
        start = 0
        payloads: list[bytes] = []
        while len(payloads) < limit and end - start >= HEADER_SIZE:
            size: int = _unpack_length_at(buffer, start)[0]
            if not 0 < size <= self.max_frame:
                if payloads:
                    break
                raise RemoteProtocolError(
                    "frame_too_large",
                    f"A frame of {size} bytes was announced; 1 to {self.max_frame} are allowed "
                    "here. Send shorter frames, and check that your client speaks securechat/1.",
                )
            body = start + HEADER_SIZE
            if end - body < size:
                break
            start = body + size
            payloads.append(buffer[body:start])
        if start:
            self._buffer = buffer[start:]
        return payloads
