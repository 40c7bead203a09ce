"""What a store kept becomes a hub again, as it was when the last one ended.

In: a `Snapshot`. Out: a hub with the same identities, rooms and members, and what of it is out of
date, as effects. Nothing is raised: what a store gives back may break the rules of today.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..records import KeepPresence, Snapshot
from .charter import Charter
from .direct import make_partners, sides_of
from .effects import Keep

if TYPE_CHECKING:
    from .hub import Hub


def restore(hub: Hub, snapshot: Snapshot) -> None:
    """Give a new hub its identities and rooms; nobody is in any of them yet."""
    accounts = {kept.identity: kept for kept in snapshot.accounts}
    # Accounts first: of two who claim the same, a guest yields.
    for record in sorted(snapshot.identities, key=lambda it: it.identity not in accounts):
        hub.identities.restore(record, accounts.get(record.identity))
    for session in snapshot.sessions:
        hub.identities.add_session(session)
    for name in snapshot.heads:
        if name[0] == "#":
            hub.presence.restore_room(name)
        else:
            _restore_partners(hub, name)
    for name, topic in snapshot.topics.items():
        hub.presence.restore_room(name, topic)
    for ruled in snapshot.rooms:
        hub.presence.restore_room(ruled.room).charter = Charter.of(ruled)
    for name in ("", *hub.rooms):
        hub.note_hush(name)


def _restore_partners(hub: Hub, conversation: str) -> None:
    low, high = map(hub.identities.by_number, sides_of(conversation))
    if low is not None and high is not None:
        make_partners(low, high)


def hold_present(hub: Hub, presence: Iterable[tuple[int, str]]) -> None:
    """Hold everyone who was present, as `(identity, room)`; those who are no more were not."""
    for number, name in presence:
        identity = hub.identities.by_number(number)
        if identity is None:
            hub.emit(Keep(KeepPresence(number, name, False)))
        else:
            hub.presence.restore_member(identity, name)
