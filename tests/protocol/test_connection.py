"""One connection as values: the state table, the order of things, and two ends back to back."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from securechat.errors import LocalProtocolError
from securechat.protocol.codec import Refusal, encode
from securechat.protocol.connection import (
    TRANSITIONS,
    Connection,
    Role,
    Signal,
    State,
    signal_of,
)
from securechat.protocol.envelopes import (
    COMMANDS,
    EVENTS,
    Draft,
    Error,
    Hello,
    Member,
    Notice,
    Pong,
    ServerPing,
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
    ConnectionPair,
    drain,
    end_in,
    opened,
    welcome,
)

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
