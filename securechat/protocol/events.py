"""Server to client: a posted chat, and the system events, each by its name on the wire.

A client has no way to say any of this: neither an event, nor a sender, a number or a time. A new
event is a class here and a row in `AnyEvent`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import Field

from .moderating import Moderated, Removed, RoomIs, SanctionList
from .values import (
    Address,
    Amount,
    Id,
    PositiveSeq,
    Seq,
    ServerSays,
    System,
)


class Posted(ServerSays):
    """A message as everyone sees it: stored, numbered, stamped. To its author: the receipt."""

    type: Literal["chat"] = "chat"
    id: Id
    to: Address
    sender: str
    seq: PositiveSeq
    ts: str
    text: str
    reply_to: PositiveSeq | None = None
    action: bool = False
    removed: bool = False  #: somebody erased what it said; `text` is empty


class Limits(ServerSays):
    """What the server holds its clients to; seconds, bytes, code points, frames a second."""

    max_frame: PositiveSeq
    max_text: PositiveSeq
    rate: Amount
    burst: Seq
    presence: Seq
    idle_timeout: Amount


class Welcome(System):
    """The answer to `hello`."""

    event: Literal["welcome"] = "welcome"
    protocol: Seq
    server: str
    version: str
    nick: str
    session: str | None = None
    epoch: str
    limits: Limits
    features: tuple[str, ...] = Field(default=(), strict=False)
    motd: str = ""
    account: str | None = None  #: the name of our account; guests have none
    room: str | None = None  #: where the invite leads that we came with


class Joined(System):
    """Someone joined; with `re`, we did, and the rest says how things stand."""

    event: Literal["joined"] = "joined"
    room: str
    nick: str
    seq: Seq | None = None
    after: Seq | None = None
    count: Seq | None = None
    topic: str | None = None


class Left(System):
    """Someone left; with `re`, we did."""

    event: Literal["left"] = "left"
    room: str
    nick: str
    reason: str | None = None


class Renamed(System):
    """Someone goes by another nick now."""

    event: Literal["renamed"] = "renamed"
    old: str
    nick: str


class Count(System):
    """How many are in a room too large to name each coming and going."""

    event: Literal["count"] = "count"
    room: str
    count: Seq


class Level(System):
    """A subscription that fell behind is live again; this is how things stand."""

    event: Literal["level"] = "level"
    room: str
    seq: Seq
    count: Seq
    topic: str


class Trimmed(System):
    """Retention removed what was about to come; what follows starts behind `after`."""

    event: Literal["trimmed"] = "trimmed"
    to: str
    after: Seq


class Member(ServerSays):
    """One who is in a room, or online."""

    nick: str
    role: str = "member"
    held: bool = False
    away: str | None = None


class Members(System):
    """Answer to `who`; `more` says that another frame with the same `re` follows."""

    event: Literal["members"] = "members"
    room: str | None = None
    members: tuple[Member, ...] = Field(strict=False)
    more: bool = False


class RoomInfo(ServerSays):
    """One row of `rooms`."""

    room: str
    members: Seq
    topic: str
    seq: Seq


class RoomList(System):
    """Answer to `rooms`."""

    event: Literal["rooms"] = "rooms"
    rooms: tuple[RoomInfo, ...] = Field(strict=False)
    more: bool = False


class Conversation(ServerSays):
    """One row of `conversations`."""

    to: str
    seq: Seq
    ts: str


class ConversationList(System):
    """Answer to `conversations`."""

    event: Literal["conversations"] = "conversations"
    conversations: tuple[Conversation, ...] = Field(strict=False)
    more: bool = False


class TopicIs(System):
    """A room's topic: read, or just set."""

    event: Literal["topic"] = "topic"
    room: str
    text: str
    nick: str | None = None


class HistoryPage(System):
    """Answer to `history`; `more` says that there is more on that side."""

    event: Literal["history"] = "history"
    to: str
    messages: tuple[Posted, ...] = Field(strict=False)
    more: bool


class SearchPage(System):
    """Answer to `search`: newest first; with `more`, `next` is the `before` of the next page."""

    event: Literal["search"] = "search"
    messages: tuple[Posted, ...] = Field(strict=False)
    more: bool
    next: str | None = None


