"""Who hears of what somebody did: a room, or whoever shares one or a conversation with them.

In: an identity, and what happened to it. Out: effects into the hub. Raised: `Rejected`, where a
nick is not to be had (`nick_taken`, `forbidden`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol.envelopes import Renamed, System
from .effects import Broadcast, Keep, Notify, Send

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .nicks import Nick


def rename(hub: Hub, identity: Identity, nick: Nick, skip: int = 0) -> None:
    """Give `identity` another nick and tell its peers, but not the connection `skip`.

    Raises `nick_taken`, or `forbidden` when too many former nicks are reserved for it.
    """
    old = identity.nick.text
    if nick.text == old:
        return
    hub.identities.rename(identity, nick, hub.now.wall, hub.limits.former_nick)
    hub.emit(Keep(identity.record()))
    tell_peers(hub, identity, Renamed(old=old, nick=nick.text), skip)


def tell_peers(hub: Hub, identity: Identity, event: System, skip: int) -> None:
    """Tell each connection once that shares a room or a direct conversation, or is its own."""
    peers = dict.fromkeys(identity.connections)
    for name in identity.rooms:
        room = hub.rooms[name]
        if hub.presence.names(room):
            peers.update(dict.fromkeys(room.connections()))
    for number in identity.partners or ():
        other = hub.identities.by_number(number)
        if other is not None:
            peers.update(dict.fromkeys(other.connections))
    peers.pop(skip, None)
    if peers:
        hub.emit(Notify(tuple(peers), event))


def tell_room(hub: Hub, conversation: str, event: System, number: int, re: str) -> None:
    """Answer `re`, by which a connection made `event` happen, and tell all others who are there."""
    hub.emit(Send(number, event.model_copy(update={"re": re})))
    hub.emit(Broadcast(conversation, event, skip=number))
