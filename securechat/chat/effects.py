"""What the hub decides, as values; the server carries them out in the order of the list.

Connections are numbers, conversations are the keys of `securechat.records`. Two kinds: those that
carry a `record` are stored first, all of a batch in one transaction, and the hub is then told the
outcome (`Hub.settle`); the others are carried out as they are, in their place among the rest.
Of these the jobs of `securechat.proofs`, and `Reply`, go to nobody's connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from ..phrases import Query
from ..proofs import Derive, Verify
from ..protocol.envelopes import History, Removed, System, Welcome
from ..records import (
    Change,
    KeepIdentity,
    KeepTopic,
    Lookup,
    NewMessage,
    RemoveMessage,
    Together,
)

# ------------------------------------------------------------------ stored first


class Post(NamedTuple):
    """Store a draft; once stored, everyone in the conversation gets it.

    `address` is that of a direct one as it is now, before whoever it names takes another nick.
    """

    connection: int
    record: NewMessage
    address: str | None = None


class Refuse(NamedTuple):
    """A draft that may not be stored: answer `code`, unless it was stored before."""

    connection: int
    record: Lookup
    code: str
    message: str
    retry_after: float | None = None


class SetTopic(NamedTuple):
    """Store a topic; once stored, the room hears of it."""

    connection: int
    re: str
    nick: str
    record: KeepTopic


class Greet(NamedTuple):
    """Store the session, then say welcome; if it cannot be stored, without a `session`."""

    connection: int
    welcome: Welcome
    record: KeepIdentity


class Erase(NamedTuple):
    """Erase what a message says; once that is on disk, all who may have it hear `event`."""

    connection: int
    re: str
    event: Removed
    record: RemoveMessage


class Keep(NamedTuple):
    """Store something that nobody waits for."""

    record: Change


class Commit(NamedTuple):
    """Store changes as one, all or none; `then` is told whether they are, and decides what follows.

    It is called before anything new is decided, but behind what was decided with this, and may emit
    whatever it likes.
    """

    record: Together
    then: Callable[[bool], None]


# ------------------------------------------------------------------ carried out as they are


class Send(NamedTuple):
    """To one connection.

    `fence`: not before what is behind in its subscriptions; `answers_hello`: a refused `hello`,
    behind which the next envelope is looked at.
    """

    connection: int
    event: System
    fence: bool = False
    answers_hello: bool = False


class SendList(NamedTuple):
    """A long answer to one connection, in as many frames as it takes.

    `rows` are put into `key` of `event`; all frames but the last say `more`.
    """

    connection: int
    event: System
    key: str
    rows: Sequence[object]


class SendRooms(NamedTuple):
    """Answer `rooms`: the numbers and topics are those of the moment when it is carried out."""

    connection: int
    re: str


class SendTopic(NamedTuple):
    """Answer `topic` with what it is at the moment when this is carried out."""

    connection: int
    re: str
    room: str


class SendConversations(NamedTuple):
    """Answer `conversations`, with the numbers of the moment when it is carried out."""

    connection: int
    re: str
    partners: Sequence[tuple[str, str]]  #: (conversation, address)


class Notify(NamedTuple):
    """To each of some connections that is not behind; who is, will be told by `level`."""

    connections: Sequence[int]
    event: System


class Broadcast(NamedTuple):
    """To every connection subscribed to a conversation, but `skip`, that is not behind."""

    conversation: str
    event: System
    skip: int = 0


class Scrub(NamedTuple):
    """What is kept in memory of a conversation, for those behind, is out of date."""

    conversation: str


class Subscribe(NamedTuple):
    """From here on `connection` gets the conversation, beginning behind `after`.

    With `last` it begins so many messages before the head; with neither, at the head. With `re`
    the connection is told `joined`.
    """

    connection: int
    conversation: str
    after: int | None = None
    last: int | None = None
    re: str | None = None
    address: str = ""
    nick: str = ""
    members: int = 0


class Unsubscribe(NamedTuple):
    """No more of the conversation to `connection`."""

    connection: int
    conversation: str


class ReadHistory(NamedTuple):
    """Answer `history` from the store, when a reader is free."""

    connection: int
    conversation: str
    address: str
    command: History


class Find(NamedTuple):
    """Answer `search` from the store, when a reader is free."""

    connection: int
    re: str
    query: Query
    limit: int


class Close(NamedTuple):
    """Say `event`, if any, as the last thing, and close."""

    connection: int
    event: System | None = None


class Reply(NamedTuple):
    """The answer to an operator's request (see `admin`): rows, or why not."""

    ticket: int
    rows: Sequence[Mapping[str, object]]
    error: str | None = None


Persistent: TypeAlias = Post | Refuse | SetTopic | Greet | Erase | Keep | Commit
Outward: TypeAlias = Verify | Derive | Reply
Transient: TypeAlias = (
    Send
    | SendList
    | SendRooms
    | SendTopic
    | SendConversations
    | Notify
    | Broadcast
    | Scrub
    | Subscribe
    | Unsubscribe
    | ReadHistory
    | Find
    | Close
    | Outward
)
Effect: TypeAlias = Persistent | Transient
PERSISTENT = (Post, Refuse, SetTopic, Greet, Erase, Keep, Commit)
