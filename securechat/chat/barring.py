"""Who is kept off the server, looked at where they come in: by address, by nick, by account.

In: what somebody comes with. Out: nothing, or a `Rejected` (`banned`, `forbidden`) that says until
when and why. Admins are kept out by no nick and no account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Rejected
from ..records import KeepSanction, LiftSanction
from . import judge
from .effects import Keep
from .nicks import parse_nick
from .rights import Rank
from .sanctions import BAN

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity


def check_peer(hub: Hub, peer: str) -> None:
    """Raise `banned` where a connection comes from a network that is kept off."""
    ban = hub.sanctions.on_peer(peer, hub.now.wall)
    if ban is not None:
        raise Rejected("banned", explain("Your address is", ban))


def check_identity(hub: Hub, nick: str, identity: Identity | None) -> None:
    """Raise `banned` for who is kept off the server, under a nick of old or a new one."""
    ban = _ban_on(hub, nick, identity)
    if ban is not None:
        raise Rejected("banned", explain("You are", ban))


def check_login(hub: Hub, name: str) -> None:
    """Raise `forbidden` for an account that is kept off the server."""
    ban = _ban_on(hub, name, hub.identities.by_account(name))
    if ban is not None:
        raise Rejected("forbidden", explain("That account is", ban))


def explain(who_is: str, ban: KeepSanction) -> str:
    """That somebody is banned from the server, until when and why, and what can be done."""
    told = f"{who_is} banned from this server{judge.terms(ban)}"
    return f"{told}. Ask its owner, in another way, to undo it."


def _ban_on(hub: Hub, nick: str, identity: Identity | None) -> KeepSanction | None:
    now = hub.now.wall
    ban = hub.sanctions.on_nick(parse_nick(nick), now) if nick else None
    if ban is None and identity is not None:
        ban = hub.sanctions.on(BAN, "", identity, now)
    if ban is None or (identity and judge.rank_of(hub, identity, None) >= Rank.ADMIN):
        return None
    return ban


def let_lapse(hub: Hub) -> None:
    """End the bans and mutes whose time is over."""
    for one in hub.sanctions.take_over(hub.now.wall):
        hub.emit(Keep(LiftSanction(one.number)))
        hub.note_hush(one.room)
