"""Kick, mute and ban, and how they are undone and listed.

In: commands that the table of rights has allowed already (`judge`). Out: effects into the hub.
Raised: `Rejected`, where the act does not fit whom or what it names.

An act is in force at once, and kept as soon as the store has room: who is to go must go though the
disk is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Rejected
from ..protocol import envelopes as wire
from ..records import KeepSanction, LiftSanction
from . import acts, barring, endings, eviction, judge, ruling
from .clock import to_ts
from .effects import Keep, SendList
from .nicks import parse_nick
from .rights import Rank
from .room import Room
from .rows import check_reason, require_partner
from .sanctions import BAN, MUTE, address_of, parse_network

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .session import Session


def kick(hub: Hub, session: Session, command: wire.Kick) -> None:
    """Put somebody out of a room, or off the server."""
    target = require_partner(hub, f"@{command.nick}")
    room = _place(hub, command)
    acts.require_above(hub, session.identity, target, room)
    reason = check_reason(command.reason)
    event = acts.describe(session, "kick", room, nick=target.nick.text, reason=reason)
    if room is None:
        if not target.connections:
            raise Rejected("no_such_user", "They are not online. `ban` keeps them from coming.")
        acts.tell(hub, session, command.id, event, None, (target,))
        told = f"You were put off this server{_because(reason)}. Come back when it has calmed down."
        _put_off(hub, target.connections, "kicked", told)
    else:
        was_let_in = room.charter is not None and room.charter.shut_out(target.number)
        if target not in room.members and not was_let_in:
            raise Rejected("no_such_user", "They are not in that room. `who` lists who is.")
        if was_let_in:
            ruling.keep_charter(hub, room)
        eviction.cut_off(hub, target, room)
        acts.tell(hub, session, command.id, event, room, (target,))
        eviction.put_out(hub, target, room, f"kicked{_because(reason)}")
    acts.note(hub, session, event)


def mute(hub: Hub, session: Session, command: wire.Mute) -> None:
    """Have somebody say nothing, in a room or everywhere."""
    target = require_partner(hub, f"@{command.nick}")
    room = _place(hub, command)
    acts.require_above(hub, session.identity, target, room)
    sanction = _sanction(hub, session, MUTE, command, target=target, nick=target.nick.text)
    _impose(hub, session, command.id, sanction, (target,))


def ban(hub: Hub, session: Session, command: wire.Ban) -> None:
    """Keep somebody out of a room, or somebody or a network off the server."""
    room = _place(hub, command)
    if command.address is not None:
        _ban_network(hub, session, command, command.address)
        return
    target, nick, account = _whom(hub, command)
    # A nick that nobody has may look like that of somebody, for whom the ban then holds.
    doomed = [target] if target is not None else hub.identities.looking_like(parse_nick(nick))
    for one in doomed:
        acts.require_above(hub, session.identity, one, room)
    sanction = _sanction(hub, session, BAN, command, target=target, nick=nick, account=account)
    _impose(hub, session, command.id, sanction, doomed)
    for one in doomed:
        _keep_away(hub, one, room, sanction)


def _keep_away(hub: Hub, target: Identity, room: Room | None, sanction: KeepSanction) -> None:
    """Put somebody out, or off, who has just been banned."""
    if room is None:
        _put_off(hub, target.connections, "banned", barring.explain("You are", sanction))
        return
    if room.charter is not None and room.charter.shut_out(target.number):
        ruling.keep_charter(hub, room)
    eviction.put_out(hub, target, room, f"banned{judge.terms(sanction)}")


def _ban_network(hub: Hub, session: Session, command: wire.Ban, text: str) -> None:
    """Keep a network off, and put those off who are here from there; admins are let alone."""
    network = parse_network(text)
    own = address_of(session.peer)
    if own is not None and own in network:
        raise Rejected("forbidden", "You are in that network yourself. Name a smaller one.")
    sanction = _sanction(hub, session, BAN, command, network=str(network))
    _impose(hub, session, command.id, sanction, ())
    doomed = []
    for other in hub.sessions.values():
        address = address_of(other.peer) if other.greeted else None
        if address is None or address not in network:
            continue
        if judge.rank_of(hub, other.identity, None) < Rank.ADMIN:
            doomed.append(other.number)
    _put_off(hub, doomed, "banned", barring.explain("Your address is", sanction))


def lift(hub: Hub, session: Session, command: wire.Unmute | wire.Unban) -> None:
    """Undo a mute or a ban."""
    act = MUTE if isinstance(command, wire.Unmute) else BAN
    if isinstance(command, wire.Unban) and command.address is not None:
        network = str(parse_network(command.address))
        draft = _sanction(hub, session, act, command, network=network)
    else:
        target, nick, account = _whom(hub, command)
        draft = _sanction(hub, session, act, command, target=target, nick=nick, account=account)
    found = hub.sanctions.matching(draft)
    if not found:
        raise Rejected("no_such_user", f"There is no such {act} in force. `bans` lists them.")
    own = hub.sanctions.on(act, draft.room, session.identity, hub.now.wall)
    rank = judge.rank_of(hub, session.identity, hub.rooms.get(draft.room))
    if own in found and rank < Rank.ADMIN:
        raise Rejected("forbidden", "Nobody undoes what holds for themselves. Ask another one.")
    for one in found:
        hub.sanctions.drop(one)
        hub.emit(Keep(LiftSanction(one.number)))
    hub.note_hush(draft.room)
    target = hub.identities.by_number(draft.identity)
    whom = (target,) if target is not None else ()
    _announce(hub, session, command.id, f"un{act}", draft, whom)


def bans(hub: Hub, session: Session, command: wire.Bans) -> None:
    """List what is in force in a room, or everywhere."""
    rows = [
        wire.Sanction(
            act=one.act,
            nick=one.nick or None,
            account=one.account or None,
            address=one.network or None,
            by=one.by,
            since=to_ts(one.since),
            until=None if one.until is None else to_ts(one.until),
            reason=one.reason or None,
        )
        for one in hub.sanctions.of_room(command.room or "", hub.now.wall)
    ]
    event = wire.SanctionList(room=command.room, bans=(), re=command.id)
    hub.emit(SendList(session.number, event, "bans", rows))


def _place(hub: Hub, command: wire.Kick | wire.Mute | wire.Ban) -> Room | None:
    """Where the act is to hold; None: on the whole server. A room named must be there (`Need`)."""
    return hub.rooms[command.room] if command.room is not None else None


def _whom(
    hub: Hub, command: wire.Ban | wire.Unban | wire.Unmute
) -> tuple[Identity | None, str, str]:
    """Who is meant: the identity if there is one, the nick, the account's name."""
    account = getattr(command, "account", None)
    if account is not None:
        one = hub.identities.by_account(account)
        if one is None or one.account is None:
            message = "There is no account of that name. Look at its spelling."
            raise Rejected("no_such_user", message)
        return one, "", one.account
    nick = parse_nick(command.nick or "")
    target = hub.identities.by_nick(nick.text)
    return target, target.nick.text if target is not None else nick.text, ""


