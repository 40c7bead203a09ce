"""The vocabulary of the wire: every envelope as a frozen pydantic model, told apart by direction.

A client can say `ClientEnvelope` (a draft or a command), a server `ServerEnvelope` (a posted chat
or a system event). A client has no way even to express a system event, a sender, a number or a
time. Models are valid from construction; the limits that get an answer of their own
(`bad_text`, `bad_nick`, `unknown_command`) are left to the chat core, which gives that answer.

What a client sends refuses unknown keys; what a server sends ignores them, so that later servers
may say more. Contract: docs/protocol.md.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    model_validator,
)

PROTOCOL_VERSION: Final = 1
ALPN: Final = "securechat/1"
DEFAULT_PORT: Final = 55555
MAX_INTEGER: Final = 2**53 - 1
MAX_TEXT: Final = 4_000
MAX_TOPIC: Final = 500
MAX_HISTORY: Final = 500
MAX_LAST: Final = 500
MAX_REASON: Final = 200
#: Seconds for which somebody may be banned or muted: ten years; for longer, leave it out.
MAX_DURATION: Final = 315_360_000
MAX_PASSWORD: Final = 256
MAX_QUERY: Final = 500
MAX_AWAY: Final = 200

ID_PATTERN: Final = r"^[A-Za-z0-9._:\-]{1,64}$"
ROOM_PATTERN: Final = r"^#[a-z0-9_\-]{1,32}$"
#: A room, or `@` and what may be a nick; the chat core judges the nick.
ADDRESS_PATTERN: Final = r"^(?:#[a-z0-9_\-]{1,32}|@.{1,64})$"

Id: TypeAlias = Annotated[str, Field(pattern=ID_PATTERN)]
Room: TypeAlias = Annotated[str, Field(pattern=ROOM_PATTERN)]
Address: TypeAlias = Annotated[str, Field(pattern=ADDRESS_PATTERN)]
Seq: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
#: What may be a nick; the chat core judges it.
Nick: TypeAlias = Annotated[str, Field(min_length=1, max_length=64)]
Duration: TypeAlias = Annotated[int, Field(ge=1, le=MAX_DURATION)]
PositiveSeq: TypeAlias = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
#: Seconds, or so many a second; JSON can write 1e999, which is no amount of anything.
Amount: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
#: Never shown by `repr`, in a traceback or a log; on the wire it is what it is.
Secret: TypeAlias = Annotated[
    SecretStr,
    Field(min_length=1, max_length=MAX_PASSWORD),
    PlainSerializer(lambda secret: secret.get_secret_value(), return_type=str),
]


def _refuse_null(value: object) -> object:
    if value is None:
        raise ValueError("leave the key out instead of sending null")
    return value


#: A key may be left out, which the model shows as None; null on the wire is another type.
_NotNull: Final = BeforeValidator(_refuse_null)


class _FromClient(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=False
    )


class _FromServer(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


# ------------------------------------------------------------------ client to server


class Draft(_FromClient):
    """A message as its author sends it: not stored, not numbered, not stamped."""

    cost: ClassVar[int] = 1

    type: Literal["chat"] = "chat"
    id: Id
    to: Address
    text: str
    reply_to: Annotated[PositiveSeq | None, _NotNull] = None
    action: bool = False


class Command(_FromClient):
    """Base of all commands; `cost` is how many tokens the frame takes."""

    cost: ClassVar[int] = 1

    type: Literal["command"] = "command"
    id: Id


class Hello(Command):
    """Who I am; the first envelope of a connection, once."""

    name: Literal["hello"] = "hello"
    protocol: Seq
    nick: str
    session: Annotated[str | None, _NotNull] = None
    client: Annotated[Annotated[str, Field(max_length=128)] | None, _NotNull] = None
    password: Annotated[Secret | None, _NotNull] = None
    invite: Annotated[Secret | None, _NotNull] = None


class Join(Command):
    """Subscribe to a room, or move the cursor of a direct conversation."""

    cost: ClassVar[int] = 5

    name: Literal["join"] = "join"
    room: Address
    after: Annotated[Seq | None, _NotNull] = None
    last: Annotated[Annotated[int, Field(ge=0, le=MAX_LAST)] | None, _NotNull] = None

    @model_validator(mode="after")
    def _one_start(self) -> Join:
        if self.after is not None and self.last is not None:
            raise ValueError("`after` and `last` exclude each other")
        return self


class Leave(Command):
    """End a subscription."""

    cost: ClassVar[int] = 5

    name: Literal["leave"] = "leave"
    room: Address


class Conversations(Command):
    """List the direct conversations of this identity."""

    name: Literal["conversations"] = "conversations"


class ChangeNick(Command):
    """Go by another nick."""

    cost: ClassVar[int] = 5

    name: Literal["nick"] = "nick"
    nick: str


class Who(Command):
    """Who is in a room, or online at all."""

    name: Literal["who"] = "who"
    room: Annotated[Address | None, _NotNull] = None


class Rooms(Command):
    """List the rooms."""

    name: Literal["rooms"] = "rooms"


class Topic(Command):
    """Read a room's topic, or set it."""

    name: Literal["topic"] = "topic"
    room: Room
    text: Annotated[Annotated[str, Field(max_length=MAX_TOPIC)] | None, _NotNull] = None


