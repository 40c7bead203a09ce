"""How long an identity lives: it is used, it is met, and one day it lapses.

In: identities, and the time of the hub. Out: what is to be kept or forgotten, as effects into the
hub. Nothing is raised.

A guest lives as long as its session: `guest_days` after it was last used. Accounts do not lapse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..records import ForgetIdentity
from .clock import DAY
from .effects import Keep

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity

#: How long a session lives whose holder has said nothing but `hello`, seconds.
FIRST_LEASE: Final = 60.0


def stamp(hub: Hub, identity: Identity) -> None:
    """Note that `identity` is used now.

    Whoever has said nothing yet may never have read its `welcome`, with the one proof of who it is:
    its session lives for `FIRST_LEASE` only, or its own nick would be lost to it for days.
    """
    identity.used = hub.now.wall  # one object for all who are stamped in a batch
    if not identity.met:
        identity.used -= max(0.0, hub.limits.guest_days * DAY - FIRST_LEASE)


def meet(hub: Hub, identity: Identity) -> None:
    """Note that `identity` has said something, and so knows its session."""
    identity.met = True
    hub.invites.unmet.pop(identity.number, None)
    stamp(hub, identity)
    hub.emit(Keep(identity.record()))


def let_lapse(hub: Hub, identity: Identity | None) -> bool:
    """Forget an identity whose session is over; True when it was."""
    if identity is None or identity.connections or identity.rooms or identity.account:
        return False
    life = hub.limits.guest_days * DAY
    if identity.provable and hub.now.wall - identity.used <= life:
        return False
    hub.identities.forget(identity)
    hub.absences.pop(identity.number, None)
    hub.emit(Keep(ForgetIdentity(identity.number)))
    return True