def _sanction(
    hub: Hub,
    session: Session,
    act: str,
    command: Any,
    *,
    target: Identity | None = None,
    nick: str = "",
    account: str = "",
    network: str = "",
) -> KeepSanction:
    """The ban or mute that a command asks for, not yet in force."""
    now, duration = hub.now.wall, getattr(command, "duration", None)
    return KeepSanction(
        0,
        act,
        command.room or "",
        target.number if target is not None else 0,
        nick,
        account,
        network,
        None if duration is None else now + duration,
        now,
        session.identity.nick.text,
        check_reason(command.reason),
    )


def _impose(
    hub: Hub,
    session: Session,
    re: str,
    draft: KeepSanction,
    whom: Sequence[Identity],
) -> None:
    """Put a ban or mute in force, and tell of it."""
    sanction, replaced = hub.sanctions.add(draft)
    for one in replaced:
        hub.emit(Keep(LiftSanction(one.number)))
    hub.emit(Keep(sanction))
    hub.note_hush(sanction.room)
    room = hub.rooms.get(sanction.room)
    if sanction.act == BAN and room is not None:
        for doomed in whom:
            eviction.cut_off(hub, doomed, room)
    _announce(hub, session, re, sanction.act, sanction, whom)


def _announce(
    hub: Hub,
    session: Session,
    re: str,
    act: str,
    sanction: KeepSanction,
    whom: Sequence[Identity],
) -> None:
    """Tell of a ban or mute that was imposed or lifted, and note it for the audit."""
    room = hub.rooms.get(sanction.room)
    event = acts.describe(
        session,
        act,
        room,
        nick=sanction.nick or None,
        account=sanction.account or None,
        address=sanction.network or None,
        until=None if sanction.until is None else to_ts(sanction.until),
        reason=sanction.reason,
    )
    acts.tell(hub, session, re, event, room, whom)
    acts.note(hub, session, event, sanction.until)


# ------------------------------------------------------------------ who has to go


def _put_off(hub: Hub, numbers: Iterable[int], code: str, message: str) -> None:
    """End connections for good."""
    for number in numbers:
        error = wire.Error(code=code, message=message, fatal=True)
        endings.dismiss(hub, hub.sessions[number], error, code)


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
