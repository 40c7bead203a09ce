"""One connection as values: the state table, the order of things, and two ends back to back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from securechat.errors import LocalProtocolError
from securechat.protocol.codec import Refusal, encode
from securechat.protocol.connection import (
    MAX_BAD_IN_A_ROW,
    TRANSITIONS,
    Connection,
    Event,
    Role,
    Signal,
    State,
    signal_of,
)
from securechat.protocol.envelopes import (
    COMMANDS,
    EVENTS,
    FATAL_CODES,
    Bye,
    Draft,
    Error,
    Hello,
    Joined,
    Limits,
    Member,
    Members,
    Notice,
    Ping,
    Pong,
    Posted,
    Quit,
    ServerPing,
    UnknownEvent,
    Welcome,
)
from securechat.protocol.framing import DEFAULT_MAX_FRAME, encode_frame

TS = "2026-01-31T12:00:00.123456Z"
HELLO = Hello(id="h", protocol=1, nick="bob")
DRAFT = Draft(id="d", to="#a", text="hi")
PING, QUIT = Ping(id="p"), Quit(id="q")
POSTED = Posted(id="d", to="#a", sender="bob", seq=1, ts=TS, text="hi")
NOTICE, BYE = Notice(text="tea"), Bye(reason="quit")
LATER = UnknownEvent(event="reacted", re="p")
POLITE, FATAL = Error(code="bad_text", message="m"), Error(code="timeout", message="m", fatal=True)
MEND = "`type` must be `chat` or `command`. Mend the envelope and send it again."
BAD = Refusal("bad_envelope", MEND)


def welcome(max_frame: int = DEFAULT_MAX_FRAME) -> Welcome:
    limits = Limits(
        max_frame=max_frame, max_text=4_000, rate=20, burst=100, presence=500, idle_timeout=90
    )
    return Welcome(protocol=1, server="s", version="1", nick="bob", epoch="e", limits=limits)


WELCOME = welcome()


def drain(connection: Connection, limit: int = 64) -> list[Event]:
    events: list[Event] = []
    while some := connection.next_events(limit):
        assert len(some) <= limit
        events += some
    return events


def said(*payloads: bytes) -> bytes:
    return b"".join(map(encode_frame, payloads))


class ConnectionPair:
    """A client and a server wired back to back."""

    def __init__(self) -> None:
        self.ends = {role: Connection(role) for role in Role}

    @property
    def client(self) -> Connection:
        return self.ends[Role.CLIENT]

    @property
    def server(self) -> Connection:
        return self.ends[Role.SERVER]

    @property
    def states(self) -> tuple[State, State]:
        return self.client.state, self.server.state

    def send(self, role: Role, *envelopes: BaseModel) -> None:
        """`role` says `envelopes`, and the other end must hear just them."""
        data = b"".join(self.ends[role].send(envelope) for envelope in envelopes)
        [other] = self.ends.keys() - {role}
        self.ends[other].receive_data(data)
        assert drain(self.ends[other]) == list(envelopes)

    def open(self) -> ConnectionPair:
        self.send(Role.CLIENT, HELLO)
        self.send(Role.SERVER, WELCOME)
        return self


def opened(role: Role) -> Connection:
    return ConnectionPair().open().ends[role]


# ------------------------------------------------------------------ the table

#: Where each signal leads, by the letter of the state; a dot: it may not come there.
TABLE = """
             greeting  answering  open      leaving   closed
    hello    answering .          .         .         .
    speech   .         .          open      .         .
    quit     .         .          leaving   .         .
    welcome  .         open       .         .         .
    refused  greeting  greeting   open      leaving   .
    event    .         .          open      leaving   .
    unknown  greeting  answering  open      leaving   .
    bye      closed    closed     closed    closed    .
    fatal    closed    closed     closed    closed    closed
