"""The hub: everything that is decided in the chat, by one owner, without I/O.

In: batches of `(connection, event)`, where an event is an envelope of a client, a `Refusal`, or a
word from the io threads (`Arrived`, `Lost`, `Levelled`); and the time, handed in as `Now`.
Out: a list of effects (see `effects`), to be carried out in order. For those that carry a record
the caller tells the outcome of storing it with `settle`, which gives the effects that follow.
Nothing is raised for what a client can do.

The hub's caller, the dispatcher, keeps `heads` (the last `seq` of each conversation) up to date
while it carries effects out: numbers are given by the store, not decided here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple, TypeAlias

from ..config import ChatLimits
from ..errors import Rejected
from ..link_events import Arrived, Levelled, Lost
from ..protocol.codec import Refusal
from ..protocol.envelopes import (
    FATAL_CODES,
    MAX_TEXT,
    PROTOCOL_VERSION,
    Bye,
    Command,
    Count,
    Draft,
    Error,
    Hello,
    Joined,
    Left,
    Level,
    Limits,
    Renamed,
    System,
    TopicIs,
    Welcome,
)
from ..protocol.framing import DEFAULT_MAX_FRAME
from ..records import (
    Failed,
    ForgetIdentity,
    KeepPresence,
    KeepTopic,
    Kept,
    Lookup,
    NewMessage,
    Outcome,
    Snapshot,
    Unknown,
)
from .commands import check_text, prepare, require_partner, require_room, require_subscription
from .effects import (
    Broadcast,
    Close,
    Effect,
    Greet,
    Keep,
    Notify,
    Persistent,
    Post,
    Refuse,
    Send,
    SetTopic,
    Subscribe,
)
from .identities import Identities, Identity, hash_token
from .jokes import JOKES
from .nicks import Nick, parse_nick
from .room import Room

log = logging.getLogger(__name__)

MAX_HELLOS: Final = 3
COUNT_EVERY: Final = 5.0
SWEEP_EVERY: Final = 60.0
STORAGE_RETRY: Final = 5.0
FEATURES: Final = ("conversations", "history", "presence", "resume")


class Now(NamedTuple):
    """The time of a batch: monotonic seconds, Unix seconds, and the latter as a `ts`."""

    mono: float
    wall: float
    ts: str


Event: TypeAlias = Draft | Command | Refusal | Arrived | Lost | Levelled


class Session:
    """What the hub knows of one connection."""

    __slots__ = ("_direct", "_identity", "_rooms", "heard", "hellos", "number", "refused")

    def __init__(self, number: int, heard: float) -> None:
        self.number = number
        #: When it last said something, monotonic seconds.
        self.heard = heard
        self.hellos = 0
        #: The first draft refused for want of storage; until it comes again none is taken.
        self.refused: str | None = None
        self._identity: Identity | None = None
        self._rooms: dict[str, None] | None = None
        self._direct: set[str] | None = None

    @property
    def identity(self) -> Identity:
        """Who is on the other side; only after `hello`."""
        assert self._identity is not None
        return self._identity

    @property
    def greeted(self) -> bool:
        """Whether `hello` was answered with `welcome`."""
        return self._identity is not None

    @property
    def rooms(self) -> dict[str, None]:
        """The rooms this connection is subscribed to."""
        if self._rooms is None:
            self._rooms = {}
        return self._rooms

    @property
    def direct(self) -> set[str]:
        """The direct conversations that were subscribed so far."""
        if self._direct is None:
            self._direct = set()
        return self._direct

    def greet(self, identity: Identity) -> None:
        """Remember who it is."""
        self._identity = identity


class Hub:
    """All rooms, identities and sessions; one thread calls it."""

    def __init__(
        self,
        limits: ChatLimits,
        snapshot: Snapshot,
        *,
        new_token: Callable[[], str],
        choose: Callable[[Sequence[str]], str],
        name: str = "securechat",
        version: str = "",
        motd: str = "",
    ) -> None:
        self.limits = limits
        self.heads: dict[str, int] = dict(snapshot.heads)
        self.last_ts: dict[str, str] = dict(snapshot.last_ts)
        self.rooms: dict[str, Room] = {}
        self.identities = Identities(snapshot.next_identity)
        self.sessions: dict[int, Session] = {}
        self.now = Now(0.0, 0.0, "")
        self._new_token = new_token
        self._choose = choose
        self._effects: list[Effect] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_number = 0
        self._held: dict[tuple[Identity, str], float] = {}
        self._sweep_at = 0.0
        self._welcome = Welcome(
            protocol=PROTOCOL_VERSION,
            server=name,
            version=version,
            nick="",
            epoch=snapshot.epoch,
            limits=Limits(
                max_frame=DEFAULT_MAX_FRAME,
                max_text=MAX_TEXT,
                rate=limits.rate,
                burst=limits.burst,
                presence=limits.presence,
                idle_timeout=limits.idle_timeout,
            ),
            features=FEATURES,
            motd=motd,
        )
        self._restore(snapshot)

    def _restore(self, snapshot: Snapshot) -> None:
        for record in snapshot.identities:
            self.identities.restore(record)
        for name in snapshot.heads:
            if name[0] == "#":
                self.rooms[name] = Room(name)
            else:
                self._remember_partners(name)
        for name, topic in snapshot.topics.items():
            self.rooms.setdefault(name, Room(name)).topic = topic
        self._restored_presence = snapshot.presence

    def _remember_partners(self, conversation: str) -> None:
        low, high = (int(number) for number in conversation[1:].split(":"))
        for one, other in ((low, high), (high, low)):
            identity = self.identities.by_number(one)
            if identity is not None:
                _partners(identity)[other] = None

    # -------------------------------------------------------------- in

    def start(self, now: Now) -> list[Effect]:
        """Hold everyone who was present when the store was last written, for the grace period."""
        self.now = now
        for number, name in self._restored_presence:
            identity = self.identities.by_number(number)
            if identity is None:
                self.emit(Keep(KeepPresence(number, name, False)))
                continue
            room = self.rooms.setdefault(name, Room(name))
            room.members.setdefault(identity, [])
            _rooms(identity).append(name)
            self._hold(identity, room)
        self._restored_presence = ()
        self._sweep_at = now.mono + SWEEP_EVERY
        return self._take()

    def decide(self, batch: Iterable[tuple[int, Event]], now: Now) -> list[Effect]:
        """What follows from `batch`, in order."""
        self.now = now
        sessions = self.sessions
        for number, event in batch:
            session = sessions.get(number)
            if session is None:
                if type(event) is Arrived:
                    sessions[number] = Session(number, now.mono)
                continue  # what comes late is for a connection that has ended
            mark = len(self._effects)
            try:
                if type(event) is Draft:
                    session.heard = now.mono
                    self._draft(session, event)
                else:
                    self._decide_one(session, event)
            except Rejected as no:
                re = event.id if isinstance(event, Draft | Command) else None
                self.emit(Send(number, refuse(no, re)))
            except Exception:
                log.exception("connection %d: deciding a %s failed", number, type(event).__name__)
                del self._effects[mark:]
                self._fail(session)
        return self._take()

    def tick(self, now: Now) -> list[Effect]:
        """What follows from the passing of time; call it when `next_due` has come."""
        self.now = now
        while self._timers and self._timers[0][0] <= now.mono:
            heappop(self._timers)[2]()
        if self._sweep_at <= now.mono:
            self._sweep_at = now.mono + SWEEP_EVERY
            self._sweep()
        return self._take()

    @property
    def next_due(self) -> float:
        """When `tick` wants to be called, monotonic seconds."""
        return min(self._timers[0][0], self._sweep_at) if self._timers else self._sweep_at

    def farewell(self, reason: str, retry_after: float | None, now: Now) -> list[Effect]:
        """Say bye to everyone; who comes back in the grace period was never away."""
        self.now = now
        bye = Bye(reason=reason, retry_after=retry_after)
        for number in self.sessions:
            self.emit(Close(number, bye))
        for identity in self.identities:
            if identity.connections:
                identity.used = now.wall
                self.emit(Keep(identity.record()))
        self.sessions.clear()
        return self._take()

    def settle(self, effect: Persistent, outcome: Outcome) -> list[Effect]:
        """What follows from `outcome` of storing `effect`; not for messages stored or known."""
        match effect, outcome:
            case (Post() | Refuse(), Failed()):
                self._settle_failure(effect.connection, effect.record.id)
            case (Refuse(), Unknown()):
                no = Rejected(effect.code, effect.message, effect.retry_after)
                self.emit(Send(effect.connection, refuse(no, effect.record.id)))
            case (Post() | Refuse(), _):
                message = "That id was used for another message. Use a new id for a new message."
                event = Error(code="id_conflict", message=message, re=effect.record.id)
                self.emit(Send(effect.connection, event))
            case (Greet(), _):
                welcome = effect.welcome
                if not isinstance(outcome, Kept):
                    welcome = welcome.model_copy(update={"session": None})
                self.emit(Send(effect.connection, welcome))
            case (SetTopic(), Kept()):
                self._settle_topic(effect)
            case (SetTopic(), _):
                self.emit(Send(effect.connection, _storage(effect.re)))
            case _:
                pass
        return self._take()

    def _settle_failure(self, number: int, id: str) -> None:
        session = self.sessions.get(number)
        if session is not None and session.refused is None:
            session.refused = id
        self.emit(Send(number, _storage(id)))

    def _settle_topic(self, effect: SetTopic) -> None:
        room = self.rooms.get(effect.record.room)
        if room is not None:
            room.topic = effect.record.text
        event = TopicIs(room=effect.record.room, text=effect.record.text, nick=effect.nick)
        self.emit(Send(effect.connection, event.model_copy(update={"re": effect.re})))
        self.emit(Broadcast(effect.record.room, event, skip=effect.connection))

    # -------------------------------------------------------------- out

    def emit(self, effect: Effect) -> None:
        """Decide `effect`."""
        self._effects.append(effect)

    def _take(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects

    def posted(self, conversation: str, seq: int, ts: str) -> None:
        """Note that messages up to `seq` are stored and on their way."""
        self.heads[conversation] = seq
        if conversation[0] == "@":
            self.last_ts[conversation] = ts
        elif conversation not in self.rooms:  # its last member left in the same batch
            self.rooms[conversation] = Room(conversation)

    def joined(self, effect: Subscribe, after: int) -> Joined:
        """The answer to a `join`, as things stand when it is carried out."""
        return Joined(
            room=effect.address,
            nick=effect.nick,
            seq=self.heads.get(effect.conversation, 0),
            after=after,
            count=effect.members,
            topic=self.topic_of(effect.conversation),
            re=effect.re,
        )

    def topic_of(self, name: str) -> str:
        """The topic as it is now; "" where there is no such room."""
        room = self.rooms.get(name)
        return room.topic if room is not None else ""

    def pick_joke(self) -> str:
        """A joke."""
        return self._choose(JOKES)

    # -------------------------------------------------------------- one event

    def _draft(self, session: Session, draft: Draft) -> None:
        """A draft on its way into the store; what speaks against it is said behind the store's
        check for repeats, which comes before the address is resolved."""
        if session.refused is not None:
            if draft.id != session.refused:
                self.emit(Send(session.number, _storage(draft.id)))
                return
            session.refused = None
        text, to = draft.text, draft.to
        check_text(text, MAX_TEXT)
        identity = session.identity
        try:
            conversation = self._resolve(session, to)
            if draft.reply_to is not None and draft.reply_to > self.heads.get(conversation, 0):
                raise Rejected("bad_envelope", "`reply_to` must be the `seq` of a message there.")
        except Rejected as no:
            lookup = Lookup(identity.number, draft.id, to, text)
            self.emit(Refuse(session.number, lookup, no.code, no.message, no.retry_after))
            return
        self._effects.append(
            Post(
                session.number,
                NewMessage(
                    conversation,
                    identity.number,
                    draft.id,
                    to,
                    identity.nick.text,
                    text,
                    draft.reply_to,
                    draft.action,
                ),
            )
        )

    def _resolve(self, session: Session, to: str) -> str:
        """The conversation behind an address in which `session` may speak."""
        if to[0] == "#":
            if to not in session.rooms:
                require_room(self, to)
                require_subscription(session, to)
            return to
        other = require_partner(self, to)
        conversation = self.direct(session.identity, other)
        self._remember_partners(conversation)
        for number in {*session.identity.connections, *other.connections}:
            direct = self.sessions[number].direct
            if conversation not in direct:
                direct.add(conversation)
                self.emit(Subscribe(number, conversation))
        return conversation

    def _decide_one(self, session: Session, event: Any) -> None:
        match event:
            case Hello():
                session.heard = self.now.mono
                self._hello(session, event)
            case Command():
                session.heard = self.now.mono
                prepare(self, session, event).handler(self, session, event)
            case Refusal():
                error = Error(
                    code=event.code, message=event.message, fatal=event.fatal, re=event.re
                )
                if event.fatal:
                    self.end(session, event.code, held=True)
                    self.emit(Close(session.number, error))
                else:
                    self.emit(Send(session.number, error))
            case Levelled():
                self._levelled(session, event.conversation)
            case Lost():
                self.end(session, event.reason, held=True)

    def _fail(self, session: Session) -> None:
        """End a connection whose event we could not decide; our fault, and logged."""
        self.end(session, "internal", held=True)
        message = "The server failed on this; it is our fault and it was logged. Connect again."
        self.emit(Close(session.number, Error(code="internal", message=message, fatal=True)))

    def _levelled(self, session: Session, conversation: str) -> None:
        if conversation[0] == "#":
            room = self.rooms.get(conversation)
            if room is None or conversation not in session.rooms:
                return
            address, count, topic = conversation, len(room.members), room.topic
        else:
            address, count, topic = self.address_of(session.identity, conversation), 2, ""
        seq = self.heads.get(conversation, 0)
        self.emit(Send(session.number, Level(room=address, seq=seq, count=count, topic=topic)))

    # -------------------------------------------------------------- hello

    def _hello(self, session: Session, hello: Hello) -> None:
        if hello.protocol != PROTOCOL_VERSION:
            message = f"This server speaks protocol {PROTOCOL_VERSION}. Use a client that does too."
            self._refuse_hello(session, Rejected("bad_protocol", message), hello.id)
            return
        if len(self.sessions) > self.limits.connections:
            message = "The server is full. Come back later."
            self._refuse_hello(session, Rejected("server_full", message, 30.0), hello.id)
            return
        try:
            identity, token = self._identify(hello)
        except Rejected as no:
            self._refuse_hello(session, no, hello.id)
            return
        identity.connections.append(session.number)
        identity.used = self.now.wall
        session.greet(identity)
        welcome = self._welcome.model_copy(
            update={"nick": identity.nick.text, "session": token, "re": hello.id}
        )
        self.emit(Greet(session.number, welcome, identity.record()))
        if len(identity.connections) > self.limits.connections_per_identity:
            self._replace_silent(identity)

    def _identify(self, hello: Hello) -> tuple[Identity, str]:
        """Who says hello: the holder of a session, or a new guest."""
        nick = parse_nick(hello.nick)
        identity = self.identities.by_token(hello.session) if hello.session else None
        if identity is not None and hello.session:
            if identity.nick.text != nick.text:
                self._rename(identity, nick)
            return identity, hello.session
        self.identities.check_free(nick, None)
        token = self._new_token()
        return self.identities.add(nick, hash_token(token), self.now.wall), token

    def _rename(self, identity: Identity, nick: Nick) -> None:
        old = identity.nick.text
        self.identities.rename(identity, nick, self.now.wall, self.limits.former_nick)
        self.tell_peers(identity, Renamed(old=old, nick=nick.text))

    def _refuse_hello(self, session: Session, no: Rejected, re: str) -> None:
        session.hellos += 1
        error = refuse(no, re)
        if error.fatal or session.hellos >= MAX_HELLOS:
            log.info("connection %d: hello refused: %s", session.number, no.code)
            self.end(session, no.code, held=False)
            self.emit(Close(session.number, error.model_copy(update={"fatal": True})))
        else:
            self.emit(Send(session.number, error, answers_hello=True))

    def _replace_silent(self, identity: Identity) -> None:
        silent = min(
            (self.sessions[number] for number in identity.connections), key=lambda one: one.heard
        )
        self.end(silent, "replaced", held=True)
        self.emit(Close(silent.number, Bye(reason="replaced")))

    # -------------------------------------------------------------- rooms and presence

    def open_room(self, name: str) -> Room:
        """The room, made if need be; `forbidden` when there are too many."""
        room = self.rooms.get(name)
        if room is None:
            if len(self.rooms) >= self.limits.rooms:
                raise Rejected("forbidden", "This server has as many rooms as it may have.")
            room = self.rooms[name] = Room(name)
        return room

    def enter(self, session: Session, room: Room) -> None:
        """Make the connection's identity a member and tell the others, if it was none."""
        identity = session.identity
        session.rooms[room.name] = None
        self._held.pop((identity, room.name), None)
        if room.enter(identity, session.number):
            _rooms(identity).append(room.name)
            self.emit(Keep(KeepPresence(identity.number, room.name, True)))
            self._announce(room, Joined(room=room.name, nick=identity.nick.text))

    def leave(self, session: Session, name: str) -> None:
        """Take the connection out of a room, for good."""
        del session.rooms[name]
        room = self.rooms[name]
        if room.drop(session.identity, session.number):
            self._depart(session.identity, room, None)

    def end(self, session: Session, reason: str | None, *, held: bool) -> None:
        """Take a connection out of everything; `held`: its presence lives on for the grace."""
        del self.sessions[session.number]
        if not session.greeted:
            return
        identity = session.identity
        identity.connections.remove(session.number)
        identity.used = self.now.wall
        for name in session.rooms:
            room = self.rooms[name]
            if room.drop(identity, session.number):
                if held and self.limits.grace > 0:
                    self._hold(identity, room)
                else:
                    self._depart(identity, room, reason)

    def _hold(self, identity: Identity, room: Room) -> None:
        """Keep the member without a connection, until someone comes back or the grace is over."""

        def release() -> None:
            if self._held.get((identity, room.name)) == since:
                self._depart(identity, room, "connection lost")

        since = self._held[identity, room.name] = self.now.mono
        self._at(since + self.limits.grace, release)

    def _depart(self, identity: Identity, room: Room, reason: str | None) -> None:
        room.members.pop(identity, None)
        self._held.pop((identity, room.name), None)
        _rooms(identity).remove(room.name)
        self.emit(Keep(KeepPresence(identity.number, room.name, False)))
        self._announce(room, Left(room=room.name, nick=identity.nick.text, reason=reason))
        if not room.members and not self.heads.get(room.name):
            self.rooms.pop(room.name, None)
            if room.topic:
                self.emit(Keep(KeepTopic(room.name, "")))

    def _announce(self, room: Room, event: System) -> None:
        """Tell a room who came or went; a large one is told how many there are."""
        if len(room.members) <= self.limits.presence:
            self.emit(Broadcast(room.name, event))
        elif room.counted_at is None:
            room.counted_at = self.now.mono
            self._tell_count(room)
            self._at(self.now.mono + COUNT_EVERY, lambda: self._tell_changed_count(room))
        else:
            room.counted_at = -1.0  # told when the time comes

    def _tell_count(self, room: Room) -> None:
        self.emit(Broadcast(room.name, Count(room=room.name, count=len(room.members))))

    def _tell_changed_count(self, room: Room) -> None:
        changed, room.counted_at = room.counted_at == -1.0, None
        if changed:
            room.counted_at = self.now.mono
            self._tell_count(room)
            self._at(self.now.mono + COUNT_EVERY, lambda: self._tell_changed_count(room))

    def tell_peers(self, identity: Identity, event: System, skip: int = 0) -> None:
        """Tell each connection once that shares a room or a direct conversation, or is its own."""
        peers = dict.fromkeys(identity.connections)
        for name in identity.rooms or ():
            room = self.rooms[name]
            if len(room.members) <= self.limits.presence:
                peers.update(dict.fromkeys(room.connections()))
        for number in identity.partners or ():
            other = self.identities.by_number(number)
            if other is not None:
                peers.update(dict.fromkeys(other.connections))
        peers.pop(skip, None)
        if peers:
            self.emit(Notify(tuple(peers), event))

    # -------------------------------------------------------------- direct conversations

    def direct(self, one: Identity, other: Identity) -> str:
        """The key of the direct conversation of two identities."""
        low, high = sorted((one.number, other.number))
        return f"@{low}:{high}"

    def address_of(self, identity: Identity, conversation: str) -> str:
        """A direct conversation's address as `identity` sees it."""
        low, high = (int(number) for number in conversation[1:].split(":"))
        other = self.identities.by_number(high if identity.number == low else low)
        return f"@{other.nick.text}" if other is not None else "@"

    # -------------------------------------------------------------- time

    def _at(self, when: float, act: Callable[[], None]) -> None:
        self._timer_number += 1
        heappush(self._timers, (when, self._timer_number, act))

    def _sweep(self) -> None:
        """Let sessions lapse and former nicks go free."""
        lapse = self.now.wall - self.limits.guest_days * 86_400
        for identity in list(self.identities):
            if identity.former and self.identities.release_former(identity, self.now.wall):
                self.emit(Keep(identity.record()))
            if not identity.connections and not identity.rooms and identity.used < lapse:
                self.identities.forget(identity)
                self.emit(Keep(ForgetIdentity(identity.number)))


def refuse(no: Rejected, re: str | None) -> Error:
    """A polite no as an envelope."""
    fatal = no.code in FATAL_CODES
    return Error(code=no.code, message=no.message, fatal=fatal, retry_after=no.retry_after, re=re)


def _storage(re: str) -> Error:
    message = "The server has no room to store this; it was not accepted. Send it again later."
    return Error(code="storage", message=message, retry_after=STORAGE_RETRY, re=re)


def _rooms(identity: Identity) -> list[str]:
    if identity.rooms is None:
        identity.rooms = []
    return identity.rooms


def _partners(identity: Identity) -> dict[int, None]:
    if identity.partners is None:
        identity.partners = {}
    return identity.partners
