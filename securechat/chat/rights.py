"""Who may do what: one table, verb × rank, raised by the state of a room and of who asks.

Values in, a yes or no out; nothing is raised. Deny by default: a verb that has no rule is allowed
to nobody. What the table says stands a second time, cell by cell and written by hand, in
docs/rights.md, and a test holds the two against each other.
"""

from __future__ import annotations

from enum import Enum, Flag, IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Rank(IntEnum):
    """What somebody is in respect of one room; each may do what those below it may.

    `OWNER` and `ADMIN` are of the whole server, `ROOM_OWNER` and `MODERATOR` of that room.
    """

    GUEST = 0
    MEMBER = 1
    MODERATOR = 2
    ROOM_OWNER = 3
    ADMIN = 4
    OWNER = 5


class Verb(Enum):
    """Everything that may be allowed or not."""

    # everywhere
    CHECK = "ask for the time, a joke, help, a sign of life"
    QUIT = "leave the server"
    RENAME = "take another nick"
    AWAY = "say that one is away"
    SEARCH = "look for words in all that one may read"
    LIST = "list the rooms that one may see, who is online, one's conversations"
    ACCOUNT = "make an account of oneself, log in and out, set one's password"
    WRITE = "write to one person"
    READ_DIRECT = "read one's direct conversations"
    MAKE = "make a room"
    # in a room
    SEE = "see that a room is there, its topic, its settings, who is in it"
    ENTER = "enter a room"
    LEAVE = "leave a room"
    READ = "read what was said in it"
    SPEAK = "say something in it"
    SET_TOPIC = "set its topic"
    REMOVE_OWN = "remove a message of one's own"
    REMOVE = "remove a message of others"
    ADMIT = "let somebody into it"
    KICK = "put somebody out of it"
    MUTE = "silence somebody in it, and undo that"
    BAN = "keep somebody out of it, and undo that"
    LIST_BANS = "list who is kept out or silenced in it"
    CONFIGURE = "change its settings"
    APPOINT = "make and unmake its moderators, hand it over"
    # on the whole server
    KICK_OFF = "put somebody off the server"
    MUTE_ALL = "silence somebody everywhere, and undo that"
    BAN_ALL = "keep a person or an address off the server, and undo that"
    LIST_ALL = "list who is kept off or silenced everywhere"


class State(Flag):
    """How a room is; an ordinary one is nothing of this."""

    OPEN = 0
    PRIVATE = 1
    READ_ONLY = 2
    TOPIC_LOCKED = 4


class Bearing(Flag):
    """How who asks stands to the room, or, for what is no room's business, to the server."""

    NONE = 0
    ADMITTED = 1
    MUTED = 2
    BANNED = 4


class Rule(NamedTuple):
    """The least rank that a verb takes, and what it takes where something speaks against it."""

    least: Rank
    uninvited: Rank = Rank.ADMIN  #: the room is private, and who asks was not let in
    banned: Rank = Rank.ADMIN
    muted: Rank = Rank.GUEST
    read_only: Rank = Rank.GUEST
    topic_locked: Rank = Rank.GUEST


_ANYBODY: Final = Rule(Rank.GUEST)
_MODERATOR: Final = Rule(Rank.MODERATOR)
_ROOM_OWNER: Final = Rule(Rank.ROOM_OWNER)
_ADMIN: Final = Rule(Rank.ADMIN)

RULES: Final[MappingProxyType[Verb, Rule]] = MappingProxyType(
    {
        Verb.CHECK: _ANYBODY,
        Verb.QUIT: _ANYBODY,
        Verb.RENAME: _ANYBODY,
        Verb.AWAY: _ANYBODY._replace(muted=Rank.ADMIN),
        Verb.SEARCH: _ANYBODY,
        Verb.LIST: _ANYBODY,
        Verb.ACCOUNT: _ANYBODY,
        Verb.WRITE: _ANYBODY._replace(muted=Rank.ADMIN),
        Verb.READ_DIRECT: _ANYBODY,
        Verb.MAKE: _ANYBODY,
        Verb.SEE: _ANYBODY,
        Verb.ENTER: _ANYBODY,
        Verb.LEAVE: Rule(Rank.GUEST, uninvited=Rank.GUEST, banned=Rank.GUEST),
        Verb.READ: _ANYBODY,
        Verb.SPEAK: _ANYBODY._replace(muted=Rank.ADMIN, read_only=Rank.MODERATOR),
        Verb.SET_TOPIC: _ANYBODY._replace(
            muted=Rank.ADMIN, read_only=Rank.MODERATOR, topic_locked=Rank.MODERATOR
        ),
        Verb.REMOVE_OWN: _ANYBODY,
        Verb.REMOVE: _MODERATOR,
        Verb.ADMIT: _MODERATOR,
        Verb.KICK: _MODERATOR,
        Verb.MUTE: _MODERATOR,
        Verb.BAN: _MODERATOR,
        Verb.LIST_BANS: _MODERATOR,
        Verb.CONFIGURE: _ROOM_OWNER,
        Verb.APPOINT: _ROOM_OWNER,
        Verb.KICK_OFF: _ADMIN,
        Verb.MUTE_ALL: _ADMIN,
        Verb.BAN_ALL: _ADMIN,
        Verb.LIST_ALL: _ADMIN,
    }
)


def allows(verb: Verb, rank: Rank, state: State, bearing: Bearing) -> bool:
    """Whether somebody of that rank may, in a room of that state, to which they stand so."""
    rule = RULES.get(verb)
    if rule is None:
        return False
    needed = [rule.least]
    if State.PRIVATE in state and Bearing.ADMITTED not in bearing:
        needed.append(rule.uninvited)
    if Bearing.BANNED in bearing:
        needed.append(rule.banned)
    if Bearing.MUTED in bearing:
        needed.append(rule.muted)
    if State.READ_ONLY in state:
        needed.append(rule.read_only)
    if State.TOPIC_LOCKED in state:
        needed.append(rule.topic_locked)
    return rank >= max(needed)
