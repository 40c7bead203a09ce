"""Client to server: a draft, and the commands, each by its name on the wire.

Limits that get an answer of their own (`bad_text`, `bad_nick`, `unknown_command`) are left to the
chat core, which gives that answer. A new command is a class here and a row in `AnyCommand`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Literal, TypeAlias, get_args

from pydantic import Field, model_validator

from .moderating import (
    Admit,
    Appoint,
    Ban,
    Bans,
    Dismiss,
    Kick,
    Mute,
    Remove,
    RoomSettings,
    Unban,
    Unmute,
)
from .values import (
    MAX_AWAY,
    MAX_HISTORY,
    MAX_LAST,
    MAX_QUERY,
    MAX_REASON,
    MAX_TOPIC,
    Address,
    ClientSays,
    Command,
    Id,
    NotNull,
    PositiveSeq,
    Room,
    Secret,
    Seq,
)


class Draft(ClientSays):
    """A message as its author sends it: not stored, not numbered, not stamped."""

    cost: ClassVar[int] = 1

    type: Literal["chat"] = "chat"
    id: Id
    to: Address
    text: str
    reply_to: Annotated[PositiveSeq | None, NotNull] = None
    action: bool = False


class Hello(Command):
    """Who I am; the first envelope of a connection, once."""

    name: Literal["hello"] = "hello"
    protocol: Seq
    nick: str
    session: Annotated[str | None, NotNull] = None
    client: Annotated[Annotated[str, Field(max_length=128)] | None, NotNull] = None
    password: Annotated[Secret | None, NotNull] = None
    invite: Annotated[Secret | None, NotNull] = None


class Join(Command):
    """Subscribe to a room, or move the cursor of a direct conversation."""

    cost: ClassVar[int] = 5

    name: Literal["join"] = "join"
    room: Address
    after: Annotated[Seq | None, NotNull] = None
    last: Annotated[Annotated[int, Field(ge=0, le=MAX_LAST)] | None, NotNull] = None

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
    room: Annotated[Address | None, NotNull] = None


class Rooms(Command):
    """List the rooms."""

    name: Literal["rooms"] = "rooms"


class Topic(Command):
    """Read a room's topic, or set it."""

    name: Literal["topic"] = "topic"
    room: Room
    text: Annotated[Annotated[str, Field(max_length=MAX_TOPIC)] | None, NotNull] = None


class History(Command):
    """Read a page of a conversation."""

    name: Literal["history"] = "history"
    to: Address
    before: Annotated[Seq | None, NotNull] = None
    after: Annotated[Seq | None, NotNull] = None
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
    to: Annotated[Address | None, NotNull] = None
    limit: Annotated[int, Field(ge=1, le=MAX_HISTORY)] = 50
    before: Annotated[Annotated[str, Field(max_length=64)] | None, NotNull] = None


class GoAway(Command):
    """Be away, with a word why; without `text`: be back."""

    cost: ClassVar[int] = 5

    name: Literal["away"] = "away"
    text: Annotated[Annotated[str, Field(max_length=MAX_AWAY)] | None, NotNull] = None


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
    command: Annotated[Annotated[str, Field(max_length=64)] | None, NotNull] = None


class Ping(Command):
    """Answered after everything that this connection sent before it."""

    name: Literal["ping"] = "ping"


class Pong(Command):
    """The answer to the server's `ping`."""

    name: Literal["pong"] = "pong"
    token: Annotated[Annotated[str, Field(max_length=64)] | None, NotNull] = None


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
    old: Annotated[Secret | None, NotNull] = None


class Sessions(Command):
    """List where this account is logged in."""

    name: Literal["sessions"] = "sessions"


class Logout(Command):
    """End this session, the one named, or all but this one."""

    cost: ClassVar[int] = 5

    name: Literal["logout"] = "logout"
    session: Annotated[Annotated[str, Field(max_length=64)] | None, NotNull] = None
    elsewhere: bool = False

    @model_validator(mode="after")
    def _one_meaning(self) -> Logout:
        if self.session is not None and self.elsewhere:
            raise ValueError("`session` and `elsewhere` exclude each other")
        return self


class Quit(Command):
    """Leave for good."""

    name: Literal["quit"] = "quit"
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, NotNull] = None


# ------------------------------------------------------------------ all of it

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
