"""What a guest leaves to the account that they log in to: the rooms that they own.

In: a connection that is a guest's and is about to be an account's. Out: effects into the hub.
Nothing is raised.

Whoever logs in is both at that moment, and could have handed the rooms over themselves. Being let
into a private room, or a moderator, was given to the guest by others, and stays with the guest. Who
registers needs none of this: the identity stays the same, and with it all that is its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..protocol.envelopes import Moderated
from ..records import KeepAct
from . import judge
from .effects import Broadcast, Keep, Send
from .sanctions import BAN

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .room import Room
    from .session import Session

_REASON: Final = "logged in"


def inherit(hub: Hub, session: Session, heir: Identity) -> None:
    """Hand the rooms of the guest on `session` over to `heir`, but those where it is banned."""
    guest = session.identity
    for room in [it for it in hub.rooms.values() if judge.owner_of(hub, it) == guest.number]:
        if hub.sanctions.on(BAN, room.name, heir, hub.now.wall) is None:
            _hand_over(hub, session, room, heir)


def _hand_over(hub: Hub, session: Session, room: Room, heir: Identity) -> None:
    guest, charter = session.identity, room.ruled()
    charter.owner = guest.number
    charter.prune(lambda number: hub.identities.by_number(number) is not None)
    charter.hand_over(heir.number)
    if guest.connections == (session.number,):  # nobody is this guest any more
        charter.retire(guest.number)
    by, nick = guest.nick.text, heir.nick.text
    hub.emit(Keep(charter.record()))
    hub.emit(Keep(KeepAct(guest.number, by, "hand_over", room.name, nick, _REASON)))
    event = Moderated(act="hand_over", by=by, room=room.name, nick=nick, reason=_REASON)
    hub.emit(Broadcast(room.name, event))
    if room.name not in session.rooms:
        hub.emit(Send(session.number, event))
