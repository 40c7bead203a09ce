"""Frames: what is cut from the stream, what is refused from four bytes, what may be sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.errors import LocalProtocolError, RemoteProtocolError
from securechat.protocol.framing import (
    DEFAULT_MAX_FRAME,
    GREETING_MAX_FRAME,
    HEADER_SIZE,
    FrameDecoder,
    encode_frame,
    encode_header,
    only_payload,
)

ALL = 1_000


def cut(decoder: FrameDecoder, *chunks: bytes) -> list[bytes]:
    """All payloads that come out of `chunks`, taken as they come."""
    payloads: list[bytes] = []
    for chunk in chunks:
        decoder.receive(chunk)
        while got := decoder.take(ALL):
            payloads += got
    return payloads


def test_a_frame_is_its_length_in_network_order_and_the_payload() -> None:
    assert encode_frame(b"{}") == b"\x00\x00\x00\x02{}"
    assert encode_frame(b"x" * 0x0102)[:HEADER_SIZE] == b"\x00\x00\x01\x02"


def test_the_limits_are_those_of_the_contract() -> None:
    assert (HEADER_SIZE, GREETING_MAX_FRAME, DEFAULT_MAX_FRAME) == (4, 4_096, 65_536)


@pytest.mark.parametrize("size", [1, 4_096, 65_535, 65_536])
def test_every_size_in_bounds_may_be_sent_and_received(size: int) -> None:
    payload = b"x" * size
    assert cut(FrameDecoder(DEFAULT_MAX_FRAME), encode_frame(payload)) == [payload]


@pytest.mark.parametrize(("size", "limit"), [(0, 65_536), (65_537, 65_536), (4_097, 4_096), (3, 2)])
def test_what_is_out_of_bounds_is_not_sent(size: int, limit: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"^a frame of {size} bytes; 1 to {limit} may"):
        encode_frame(b"x" * size, limit)


@pytest.mark.parametrize("size", [0, 65_537, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_from_four_bytes(size: int) -> None:
    decoder = FrameDecoder(DEFAULT_MAX_FRAME)
    head = size.to_bytes(4, "big")
    decoder.receive(head[:3])
    assert (decoder.take(ALL), decoder.has_frame()) == ([], False)
    decoder.receive(head[3:])
    assert decoder.has_frame()
    with pytest.raises(RemoteProtocolError) as raised:
        decoder.take(ALL)
    assert raised.value.code == "frame_too_large"
    assert raised.value.message == (
        f"A frame of {size} bytes was announced; 1 to 65536 are allowed here. "
        "Send shorter frames, and check that your client speaks securechat/1."
    )


def test_before_welcome_4096_bytes_are_the_most() -> None:
    assert cut(FrameDecoder(), encode_frame(b"x" * 4_096)) == [b"x" * 4_096]
    with pytest.raises(RemoteProtocolError, match=r"of 4097 bytes .* 1 to 4096 are allowed"):
        cut(FrameDecoder(), encode_frame(b"x" * 4_097))


def test_the_limit_may_be_raised_between_two_frames() -> None:
    decoder = FrameDecoder()
    assert cut(decoder, encode_frame(b"hello")) == [b"hello"]
    decoder.max_frame = DEFAULT_MAX_FRAME
    assert cut(decoder, encode_frame(b"x" * 4_097)) == [b"x" * 4_097]


def test_frames_before_a_bad_length_are_given_first() -> None:
    decoder = FrameDecoder()
    decoder.receive(encode_frame(b"a") + encode_frame(b"b") + b"\0\0\0\0")
    assert decoder.take(ALL) == [b"a", b"b"]
    for _ in range(2):  # and the stream never recovers
        with pytest.raises(RemoteProtocolError):
            decoder.take(ALL)
        decoder.receive(encode_frame(b"c"))


def test_take_gives_no_more_than_asked_for_in_order() -> None:
    decoder = FrameDecoder()
    decoder.receive(b"".join(encode_frame(bytes([n])) for n in range(1, 6)))
    assert decoder.take(0) == []
    assert decoder.take(2) == [b"\1", b"\2"]
    assert decoder.take(2) == [b"\3", b"\4"]
    assert decoder.take(2) == [b"\5"]
    assert decoder.take(2) == []


def test_pending_and_has_frame_tell_what_is_there() -> None:
    decoder, frame = FrameDecoder(), encode_frame(b"abc")
    seen = []
    for at in range(len(frame)):
        seen.append((decoder.pending, decoder.has_frame(), decoder.take(ALL)))
        decoder.receive(frame[at : at + 1])
    assert seen == [(n, False, []) for n in range(len(frame))]
    assert (decoder.pending, decoder.has_frame()) == (7, True)
    decoder.receive(frame[:5])
    assert decoder.take(ALL) == [b"abc"]
    assert (decoder.pending, decoder.has_frame()) == (5, False)


def test_a_frame_of_one_byte_is_not_there_before_its_byte() -> None:
    decoder = FrameDecoder()
    decoder.receive(b"\0\0\0\1")
    assert not decoder.has_frame()
    decoder.receive(b"x")
    assert (decoder.has_frame(), decoder.take(ALL)) == (True, [b"x"])


def test_an_empty_chunk_changes_nothing() -> None:
    decoder = FrameDecoder()
    assert cut(decoder, b"", encode_frame(b"abc")[:5], b"", encode_frame(b"abc")[5:]) == [b"abc"]


def test_a_payload_may_be_any_bytes() -> None:
    payload = bytes(range(256)) + b"\0\0\0\1"
    assert cut(FrameDecoder(), encode_frame(payload) * 3) == [payload] * 3


@given(
    payloads=st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    cuts=st.lists(st.integers(min_value=0, max_value=400), max_size=12),
    limit=st.integers(min_value=1, max_value=4),
)
def test_how_the_stream_is_cut_means_nothing(
    payloads: list[bytes], cuts: list[int], limit: int
) -> None:
    stream = b"".join(map(encode_frame, payloads))
    ends = sorted({min(at, len(stream)) for at in cuts} | {len(stream)})
    decoder, got, start = FrameDecoder(), [], 0
    for end in ends:
        decoder.receive(stream[start:end])
        while some := decoder.take(limit):
            assert len(some) <= limit
            got += some
        start = end
    assert got == payloads
    assert decoder.pending == 0


@given(st.binary(max_size=60))
def test_random_bytes_give_payloads_or_one_refusal(data: bytes) -> None:
    whole, single = FrameDecoder(30), FrameDecoder(30)
    results = []
    for decoder, chunks in (
        (whole, [data]),
        (single, [data[n : n + 1] for n in range(len(data))]),
    ):
        got: list[bytes | str] = []
        try:
            for chunk in chunks:
                decoder.receive(chunk)
                while some := decoder.take(ALL):
                    got += some
        except RemoteProtocolError as error:
            got.append(error.code)
        results.append(got)
    assert results[0] == results[1]


@pytest.mark.parametrize("size", [1, 255, 256, 65_536])
def test_a_header_and_a_payload_are_a_frame(size: int) -> None:
    payload = b"x" * size
    assert encode_header(size) + payload == encode_frame(payload)
    assert only_payload(encode_frame(payload), size) == payload
    assert only_payload(encode_frame(payload), size - 1) is None
    assert only_payload(encode_frame(payload) + b"x", 2 * size) is None
    assert only_payload(encode_frame(payload)[:-1], size) is None


def test_what_is_shorter_than_a_header_is_no_frame() -> None:
    assert [only_payload(b"\0" * size, 100) for size in range(5)] == [None] * 5
