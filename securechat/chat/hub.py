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
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from ..config import ChatLimits, LoginLimits
from ..errors import Rejected
from ..link_events import Arrived, Levelled, Lost
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
    Welcome,
)
from ..protocol.framing import DEFAULT_MAX_FRAME
from ..records import Kept, Outcome, Snapshot
from . import (
    admin,
    admission,
    commands,
    drafts,
    endings,
    greeting,
    judge,
    lifetimes,
    removal,
    restoring,
    sweeping,
)
from .answers import refuse
from .arrivals import Arrivals
from .away import Absence
from .clock import Now, Timers
from .direct import sides_of
from .effects import (
    Close,
    Commit,
    Effect,
    Erase,
    Greet,
    Keep,
    Persistent,
    Post,
    Refuse,
    Send,
    SetTopic,
    Subscribe,
)
from .identities import Identities, Identity
from .invites import Invites
from .jokes import JOKES
from .logins import Logins
from .presence import Presence
from .proving import Proofs
from .removal import Removals
from .rights import State
from .room import Room
from .sanctions import Sanctions
from .session import Session

__all__ = ["Event", "Hub", "Now"]

log = logging.getLogger(__name__)

#: The connection of events that come from none.
NOBODY: Final = 0
FEATURES: Final = (
    *("accounts", "away", "conversations", "history", "moderation", "presence"),
    *("private-rooms", "removal", "resume", "search", "whois"),
)

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
        self._messages_before = sum(snapshot.heads.values())
        self.identities = Identities(snapshot.next_identity)
        self.sessions: dict[int, Session] = {}
        #: Those who are away, by the number of their identity.
        self.absences: dict[int, Absence] = {}
        self.arrivals = Arrivals()
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
        self.removals = Removals(snapshot.removals)
        self.proofs = Proofs(limits.proofs)
        self.invites = Invites(snapshot.invites)
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
        restoring.restore(self, snapshot)
        self._restored_presence = snapshot.presence

    # -------------------------------------------------------------- in

    def start(self, now: Now) -> list[Effect]:
        """Hold everyone who was present when the store was last written, for the grace period."""
        self._set_time(now)
        restoring.hold_present(self, self._restored_presence)
        self._restored_presence = ()
        self.presence.clear_emptied()
        sweeping.sweep(self)
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
                    self.arrivals.note(number, event)
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
                endings.fail(self, session)
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
                lifetimes.stamp(self, identity)
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

    @property
    def messages_since_start(self) -> int:
        """How many were stored; counted when somebody asks, by the numbers that they got."""
        return sum(self.heads.values()) - self._messages_before

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
                    endings.refuse(self, session, no, event.id)
            case Command():
                if not session.identity.met:
                    lifetimes.meet(self, session.identity)
                commands.prepare(self, session, event).handler(self, session, event)
            case Refusal():
                error = Error(
                    code=event.code, message=event.message, fatal=event.fatal, re=event.re
                )
                if event.fatal:
                    endings.dismiss(self, session, error, held=True)
                else:
                    self.emit(Send(session.number, error))
            case Levelled():
                self._levelled(session, event.conversation)
            case Lost():
                endings.end(self, session, held=True)

    def _hear_outside(self, event: Any) -> None:
        """What comes from no connection."""
        if isinstance(event, admin.Asked):
            admin.answer(self, event)
        else:
            self.proofs.close(self, event)

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

    # -------------------------------------------------------------- direct conversations

    def address_of(self, identity: Identity, conversation: str) -> str | None:
        """A direct conversation's address as `identity` sees it; None: the other one is no more."""
        low, high = sides_of(conversation)
        other = self.identities.by_number(high if identity.number == low else low)
        return f"@{other.nick.text}" if other is not None else None
