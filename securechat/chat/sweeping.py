"""Once a minute: what is over is forgotten, and who is here is noted not to be away.

In: the hub as it stands. Out: effects into it. Nothing is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import barring, devices, invites, lifetimes
from .clock import DAY
from .effects import Keep

if TYPE_CHECKING:
    from .hub import Hub

#: Seconds between two sweeps.
SWEEP_EVERY: Final = 60.0


def sweep(hub: Hub) -> None:
    """Let bans, invites, sessions and guests lapse and former nicks go free; and again later."""
    hub.after(SWEEP_EVERY, lambda: sweep(hub))
    barring.let_lapse(hub)
    invites.sweep(hub)
    for identity in hub.identities.accounts.values():
        devices.sweep(hub, identity)
    now, life = hub.now.wall, hub.limits.guest_days * DAY
    for identity in list(hub.identities):
        if lifetimes.let_lapse(hub, identity):
            continue
        changed = bool(identity.former) and hub.identities.release_former(identity, now)
        if identity.met and identity.connections and now - identity.used > life / 7:
            identity.used, changed = now, True
        if changed:
            hub.emit(Keep(identity.record()))