"""
STATES, *LINES = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (State(state), Signal(signal), None if after == "." else State(after))
    for signal, *afters in LINES
    for state, after in zip(STATES, afters, strict=True)
]
BY_CLIENT = {Signal.HELLO: HELLO, Signal.SPEECH: DRAFT, Signal.QUIT: QUIT}
BY_SERVER = {
    Signal.WELCOME: WELCOME,
    Signal.REFUSED: POLITE,
    Signal.EVENT: NOTICE,
    Signal.UNKNOWN: LATER,
    Signal.BYE: BYE,
    Signal.FATAL: FATAL,
}
ENVELOPES: dict[Signal, BaseModel] = {**BY_CLIENT, **BY_SERVER}


def end_in(role: Role, state: State) -> Connection:
    """An end that stands in `state`, brought there by what both said."""
    pair = ConnectionPair()
    if state is not State.GREETING:
        pair.send(Role.CLIENT, HELLO)
    if state not in (State.GREETING, State.ANSWERING):
        pair.send(Role.SERVER, WELCOME)
    if state is State.LEAVING:
        pair.send(Role.CLIENT, QUIT)
    if state is State.CLOSED:
        pair.send(Role.SERVER, BYE)
    assert pair.states == (state, state)
    return pair.ends[role]


def test_the_table_is_whole() -> None:
    assert {(state, signal) for state, signal, _ in CELLS} == {
        (state, signal) for state in State for signal in Signal
    }


@pytest.mark.parametrize(("state", "signal", "after"), CELLS)
def test_the_table_in_the_code(state: State, signal: Signal, after: State | None) -> None:
    assert TRANSITIONS[state].get(signal) is after


@pytest.mark.parametrize(("state", "signal", "after"), CELLS)
def test_what_may_be_said(state: State, signal: Signal, after: State | None) -> None:
    connection = end_in(Role.CLIENT if signal in BY_CLIENT else Role.SERVER, state)
    if after is None:
        message = f"^{signal.value} may not be sent while {state.value}$"
        with pytest.raises(LocalProtocolError, match=message):
            connection.send(ENVELOPES[signal])
        assert connection.state is state
    else:
        assert connection.send(ENVELOPES[signal]) == encode_frame(encode(ENVELOPES[signal]))
        assert connection.state is after


@pytest.mark.parametrize(("state", "signal", "after"), CELLS)
def test_what_may_be_heard(state: State, signal: Signal, after: State | None) -> None:
    envelope = ENVELOPES[signal]
    connection = end_in(Role.SERVER if signal in BY_CLIENT else Role.CLIENT, state)
    connection.receive_data(encode_frame(encode(envelope)))
    events = drain(connection)
    paused = signal in BY_CLIENT and state in (State.ANSWERING, State.LEAVING)
    if state is State.CLOSED or paused:  # nothing is looked at
        assert (events, connection.state) == ([], state)
    elif after is not None:
        assert (events, connection.state) == ([envelope], after)
    elif (signal, state) == (Signal.HELLO, State.OPEN):
        [twice] = events
        assert isinstance(twice, Refusal)
        assert (twice.code, twice.re, twice.fatal) == ("hello_twice", "h", False)
        assert connection.state is State.OPEN
    else:
        [refusal] = events
        assert isinstance(refusal, Refusal)
        code = "hello_first" if signal in BY_CLIENT else "bad_envelope"
        assert (refusal.code, refusal.fatal) == (code, True)
        assert connection.closed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_signal_of_each_command(name: str) -> None:
    signal = {"hello": Signal.HELLO, "quit": Signal.QUIT}.get(name, Signal.SPEECH)
    assert signal_of(COMMANDS[name].model_construct()) is signal


@pytest.mark.parametrize("event", sorted(EVENTS.keys() - {"error"}))
def test_the_signal_of_each_event(event: str) -> None:
    signal = {"welcome": Signal.WELCOME, "bye": Signal.BYE}.get(event, Signal.EVENT)
    assert signal_of(EVENTS[event].model_construct()) is signal


def test_the_signal_of_all_else() -> None:
    assert [signal_of(it) for it in (DRAFT, POSTED, POLITE, FATAL, LATER)] == [
        Signal.SPEECH,
        Signal.EVENT,
        Signal.REFUSED,
        Signal.FATAL,
        Signal.UNKNOWN,
    ]


# ------------------------------------------------------------------ two ends


def test_a_whole_conversation() -> None:
    pair = ConnectionPair()
    assert pair.states == (State.GREETING, State.GREETING)
    pair.send(Role.CLIENT, HELLO)
    assert pair.states == (State.ANSWERING, State.ANSWERING)
    pair.send(Role.SERVER, Error(re="h", code="nick_taken", message="m"))
    assert pair.states == (State.GREETING, State.GREETING)
    pair.send(Role.CLIENT, HELLO)
    pair.send(Role.SERVER, WELCOME)
    pair.send(Role.CLIENT, DRAFT, PING)
    pair.send(Role.SERVER, POSTED, ServerPing(token="k"), POLITE)
    pair.send(Role.CLIENT, Pong(id="1", token="k"))
    assert pair.states == (State.OPEN, State.OPEN)
    pair.send(Role.CLIENT, DRAFT, QUIT)
    assert pair.states == (State.LEAVING, State.LEAVING)
    pair.send(Role.SERVER, POSTED, BYE)
    assert pair.states == (State.CLOSED, State.CLOSED)
    assert (pair.client.closed, pair.server.closed) == (True, True)


def test_an_end_tells_what_it_is() -> None:
    assert repr(Connection(Role.CLIENT)) == "<Connection client greeting>"
    assert repr(opened(Role.SERVER)) == "<Connection server open>"


@pytest.mark.parametrize("role", Role)
def test_an_end_says_nothing_that_is_the_others(role: Role) -> None:
    connection = opened(role)
    theirs = (DRAFT, PING) if role is Role.SERVER else (POSTED, NOTICE)
    nobodys = (Member(nick="bob"), WELCOME.limits)
    for envelope in (*theirs, *nobodys):
        name = type(envelope).__name__
        with pytest.raises(LocalProtocolError, match=f"^a {role.value} never says {name}$"):
            connection.send(envelope)


def test_a_frame_that_is_too_long_is_not_said_and_moves_nothing() -> None:
    client = Connection(Role.CLIENT)
    with pytest.raises(LocalProtocolError, match="1 to 4096 may be sent"):
        client.send(Hello(id="h", protocol=1, nick="x" * 4_096))
    assert client.state is State.GREETING
    pair = ConnectionPair()
    pair.send(Role.CLIENT, HELLO)
    with pytest.raises(LocalProtocolError, match="1 to 65536 may be sent"):
        pair.server.send(WELCOME.model_copy(update={"motd": "x" * 65_536}))
    assert pair.server.state is State.ANSWERING


def test_a_welcome_may_be_longer_than_a_hello() -> None:
    pair = ConnectionPair()
    pair.send(Role.CLIENT, HELLO)
    pair.send(Role.SERVER, WELCOME.model_copy(update={"motd": "x" * 10_000}))
    assert pair.states == (State.OPEN, State.OPEN)


def test_the_frames_may_be_as_long_as_welcome_says() -> None:
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER, max_frame=100_000)
    server.receive_data(client.send(HELLO))
    drain(server)
    client.receive_data(server.send(welcome(max_frame=100_000)))
    drain(client)
    assert (client.max_frame, server.max_frame) == (100_000, 100_000)
    long = Draft(id="1", to="#a", text="x" * 90_000)
    server.receive_data(client.send(long))
    assert drain(server) == [long]
    client.receive_data(server.send(Notice(text="x" * 90_000)))
    assert drain(client) == [Notice(text="x" * 90_000)]


def test_what_was_encoded_elsewhere_is_noted() -> None:
    pair = ConnectionPair()
    pair.send(Role.CLIENT, HELLO)
    pair.server.note_sent(Signal.WELCOME)
    long = Draft(id="1", to="#a", text="x" * 5_000)
    pair.server.receive_data(encode_frame(encode(long)))
    assert drain(pair.server) == [long]
    with pytest.raises(LocalProtocolError, match=r"^welcome may not be sent while open$"):
        pair.server.note_sent(Signal.WELCOME)


def test_an_end_that_is_closed_reads_no_more() -> None:
    for role in Role:
        connection = opened(role)
        connection.receive_data(encode_frame(encode(PING if role is Role.SERVER else NOTICE)))
        assert connection.has_events
        connection.close()
        connection.receive_data(b"more")
        assert (connection.closed, connection.has_events, drain(connection)) == (True, False, [])


# ------------------------------------------------------------------ a server reads


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


# ------------------------------------------------------------------ a client reads


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


# ------------------------------------------------------------------ whatever is sent

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


# The short way...


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
