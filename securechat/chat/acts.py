"""What every act by a right has in common: against whom it may be, who hears of it, its record.

In: an act that the table of rights has allowed, done by a session to somebody, somewhere. Out:
events to all who may know of it, and a record for the audit. Raised: `Rejected` (`forbidden`), for
nobody acts against somebody of their own rank or above.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import Rejected
from ..protocol.envelopes import Moderated
from ..records import KeepAct
from . import judge, peers
from .effects import Keep, Send

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .room import Room
    from .session import Session


def require_above(hub: Hub, actor: Identity, target: Identity, room: Room | None) -> None:
    """Raise `forbidden` unless `actor` is of a higher rank, in that room or (None) everywhere."""
    if judge.rank_of(hub, actor, room) <= judge.rank_of(hub, target, room):
        raise Rejected(
            "forbidden",
            "They are of your own rank or above it. Ask somebody above them to do that.",
        )


def describe(session: Session, act: str, room: Room | None, **keys: Any) -> Moderated:
    """The event that tells of an act; `keys` say to whom, until when and why."""
    keys["reason"] = keys.get("reason") or None
    place = room.name if room is not None else None
    return Moderated(act=act, by=session.identity.nick.text, room=place, **keys)


def tell(
    hub: Hub,
    session: Session,
    re: str,
    event: Moderated,
    room: Room | None,
    whom: Iterable[Identity],
) -> None:
    """Tell whoever did it, the room, and all connections of whom it was done to; each once.

    Who is behind in a room hears no notice of it, and who was put out no `level` either: so whoever
    is put out must have been cut off (`eviction`) before, and hears it by name.
    """
    name = room.name if room is not None else None
    if name is not None:
        peers.tell_room(hub, name, event, session.number, re)
    else:
        hub.emit(Send(session.number, event.model_copy(update={"re": re})))
    for one in whom:
        told = event.model_copy(update={"nick": one.nick.text})
        for number in one.connections:
            if number != session.number and name not in hub.sessions[number].rooms:
                hub.emit(Send(number, told))


def note(hub: Hub, session: Session, event: Moderated, until: float | None = None) -> None:
    """Note an act for the audit."""
    subject = event.nick or event.account or event.address or ""
    hub.emit(Keep(record(session, event, subject=subject, until=until)))


def record(
    session: Session, event: Moderated, *, subject: str, until: float | None = None
) -> KeepAct:
    """An act as the audit keeps it; `subject` is whom or what it was done to."""
    identity = session.identity
    room, reason = event.room or "", event.reason or ""
    return KeepAct(identity.number, event.by, event.act, room, subject, reason, until)
