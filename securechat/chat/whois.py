"""What is told of one person.

In: the `whois` command. Out: its answer into the hub. Raised: `Rejected` (`no_such_user`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol.envelopes import WhoisIs
from .clock import to_ts
from .effects import Send
from .rows import require_partner

if TYPE_CHECKING:
    from ..protocol.envelopes import Whois
    from .hub import Hub
    from .identities import Identity
    from .session import Session


def whois(hub: Hub, session: Session, command: Whois) -> None:
    """Tell who is behind a nick. Of their rooms only those are told that both are in."""
    other = require_partner(hub, f"@{command.nick.removeprefix('@')}")
    absence = hub.absences.get(other.number)
    mine = set(session.identity.rooms)
    answer = WhoisIs(
        nick=other.nick.text,
        role=other.role.value,
        account=other.account is not None,
        online=bool(other.connections),
        held=bool(other.rooms) and not other.connections,
        idle=_idle(hub, other),
        seen=_seen(other),
        away=absence.text if absence is not None else None,
        rooms=tuple(sorted(room for room in other.rooms if room in mine)),
        re=command.id,
    )
    hub.emit(Send(session.number, answer))


def _idle(hub: Hub, identity: Identity) -> int | None:
    """Seconds since somebody who is online did anything."""
    heard = [hub.sessions[number].heard for number in identity.connections]
    return max(0, int(hub.now.mono - max(heard))) if heard else None


def _seen(identity: Identity) -> str | None:
    """When somebody who is not online was, where that is known."""
    if identity.connections or not identity.met:
        return None
    return to_ts(identity.used)