class History(Command):
    """Read a page of a conversation."""

    name: Literal["history"] = "history"
    to: Address
    before: Annotated[Seq | None, _NotNull] = None
    after: Annotated[Seq | None, _NotNull] = None
    limit: Annotated[int, Field(ge=1, le=MAX_HISTORY)] = 50

    @model_validator(mode="after")
    def _one_side(self) -> History:
        if self.before is not None and self.after is not None:
            raise ValueError("`before` and `after` exclude each other")
        return self


class Search(Command):
    """Look for messages, in one conversation or in all that one may read."""

    cost: ClassVar[int] = 5

    name: Literal["search"] = "search"
    query: Annotated[str, Field(max_length=MAX_QUERY)]
    to: Annotated[Address | None, _NotNull] = None
    limit: Annotated[int, Field(ge=1, le=MAX_HISTORY)] = 50
    before: Annotated[Annotated[str, Field(max_length=64)] | None, _NotNull] = None


class GoAway(Command):
    """Be away, with a word why; without `text`: be back."""

    cost: ClassVar[int] = 5

    name: Literal["away"] = "away"
    text: Annotated[Annotated[str, Field(max_length=MAX_AWAY)] | None, _NotNull] = None


class Whois(Command):
    """Who is behind a nick."""

    name: Literal["whois"] = "whois"
    nick: str


class Time(Command):
    """The server's time."""

    name: Literal["time"] = "time"


class Joke(Command):
    """A joke."""

    name: Literal["joke"] = "joke"


class Help(Command):
    """The commands, or one of them."""

    name: Literal["help"] = "help"
    command: Annotated[Annotated[str, Field(max_length=64)] | None, _NotNull] = None


class Ping(Command):
    """Answered after everything that this connection sent before it."""

    name: Literal["ping"] = "ping"


class Pong(Command):
    """The answer to the server's `ping`."""

    name: Literal["pong"] = "pong"
    token: Annotated[Annotated[str, Field(max_length=64)] | None, _NotNull] = None


class Register(Command):
    """Make an account of this guest, under its present nick."""

    cost: ClassVar[int] = 5

    name: Literal["register"] = "register"
    password: Secret


class Login(Command):
    """Be that account from here on."""

    cost: ClassVar[int] = 5

    name: Literal["login"] = "login"
    nick: str
    password: Secret


class Passwd(Command):
    """Set another password; `old` where the account has one."""

    cost: ClassVar[int] = 5

    name: Literal["passwd"] = "passwd"
    password: Secret
    old: Annotated[Secret | None, _NotNull] = None


class Sessions(Command):
    """List where this account is logged in."""

    name: Literal["sessions"] = "sessions"


class Logout(Command):
    """End this session, the one named, or all but this one."""

    cost: ClassVar[int] = 5

    name: Literal["logout"] = "logout"
    session: Annotated[Annotated[str, Field(max_length=64)] | None, _NotNull] = None
    elsewhere: bool = False

    @model_validator(mode="after")
    def _one_meaning(self) -> Logout:
        if self.session is not None and self.elsewhere:
            raise ValueError("`session` and `elsewhere` exclude each other")
        return self


class Quit(Command):
    """Leave for good."""

    name: Literal["quit"] = "quit"
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, _NotNull] = None


class _Moderating(Command):
    """Base of what is done by a right; the reason is for all who may know of the act."""

    nick: Nick
    room: Annotated[Room | None, _NotNull] = None  #: left out: on the whole server
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, _NotNull] = None


class Kick(_Moderating):
    """Put somebody out of a room, or off the server; they may come back."""

    cost: ClassVar[int] = 5

    name: Literal["kick"] = "kick"


class Mute(_Moderating):
    """Have somebody say nothing for so many seconds, or until it is undone."""

    cost: ClassVar[int] = 5

    name: Literal["mute"] = "mute"
    duration: Annotated[Duration | None, _NotNull] = None


class Unmute(_Moderating):
    """Undo `mute`."""

    cost: ClassVar[int] = 5

    name: Literal["unmute"] = "unmute"


class _Banning(Command):
    """Base of `ban` and `unban`: one of a nick, an account and an address is named."""

    cost: ClassVar[int] = 5

    nick: Annotated[Nick | None, _NotNull] = None
    account: Annotated[Nick | None, _NotNull] = None
    address: Annotated[Annotated[str, Field(max_length=64)] | None, _NotNull] = None
    room: Annotated[Room | None, _NotNull] = None
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, _NotNull] = None

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if [self.nick, self.account, self.address].count(None) != 2:
            raise ValueError("name one of `nick`, `account` and `address`")
        if self.address is not None and self.room is not None:
            raise ValueError("an `address` is banned from the server; leave `room` out")
        return self


class Ban(_Banning):
    """Keep somebody out of a room, or off the server, for so many seconds or until undone."""

    name: Literal["ban"] = "ban"
    duration: Annotated[Duration | None, _NotNull] = None


