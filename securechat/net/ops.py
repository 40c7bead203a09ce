"""What an io thread is told to do, as values, by the hub, the acceptor, the readers
and, when the certificate changes, the main thread.

An io thread carries out its operations in the order in which they were posted. Operations for a
connection that has ended are ignored: numbers of connections are never reused.
"""

from __future__ import annotations

import socket
import ssl
from typing import NamedTuple, TypeAlias

from ..protocol.connection import Signal


class Adopt(NamedTuple):
    """A freshly accepted socket; the handshake is still to come.

    `surplus`: it is only to be told that its address has too many already. `crowd`: the address
    whose tokens it shares, if there are so many of it.
    """

    number: int
    sock: socket.socket
    peer: str
    surplus: bool = False
    crowd: str = ""


class Evict(NamedTuple):
    """Close a connection, unless it has been welcomed meanwhile: others want its place."""

    number: int


class Answered(NamedTuple):
    """All that was posted before this answers the next `batches` of what the thread told."""

    batches: int


class Chunk(NamedTuple):
    """Messages `first` to `last` of a conversation, for everyone who stands at its head."""

    conversation: str
    pieces: tuple[bytes, ...]  #: each short enough for one TLS record
    size: int
    first: int
    last: int


class Notice(NamedTuple):
    """Something that is said to those at the head, but `skip`, and never again."""

    conversation: str
    data: bytes
    skip: int = 0


class NoticeTo(NamedTuple):
    """The same to some connections, whatever they are subscribed to."""

    numbers: tuple[int, ...]
    data: bytes


class Deliver(NamedTuple):
    """Frames for one connection. `cost`: tokens to charge; `signal`: what they mean to its state.

    With `fence` they wait until none of its subscriptions is behind.
    """

    number: int
    data: bytes
    signal: Signal | None = None
    cost: int = 0
    fence: bool = False


class Subscribe(NamedTuple):
    """From here on the conversation, beginning behind `after`; `head` is its last message now."""

    number: int
    conversation: str
    address: str  #: the conversation as this connection's client names it
    after: int
    head: int


class Unsubscribe(NamedTuple):
    """No more of the conversation."""

    number: int
    conversation: str


class Scrub(NamedTuple):
    """What is kept of the conversation for those behind is out of date: feed them by pages."""

    conversation: str


class PageRead(NamedTuple):
    """What a reader found for a subscription that is behind: complete up to `last`.

    `generation` is that of the wish: a subscription that began anew since then has another one.
    """

    number: int
    conversation: str
    generation: int
    pieces: tuple[bytes, ...]
    last: int


class Finish(NamedTuple):
    """Send `data` as the last thing, then close."""

    number: int
    data: bytes


class UseContext(NamedTuple):
    """New connections get this context; those that are there keep what they have."""

    context: ssl.SSLContext


class Stop(NamedTuple):
    """Close what is open and end the thread, at the latest at `deadline` (monotonic seconds)."""

    deadline: float


Op: TypeAlias = (
    Adopt
    | Evict
    | Answered
    | Chunk
    | Notice
    | NoticeTo
    | Deliver
    | Subscribe
    | Unsubscribe
    | Scrub
    | PageRead
    | Finish
    | UseContext
    | Stop
)


class PageWanted(NamedTuple):
    """What an io thread asks of the readers: messages behind `after`, up to `upto`."""

    number: int
    conversation: str
    generation: int
    address: str
    after: int
    upto: int
