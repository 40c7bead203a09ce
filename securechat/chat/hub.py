"""The hub: everything that is decided in the chat, by one owner, without I/O.

In: batches of `(connection, event)`, where an event is an envelope of a client, a `Refusal`, a word
from the io threads (`Arrived`, `Lost`, `Levelled`), or one of nobody's (`NOBODY`): the `Result` of
a proof, what an operator `Asked`; and the time, handed in as `Now`.
Out: a list of effects (see `effects`), to be carried out in order. For those that carry a record
the caller tells the outcome of storing it with `settle`, which gives the effects that follow.
Nothing is raised for what a client can do; should deciding fail all the same, the connection that
asked is ended, and what had been decided by then stands.

The hub's caller, the dispatcher, keeps `heads` (the last `seq` of each conversation) up to date
while it carries effects out: numbers are given by the store, not decided here.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from ..config import ChatLimits, LoginLimits
from ..errors import Rejected
from ..link_events import Arrived, Levelled, Lost
from ..penalties import source_of
from ..proofs import Result
from ..protocol.codec import Refusal
from ..protocol.envelopes import (
    MAX_TEXT,
    PROTOCOL_VERSION,
    Bye,
    Command,
    Draft,
    Error,
    Hello,
    Joined,
    Level,
    Limits,
    Ping,
    Pong,
    Renamed,
    System,
    Welcome,
)
from ..protocol.framing import DEFAULT_MAX_FRAME
from ..records import (
    ForgetIdentity,
    KeepPresence,
    Kept,
    Outcome,
    Snapshot,
)
from . import (
    admin,
    admission,
    commands,
    devices,
    drafts,
    greeting,
    invites,
    judge,
    moderation,
    removal,
)
from .answers import refuse
from .away import Absence
from .charter import Charter
from .clock import Now, Timers
from .direct import make_partners, sides_of
from .effects import (
    Close,
    Commit,
    Effect,
    Erase,
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
from .identities import Identities, Identity
from .jokes import JOKES
from .logins import Logins
from .nicks import Nick
from .presence import Presence
from .proving import Proofs
from .removal import Removals
from .rights import State
from .room import Room
from .sanctions import Sanctions
from .session import Session

__all__ = ["Event", "Hub", "Now"]

log = logging.getLogger(__name__)

MAX_TRIES: Final = 3
SWEEP_EVERY: Final = 60.0
#: How long a session lives whose holder has said nothing but `hello`, seconds.
FIRST_LEASE: Final = 60.0
#: The connection of events that come from none.
NOBODY: Final = 0
FEATURES: Final = (
    *("accounts", "away", "conversations", "history", "moderation", "presence"),
    *("private-rooms", "removal", "resume", "search", "whois"),
)
_DAY: Final = 86_400.0

#: What comes by itself from whoever is there, and says nothing of what they do.
_SIGNS_OF_LIFE: Final = frozenset({Ping, Pong, Levelled})

Event: TypeAlias = Draft | Command | Refusal | Arrived | Lost | Levelled | Result | admin.Asked


class Hub:
    """All rooms, identities and sessions; one thread calls it.

    `new_token()` makes a session token of at least 256 random bits, `choose(jokes)` picks one.
    Call `start` before the first `decide`.
    """

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
        logins: LoginLimits = LoginLimits(),  # noqa: B008 - a frozen value
    ) -> None:
        self.limits = limits
        self.heads: dict[str, int] = dict(snapshot.heads)
        self.last_ts: dict[str, str] = dict(snapshot.last_ts)
        self.identities = Identities(snapshot.next_identity)
        self.sessions: dict[int, Session] = {}
        #: Those who are away, by the number of their identity.
        self.absences: dict[int, Absence] = {}
        #: Connections whose address has too many, and the names of those with a certificate.
        self.surplus: set[int] = set()
        self.certified: dict[int, str] = {}
        #: Where each connection comes from, as limits mean it; the same text for all of one place.
        self.sources: dict[int, str] = {}
        self.logins = Logins(logins)
        self.now = Now(0.0, 0.0, "")
        self.new_token = new_token
        self._choose = choose
        self._effects: list[Effect] = []
        self._timers = Timers()
        self.sanctions = Sanctions(snapshot.sanctions)
        #: Rooms in which not everybody may speak ("": the whole server); mostly there is none.
        self.hushed: set[str] = set()
        #: What was erased of late, for those who were away or behind.
        self.removals = Removals()
        self.proofs = Proofs(limits.proofs)
        self.invites = invites.Invites(snapshot.invites)
        self.presence = Presence(limits, self.heads, self._timers, self.emit, self._lingers)
        self.rooms: dict[str, Room] = self.presence.rooms
        self.welcome = Welcome(
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
        accounts = {kept.identity: kept for kept in snapshot.accounts}
        # Accounts first: of two who claim the same, a guest yields.
        for record in sorted(snapshot.identities, key=lambda it: it.identity not in accounts):
            self.identities.restore(record, accounts.get(record.identity))
        for session in snapshot.sessions:
            self.identities.add_session(session)
        for name in snapshot.heads:
            if name[0] == "#":
                self.presence.restore_room(name)
            else:
                self._restore_partners(name)
        for name, topic in snapshot.topics.items():
            self.presence.restore_room(name, topic)
        for ruled in snapshot.rooms:
            self.presence.restore_room(ruled.room).charter = Charter.of(ruled)
        for name in ("", *self.rooms):
            self.note_hush(name)
        self._restored_presence = snapshot.presence

    def _restore_partners(self, conversation: str) -> None:
        low, high = map(self.identities.by_number, sides_of(conversation))
        if low is not None and high is not None:
            make_partners(low, high)

    # -------------------------------------------------------------- in

    def start(self, now: Now) -> list[Effect]:
        """Hold everyone who was present when the store was last written, for the grace period."""
        self._set_time(now)
        for number, name in self._restored_presence:
            identity = self.identities.by_number(number)
            if identity is None:
                self.emit(Keep(KeepPresence(number, name, False)))
            else:
                self.presence.restore_member(identity, name)
        self._restored_presence = ()
        self.presence.clear_emptied()
        self._sweep()
        return self._take()

    def decide(self, batch: Iterable[tuple[int, Event]], now: Now) -> list[Effect]:
        """What follows from `batch`, in order."""
        self._set_time(now)
        self.presence.clear_emptied()
        sessions = self.sessions
        for number, event in batch:
            session = sessions.get(number)
            if session is None:
                if type(event) is Arrived:
                    sessions[number] = Session(number, now.mono, event.peer)
                    self._note_arrival(number, event)
                elif number == NOBODY:
                    self._hear_outside(event)
                continue  # what comes late is for a connection that has ended
            try:
                if type(event) is Draft:
                    session.heard = now.mono
                    drafts.take(self, session, event)
                else:
                    self._decide_one(session, event)
            except Rejected as no:
                re = event.id if isinstance(event, Draft | Command) else None
                self.emit(Send(number, refuse(no, re)))
            except Exception:
                log.exception("connection %d: deciding a %s failed", number, type(event).__name__)
                self.fail(session)
        return self._take()

    def tick(self, now: Now) -> list[Effect]:
        """What follows from the passing of time; call it when `next_due` has come."""
        self._set_time(now)
        self._timers.run_due()
        self.presence.clear_emptied()
        return self._take()

    @property
    def next_due(self) -> float:
        """When `tick` wants to be called, monotonic seconds."""
        return self._timers.next_due

    def farewell(self, reason: str, retry_after: float | None, now: Now) -> list[Effect]:
        """Say bye to everyone; who comes back in the grace period was never away."""
        self._set_time(now)
        self.presence.clear_emptied()
        bye = Bye(reason=reason, retry_after=retry_after)
        for number in self.sessions:
            self.emit(Close(number, bye))
        for identity in self.identities:
            if identity.connections:
                self.stamp(identity)
                self.emit(Keep(identity.record()))
        self.sessions.clear()
        return self._take()

    def _set_time(self, now: Now) -> None:
        self.now = now
        self._timers.now = now.mono

    def settle(self, effect: Persistent, outcome: Outcome) -> list[Effect]:
        """What follows from `outcome` of storing `effect`; not for messages stored or known."""
        match effect:
            case Post() | Refuse():
                drafts.settle(self, effect, outcome)
            case Greet():
                admission.settle(self, effect, outcome)
            case Commit(_, then):
                self.after(0.0, lambda: then(isinstance(outcome, Kept)))
            case SetTopic():
                commands.settle_topic(self, effect, outcome)
            case Erase():
                removal.settle(self, effect, outcome)
            case _:
                pass
        return self._take()

    def after(self, delay: float, act: Callable[[], None]) -> None:
        """Have `act` called `delay` seconds from now; it may emit whatever it likes."""
        self._timers.after(delay, act)

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

    def setter_of(self, name: str) -> str | None:
        """Who set the topic, as far as is known."""
        room = self.rooms.get(name)
        return (room.setter or None) if room is not None else None

    def rooms_seen_by(self, number: int) -> list[Room]:
        """The rooms of which that connection may know; one that has ended may of the open ones."""
        session = self.sessions.get(number)
        identity = session.identity if session is not None else None
        return [room for room in self.rooms.values() if judge.sees(self, identity, room)]

    def note_hush(self, name: str) -> None:
        """Look anew whether everybody may speak in a room ("": on the server)."""
        room = self.rooms.get(name)
        charter = room.charter if room is not None else None
        silent = charter is not None and State.READ_ONLY in charter.state
        if silent or self.sanctions.silences(name):
            self.hushed.add(name)
        else:
            self.hushed.discard(name)

    def _lingers(self, room: Room) -> bool:
        """Whether somebody would miss the rules of an empty room."""
        if room.charter is None or not judge.owner_of(self, room):
            return False
        return not room.charter.is_plain or bool(self.sanctions.of_room(room.name, self.now.wall))

    def pick_joke(self) -> str:
        """A joke."""
        return self._choose(JOKES)

    # -------------------------------------------------------------- one event

    def _decide_one(self, session: Session, event: Any) -> None:
        if type(event) in _SIGNS_OF_LIFE:
            session.alive = self.now.mono
        else:
            session.heard = self.now.mono
        match event:
            case Hello():
                try:
                    greeting.greet(self, session, event)
                except Rejected as no:
                    self.refuse(session, no, event.id)
            case Command():
                if not session.identity.met:
                    self.meet(session.identity)
                commands.prepare(self, session, event).handler(self, session, event)
            case Refusal():
                error = Error(
                    code=event.code, message=event.message, fatal=event.fatal, re=event.re
                )
                if event.fatal:
                    self.dismiss(session, error, held=True)
                else:
                    self.emit(Send(session.number, error))
            case Levelled():
                self._levelled(session, event.conversation)
            case Lost():
                self.end(session, held=True)

    def _note_arrival(self, number: int, arrived: Arrived) -> None:
        self.sources[number] = sys.intern(source_of(arrived.peer))
        if arrived.surplus:
            self.surplus.add(number)
        if arrived.name is not None:
            self.certified[number] = arrived.name

    def _hear_outside(self, event: Any) -> None:
        """What comes from no connection."""
        if isinstance(event, admin.Asked):
            admin.answer(self, event)
        else:
            self.proofs.close(self, event)

    def refuse(self, session: Session, no: Rejected, re: str) -> None:
        """Refuse a `hello`, or the proof of who somebody is; the third time with an end."""
        error = refuse(no, re)
        if session.greeted and no.code != "auth_failed":
            self.emit(Send(session.number, error))
            return
        session.refusals += 1
        if error.fatal or session.refusals >= MAX_TRIES:
            log.info("connection %d: refused for good: %s", session.number, error.code)
            self.dismiss(session, error.model_copy(update={"fatal": True}))
        else:
            self.emit(Send(session.number, error, answers_hello=not session.greeted))

    def fail(self, session: Session) -> None:
        """End a connection whose event we could not decide; our fault, and logged."""
        message = "The server failed on this; it is our fault and it was logged. Connect again."
        self.dismiss(session, Error(code="internal", message=message, fatal=True), held=True)

    def _levelled(self, session: Session, conversation: str) -> None:
        address: str | None
        if conversation[0] == "@":
            low, high = sides_of(conversation)
            address, topic = self.address_of(session.identity, conversation), ""
            count = 1 if low == high else 2
        elif conversation in session.rooms:
            room = self.rooms[conversation]
            address, count, topic = conversation, len(room.members), room.topic
        else:
            return
        if address is not None:
            seq = self.heads.get(conversation, 0)
            self.emit(Send(session.number, Level(room=address, seq=seq, count=count, topic=topic)))
            removal.tell_recent(self, session.number, conversation, seq)

    # -------------------------------------------------------------- connections and identities

    def dismiss(
        self, session: Session, event: System, reason: str | None = None, *, held: bool = False
    ) -> None:
        """Say `event` to a connection as the last thing, and `end` it."""
        self.emit(Close(session.number, event))
        self.end(session, reason, held=held)

    def end(self, session: Session, reason: str | None = None, *, held: bool) -> None:
        """Take a connection out of everything; `held`: its presence lives on for the grace."""
        known = self.sessions.pop(session.number, None)
        self.surplus.discard(session.number)
        self.certified.pop(session.number, None)
        self.sources.pop(session.number, None)
        if known is None or not session.greeted:
            return
        identity = session.identity
        identity.drop_connection(session.number)
        self.presence.end(session, reason, held=held)
        if not identity.connections:
            if not held:
                self.absences.pop(identity.number, None)
            self.stamp(identity)
            self.emit(Keep(identity.record()))

    def stamp(self, identity: Identity) -> None:
        """Note that `identity` is used now.

        Whoever has said nothing yet may never have read its `welcome`, with the one proof of who it
        is: its session lives for `FIRST_LEASE` only, or its own nick would be lost to it for days.
        """
        identity.used = self.now.wall  # one object for all who are stamped in a batch
        if not identity.met:
            identity.used -= max(0.0, self.limits.guest_days * _DAY - FIRST_LEASE)

    def meet(self, identity: Identity) -> None:
        """Note that `identity` has said something, and so knows its session."""
        identity.met = True
        self.invites.unmet.pop(identity.number, None)
        self.stamp(identity)
        self.emit(Keep(identity.record()))

    def rename(self, identity: Identity, nick: Nick, skip: int = 0) -> None:
        """Give `identity` another nick and tell its peers, but not the connection `skip`.

        Raises `nick_taken`, or `forbidden` when too many former nicks are reserved for it, and
        where that nick is banned in a room that it is in.
        """
        old = identity.nick.text
        if nick.text == old:
            return
        judge.require_nick(self, identity, nick)
        self.identities.rename(identity, nick, self.now.wall, self.limits.former_nick)
        self.emit(Keep(identity.record()))
        self.tell_peers(identity, Renamed(old=old, nick=nick.text), skip)

    def tell_peers(self, identity: Identity, event: System, skip: int) -> None:
        """Tell each connection once that shares a room or a direct conversation, or is its own."""
        peers = dict.fromkeys(identity.connections)
        for name in identity.rooms:
            room = self.rooms[name]
            if self.presence.names(room):
                peers.update(dict.fromkeys(room.connections()))
        for number in identity.partners or ():
            other = self.identities.by_number(number)
            if other is not None:
                peers.update(dict.fromkeys(other.connections))
        peers.pop(skip, None)
        if peers:
            self.emit(Notify(tuple(peers), event))

    def _sweep(self) -> None:
        """Let sessions lapse and former nicks go free, and note that who is here is not away."""
        self._timers.after(SWEEP_EVERY, self._sweep)
        now, life = self.now.wall, self.limits.guest_days * _DAY
        moderation.let_lapse(self)
        invites.sweep(self)
        for identity in self.identities.accounts.values():
            devices.sweep(self, identity)
        for identity in list(self.identities):
            if self.let_lapse(identity):
                continue
            changed = bool(identity.former) and self.identities.release_former(identity, now)
            if identity.met and identity.connections and now - identity.used > life / 7:
                identity.used, changed = now, True
            if changed:
                self.emit(Keep(identity.record()))

    def let_lapse(self, identity: Identity | None) -> bool:
        """Forget an identity whose session is over; True when it was."""
        if identity is None or identity.connections or identity.rooms or identity.account:
            return False
        life = self.limits.guest_days * _DAY
        if identity.provable and self.now.wall - identity.used <= life:
            return False
        self.identities.forget(identity)
        self.absences.pop(identity.number, None)
        self.emit(Keep(ForgetIdentity(identity.number)))
        return True

    # -------------------------------------------------------------- direct conversations

    def address_of(self, identity: Identity, conversation: str) -> str | None:
        """A direct conversation's address as `identity` sees it; None: the other one is no more."""
        low, high = sides_of(conversation)
        other = self.identities.by_number(high if identity.number == low else low)
        return f"@{other.nick.text}" if other is not None else None
