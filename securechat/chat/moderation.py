"""Kick, mute, ban, and how a room is ruled: the handlers, and what each act leads to.

In: commands that the table of rights has allowed already (`judge`). Out: effects into the hub.
Raised: `Rejected`, where the act does not fit whom or what it names.

An act is in force at once, and kept as soon as the store has room: who is to go must go though the
disk is full. Each is noted for the audit, with whoever did it. Nobody acts against somebody of
their own rank or above.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ..errors import Rejected
from ..protocol import envelopes as wire
from ..records import KeepAct, KeepSanction, LiftSanction
from . import eviction, judge
from .charter import MAX_ADMITTED, MAX_MODERATORS, Charter
from .effects import Broadcast, Keep, Notify, Send, SendList
from .nicks import parse_nick
from .removal import remove
from .rights import Rank, State
from .room import Room
from .rows import Need, Row, check_reason, require_partner
from .sanctions import BAN, MUTE, address_of, parse_network

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .session import Session

_SETTINGS: Final = MappingProxyType(
    {
        "private": State.PRIVATE,
        "read_only": State.READ_ONLY,
        "topic_locked": State.TOPIC_LOCKED,
    }
)


# ------------------------------------------------------------------ people


def _kick(hub: Hub, session: Session, command: wire.Kick) -> None:
    target = require_partner(hub, f"@{command.nick}")
    room = hub.rooms[command.room] if command.room is not None else None
    _require_above(hub, session.identity, target, room)
    reason = check_reason(command.reason)
    event = _event(session, "kick", room, nick=target.nick.text, reason=reason)
    if room is None:
        if not target.connections:
            raise Rejected("no_such_user", "They are not online. `ban` keeps them from coming.")
        _tell(hub, session, command.id, event, None, target)
        _put_off(hub, target, "kicked", f"You were put off this server{_because(reason)}")
    else:
        was_let_in = room.charter is not None and room.charter.shut_out(target.number)
        if target not in room.members and not was_let_in:
            raise Rejected("no_such_user", "They are not in that room. `who` lists who is.")
        if was_let_in:
            _keep_charter(hub, room)
        _tell(hub, session, command.id, event, room, target)
        eviction.put_out(hub, target, room, _because(reason, "kicked"))
    _note(hub, session, event)


def _mute(hub: Hub, session: Session, command: wire.Mute) -> None:
    target = require_partner(hub, f"@{command.nick}")
    room = hub.rooms[command.room] if command.room is not None else None
    _require_above(hub, session.identity, target, room)
    sanction = _sanction(hub, session, MUTE, command, target=target, nick=target.nick.text)
    _impose(hub, session, command.id, sanction, room, target)


def _ban(hub: Hub, session: Session, command: wire.Ban) -> None:
    room = hub.rooms[command.room] if command.room is not None else None
    if command.address is not None:
        _ban_network(hub, session, command, command.address)
        return
    target, nick, account = _whom(hub, command)
    # A nick that nobody has may look like that of somebody, for whom the ban then holds.
    doomed = [target] if target is not None else hub.identities.looking_like(parse_nick(nick))
    for one in doomed:
        _require_above(hub, session.identity, one, room)
    sanction = _sanction(hub, session, BAN, command, target=target, nick=nick, account=account)
    _impose(hub, session, command.id, sanction, room, target)
    for one in doomed:
        _keep_away(hub, one, room, judge.terms(sanction))


def _keep_away(hub: Hub, target: Identity, room: Room | None, told: str) -> None:
    """Put somebody out, or off, who has just been banned."""
    if room is None:
        _put_off(hub, target, "banned", f"You are banned from this server{told}")
        return
    if room.charter is not None and room.charter.shut_out(target.number):
        _keep_charter(hub, room)
    eviction.put_out(hub, target, room, f"banned{told}")


def _ban_network(hub: Hub, session: Session, command: wire.Ban, text: str) -> None:
    """Keep a network off, and put those off who are here from there; admins are let alone."""
    network = parse_network(text)
    own = address_of(session.peer)
    if own is not None and own in network:
        raise Rejected("forbidden", "You are in that network yourself. Name a smaller one.")
    sanction = _sanction(hub, session, BAN, command, network=str(network))
    _impose(hub, session, command.id, sanction, None, None)
    message = f"Your address is banned from this server{judge.terms(sanction)}"
    for other in list(hub.sessions.values()):
        address = address_of(other.peer) if other.greeted else None
        if address is None or address not in network:
            continue
        if judge.rank_of(hub, other.identity, None) < Rank.ADMIN:
            _dismiss(hub, other, "banned", message)


def _lift(hub: Hub, session: Session, command: wire.Unmute | wire.Unban) -> None:
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
    room = hub.rooms.get(draft.room)
    own = hub.sanctions.on(act, draft.room, session.identity, hub.now.wall)
    if own in found and judge.rank_of(hub, session.identity, room) < Rank.ADMIN:
        raise Rejected("forbidden", "Nobody undoes what holds for themselves. Ask another one.")
    for one in found:
        hub.sanctions.drop(one)
        hub.emit(Keep(LiftSanction(one.number)))
    hub.note_hush(draft.room)
    event = _event(
        session,
        f"un{act}",
        room,
        nick=draft.nick or None,
        account=draft.account or None,
        address=draft.network or None,
        reason=draft.reason,
    )
    _tell(hub, session, command.id, event, room, hub.identities.by_number(draft.identity))
    _note(hub, session, event)


def _bans(hub: Hub, session: Session, command: wire.Bans) -> None:
    rows = [
        wire.Sanction(
            act=one.act,
            nick=one.nick or None,
            account=one.account or None,
            address=one.network or None,
            by=one.by,
            since=_ts(one.since),
            until=None if one.until is None else _ts(one.until),
            reason=one.reason or None,
        )
        for one in hub.sanctions.of_room(command.room or "", hub.now.wall)
    ]
    event = wire.SanctionList(room=command.room, bans=(), re=command.id)
    hub.emit(SendList(session.number, event, "bans", rows))


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
    room: Room | None,
    target: Identity | None,
) -> None:
    """Put a ban or mute in force, and tell of it."""
    sanction, replaced = hub.sanctions.add(draft)
    for one in replaced:
        hub.emit(Keep(LiftSanction(one.number)))
    hub.emit(Keep(sanction))
    hub.note_hush(sanction.room)
    event = _event(
        session,
        sanction.act,
        room,
        nick=sanction.nick or None,
        account=sanction.account or None,
        address=sanction.network or None,
        until=None if sanction.until is None else _ts(sanction.until),
        reason=sanction.reason,
    )
    _tell(hub, session, re, event, room, target)
    _note(hub, session, event, sanction.until)


# ------------------------------------------------------------------ rooms


def _settings(hub: Hub, session: Session, command: wire.RoomSettings) -> None:
    room = hub.rooms[command.room]
    asked = {key: getattr(command, key) for key in _SETTINGS}
    changes = {key: on for key, on in asked.items() if on is not None}
    if not changes:
        hub.emit(Send(session.number, _room_is(hub, room, re=command.id)))
        return
    charter = room.ruled()
    if command.private:
        _let_in_members(hub, room, charter)
    for key, on in changes.items():
        charter.set(_SETTINGS[key], on)
    _keep_charter(hub, room)
    hub.note_hush(room.name)
    words = ", ".join(f"{key}={'yes' if on else 'no'}" for key, on in changes.items())
    event = _event(session, "room", room)
    hub.emit(Keep(_act(session, event, subject=words)))
    nick = session.identity.nick.text
    hub.emit(Send(session.number, _room_is(hub, room, nick=nick, re=command.id)))
    hub.emit(Broadcast(room.name, _room_is(hub, room, nick=nick), skip=session.number))


def _let_in_members(hub: Hub, room: Room, charter: Charter) -> None:
    """Let those in who are in a room; raises `forbidden` where they are more than may be."""
    charter.prune(lambda number: hub.identities.by_number(number) is not None)
    new = [one.number for one in room.members if not charter.lets_in(one.number)]
    if len(charter.admitted) + len(new) > MAX_ADMITTED:
        message = f"At most {MAX_ADMITTED} may be let into a private room. Put somebody out first."
        raise Rejected("forbidden", message)
    charter.admit(new)


def _admit(hub: Hub, session: Session, command: wire.Admit) -> None:
    room, target = hub.rooms[command.room], require_partner(hub, f"@{command.nick}")
    charter = room.ruled()
    charter.prune(lambda number: hub.identities.by_number(number) is not None)
    if not charter.lets_in(target.number) and len(charter.admitted) >= MAX_ADMITTED:
        message = f"At most {MAX_ADMITTED} may be let into a room. Open it, or put somebody out."
        raise Rejected("forbidden", message)
    charter.admit((target.number,))
    _change_people(hub, session, command.id, "admit", room, target)


def _appoint(hub: Hub, session: Session, command: wire.Appoint) -> None:
    room, target = hub.rooms[command.room], require_partner(hub, f"@{command.nick}")
    charter = room.ruled()
    charter.owner = judge.owner_of(hub, room)
    charter.prune(lambda number: hub.identities.by_number(number) is not None)
    if command.owner:
        charter.hand_over(target.number)
    elif charter.rules(target.number):
        raise Rejected("forbidden", "They rule that room already. `room` tells who does.")
    elif len(charter.moderators) >= MAX_MODERATORS:
        message = f"A room has at most {MAX_MODERATORS} moderators. Dismiss one first."
        raise Rejected("forbidden", message)
    else:
        charter.appoint(target.number)
    act = "hand_over" if command.owner else "appoint"
    _change_people(hub, session, command.id, act, room, target)


def _dismiss_moderator(hub: Hub, session: Session, command: wire.Dismiss) -> None:
    room, target = hub.rooms[command.room], require_partner(hub, f"@{command.nick}")
    charter = room.ruled()
    if target.number not in charter.moderators:
        raise Rejected("no_such_user", "They are no moderator there. `room` tells who is.")
    charter.dismiss(target.number)
    _change_people(hub, session, command.id, "dismiss", room, target)


def _change_people(
    hub: Hub, session: Session, re: str, act: str, room: Room, target: Identity
) -> None:
    """Keep and tell that somebody stands otherwise to a room now."""
    _keep_charter(hub, room)
    event = _event(session, act, room, nick=target.nick.text)
    _tell(hub, session, re, event, room, target)
    _note(hub, session, event)
    eviction.review_room(hub, room)


def _keep_charter(hub: Hub, room: Room) -> None:
    hub.emit(Keep(room.ruled().record()))


def _room_is(
    hub: Hub, room: Room, *, nick: str | None = None, re: str | None = None
) -> wire.RoomIs:
    """How a room is ruled, with the present nicks of those who still are."""
    charter = room.charter or Charter(room.name)
    owner = judge.owner_of(hub, room)
    return wire.RoomIs(
        room=room.name,
        private=State.PRIVATE in charter.state,
        read_only=State.READ_ONLY in charter.state,
        topic_locked=State.TOPIC_LOCKED in charter.state,
        owner=next(iter(_nicks(hub, (owner,))), None),
        moderators=_nicks(hub, (one for one in charter.moderators if one != owner)),
        admitted=_nicks(hub, charter.admitted),
        nick=nick,
        re=re,
    )


def _nicks(hub: Hub, numbers: Iterable[int]) -> tuple[str, ...]:
    found = map(hub.identities.by_number, numbers)
    return tuple(identity.nick.text for identity in found if identity is not None)


# ------------------------------------------------------------------ who has to go


def check_peer(hub: Hub, peer: str) -> None:
    """Raise `banned` where a connection comes from a network that is kept off."""
    ban = hub.sanctions.on_peer(peer, hub.now.wall)
    if ban is not None:
        message = f"Your address is banned from this server{judge.terms(ban)}"
        raise Rejected("banned", f"{message}. Ask its owner, in another way, to undo it.")


def check_identity(hub: Hub, nick: str, identity: Identity | None) -> None:
    """Raise `banned` for who is kept off the server, under a nick of old or a new one."""
    ban = _ban_on(hub, nick, identity)
    if ban is not None:
        message = f"You are banned from this server{judge.terms(ban)}"
        raise Rejected("banned", f"{message}. Ask its owner, in another way, to undo it.")


def check_login(hub: Hub, name: str) -> None:
    """Raise `forbidden` for an account that is kept off the server."""
    ban = _ban_on(hub, name, hub.identities.by_account(name))
    if ban is not None:
        message = f"That account is banned from this server{judge.terms(ban)}"
        raise Rejected("forbidden", f"{message}. Ask its owner, in another way, to undo it.")


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


def _put_off(hub: Hub, target: Identity, code: str, message: str) -> None:
    """End all connections of somebody."""
    for number in target.connections:
        _dismiss(hub, hub.sessions[number], code, message)


def _dismiss(hub: Hub, session: Session, code: str, message: str) -> None:
    text = f"{message}. Ask its owner, in another way, to undo it."
    if code == "kicked":
        text = f"{message}. Come back when it has calmed down."
    hub.dismiss(session, wire.Error(code=code, message=text, fatal=True), code)


# ------------------------------------------------------------------ small tools


def _require_above(hub: Hub, actor: Identity, target: Identity, room: Room | None) -> None:
    if judge.rank_of(hub, actor, room) <= judge.rank_of(hub, target, room):
        raise Rejected(
            "forbidden",
            "They are of your own rank or above it. Ask somebody above them to do that.",
        )


def _event(session: Session, act: str, room: Room | None, **keys: Any) -> wire.Moderated:
    keys["reason"] = keys.get("reason") or None
    place = room.name if room is not None else None
    return wire.Moderated(act=act, by=session.identity.nick.text, room=place, **keys)


def _tell(
    hub: Hub,
    session: Session,
    re: str,
    event: wire.Moderated,
    room: Room | None,
    target: Identity | None,
) -> None:
    """Tell whoever did it, the room, and all connections of whom it was done to; each once."""
    hub.emit(Send(session.number, event.model_copy(update={"re": re})))
    name = room.name if room is not None else None
    if room is not None:
        hub.emit(Broadcast(room.name, event, skip=session.number))
    others = tuple(
        number
        for number in (target.connections if target is not None else ())
        if number != session.number and name not in hub.sessions[number].rooms
    )
    if others:
        hub.emit(Notify(others, event))


def _note(hub: Hub, session: Session, event: wire.Moderated, until: float | None = None) -> None:
    """Note an act for the audit."""
    subject = event.nick or event.account or event.address or ""
    hub.emit(Keep(_act(session, event, subject=subject, until=until)))


def _act(
    session: Session, event: wire.Moderated, *, subject: str, until: float | None = None
) -> KeepAct:
    identity = session.identity
    room, reason = event.room or "", event.reason or ""
    return KeepAct(identity.number, event.by, event.act, room, subject, reason, until)


def _because(reason: str, act: str = "") -> str:
    return f"{act} ({reason})" if reason else act


def _ts(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


ROWS: Final[dict[type[wire.Command], Row]] = {
    wire.Kick: Row(
        "kick NICK [ROOM] [REASON]", "put somebody out of a room or off", _kick, Need.VISIBLE
    ),
    wire.Mute: Row(
        "mute NICK [ROOM] [SECONDS] [REASON]", "have somebody say nothing", _mute, Need.VISIBLE
    ),
    wire.Unmute: Row("unmute NICK [ROOM]", "undo `mute`", _lift, Need.VISIBLE),
    wire.Ban: Row(
        "ban [NICK | ACCOUNT | ADDRESS] [ROOM] [SECONDS] [REASON]",
        "keep somebody out of a room or off",
        _ban,
        Need.VISIBLE,
    ),
    wire.Unban: Row("unban [NICK | ACCOUNT | ADDRESS] [ROOM]", "undo `ban`", _lift, Need.VISIBLE),
    wire.Bans: Row("bans [ROOM]", "list bans and mutes", _bans, Need.VISIBLE),
    wire.RoomSettings: Row(
        "room ROOM [private | read_only | topic_locked = true | false]",
        "read how a room is ruled, or change it",
        _settings,
        Need.VISIBLE,
    ),
    wire.Admit: Row("admit ROOM NICK", "let somebody into a private room", _admit, Need.VISIBLE),
    wire.Appoint: Row(
        "appoint ROOM NICK [owner = true]",
        "make a moderator, or hand the room over",
        _appoint,
        Need.VISIBLE,
    ),
    wire.Dismiss: Row(
        "dismiss ROOM NICK", "take a moderator's rights back", _dismiss_moderator, Need.VISIBLE
    ),
    wire.Remove: Row(
        "remove ADDRESS SEQ [REASON]", "erase what a message says", remove, Need.VISIBLE, "to"
    ),
}
