"""What is said of bans, mutes and the rules of rooms, in both directions.

Who may do it is nobody's business here. Contract: docs/protocol.md, docs/rights.md.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .values import (
    MAX_REASON,
    Address,
    Command,
    Duration,
    Nick,
    NotNull,
    PositiveSeq,
    Room,
    ServerSays,
    System,
)


class _Moderating(Command):
    """Base of what is done by a right; the reason is for all who may know of the act."""

    nick: Nick
    room: Annotated[Room | None, NotNull] = None  #: left out: on the whole server
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, NotNull] = None


class Kick(_Moderating):
    """Put somebody out of a room, or off the server; they may come back."""

    cost: ClassVar[int] = 5

    name: Literal["kick"] = "kick"


class Mute(_Moderating):
    """Have somebody say nothing for so many seconds, or until it is undone."""

    cost: ClassVar[int] = 5

    name: Literal["mute"] = "mute"
    duration: Annotated[Duration | None, NotNull] = None


class Unmute(_Moderating):
    """Undo `mute`."""

    cost: ClassVar[int] = 5

    name: Literal["unmute"] = "unmute"


class _Banning(Command):
    """Base of `ban` and `unban`: one of a nick, an account and an address is named."""

    cost: ClassVar[int] = 5

    nick: Annotated[Nick | None, NotNull] = None
    account: Annotated[Nick | None, NotNull] = None
    address: Annotated[Annotated[str, Field(max_length=64)] | None, NotNull] = None
    room: Annotated[Room | None, NotNull] = None
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, NotNull] = None

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
    duration: Annotated[Duration | None, NotNull] = None


class Unban(_Banning):
    """Undo `ban`."""

    name: Literal["unban"] = "unban"


class Bans(Command):
    """List the bans and mutes of a room, or of the server."""

    name: Literal["bans"] = "bans"
    room: Annotated[Room | None, NotNull] = None


class RoomSettings(Command):
    """Read how a room is ruled, or change it."""

    cost: ClassVar[int] = 5

    name: Literal["room"] = "room"
    room: Room
    private: Annotated[bool | None, NotNull] = None
    read_only: Annotated[bool | None, NotNull] = None
    topic_locked: Annotated[bool | None, NotNull] = None


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
    reason: Annotated[Annotated[str, Field(max_length=MAX_REASON)] | None, NotNull] = None


# ------------------------------------------------------------------ what is told of it


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


class Sanction(ServerSays):
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
