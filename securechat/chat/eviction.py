"""Taking people out of rooms: who is put out, and who may be there no longer.

In: somebody and a room, or what has just changed about them. Out: effects into the hub. Nothing is
raised.

That somebody may be in a room is judged when they enter, not with each message. So whatever takes
the right away while they are inside has to call one of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..protocol.envelopes import Moderated
from . import judge
from .effects import Send, Unsubscribe
from .rights import Verb

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .room import Room
    from .session import Session

#: Who acts where nobody in particular does; it is nobody's nick.
SERVER: Final = "server"
_NO_RIGHT: Final = "not let in any more"
_OTHER: Final = "that account is not let in"


def cut_off(hub: Hub, target: Identity, room: Room) -> None:
    """No more of a room for the connections of somebody, who is told and put out next."""
    for number in room.members.get(target, ()):
        hub.sessions[number].drop_room(room.name)
        hub.emit(Unsubscribe(number, room.name))


def put_out(hub: Hub, target: Identity, room: Room, reason: str) -> None:
    """Take somebody out of a room who was cut off from it."""
    if target in room.members:
        hub.presence.expel(target, room, reason)


def review_room(hub: Hub, room: Room) -> None:
    """Put those out of a room who may not read it now that its rules are others."""
    for member in [one for one in room.members if not judge.may(hub, one, Verb.READ, room)]:
        _turn_out(hub, member, room)


def review_member(hub: Hub, identity: Identity) -> None:
    """Put somebody out of the rooms that they may not read now that their rank is another."""
    for room in [hub.rooms[name] for name in identity.rooms]:
        if not judge.may(hub, identity, Verb.READ, room):
            _turn_out(hub, identity, room)


def _turn_out(hub: Hub, identity: Identity, room: Room) -> None:
    inside = room.members[identity]
    cut_off(hub, identity, room)
    for number in inside:
        hub.emit(Send(number, _turned_out(room.name, identity, _NO_RIGHT)))
    put_out(hub, identity, room, _NO_RIGHT)


def leave_for(hub: Hub, session: Session, identity: Identity) -> None:
    """Take a connection out of the rooms in which `identity`, which it is to be, may not be."""
    for name in session.rooms:
        if not judge.may(hub, identity, Verb.ENTER, hub.rooms[name]):
            event = _turned_out(name, session.identity, _OTHER)
            hub.emit(Send(session.number, event))
            hub.emit(Unsubscribe(session.number, name))
            hub.presence.leave(session, name)


def _turned_out(room: str, identity: Identity, reason: str) -> Moderated:
    return Moderated(act="kick", by=SERVER, room=room, nick=identity.nick.text, reason=reason)
