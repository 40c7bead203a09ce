"""One connection as a value machine: the same class for both ends, no socket, no clock.

In: bytes from the transport (`receive_data`), envelopes of ours (`send`). Out: envelopes of the
peer (`next_events`), bytes for the transport. A peer's broken rule comes out as a `Refusal`, in
its place among the envelopes; our own broken rule raises `LocalProtocolError`.

What both ends have agreed on so far is one word, `State`; `TRANSITIONS` is the whole of the rules.
It does not know which end we are, so neither end can hold the other to a rule of its own.

    GREETING ── hello ──▶ ANSWERING ── welcome ──▶ OPEN ── quit ──▶ LEAVING
        ▲                     │                     │                  │
        └──── refused ────────┘                 bye, fatal         bye, fatal
                                                    ▼                  ▼
                                                  CLOSED ◀─────────────┘

`bye` and `fatal` lead from every state to CLOSED, where one thing may still be said: the `fatal`
answer to the rule that the peer broke.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

from pydantic import BaseModel

from ..errors import LocalProtocolError, RemoteProtocolError
from .codec import FromClient, FromServer, Refusal, decode_client, decode_server, encode
from .envelopes import (
    Bye,
    Command,
    Draft,
    Error,
    Hello,
    Posted,
    Quit,
    System,
    UnknownEvent,
    Welcome,
)
from .framing import (
    DEFAULT_MAX_FRAME,
    GREETING_MAX_FRAME,
    FrameDecoder,
    encode_frame,
    only_payload,
)

#: So many times `bad_envelope`, one behind the other, end a connection.
MAX_BAD_IN_A_ROW: Final = 20


class Role(Enum):
    """Which end we are."""

    CLIENT = "client"
    SERVER = "server"


class State(Enum):
    """How far the two ends have come."""

    GREETING = "greeting"
    ANSWERING = "answering"
    OPEN = "open"
    LEAVING = "leaving"
    CLOSED = "closed"


class Signal(Enum):
    """What an envelope means to the state."""

    HELLO = "hello"
    SPEECH = "speech"
    QUIT = "quit"
    WELCOME = "welcome"
    REFUSED = "refused"
    EVENT = "event"
    UNKNOWN = "unknown"
    BYE = "bye"
    FATAL = "fatal"


TRANSITIONS: Final = MappingProxyType(
    {
        State.GREETING: {
            Signal.HELLO: State.ANSWERING,
            Signal.REFUSED: State.GREETING,
            Signal.UNKNOWN: State.GREETING,
            Signal.BYE: State.CLOSED,
            Signal.FATAL: State.CLOSED,
        },
        State.ANSWERING: {
            Signal.WELCOME: State.OPEN,
            Signal.REFUSED: State.GREETING,
            Signal.UNKNOWN: State.ANSWERING,
            Signal.BYE: State.CLOSED,
            Signal.FATAL: State.CLOSED,
        },
        State.OPEN: {
            Signal.SPEECH: State.OPEN,
            Signal.EVENT: State.OPEN,
            Signal.REFUSED: State.OPEN,
            Signal.UNKNOWN: State.OPEN,
            Signal.QUIT: State.LEAVING,
            Signal.BYE: State.CLOSED,
            Signal.FATAL: State.CLOSED,
        },
        State.LEAVING: {
            Signal.EVENT: State.LEAVING,
            Signal.REFUSED: State.LEAVING,
            Signal.UNKNOWN: State.LEAVING,
            Signal.BYE: State.CLOSED,
            Signal.FATAL: State.CLOSED,
        },
        State.CLOSED: {Signal.FATAL: State.CLOSED},
    }
)

_EARLY: Final = (State.GREETING, State.ANSWERING)
#: An attribute of an enum is looked up through its metaclass: three times as slow as a name.
_OPEN: Final = State.OPEN
_CLOSED: Final = State.CLOSED

#: Everything that is not named here is SPEECH of a client, or an EVENT of a server.
_SIGNALS: Final = MappingProxyType(
    {
        Hello: Signal.HELLO,
        Quit: Signal.QUIT,
        Welcome: Signal.WELCOME,
        UnknownEvent: Signal.UNKNOWN,
        Bye: Signal.BYE,
    }
)

#: What may move an open connection or not be said on it; all else needs no look at the table.
_MOVERS: Final[frozenset[type]] = frozenset({*_SIGNALS, Refusal, Error})

Event: TypeAlias = FromClient | FromServer
_DECODERS: Final[MappingProxyType[Role, Callable[[bytes], Event]]] = MappingProxyType(
    {Role.SERVER: decode_client, Role.CLIENT: decode_server}
)


def signal_of(envelope: object) -> Signal:
    """What `envelope` means to the state of a connection."""
    if isinstance(envelope, Error):
        return Signal.FATAL if envelope.fatal else Signal.REFUSED
    found = _SIGNALS.get(type(envelope))  # type: ignore[call-overload]
    if found is not None:
        return found  # type: ignore[no-any-return]
    return Signal.SPEECH if isinstance(envelope, Draft | Command) else Signal.EVENT


class Connection:
    """One end of one connection.

    After `receive_data` call `next_events` until it returns an empty list; what `send` returns
    must be written, in the order of the calls. `closed` says that nothing more will come out:
    write what there is, then close the transport. `receive_one` is a shorter way for what comes
    as one frame, as nearly everything does that a person says.
    """

    __slots__ = ("_bad_in_a_row", "_decode", "_frames", "max_frame", "role", "state")

    def __init__(self, role: Role, max_frame: int = DEFAULT_MAX_FRAME) -> None:
        self.role = role
        self.state = State.GREETING
        #: Largest payload once the connection is open, bytes.
        self.max_frame = max_frame
        #: Where bytes wait for the rest of their frame; most of the time there are none.
        self._frames: FrameDecoder | None = None
        self._decode = _DECODERS[role]
        self._bad_in_a_row = 0

    def __repr__(self) -> str:
        return f"<Connection {self.role.value} {self.state.value}>"

    @property
    def closed(self) -> bool:
        """Whether the conversation has ended, from whichever side."""
        return self.state is _CLOSED

    @property
    def frame_begun(self) -> bool:
        """Whether the stream stands inside a frame that has not arrived whole."""
        return self._frames is not None and not self._frames.has_frame()

    @property
    def pending(self) -> int:
        """Bytes received and not yet turned into events."""
        return self._frames.pending if self._frames is not None else 0

    @property
    def has_events(self) -> bool:
        """Whether `next_events` would give something now."""
        return self._frames is not None and not self._paused and self._frames.has_frame()

    @property
    def _paused(self) -> bool:
        """A server looks at nothing behind `hello` until it has answered, nor behind the end."""
        if self.role is Role.CLIENT:
            return self.state is _CLOSED
        return self.state not in (State.GREETING, _OPEN)

    def close(self) -> None:
        """The conversation is over: nothing more is read, whatever still comes."""
        self.state = _CLOSED

    # -------------------------------------------------------------- receive

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the transport; then call `next_events`."""
        if self.state is _CLOSED:
            return
        if self._frames is None:
            # A server's `welcome` may be as long as any later frame; only a client starts small.
            early = self.role is Role.SERVER and self.state in _EARLY
            self._frames = FrameDecoder(GREETING_MAX_FRAME if early else self.max_frame)
        self._frames.receive(data)

    def receive_one(self, data: bytes) -> Event | None:
        """Take bytes that are one frame and nothing else, on an open connection: its envelope.

        None: `data` is something else and was not looked at; go the long way, by `receive_data`.
        """
        if self.state is not _OPEN or self._frames is not None:
            return None
        payload = only_payload(data, self.max_frame)
        if payload is None:
            return None
        event = self._decode(payload)
        if type(event) in _MOVERS:
            return self._check(event)
        self._bad_in_a_row = 0
        return event

    def next_events(self, limit: int = 64) -> Sequence[Event]:
        """At most `limit` envelopes of the peer, in order; empty: feed me, or answer first.

        A `Refusal` stands in the place of what could not be understood. Answer it with `Error`;
        behind one that is `fatal` nothing follows.
        """
        if self.state is not _OPEN:
            return () if self._paused else self._take_one()
        try:
            payloads = self._take(limit)
        except RemoteProtocolError as error:
            return (self._fail(error.code, error.message),)
        decode = self._decode
        events: list[Event] = []
        for payload in payloads:
            event = decode(payload)
            if type(event) in _MOVERS:
                events.append(self._check(event))
                if self.state is not _OPEN:
                    break
            else:
                self._bad_in_a_row = 0
                events.append(event)
        return events

    def _take_one(self) -> Sequence[Event]:
        """One envelope at a time where each may change what comes next."""
        try:
            payloads = self._take(1)
        except RemoteProtocolError as error:
            return (self._fail(error.code, error.message),)
        return [self._check(self._decode(payload)) for payload in payloads]

    def _take(self, limit: int) -> Sequence[bytes]:
        frames = self._frames
        if frames is None:
            return ()
        payloads = frames.take(limit)
        if not frames.pending:
            self._frames = None
        return payloads

    def _check(self, event: Event) -> Event:
        """Hold `event` against the table and move the state."""
        if isinstance(event, Refusal):
            return self._check_refusal(event)
        self._bad_in_a_row = 0
        after = TRANSITIONS[self.state].get(signal_of(event))
        if after is not None:
            self.state = after
            if isinstance(event, Welcome):
                self._set_max_frame(event.limits.max_frame)
            return event
        if self.role is Role.CLIENT:
            return self._fail("bad_envelope", "The server answered out of turn.")
        re = event.id if isinstance(event, Draft | Command) else None
        if isinstance(event, Hello):
            message = "You have said hello already; to go by another nick send `nick`."
            return Refusal("hello_twice", message, re)
        return self._fail_greeting(re)

    def _check_refusal(self, refusal: Refusal) -> Refusal:
        if self.state is State.GREETING and not refusal.fatal and refusal.name != "hello":
            return self._fail_greeting(refusal.re)
        self._bad_in_a_row = self._bad_in_a_row + 1 if refusal.code == "bad_envelope" else 0
        if refusal.fatal or self._bad_in_a_row >= MAX_BAD_IN_A_ROW:
            self.state = _CLOSED
            return refusal._replace(fatal=True)
        return refusal

    def _fail_greeting(self, re: str | None) -> Refusal:
        return self._fail("hello_first", "Say `hello` before anything else.", re)

    def _fail(self, code: str, message: str, re: str | None = None) -> Refusal:
        self.state = _CLOSED
        return Refusal(code, message, re, fatal=True)

    # -------------------------------------------------------------- send

    def send(self, envelope: BaseModel) -> bytes:
        """The frame that says `envelope`; the state moves as if it had arrived.

        Raises `LocalProtocolError` when it may not be said now or is too long to be one frame.
        """
        ours = isinstance(envelope, Draft | Command)
        if ours is (self.role is Role.SERVER) or not isinstance(
            envelope, Draft | Command | Posted | System
        ):
            raise LocalProtocolError(f"a {self.role.value} never says {type(envelope).__name__}")
        greets = ours and self.state is State.GREETING
        frame = encode_frame(encode(envelope), GREETING_MAX_FRAME if greets else self.max_frame)
        self.note_sent(signal_of(envelope))
        return frame

    def note_sent(self, signal: Signal) -> None:
        """Move the state for an envelope of ours that was encoded elsewhere.

        Raises `LocalProtocolError` when it may not be said now.
        """
        after = TRANSITIONS[self.state].get(signal)
        if after is None:
            raise LocalProtocolError(f"{signal.value} may not be sent while {self.state.value}")
        self.state = after
        if signal is Signal.WELCOME:
            self._set_max_frame(self.max_frame)

    def _set_max_frame(self, size: int) -> None:
        self.max_frame = size
        if self._frames is not None:
            self._frames.max_frame = size
