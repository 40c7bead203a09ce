"""What an end reads: in its place, up to what ends it, and no further."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from securechat.errors import LocalProtocolError
from securechat.protocol.codec import Refusal, encode
from securechat.protocol.connection import (
    MAX_BAD_IN_A_ROW,
    Connection,
    Role,
    State,
)
from securechat.protocol.envelopes import (
    FATAL_CODES,
    Draft,
    Error,
    Joined,
    Members,
    Notice,
)

from .ends import (
    BAD,
    BYE,
    DRAFT,
    HELLO,
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


def test_before_welcome_a_frame_is_4096_bytes_at_most() -> None:
    server = Connection(Role.SERVER)
    server.receive_data((4_097).to_bytes(4, "big"))
    assert server.has_events
    [refusal] = drain(server)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fatal, server.closed) == ("frame_too_large", True, True)
    assert "1 to 4096 are allowed" in refusal.message


@pytest.mark.parametrize("size", [0, 65_537, 2**31, 2**32 - 1])
@pytest.mark.parametrize("role", Role)
def test_a_length_out_of_bounds_is_the_last_thing_read(role: Role, size: int) -> None:
    connection = opened(role)
    good = PING if role is Role.SERVER else NOTICE
    connection.receive_data(said(encode(good)) + size.to_bytes(4, "big") + said(encode(good)))
    *before, refusal = drain(connection)
    assert before == [good]
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fatal, refusal.re) == ("frame_too_large", True, None)
    assert connection.closed


def test_what_breaks_the_protocol_can_still_be_answered() -> None:
    server = Connection(Role.SERVER)
    server.receive_data(said(encode(PING)))
    [refusal] = drain(server)
    assert isinstance(refusal, Refusal)
    answer = Error(re=refusal.re, code=refusal.code, message=refusal.message, fatal=True)
    client = end_in(Role.CLIENT, State.ANSWERING)
    client.receive_data(server.send(answer))
    assert (drain(client), client.closed, answer.code in FATAL_CODES) == ([answer], True, True)
    with pytest.raises(LocalProtocolError, match=r"^event may not be sent while closed$"):
        server.send(NOTICE)


@pytest.mark.parametrize(
    ("payload", "re"),
    [
        (encode(DRAFT), "d"),
        (encode(QUIT), "q"),
        (b"{}", None),
        (b'{"type":"chat","id":"7"}', "7"),
        (b'{"type":"command","id":"7","name":"dance"}', "7"),
    ],
)
def test_hello_comes_first(payload: bytes, re: str | None) -> None:
    server = Connection(Role.SERVER)
    server.receive_data(said(payload, encode(HELLO)))
    assert drain(server) == [Refusal("hello_first", "Say `hello` before anything else.", re, True)]
    assert server.closed


def test_a_hello_with_a_fault_may_be_said_again() -> None:
    server = Connection(Role.SERVER)
    no_nick = b'{"type":"command","id":"7","name":"hello","protocol":1}'
    server.receive_data(said(no_nick, encode(HELLO)))
    refusal, hello = drain(server)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.re, refusal.fatal) == ("bad_envelope", "7", False)
    assert (hello, server.state) == (HELLO, State.ANSWERING)


def test_hello_twice_is_refused_and_life_goes_on() -> None:
    server = opened(Role.SERVER)
    server.receive_data(said(encode(HELLO), encode(DRAFT)))
    message = "You have said hello already; to go by another nick send `nick`."
    assert drain(server) == [Refusal("hello_twice", message, "h"), DRAFT]


@pytest.mark.parametrize("answer", [WELCOME, POLITE])
def test_nothing_behind_hello_is_looked_at_before_it_is_answered(answer: BaseModel) -> None:
    server = Connection(Role.SERVER)
    server.receive_data(said(encode(HELLO), b"not JSON, and longer than a greeting".ljust(5_000)))
    assert drain(server) == [HELLO]
    assert (server.has_events, server.pending, server.frame_begun) == (False, 5_004, False)
    server.send(answer)
    assert server.has_events
    [refusal] = drain(server)
    assert isinstance(refusal, Refusal)
    assert refusal.code == ("bad_json" if answer is WELCOME else "frame_too_large")


def test_behind_quit_nothing_is_looked_at() -> None:
    server = opened(Role.SERVER)
    server.receive_data(said(encode(DRAFT), encode(QUIT), b"not JSON", encode(DRAFT)))
    assert drain(server) == [DRAFT, QUIT]
    server.receive_data(b"\0\0\0\0")
    assert (server.next_events(), server.has_events, server.state) == ((), False, State.LEAVING)
    assert server.send(BYE)


def test_behind_what_is_fatal_nothing_is_looked_at() -> None:
    server = opened(Role.SERVER)
    server.receive_data(said(encode(DRAFT), b"not JSON", encode(DRAFT), b"not JSON"))
    assert [type(event) for event in drain(server)] == [Draft, Refusal]
    server.receive_data(said(encode(DRAFT)))
    assert (server.next_events(), server.closed) == ((), True)


def test_twenty_bad_envelopes_in_a_row_are_fatal() -> None:
    server = opened(Role.SERVER)
    server.receive_data(said(*[b"{}"] * MAX_BAD_IN_A_ROW, encode(DRAFT)))
    events = drain(server, limit=7)
    assert (len(events), MAX_BAD_IN_A_ROW) == (20, 20)
    assert events == [BAD] * 19 + [BAD._replace(fatal=True)]
    assert server.closed


@pytest.mark.parametrize(
    "good", [encode(DRAFT), encode(PING), encode(HELLO), b'{"type":"command","name":"dance"}']
)
def test_anything_but_a_bad_envelope_ends_the_row(good: bytes) -> None:
    server = opened(Role.SERVER)
    for _ in range(3):
        server.receive_data(said(*[b"{}"] * 19, good))
        assert drain(server)[:19] == [BAD] * 19
    assert server.state is State.OPEN


def test_unknown_commands_end_nothing_however_many() -> None:
    server = opened(Role.SERVER)
    server.receive_data(said(*[b'{"type":"command","id":"1","name":"dance"}'] * 50))
    assert {(event.code, event.fatal) for event in drain(server) if isinstance(event, Refusal)} == {
        ("unknown_command", False)
    }
    assert server.state is State.OPEN


def test_a_hello_that_is_none_twenty_times_is_fatal() -> None:
    server = Connection(Role.SERVER)
    server.receive_data(said(*[b'{"type":"command","name":"hello"}'] * 20))
    fatal = [event.fatal for event in drain(server) if isinstance(event, Refusal)]
    assert fatal == [False] * 19 + [True]
    assert server.closed


def test_how_many_at_once_is_for_the_caller_to_say() -> None:
    server = opened(Role.SERVER)
    server.receive_data(said(*[encode(PING)] * 5))
    assert [len(server.next_events(2)) for _ in range(4)] == [2, 2, 1, 0]
    server.receive_data(said(*[encode(PING)] * 65))
    assert [len(server.next_events()) for _ in range(3)] == [64, 1, 0]


def test_a_frame_begun_is_told_from_none_and_from_a_whole_one() -> None:
    server, frame = opened(Role.SERVER), said(encode(PING))
    seen = []
    for byte in frame:
        seen.append((server.frame_begun, server.has_events))
        server.receive_data(bytes([byte]))
    assert seen == [(False, False)] + [(True, False)] * (len(frame) - 1)
    assert (server.frame_begun, server.has_events, server.pending) == (False, True, len(frame))
    assert drain(server) == [PING]
    assert (server.frame_begun, server.has_events, server.pending) == (False, False, 0)


@pytest.mark.parametrize(
    "payload", [b"{}", b"hello", encode(PING), b'{"type":"system","event":"bye"}']
)
def test_a_server_that_breaks_the_protocol_ends_it(payload: bytes) -> None:
    client = opened(Role.CLIENT)
    client.receive_data(said(encode(NOTICE), payload, encode(NOTICE)))
    notice, refusal = drain(client)
    assert notice == NOTICE
    assert isinstance(refusal, Refusal)
    assert (refusal.fatal, client.closed) == (True, True)


@pytest.mark.parametrize("state", [State.GREETING, State.ANSWERING])
@pytest.mark.parametrize(
    "early", [POSTED, NOTICE, Joined(room="#a", nick="b"), Members(members=())]
)
def test_a_server_that_talks_before_welcome_ends_it(state: State, early: BaseModel) -> None:
    client = end_in(Role.CLIENT, state)
    client.receive_data(said(encode(early)))
    assert drain(client) == [
        Refusal("bad_envelope", "The server answered out of turn.", None, True)
    ]


def test_a_client_reads_a_whole_flood_in_order() -> None:
    client = opened(Role.CLIENT)
    flood = [Notice(text=str(n)) for n in range(200)]
    client.receive_data(said(*map(encode, flood)))
    assert drain(client) == flood
