"""Every command as a row: what it needs, how it is decided, what `help` says of it.

A handler takes the hub, the session that asks and the command, and emits effects into the hub; a
polite no is raised as `Rejected` and answered by the hub. The preconditions of a row are checked
before its handler runs, in one place (`prepare`).
"""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ..errors import Rejected
from ..protocol.envelopes import (
    MAX_REASON,
    MAX_TOPIC,
    Bye,
    ChangeNick,
    Command,
    CommandHelp,
    Conversations,
    GoAway,
    Help,
    HelpIs,
    History,
    Join,
    Joke,
    JokeIs,
    Leave,
    Left,
    Login,
    Logout,
    Member,
    Members,
    Passwd,
    Ping,
    Pong,
    Quit,
    Register,
    Renamed,
    Rooms,
    Search,
    ServerPong,
    Sessions,
    Time,
    TimeIs,
    Topic,
    TopicIs,
    Who,
    Whois,
)
from ..records import KeepTopic, Kept, Outcome
from . import (
    auth,
    away,
    certified,
    endings,
    judge,
    moderation,
    peers,
    removal,
    searching,
    whois,
)
from .answers import refuse, storage_error
from .charter import Charter
from .direct import key_of
from .effects import (
    Find,
    Keep,
    ReadHistory,
    Send,
    SendConversations,
    SendList,
    SendRooms,
    SendTopic,
    SetTopic,
    Subscribe,
    Unsubscribe,
)
from .nicks import parse_nick
from .rights import Verb
from .room import LOBBY
from .rows import (
    Need,
    Row,
    check_line,
    check_text,
    locate,
    require_partner,
    require_room,
    require_subscription,
)

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .room import Room
    from .session import Session


def prepare(hub: Hub, session: Session, command: Command) -> Row:
    """The row of `command`, allowed and its preconditions met; raises `Rejected` otherwise."""
    row = COMMANDS[type(command)]
    address: str | None = getattr(command, row.key, None)
    room = None
    if address is not None and address[0] == "#":
        room = hub.rooms.get(address) if row.need is Need.NOTHING else require_room(hub, address)
    judge.require_command(hub, session.identity, command, room)
    if room is not None and row.need is Need.SUBSCRIBED:
        require_subscription(hub, session, room.name)
    return row


# ------------------------------------------------------------------ handlers


def _join(hub: Hub, session: Session, command: Join) -> None:
    if command.room[0] == "@":
        _join_direct(hub, session, command)
        return
    name = command.room
    if name in session.rooms:
        raise Rejected(
            "already_joined", "You are in that room already. `leave` it first to join anew."
        )
    if len(session.rooms) >= hub.limits.subscriptions:
        raise Rejected(
            "forbidden",
            f"One connection may be in {hub.limits.subscriptions} rooms. Leave one first.",
        )
    is_new = name not in hub.rooms
    room = hub.presence.open_room(name)
    if is_new and name != LOBBY:
        room.charter = Charter(name, session.identity.number)
        hub.emit(Keep(room.charter.record()))
    hub.presence.enter(session, room)
    _subscribe(hub, session, command, (name, name), len(room.members))


def _join_direct(hub: Hub, session: Session, command: Join) -> None:
    """Move the cursor of a direct conversation, which is subscribed anyway."""
    other = require_partner(hub, command.room)
    conversation = key_of(session.identity, other)
    session.direct.add(conversation)
    members = 1 if other is session.identity else 2
    _subscribe(hub, session, command, (conversation, f"@{other.nick.text}"), members)


def _subscribe(
    hub: Hub, session: Session, command: Join, place: tuple[str, str], members: int
) -> None:
    """Begin, or begin anew, a conversation, and tell what was erased in it meanwhile."""
    conversation, address = place
    hub.emit(
        Subscribe(
            session.number,
            conversation,
            command.after,
            command.last,
            command.id,
            address,
            session.identity.nick.text,
            members,
        )
    )
    if command.after:
        removal.tell_recent(hub, session.number, conversation, command.after)