class Unban(_Banning):
    """Undo `ban`."""

    name: Literal["unban"] = "unban"


class Bans(Command):
    """List the bans and mutes of a room, or of the server."""

    name: Literal["bans"] = "bans"
    room: Annotated[Room | None, _NotNull] = None


class RoomSettings(Command):
    """Read how a room is ruled, or change it."""

    cost: ClassVar[int] = 5

    name: Literal["room"] = "room"
    room: Room
    private: Annotated[bool | None, _NotNull] = None
    read_only: Annotated[bool | None, _NotNull] = None
    topic_locked: Annotated[bool | None, _NotNull] = None


class Admit(Command):
    """Let somebody into a private room."""

    cost: ClassVar[int] = 5

    name: Literal["admit"] = "admit"
    room: Room
    nick: Nick


class Appoint(Command):
    """Make somebody a moderator of a room, or its owner."""

    cost: ClassVar[int] = 5

    name: Literal["appoint"] = "appoint"
    room: Room
    nick: Nick
    owner: bool = False


class Dismiss(Command):
    """Take a moderator's rights back."""

    cost: ClassVar[int] = 5

    name: Literal["dismiss"] = "dismiss"
    room: Room
    nick: Nick


class Remove(Command):
    """Erase what a message says; its number stays."""

    cost: ClassVar[int] = 5

    name: Literal["remove"] = "remove"
    to: Address
    seq: PositiveSeq
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, _NotNull] = None


AnyCommand: TypeAlias = Annotated[
    Hello
    | Join
    | Leave
    | Conversations
    | ChangeNick
    | Who
    | Rooms
    | Topic
    | History
    | Search
    | GoAway
    | Whois
    | Time
    | Joke
    | Help
    | Ping
    | Pong
    | Quit
    | Kick
    | Mute
    | Unmute
    | Ban
    | Unban
    | Bans
    | RoomSettings
    | Admit
    | Appoint
    | Dismiss
    | Remove
    | Register
    | Login
    | Passwd
    | Sessions
    | Logout,
    Field(discriminator="name"),
]
ClientEnvelope: TypeAlias = Annotated[Draft | AnyCommand, Field(discriminator="type")]

#: Every command by its name on the wire.
COMMANDS: Final[MappingProxyType[str, type[Command]]] = MappingProxyType(
    {cls.model_fields["name"].default: cls for cls in get_args(get_args(AnyCommand)[0])}
)

# ------------------------------------------------------------------ server to client


class Posted(_FromServer):
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


class System(_FromServer):
    """Base of all system events; `re` is the `id` of what is answered, if it answers something."""

    type: Literal["system"] = "system"
    re: Id | None = None


class Limits(_FromServer):
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


class Member(_FromServer):
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


class RoomInfo(_FromServer):
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


class Conversation(_FromServer):
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


class SessionInfo(_FromServer):
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


class CommandHelp(_FromServer):
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


class RoomIs(System):
    """How a room is ruled: read, or (with `nick`) just changed by somebody."""

    event: Literal["room"] = "room"
    room: str
    private: bool
    read_only: bool
    topic_locked: bool
    owner: str | None = None
    moderators: tuple[str, ...] = Field(default=(), strict=False)
    admitted: tuple[str, ...] = Field(default=(), strict=False)
    nick: str | None = None


class Moderated(System):
    """Somebody (`by`) did something by a right; `act` says what, and is open to new words.

    To whoever did it, whom it was done to, and, but for bans of addresses, the room.
    """

    event: Literal["moderated"] = "moderated"
    act: str
    by: str
    room: str | None = None
    nick: str | None = None
    account: str | None = None
    address: str | None = None
    until: str | None = None
    reason: str | None = None


class Sanction(_FromServer):
    """One row of `bans`."""

    act: str
    nick: str | None = None
    account: str | None = None
    address: str | None = None
    by: str
    since: str
    until: str | None = None
    reason: str | None = None


class SanctionList(System):
    """Answer to `bans`; without `room`: those of the whole server."""

    event: Literal["bans"] = "bans"
    room: str | None = None
    bans: tuple[Sanction, ...] = Field(strict=False)
    more: bool = False


class Removed(System):
    """What a message said is erased; `nick` did it. In a direct conversation `to` is as in chat."""

    event: Literal["removed"] = "removed"
    to: str
    seq: PositiveSeq
    nick: str


class UnknownEvent(System):
    """An event of a later server; a client passes over it."""

    event: str


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


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of both directions, made from the models."""
    from pydantic import TypeAdapter

    to_server = TypeAdapter(ClientEnvelope).json_schema()
    _forbid_null(to_server)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"securechat wire, version {PROTOCOL_VERSION}",
        "client_to_server": to_server,
        "server_to_client": TypeAdapter(ServerEnvelope).json_schema(),
    }


def _forbid_null(schema: object) -> None:
    """Take the `null` out of optional keys: they may be left out, not sent as null."""
    if isinstance(schema, list):
        for part in schema:
            _forbid_null(part)
    if not isinstance(schema, dict):
        return
    for part in schema.values():
        _forbid_null(part)
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.pop("default", None)
        schema.update(kinds[0])
