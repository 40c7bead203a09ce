"""What scripts and bots see: frozen values, made from what the client tells.

Texts, nicks and topics are as others wrote them: before they go to a terminal, make them harmless
(`securechat.harmless_line`). Times are in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias

from ..client.entries import moment
from ..protocol import envelopes as wire

BOT_MARK: Final = "bot."
"""What the ids of a bot's messages begin with (docs/protocol.md, "Bots")."""

Since: TypeAlias = Literal["now", "last"] | int
"""From where on messages come: from now; from where we were last; behind that `seq` of each room.

With `"last"` a room that we have never been in begins now.
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message, in its place: each `seq` of a conversation once, in order, without a gap.

    `conversation`: a room (`#name`), or the other side of a direct one (`@nick`). `own`: we wrote
    it, from here or from another client of ours. `missed`: it was said while we were away, or
    before we came. `removed`: somebody erased what it said, and `text` is empty.
    """

    conversation: str
    sender: str
    text: str
    seq: int
    time: datetime
    id: str
    action: bool = False
    reply_to: int | None = None
    own: bool = False
    missed: bool = False
    removed: bool = False

    @property
    def is_direct(self) -> bool:
        """Whether it was said to one person alone."""
        return self.conversation.startswith("@")

    @property
    def by_bot(self) -> bool:
        """Whether a program wrote it, and says so."""
        return self.id.startswith(BOT_MARK)


@dataclass(frozen=True, slots=True)
class Connected:
    """The server let us in. `resumed`: an earlier link of this run goes on where it broke."""

    resumed: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The link is gone; it is tried again in `retry_in` seconds (None: it is not)."""

    reason: str
    retry_in: float | None


Event: TypeAlias = Message | Connected | Disconnected


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message of ours is on the server's disk, as number `seq` of its conversation."""

    conversation: str
    seq: int
    id: str


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Who let us in, and what it holds us to: code points of a text, messages a second (0: any)."""

    name: str
    version: str
    motd: str
    max_text: int
    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is here; `held`: the link was lost, and may come back; `away`: why they are."""

    nick: str
    role: str
    held: bool
    away: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What the server tells of somebody.

    `account`: they are no guest. `idle`: seconds since one who is `online` did anything; `seen`:
    when one who is not was. `away`: why they are. `rooms`: those in which we both are.
    """

    nick: str
    role: str
    account: bool
    online: bool
    held: bool
    idle: int | None
    seen: datetime | None
    away: str | None
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """A room: how many are in it, what it is about, and the number of its last message."""

    name: str
    members: int
    topic: str
    seq: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a conversation, oldest first; `more`: there are more on that side."""

    messages: tuple[Message, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was looked for, newest first; `next` leads to the older ones, if any."""

    messages: tuple[Message, ...]
    next: str | None

    @property
    def more(self) -> bool:
        """Whether there are older ones."""
        return self.next is not None


class ChatLike(Protocol):
    """What a handler of a bot may do: `Chat` does it, and `testing.Harness` without a server."""

    @property
    def nick(self) -> str:
        """The nick we go by."""

    def send(
        self, to: str, text: str, *, action: bool = False, reply_to: int | None = None
    ) -> Receipt:
        """Say `text`, and wait until it is stored."""

    def who(self, room: str | None = None) -> tuple[Member, ...]:
        """Who is in `room`, or online at all."""

    def history(self, conversation: str, *, limit: int = 50) -> Page:
        """The last messages of a conversation."""


def message_of(
    posted: wire.Posted, conversation: str, heard: datetime, *, own: bool, missed: bool
) -> Message:
    """The message that came as `posted`; `heard` stands in for a time that is none."""
    return Message(
        conversation=conversation,
        sender=posted.sender,
        text=posted.text,
        seq=posted.seq,
        time=moment(posted.ts) or heard,
        id=posted.id,
        action=posted.action,
        reply_to=posted.reply_to,
        own=own,
        missed=missed,
        removed=posted.removed,
    )


def person_of(answer: wire.WhoisIs) -> Person:
    """What the answer to `whois` says."""
    return Person(
        nick=answer.nick,
        role=answer.role,
        account=answer.account,
        online=answer.online,
        held=answer.held,
        idle=answer.idle,
        seen=None if answer.seen is None else moment(answer.seen),
        away=answer.away,
        rooms=answer.rooms,
    )


def server_of(welcome: wire.Welcome) -> ServerInfo:
    """What a `welcome` says about its server."""
    limits = welcome.limits
    return ServerInfo(
        name=welcome.server,
        version=welcome.version,
        motd=welcome.motd,
        max_text=limits.max_text,
        rate=limits.rate,
        burst=limits.burst,
    )