def _leave(hub: Hub, session: Session, command: Leave) -> None:
    if command.room[0] == "@":
        message = "A direct conversation cannot be left. It is over when nobody writes."
        raise Rejected("forbidden", message)
    identity = session.identity
    hub.emit(Unsubscribe(session.number, command.room))
    hub.presence.leave(session, command.room)
    hub.emit(Send(session.number, Left(room=command.room, nick=identity.nick.text, re=command.id)))


def _conversations(hub: Hub, session: Session, command: Conversations) -> None:
    partners = []
    for number in session.identity.partners or ():
        other = hub.identities.by_number(number)
        if other is not None:
            partners.append((key_of(session.identity, other), f"@{other.nick.text}"))
    hub.emit(SendConversations(session.number, command.id, partners))


def _nick(hub: Hub, session: Session, command: ChangeNick) -> None:
    identity = session.identity
    old, nick = identity.nick.text, parse_nick(command.nick)
    certified.check_name(hub, session, command.nick)
    if hub.sanctions.on_nick(nick, hub.now.wall) is not None:
        raise Rejected("forbidden", "That nick is banned from this server. Choose another one.")
    peers.rename(hub, identity, nick, skip=session.number)
    hub.emit(Send(session.number, Renamed(old=old, nick=identity.nick.text, re=command.id)))


def _who(hub: Hub, session: Session, command: Who) -> None:
    address = command.room
    if address is None:
        rows = [_member(hub, who) for who in hub.identities if _is_around(who)]
    elif address[0] == "@":
        other = require_partner(hub, address)
        address = f"@{other.nick.text}"
        rows = [_member(hub, other)] if _is_around(other) else []
    else:
        room = require_room(hub, address)
        rows = [_member(hub, who, room) for who in room.members]
    event = Members(room=address, members=(), re=command.id)
    hub.emit(SendList(session.number, event, "members", rows))


def _is_around(identity: Identity) -> bool:
    return bool(identity.connections or identity.rooms)


def _member(hub: Hub, identity: Identity, room: Room | None = None) -> Member:
    """Somebody as a list shows them, of that room or of no place in particular."""
    absence = hub.absences.get(identity.number)
    there = identity.connections if room is None else room.members[identity]
    return Member(
        nick=identity.nick.text,
        role=identity.role.value if room is None else judge.role_in(hub, identity, room),
        held=not there,
        away=absence.text if absence is not None else None,
    )


def _rooms(hub: Hub, session: Session, command: Rooms) -> None:
    hub.emit(SendRooms(session.number, command.id))


def _topic(hub: Hub, session: Session, command: Topic) -> None:
    if command.text is None:
        hub.emit(SendTopic(session.number, command.id, command.room))
        return
    require_subscription(hub, session, command.room)
    if command.text:
        check_line(command.text, MAX_TOPIC, "A topic")
    record = KeepTopic(command.room, command.text)
    hub.emit(SetTopic(session.number, command.id, session.identity.nick.text, record))


def settle_topic(hub: Hub, effect: SetTopic, outcome: Outcome) -> None:
    """Tell the room of its topic, now that it is stored; or whoever set it that it is not."""
    if not isinstance(outcome, Kept):
        hub.emit(Send(effect.connection, storage_error(effect.re)))
        return
    room, text = effect.record
    hub.rooms[room].topic, hub.rooms[room].setter = text, effect.nick
    event = TopicIs(room=room, text=text, nick=effect.nick)
    peers.tell_room(hub, room, event, effect.connection, effect.re)


def _history(hub: Hub, session: Session, command: History) -> None:
    conversation, address = locate(hub, session.identity, command.to)
    hub.emit(ReadHistory(session.number, conversation, address, command))


def _search(hub: Hub, session: Session, command: Search) -> None:
    reader = session.identity

    def find(address: str) -> str:
        if address[0] == "#":
            judge.require(hub, reader, Verb.READ, require_room(hub, address))
        return locate(hub, reader, address)[0]

    query = searching.resolve(
        hub,
        reader,
        searching.parse_query(command.query, hub.now.wall),
        key_of=find,
        within=() if command.to is None else (command.to,),
        before=None if command.before is None else searching.parse_place(command.before),
    )
    hub.emit(Find(session.number, command.id, query, command.limit))


def _time(hub: Hub, session: Session, command: Time) -> None:
    hub.emit(Send(session.number, TimeIs(now=hub.now.ts, re=command.id)))


