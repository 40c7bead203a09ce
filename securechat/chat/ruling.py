"""How a room is ruled: its settings, who is let in, who moderates it, who owns it.

In: commands that the table of rights has allowed already (`judge`). Out: effects into the hub.
Raised: `Rejected`, where the act does not fit whom it names, or there are too many of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..errors import Rejected
from ..protocol import envelopes as wire
from . import acts, eviction, judge
from .charter import MAX_ADMITTED, MAX_MODERATORS, Charter
from .effects import Broadcast, Keep, Send
from .rights import State
from .rows import require_partner

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .room import Room
    from .session import Session

_SETTINGS: Final = MappingProxyType(
    {
        "private": State.PRIVATE,
        "read_only": State.READ_ONLY,
        "topic_locked": State.TOPIC_LOCKED,
    }
)


def settings(hub: Hub, session: Session, command: wire.RoomSettings) -> None:
    """Tell how a room is ruled, or change it."""
    room = hub.rooms[command.room]
    asked = {key: getattr(command, key) for key in _SETTINGS}
    changes = {key: on for key, on in asked.items() if on is not None}
    if not changes:
        hub.emit(Send(session.number, _room_is(hub, room, re=command.id)))
        return
    charter = room.ruled()
    if command.private:
        _admit_members(hub, room, charter)
    for key, on in changes.items():
        charter.set(_SETTINGS[key], on)
    keep_charter(hub, room)
    hub.note_hush(room.name)
    words = ", ".join(f"{key}={'yes' if on else 'no'}" for key, on in changes.items())
    event = acts.describe(session, "room", room)
    hub.emit(Keep(acts.record(session, event, subject=words)))
    nick = session.identity.nick.text
    hub.emit(Send(session.number, _room_is(hub, room, nick=nick, re=command.id)))
    hub.emit(Broadcast(room.name, _room_is(hub, room, nick=nick), skip=session.number))


def _admit_members(hub: Hub, room: Room, charter: Charter) -> None:
    """Let those in who are in a room; raises `forbidden` where they are more than may be."""
    charter.prune(lambda number: hub.identities.by_number(number) is not None)
    new = [one.number for one in room.members if not charter.lets_in(one.number)]
    if len(charter.admitted) + len(new) > MAX_ADMITTED:
        message = f"At most {MAX_ADMITTED} may be let into a private room. Put somebody out first."
        raise Rejected("forbidden", message)
    charter.admit(new)


def admit(hub: Hub, session: Session, command: wire.Admit) -> None:
    """Let somebody into a private room."""
    room, target = hub.rooms[command.room], require_partner(hub, f"@{command.nick}")
    charter = room.ruled()
    charter.prune(lambda number: hub.identities.by_number(number) is not None)
    if not charter.lets_in(target.number) and len(charter.admitted) >= MAX_ADMITTED:
        message = f"At most {MAX_ADMITTED} may be let into a room. Open it, or put somebody out."
        raise Rejected("forbidden", message)
    charter.admit((target.number,))
    _change_people(hub, session, command.id, "admit", room, target)


def appoint(hub: Hub, session: Session, command: wire.Appoint) -> None:
    """Make somebody a moderator of a room, or its owner."""
    room, target = hub.rooms[command.room], require_partner(hub, f"@{command.nick}")
    charter = room.ruled()
    charter.owner = judge.owner_of(hub, room)
    charter.prune(lambda number: hub.identities.by_number(number) is not None)
    if command.owner:
        charter.hand_over(target.number)
    elif charter.rules(target.number):
        raise Rejected("forbidden", "They rule that room already. `room` tells who does.")
    elif len(charter.moderators) >= MAX_MODERATORS:
        message = f"A room has at most {MAX_MODERATORS} moderators. Dismiss one first."
        raise Rejected("forbidden", message)
    else:
        charter.appoint(target.number)
    act = "hand_over" if command.owner else "appoint"
    _change_people(hub, session, command.id, act, room, target)


def dismiss(hub: Hub, session: Session, command: wire.Dismiss) -> None:
    """Take a moderator's rights back."""
    room, target = hub.rooms[command.room], require_partner(hub, f"@{command.nick}")
    charter = room.ruled()
    if target.number not in charter.moderators:
        raise Rejected("no_such_user", "They are no moderator there. `room` tells who is.")
    charter.dismiss(target.number)
    _change_people(hub, session, command.id, "dismiss", room, target)


def _change_people(
    hub: Hub, session: Session, re: str, act: str, room: Room, target: Identity
) -> None:
    """Keep and tell that somebody stands otherwise to a room now."""
    keep_charter(hub, room)
    event = acts.describe(session, act, room, nick=target.nick.text)
    acts.tell(hub, session, re, event, room, (target,))
    acts.note(hub, session, event)
    eviction.review_room(hub, room)


def keep_charter(hub: Hub, room: Room) -> None:
    """Have the rules of a room stored as they are now."""
    hub.emit(Keep(room.ruled().record()))


def _room_is(
    hub: Hub, room: Room, *, nick: str | None = None, re: str | None = None
) -> wire.RoomIs:
    """How a room is ruled, with the present nicks of those who still are."""
    charter = room.charter or Charter(room.name)
    owner = judge.owner_of(hub, room)
    return wire.RoomIs(
        room=room.name,
        private=State.PRIVATE in charter.state,
        read_only=State.READ_ONLY in charter.state,
        topic_locked=State.TOPIC_LOCKED in charter.state,
        owner=next(iter(_nicks(hub, (owner,))), None),
        moderators=_nicks(hub, (one for one in charter.moderators if one != owner)),
        admitted=_nicks(hub, charter.admitted),
        nick=nick,
        re=re,
    )


def _nicks(hub: Hub, numbers: Iterable[int]) -> tuple[str, ...]:
    found = map(hub.identities.by_number, numbers)
    return tuple(identity.nick.text for identity in found if identity is not None)
