"""Who hears of a person: whoever shares a room or a direct conversation with them, and they.

In: an identity, and what happened to it. Out: effects into the hub. Raised: `Rejected`, where a
nick is not to be had (`nick_taken`, `forbidden`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol.envelopes import Renamed, System
from .effects import Keep, Notify

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