def _joke(hub: Hub, session: Session, command: Joke) -> None:
    hub.emit(Send(session.number, JokeIs(text=hub.pick_joke(), re=command.id)))


def _help(hub: Hub, session: Session, command: Help) -> None:
    rows = list(HELP.values())
    if command.command is not None:
        row = HELP.get(command.command)
        if row is None:
            near = difflib.get_close_matches(command.command.lower(), HELP, 1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise Rejected(
                "unknown_command", f"There is no such command.{hint} `help` lists them all."
            )
        rows = [row]
    hub.emit(SendList(session.number, HelpIs(commands=(), re=command.id), "commands", rows))


def _ping(hub: Hub, session: Session, command: Ping) -> None:
    hub.emit(Send(session.number, ServerPong(re=command.id), fence=True))


def _pong(hub: Hub, session: Session, command: Pong) -> None:
    """A sign of life; the io thread has seen it already."""


def _quit(hub: Hub, session: Session, command: Quit) -> None:
    reason = command.reason or None
    try:
        if reason is not None:
            check_text(reason, MAX_REASON)
    except Rejected as no:
        # Nothing more is read from who has said quit: a no must not keep them here.
        hub.emit(Send(session.number, refuse(no, command.id)))
        reason = None
    if hub.hushed and not _may_be_heard(hub, session.identity):
        reason = None
    endings.dismiss(hub, session, Bye(reason="quit", re=command.id), reason)


def _may_be_heard(hub: Hub, identity: Identity) -> bool:
    """Whether somebody may speak in each of their rooms, all of which hear why they quit."""
    return all(judge.may(hub, identity, Verb.SPEAK, hub.rooms[name]) for name in identity.rooms)


COMMANDS: Final[MappingProxyType[type[Command], Row]] = MappingProxyType(
    {
        Join: Row("join ROOM [after SEQ | last N]", "enter a room, or make it", _join),
        Leave: Row("leave ROOM", "leave a room", _leave, Need.SUBSCRIBED),
        Conversations: Row("conversations", "list your direct conversations", _conversations),
        ChangeNick: Row("nick NICK", "go by another nick", _nick),
        Who: Row("who [ROOM]", "list who is in a room, or online", _who, Need.VISIBLE),
        Rooms: Row("rooms", "list the rooms", _rooms),
        Topic: Row("topic ROOM [TEXT]", "read or set what a room is about", _topic, Need.VISIBLE),
        History: Row(
            "history ADDRESS [before SEQ | after SEQ] [limit N]",
            "read older messages",
            _history,
            Need.SUBSCRIBED,
            "to",
        ),
        Search: Row(
            "search WORDS [from:NICK] [in:ADDRESS] [before:DATE] [after:DATE]",
            "find what was said, newest first",
            _search,
        ),
        GoAway: Row("away [TEXT]", "be away, or without a text be back", away.go_away),
        Whois: Row("whois NICK", "tell who somebody is", whois.whois),
        Time: Row("time", "tell the server's time", _time),
        Joke: Row("joke", "tell a joke", _joke),
        Help: Row("help [COMMAND]", "list the commands, or explain one", _help),
        Ping: Row("ping", "answer when everything before it is answered", _ping),
        Pong: Row("pong [TOKEN]", "answer the server's ping", _pong),
        Register: Row("register PASSWORD", "make an account of your nick", auth.register),
        Login: Row("login NICK PASSWORD", "be that account", auth.login),
        Passwd: Row("passwd PASSWORD [OLD]", "set another password", auth.passwd),
        Sessions: Row("sessions", "list where you are logged in", auth.sessions),
        Logout: Row(
            "logout [elsewhere | SESSION]", "end this session, or others of yours", auth.logout
        ),
        Quit: Row("quit [REASON]", "leave for good", _quit),
        **moderation.ROWS,
    }
)

HELP: Final[MappingProxyType[str, CommandHelp]] = MappingProxyType(
    {
        name: CommandHelp(name=name, usage=row.usage, summary=row.summary)
        for model, row in COMMANDS.items()
        if (name := model.model_fields["name"].default) not in ("pong",)
    }
)
