"""Two ends of a connection, wired back to back, and what they say."""

from __future__ import annotations

from pydantic import BaseModel

from securechat.protocol.codec import Refusal
from securechat.protocol.connection import (
    Connection,
    Event,
    Role,
    State,
)
from securechat.protocol.envelopes import (
    Bye,
    Draft,
    Error,
    Hello,
    Limits,
    Notice,
    Ping,
    Posted,
    Quit,
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
