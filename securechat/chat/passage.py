"""The way of an invite into a private room: whoever comes by it is let in there, like by `admit`.

In: the room that an invite leads to, and who comes by it. Out: changes to store with the account,
and effects into the hub. Raised: `Rejected` (`forbidden`), where an invite to a full room is made.

Whoever makes invites runs the server, and so may let anybody into any room. A room that has become
full since stays shut: then `join` says so, and somebody in it can make a place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import Rejected
from ..protocol.envelopes import Moderated
from ..records import Change, KeepAct
from .charter import MAX_ADMITTED, Charter
from .effects import Broadcast
from .eviction import SERVER
from .rights import State

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity

_REASON: Final = "came by an invite"


class Passage:
    """Lets `identity` into `room`, should that be private; at once, so that nothing comes between.

    `changes` go to the store; then one of `tell` and `take_back` is to be called.
    """

    __slots__ = ("_charter", "_hub", "_identity", "changes")

    def __init__(self, hub: Hub, room: str | None, identity: Identity) -> None:
        self._hub = hub
        self._identity = identity
        self._charter = charter = _private(hub, room)
        self.changes: tuple[Change, ...] = ()
        if charter is not None and not charter.lets_in(identity.number):
            charter.admit((identity.number,))
            if charter.lets_in(identity.number):
                nick = identity.nick.text
                act = KeepAct(0, SERVER, "admit", charter.name, nick, _REASON)
                self.changes = (charter.record(), act)

    def take_back(self) -> None:
        """It could not be stored."""
        if self.changes and self._charter is not None:
            self._charter.shut_out(self._identity.number)

    def tell(self) -> None:
        """It is stored: tell those who are in the room."""
        if self.changes and self._charter is not None:
            name, nick = self._charter.name, self._identity.nick.text
            event = Moderated(act="admit", by=SERVER, room=name, nick=nick, reason=_REASON)
            self._hub.emit(Broadcast(name, event))


def require_place(hub: Hub, room: str | None) -> None:
    """Raise `forbidden` where an invite would lead to a private room that has no place left."""
    charter = _private(hub, room)
    if charter is not None and len(charter.admitted) >= MAX_ADMITTED:
        message = f"{charter.name} is private and has let in {MAX_ADMITTED}, as many as it may."
        raise Rejected("forbidden", f"{message} Put somebody out first.")


def _private(hub: Hub, name: str | None) -> Charter | None:
    """The rules of a private room, with the places of those who are no more free again."""
    room = hub.rooms.get(name) if name is not None else None
    if room is None or room.charter is None or State.PRIVATE not in room.charter.state:
        return None
    room.charter.prune(lambda number: hub.identities.by_number(number) is not None)
    return room.charter