class AwayIs(System):
    """Someone is away, or without `text` back; with `re`, we are."""

    event: Literal["away"] = "away"
    nick: str
    text: str | None = None


class WhoisIs(System):
    """Answer to `whois`. `idle` in seconds; `seen` of who is not online: when they were."""

    event: Literal["whois"] = "whois"
    nick: str
    role: str = "member"
    account: bool = False
    online: bool = False
    held: bool = False
    idle: Seq | None = None
    seen: str | None = None
    away: str | None = None
    rooms: tuple[str, ...] = Field(default=(), strict=False)


class TimeIs(System):
    """Answer to `time`."""

    event: Literal["time"] = "time"
    now: str


class JokeIs(System):
    """Answer to `joke`."""

    event: Literal["joke"] = "joke"
    text: str


class AccountIs(System):
    """Answer to `register`, `login`, `passwd` and `logout`: which account this connection is.

    `session` is a new one, to be used from here on; `ended` is how many others were ended.
    """

    event: Literal["account"] = "account"
    account: str
    nick: str
    role: str
    session: str | None = None
    ended: Seq = 0


class SessionInfo(ServerSays):
    """One row of `sessions`; `session` is a name for `logout`, and proves nothing."""

    session: str
    client: str
    created: str
    used: str
    connections: Seq
    here: bool = False


class SessionList(System):
    """Answer to `sessions`; `more` says that another frame with the same `re` follows."""

    event: Literal["sessions"] = "sessions"
    sessions: tuple[SessionInfo, ...] = Field(strict=False)
    more: bool = False


class Notice(System):
    """A word from the server to all."""

    event: Literal["notice"] = "notice"
    text: str


class CommandHelp(ServerSays):
    """One row of `help`."""

    name: str
    usage: str
    summary: str


class HelpIs(System):
    """Answer to `help`."""

    event: Literal["help"] = "help"
    commands: tuple[CommandHelp, ...] = Field(strict=False)
    more: bool = False


class ServerPing(System):
    """Are you there? Answer with `pong` and the same token."""

    event: Literal["ping"] = "ping"
    token: str | None = None


class ServerPong(System):
    """Answer to `ping`."""

    event: Literal["pong"] = "pong"
    token: str | None = None


class Bye(System):
    """The server closes; `retry_after` in seconds."""

    event: Literal["bye"] = "bye"
    reason: str
    retry_after: Amount | None = None


class Error(System):
    """A refusal; with `fatal` the connection ends behind it."""

    event: Literal["error"] = "error"
    code: str
    message: str
    fatal: bool = False
    retry_after: Amount | None = None


class UnknownEvent(System):
    """An event of a later server; a client passes over it."""

    event: str


# ------------------------------------------------------------------ all of it

AnyEvent: TypeAlias = Annotated[
    Welcome
    | Joined
    | Left
    | Renamed
    | Count
    | Level
    | Trimmed
    | Members
    | RoomList
    | ConversationList
    | TopicIs
    | HistoryPage
    | SearchPage
    | AwayIs
    | WhoisIs
    | TimeIs
    | JokeIs
    | AccountIs
    | SessionList
    | Notice
    | HelpIs
    | ServerPing
    | ServerPong
    | Bye
    | Error
    | RoomIs
    | Moderated
    | SanctionList
    | Removed,
    Field(discriminator="event"),
]
ServerEnvelope: TypeAlias = Annotated[Posted | AnyEvent, Field(discriminator="type")]

#: Every event by its name on the wire.
EVENTS: Final[MappingProxyType[str, type[System]]] = MappingProxyType(
    {cls.model_fields["event"].default: cls for cls in get_args(get_args(AnyEvent)[0])}
)

#: Codes whose `error` ends the connection, whenever they are sent.
FATAL_CODES: Final[frozenset[str]] = frozenset(
    {
        "frame_too_large",
        "bad_json",
        "hello_first",
        "bad_protocol",
        "server_full",
        "too_many_connections",
        "slow_consumer",
        "timeout",
        "internal",
        "banned",
        "kicked",
    }
)
