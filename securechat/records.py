"""What is kept, as values: the chat core makes them, a store keeps them, neither knows the other.

A `Record` asks for one change; a store answers each, in order, with an `Outcome`. A conversation's
key is the room's name, or `@A:B` with the numbers of two identities, the smaller one first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

#: Of each conversation the last so many removals are told again to who comes back.
MAX_REMOVALS: Final = 100


class NewMessage(NamedTuple):
    """A draft to store and number. `to` is the address as the draft had it."""

    conversation: str
    identity: int
    id: str
    to: str
    sender: str
    text: str
    reply_to: int | None
    action: bool


class Lookup(NamedTuple):
    """A draft that cannot be stored: was it stored before?"""

    identity: int
    id: str
    to: str
    text: str


class KeepIdentity(NamedTuple):
    """An identity as it is now; `used` is Unix time, seconds."""

    identity: int
    nick: str
    token_hash: bytes
    used: float
    former: tuple[tuple[str, float], ...] = ()


class ForgetIdentity(NamedTuple):
    """A session that lapsed: its token and its claim to a nick are gone, its name stays."""

    identity: int


class KeepPresence(NamedTuple):
    """That an identity is, or is no longer, in a room."""

    identity: int
    room: str
    present: bool


class KeepTopic(NamedTuple):
    """A room's topic."""

    room: str
    text: str


class KeepAccount(NamedTuple):
    """That an identity is an account, as it is now.

    `name` is reserved for it for ever, and so are `key` (its case-mapped form) and `skeletons`,
    what look-alikes had in common with it by the Unicode version `unicode`. `password` is an
    Argon2id hash as a PHC string; None: it cannot log in by password. `created` is Unix time.
    """

    identity: int
    name: str
    key: str
    skeletons: tuple[str, ...]
    unicode: str
    role: str
    password: str | None
    created: float


class KeepSession(NamedTuple):
    """One device of an account: SHA-256 of its token, what it is, and when; Unix time, seconds."""

    token_hash: bytes
    identity: int
    client: str
    created: float
    used: float


class ForgetSession(NamedTuple):
    """A session of an account that was cut, or ran out."""

    token_hash: bytes


class KeepInvite(NamedTuple):
    """An invite as it is now: SHA-256 of its token, whom it is for and where it leads.

    `nick` and `room` may be left open; `uses` are those left; `expires` is Unix time.
    """

    token_hash: bytes
    nick: str | None
    room: str | None
    uses: int
    created: float
    expires: float


class ForgetInvite(NamedTuple):
    """An invite that was used up, was revoked, or ran out."""

    token_hash: bytes


class KeepRoom(NamedTuple):
    """Who rules a room (identities; `owner` 0: nobody), its state as bits, and who was let in."""

    room: str
    owner: int
    state: int
    moderators: tuple[int, ...] = ()
    admitted: tuple[int, ...] = ()


class ForgetRoom(NamedTuple):
    """A room that has vanished: nothing is left to rule."""

    room: str


class KeepSanction(NamedTuple):
    """A ban or mute (`act`) in a room, or everywhere (`room` is "").

    It is for an identity and the nick that it had, an account or a network; the others are 0 or
    "". `until` and `since` are Unix time; `until` None: until it is lifted.
    """

    number: int
    act: str
    room: str
    identity: int
    nick: str
    account: str
    network: str
    until: float | None
    since: float
    by: str
    reason: str


class LiftSanction(NamedTuple):
    """A ban or mute that holds no more."""

    number: int


class KeepAct(NamedTuple):
    """What somebody (`identity`, then known as `nick`) did by a right, for the audit.

    `subject` is whom it was done to, or what; `until` is Unix time.
    """

    identity: int
    nick: str
    act: str
    room: str = ""
    subject: str = ""
    reason: str = ""
    until: float | None = None


class RemoveMessage(NamedTuple):
    """Erase the text of a message, and note the act; `author`: only if that identity wrote it.

    Answered with `Kept`, `Unknown` (there is none of that number, or not any longer) or `Conflict`
    (somebody else wrote it).
    """

    conversation: str
    seq: int
    author: int | None
    act: KeepAct

    @property
    def removal(self) -> Removal:
        """What is remembered of it once it is done."""
        return Removal(self.conversation, self.seq, self.act.identity, self.act.nick)


class Removal(NamedTuple):
    """That message `seq` was erased, and by whom (`identity`, then known as `nick`)."""

    conversation: str
    seq: int
    identity: int
    nick: str


class Together(NamedTuple):
    """Several changes that nobody is to see apart; answered once."""

    changes: tuple[Change, ...]


Ruling: TypeAlias = KeepRoom | ForgetRoom | KeepSanction | LiftSanction | KeepAct
Change: TypeAlias = (
    KeepIdentity
    | ForgetIdentity
    | KeepPresence
    | KeepTopic
    | KeepAccount
    | KeepSession
    | ForgetSession
    | KeepInvite
    | ForgetInvite
    | Ruling
)
Record: TypeAlias = NewMessage | Lookup | RemoveMessage | Change | Together


class Stored(NamedTuple):
    """The message is on disk under this number."""

    seq: int
    ts: str


class Known(NamedTuple):
    """The same draft was stored before; `payload` is the posted chat as it was then."""

    payload: bytes


class Conflict(NamedTuple):
    """The `id` was used for another address or text."""


class Unknown(NamedTuple):
    """A `Lookup` found nothing."""


class Kept(NamedTuple):
    """The change is on disk."""


class Failed(NamedTuple):
    """Nothing of the batch was stored: there is no room."""


Outcome: TypeAlias = Stored | Known | Conflict | Unknown | Kept | Failed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a store held when it was opened; a chat core starts from it."""

    epoch: str
    identities: tuple[KeepIdentity, ...] = ()
    next_identity: int = 1
    heads: dict[str, int] = field(default_factory=dict)
    last_ts: dict[str, str] = field(default_factory=dict)  #: of direct conversations
    topics: dict[str, str] = field(default_factory=dict)
    presence: tuple[tuple[int, str], ...] = ()
    accounts: tuple[KeepAccount, ...] = ()
    sessions: tuple[KeepSession, ...] = ()
    invites: tuple[KeepInvite, ...] = ()
    rooms: tuple[KeepRoom, ...] = ()
    sanctions: tuple[KeepSanction, ...] = ()
    removals: tuple[Removal, ...] = ()  #: the last `MAX_REMOVALS` of each conversation, in order


class Page(NamedTuple):
    """Messages of one conversation, ascending, as payloads.

    `last` is the number up to which the page is complete. `trimmed` tells behind which number the
    history begins, where the page should have begun before that; otherwise it is None.
    """

    payloads: list[bytes]
    last: int
    more: bool
    trimmed: int | None = None


class Found(NamedTuple):
    """What a search found, newest first, as payloads; `next`: where to go on, if there is more."""

    payloads: list[bytes]
    next: tuple[str, int] | None = None
