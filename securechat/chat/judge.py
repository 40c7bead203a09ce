"""Who asks, and where, put to the table of rights.

In: the hub as it stands, an identity, a verb or the command that means it, a room. Out: a yes or
no, or `Rejected`, whose message says why and what to do: `forbidden`, and `no_such_room` for a
private room of which whoever asks is not to know that it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ..errors import Rejected
from ..protocol import envelopes as wire
from ..records import KeepSanction
from .rights import RULES, Bearing, Rank, State, Verb, allows
from .roles import Role
from .sanctions import BAN, MUTE

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .nicks import Nick
    from .room import Room

_RANKS: Final = MappingProxyType(
    {
        Role.GUEST: Rank.GUEST,
        Role.MEMBER: Rank.MEMBER,
        Role.ADMIN: Rank.ADMIN,
        Role.OWNER: Rank.OWNER,
    }
)
_NO_SUCH_ROOM: Final = "There is no such room. `rooms` lists them; `join` makes one."
_NEEDS: Final = MappingProxyType(
    {
        Rank.MODERATOR: "Only the moderators and the owner of this room may do that. Ask one.",
        Rank.ROOM_OWNER: "Only the owner of this room may do that. `room` tells who it is.",
        Rank.ADMIN: "Only the admins of this server may do that. Ask one of them.",
    }
)
#: Longest reason that stands in an error, bytes of UTF-8: the whole of it must be under 512.
_REASON_BYTES: Final = 160


def no_such_room() -> Rejected:
    """The one answer for a room that is not there, and for one that must seem so."""
    return Rejected("no_such_room", _NO_SUCH_ROOM)


def rank_of(hub: Hub, identity: Identity, room: Room | None) -> Rank:
    """What an identity is in respect of a room; None: of the server."""
    rank = _RANKS[identity.role]
    if rank >= Rank.ADMIN or room is None or room.charter is None:
        return rank
    if identity.number == owner_of(hub, room):
        return Rank.ROOM_OWNER
    return Rank.MODERATOR if room.charter.rules(identity.number) else rank


def role_in(hub: Hub, identity: Identity, room: Room) -> str:
    """The same as the wire calls it."""
    return rank_of(hub, identity, room).name.lower()


def owner_of(hub: Hub, room: Room) -> int:
    """Who owns a room: its owner, or the first moderator that still lives; 0: nobody."""
    if room.charter is None:
        return 0
    for number in (room.charter.owner, *room.charter.moderators):
        if hub.identities.by_number(number) is not None:
            return number
    return 0


def bearing_of(hub: Hub, identity: Identity, room: Room | None) -> Bearing:
    """How an identity stands to a room; None: to the server."""
    bearing, now = Bearing.NONE, hub.now.wall
    if hub.sanctions.on(MUTE, "", identity, now):
        bearing |= Bearing.MUTED
    if room is None:
        return bearing
    if room.charter is not None and room.charter.lets_in(identity.number):
        bearing |= Bearing.ADMITTED
    if hub.sanctions.on(BAN, room.name, identity, now):
        bearing |= Bearing.BANNED
    if hub.sanctions.on(MUTE, room.name, identity, now):
        bearing |= Bearing.MUTED
    return bearing


def may(hub: Hub, identity: Identity, verb: Verb, room: Room | None) -> bool:
    """Whether the table allows it."""
    state = room.charter.state if room is not None and room.charter is not None else State.OPEN
    return allows(verb, rank_of(hub, identity, room), state, bearing_of(hub, identity, room))


def sees(hub: Hub, identity: Identity | None, room: Room) -> bool:
    """Whether an identity, or nobody, may know that a room is there; quick for nearly all rooms."""
    if _is_open(room):
        return True
    return identity is not None and may(hub, identity, Verb.SEE, room)


def unreadable(hub: Hub, identity: Identity) -> frozenset[str]:
    """The rooms whose messages an identity may not read; only those with rules are looked at."""
    return frozenset(
        room.name
        for room in hub.rooms.values()
        if (not _is_open(room) or hub.sanctions.has(room.name))
        and not may(hub, identity, Verb.READ, room)
    )


def _is_open(room: Room) -> bool:
    return room.charter is None or State.PRIVATE not in room.charter.state


def require(hub: Hub, identity: Identity, verb: Verb, room: Room | None) -> None:
    """Raise `Rejected`, with the reason, unless the table allows it."""
    if not may(hub, identity, verb, room):
        raise _explain(hub, identity, verb, room)


def require_command(hub: Hub, identity: Identity, command: wire.Command, room: Room | None) -> None:
    """The same for what a command means; one that is not in `VERBS` is allowed to nobody."""
    verb_of = VERBS.get(type(command))
    if verb_of is None:
        raise Rejected("forbidden", "Nobody may do that here. `help` lists what can be done.")
    require(hub, identity, verb_of(command, room), room)


def require_nick(hub: Hub, identity: Identity, nick: Nick) -> None:
    """Raise `forbidden` for a nick that is banned in a room that somebody is in."""
    if rank_of(hub, identity, None) >= Rank.ADMIN:
        return
    for name in identity.rooms:
        if hub.sanctions.on_nick(nick, hub.now.wall, name) is not None:
            message = f"That nick is banned in {name}. Choose another one, or leave that room."
            raise Rejected("forbidden", message)


def _explain(hub: Hub, identity: Identity, verb: Verb, room: Room | None) -> Rejected:
    now = hub.now.wall
    if room is not None:
        if verb is not Verb.ENTER and not sees(hub, identity, room):
            return no_such_room()
        ban = hub.sanctions.on(BAN, room.name, identity, now)
        if ban is not None and rank_of(hub, identity, room) < Rank.ADMIN:
            return Rejected("forbidden", f"You are banned from that room{terms(ban)}.{_WHOM}")
        if verb is Verb.ENTER:
            message = "You may not enter that room. Ask somebody who is in it, or take another."
            return Rejected("forbidden", message)
    rank, rule = rank_of(hub, identity, room), RULES.get(verb)
    if rule is not None and rank < rule.least:
        return Rejected("forbidden", _NEEDS[rule.least])
    places = ("",) if room is None else ("", room.name)
    mute = next(
        (it for it in (hub.sanctions.on(MUTE, at, identity, now) for at in places) if it), None
    )
    if mute is not None and rule is not None and rank < rule.muted:
        where = "in this room" if mute.room else "on this server"
        return Rejected("forbidden", f"You are muted {where}{terms(mute)}.{_WHOM}")
    if verb is Verb.SPEAK:
        message = "This room is read-only: its moderators speak in it. Read on, or ask one."
        return Rejected("forbidden", message)
    return Rejected("forbidden", "Only moderators set the topic of this room. Ask one of them.")


_WHOM: Final = " Ask whoever did it to undo it, or wait."


def terms(sanction: KeepSanction) -> str:
    """Until when a sanction holds, and why, to stand behind what it is."""
    until = ""
    if sanction.until is not None:
        moment = datetime.fromtimestamp(sanction.until, UTC)
        until = f" until {moment:%Y-%m-%d %H:%M} UTC"
    if not sanction.reason:
        return until
    reason = sanction.reason.encode()[:_REASON_BYTES].decode(errors="ignore").rstrip(". ")
    return f"{until} ({reason})"


# ------------------------------------------------------------------ what a command means

_Means = Callable[[Any, "Room | None"], Verb]


def _always(verb: Verb) -> _Means:
    return lambda _command, _room: verb


def _by_room(inside: Verb, everywhere: Verb) -> _Means:
    """`inside` where the command names a room, `everywhere` where it does not."""
    return lambda command, _room: everywhere if command.room is None else inside


def _join(command: wire.Join, room: Room | None) -> Verb:
    if command.room[0] == "@":
        return Verb.READ_DIRECT
    return Verb.MAKE if room is None else Verb.ENTER


def _who(_command: wire.Who, room: Room | None) -> Verb:
    return Verb.LIST if room is None else Verb.SEE


def _topic(command: wire.Topic, _room: Room | None) -> Verb:
    return Verb.SEE if command.text is None else Verb.SET_TOPIC


def _history(command: wire.History, _room: Room | None) -> Verb:
    return Verb.READ_DIRECT if command.to[0] == "@" else Verb.READ


def _settings(command: wire.RoomSettings, _room: Room | None) -> Verb:
    asked = (command.private, command.read_only, command.topic_locked)
    return Verb.SEE if asked == (None, None, None) else Verb.CONFIGURE


VERBS: Final[MappingProxyType[type[wire.Command], _Means]] = MappingProxyType(
    {
        wire.Join: _join,
        wire.Leave: _always(Verb.LEAVE),
        wire.Conversations: _always(Verb.LIST),
        wire.ChangeNick: _always(Verb.RENAME),
        wire.Who: _who,
        wire.Rooms: _always(Verb.LIST),
        wire.Topic: _topic,
        wire.History: _history,
        wire.Time: _always(Verb.CHECK),
        wire.Joke: _always(Verb.CHECK),
        wire.Help: _always(Verb.CHECK),
        wire.Ping: _always(Verb.CHECK),
        wire.Pong: _always(Verb.CHECK),
        wire.Quit: _always(Verb.QUIT),
        wire.Search: _always(Verb.SEARCH),
        wire.GoAway: _always(Verb.AWAY),
        wire.Whois: _always(Verb.LIST),
        wire.Register: _always(Verb.ACCOUNT),
        wire.Login: _always(Verb.ACCOUNT),
        wire.Passwd: _always(Verb.ACCOUNT),
        wire.Sessions: _always(Verb.ACCOUNT),
        wire.Logout: _always(Verb.ACCOUNT),
        wire.Kick: _by_room(Verb.KICK, Verb.KICK_OFF),
        wire.Mute: _by_room(Verb.MUTE, Verb.MUTE_ALL),
        wire.Unmute: _by_room(Verb.MUTE, Verb.MUTE_ALL),
        wire.Ban: _by_room(Verb.BAN, Verb.BAN_ALL),
        wire.Unban: _by_room(Verb.BAN, Verb.BAN_ALL),
        wire.Bans: _by_room(Verb.LIST_BANS, Verb.LIST_ALL),
        wire.RoomSettings: _settings,
        wire.Admit: _always(Verb.ADMIT),
        wire.Appoint: _always(Verb.APPOINT),
        wire.Dismiss: _always(Verb.APPOINT),
        wire.Remove: _always(Verb.REMOVE_OWN),
    }
)
