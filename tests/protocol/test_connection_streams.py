"""Whatever is sent, and however it is cut: an end hears the same, or a broken rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from securechat.protocol.codec import Refusal, encode
from securechat.protocol.connection import (
    MAX_BAD_IN_A_ROW,
    Connection,
    Event,
    Role,
    State,
)
from securechat.protocol.envelopes import (
    Hello,
)
from securechat.protocol.framing import encode_frame

from .ends import (
    BYE,
    DRAFT,
    FATAL,
    HELLO,
    LATER,
    NOTICE,
    PING,
    POLITE,
    POSTED,
    QUIT,
    WELCOME,
    drain,
    end_in,
    opened,
    said,
)

FROM_CLIENT = [encode(it) for it in (HELLO, DRAFT, PING, QUIT)]
FROM_CLIENT += [b"{}", b"[]", b'{"type":"command","name":"hello"}', b'{"id":NaN}', b"\xff"]
FROM_SERVER = [encode(it) for it in (WELCOME, POSTED, NOTICE, LATER, POLITE, FATAL, BYE)]
FROM_SERVER += [b"{}", b"[]", b'{"type":"system","event":"pong","x":NaN}', b"\xff"]
CUTS = st.lists(st.integers(min_value=0, max_value=600), max_size=10)


def streams(payloads: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Frames one behind the other, some of them with a few bytes changed, and mere bytes."""
    frame = st.sampled_from(payloads).map(encode_frame)
    changed = st.builds(
        lambda good, at, new: good[: at % len(good)] + new + good[at % len(good) + 1 :],
        frame,
        st.integers(min_value=0),
        st.binary(max_size=2),
    )
    return st.lists(frame | frame | changed | st.binary(max_size=6), max_size=12).map(b"".join)


def heard(connection: Connection, stream: bytes, cuts: list[int], limit: int) -> list[Any]:
    """All that an end makes of `stream`; a server answers each hello with `welcome`."""
    ends = sorted({min(at, len(stream)) for at in cuts} | {len(stream)})
    events: list[Any] = []
    start = 0
    for end in ends:
        connection.receive_data(stream[start:end])
        start = end
        while some := connection.next_events(limit):
            events += some
            if isinstance(some[-1], Hello):
                connection.send(WELCOME)
    return events


def check_all(role: Role, state: State, stream: bytes, cuts: list[int], limit: int) -> None:
    whole = end_in(role, state)
    events = heard(whole, stream, [], 64)
    cut = end_in(role, state)
    assert heard(cut, stream, cuts, limit) == events
    assert cut.state is whole.state
    assert all(isinstance(event, BaseModel | Refusal) for event in events)
    fatal = [isinstance(event, Refusal) and event.fatal for event in events]
    assert not any(fatal[:-1])
    if fatal and fatal[-1]:
        assert whole.closed


@given(streams(FROM_CLIENT), CUTS, st.integers(min_value=1, max_value=3))
@example(said(FROM_CLIENT[0], FROM_CLIENT[1]), [3, 40, 41], 1)
def test_a_server_hears_the_same_however_it_is_cut(
    stream: bytes, cuts: list[int], limit: int
) -> None:
    for state in (State.GREETING, State.OPEN):
        check_all(Role.SERVER, state, stream, cuts, limit)


@given(streams(FROM_SERVER), CUTS, st.integers(min_value=1, max_value=3))
def test_a_client_hears_the_same_however_it_is_cut(
    stream: bytes, cuts: list[int], limit: int
) -> None:
    for state in (State.ANSWERING, State.OPEN, State.LEAVING):
        check_all(Role.CLIENT, state, stream, cuts, limit)


@given(st.binary(max_size=80))
def test_random_bytes_never_raise(data: bytes) -> None:
    for role in Role:
        check_all(role, State.OPEN, data, list(range(len(data))), 1)
        framed = data[:60] and said(data[:60])
        check_all(role, State.OPEN, framed, [1, 5], 1)


def take(connection: Connection, data: bytes) -> list[Event]:
    """What comes of `data`, by the short way where it can be gone."""
    event = connection.receive_one(data)
    if event is not None:
        return [event]
    connection.receive_data(data)
    return drain(connection)


@given(
    st.lists(
        st.sampled_from(
            [
                said(encode(DRAFT)),
                said(encode(PING)),
                said(encode(QUIT)),
                said(encode(HELLO)),
                said(b'{"type":"chat"}'),
                said(b"{"),
                said(b'{"type":"chat","id":"NaN","to":"#a","text":"I"}'),
                said(encode(DRAFT), encode(PING)),
                said(encode(DRAFT))[:-1],
                b"}",
                b"\0\0",
                b"\xff\xff\xff\xff",
            ]
        ),
        max_size=30,
    )
)
def test_both_ways_come_to_the_same(chunks: list[bytes]) -> None:
    short, long = opened(Role.SERVER), opened(Role.SERVER)
    for chunk in chunks:
        long.receive_data(chunk)
        assert take(short, chunk) == drain(long)
        assert (short.state, short.pending) == (long.state, long.pending)


def test_the_short_way_is_for_an_open_connection_with_nothing_left_over() -> None:
    server = Connection(Role.SERVER)
    assert server.receive_one(said(encode(HELLO))) is None
    server = opened(Role.SERVER)
    server.receive_data(said(encode(DRAFT))[:5])
    assert server.receive_one(said(encode(DRAFT))) is None
    assert opened(Role.SERVER).receive_one(said(encode(DRAFT))) == DRAFT


def test_bad_envelopes_in_a_row_are_counted_on_the_short_way_too() -> None:
    server = opened(Role.SERVER)
    bad = said(b'{"type":"chat"}')
    for _ in range(MAX_BAD_IN_A_ROW - 1):
        refusal = server.receive_one(bad)
        assert isinstance(refusal, Refusal)
        assert not refusal.fatal
    assert server.receive_one(said(encode(DRAFT))) == DRAFT
    last = [server.receive_one(bad) for _ in range(MAX_BAD_IN_A_ROW)][-1]
    assert isinstance(last, Refusal)
    assert last.fatal
    assert server.closed
