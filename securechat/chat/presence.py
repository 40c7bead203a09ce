"""Who is in which room: members enter, are held while their link is lost, and depart.

In: connections that enter a room, leave it, or end. Out: effects, through `emit`. Subscription
belongs to a connection, presence to an identity: a room hears `joined` with its first connection
and `left` with its last one, or, where the link was merely lost, when the grace period has passed
and nobody came back. Raised: `Rejected` (`forbidden`) for a room too many.

A room without members and messages, whose rules nobody would miss (`lingers`), vanishes, not at
once but when the next batch begins: until then the batch in which it was left may still store a
message or a topic for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ..config import ChatLimits
from ..errors import Rejected
from ..protocol.envelopes import Count, Joined, Left, System
from ..records import KeepPresence, KeepTopic
from .clock import Timers
from .effects import Broadcast, Effect, Keep
from .identities import Identity
from .room import Room
from .session import Session

#: Seconds between two `count`s of a room.
COUNT_EVERY: Final = 5.0
#: The reason in `left` where no good-bye was said.
LINK_LOST: Final = "connection lost"


class Presence:
    """All rooms and their members. `heads` are the last numbers of all conversations, read only."""

    def __init__(
        self,
        limits: ChatLimits,
        heads: Mapping[str, int],
        timers: Timers,
        emit: Callable[[Effect], None],
        lingers: Callable[[Room], bool],
    ) -> None:
        self.rooms: dict[str, Room] = {}
        self._limits = limits
        self._heads = heads
        self._timers = timers
        self._emit = emit
        self._lingers = lingers
        #: When each held member lost its link, monotonic seconds.
        self._held: dict[tuple[Identity, str], float] = {}
        self._emptied: dict[str, None] = {}

    # -------------------------------------------------------------- rooms

    def open_room(self, name: str) -> Room:
        """The room, made if need be; raises `forbidden` when there are too many."""
        room = self.rooms.get(name)
        if room is None:
            if len(self.rooms) >= self._limits.rooms:
                message = "This server has as many rooms as it may have. `rooms` lists them."
                raise Rejected("forbidden", message)
            room = self.rooms[name] = Room(name)
        return room

    def restore_room(self, name: str, topic: str = "") -> Room:
        """A room as it was stored."""
        room = self.rooms.setdefault(name, Room(name))
        room.topic = room.topic or topic
        self._emptied[name] = None
        return room

    def clear_emptied(self) -> None:
        """Let rooms vanish that nobody is in and in which nothing was said."""
        while self._emptied:
            room = self.rooms[self._emptied.popitem()[0]]
            if room.members or self._heads.get(room.name) or self._lingers(room):
                continue
            del self.rooms[room.name]
            if room.charter is not None:
                self._emit(Keep(room.charter.farewell()))
            if room.topic:
                self._emit(Keep(KeepTopic(room.name, "")))

    # -------------------------------------------------------------- members

    def enter(self, session: Session, room: Room) -> None:
        """Make the connection's identity a member, and tell the others if it was none."""
        session.add_room(room.alone)
        self._admit(session.identity, room, session.number)

    def _admit(self, identity: Identity, room: Room, number: int) -> None:
        self._held.pop((identity, room.name), None)
        if room.enter(identity, number):
            identity.add_room(room.alone)
            self._emit(Keep(KeepPresence(identity.number, room.name, True)))
            self._announce(room, Joined(room=room.name, nick=identity.nick.text))

    def leave(self, session: Session, name: str) -> None:
        """Take the connection out of a room, for good."""
        session.drop_room(name)
        room = self.rooms[name]
        if room.drop(session.identity, session.number):
            self._depart(session.identity, room, None)

    def end(self, session: Session, reason: str | None, *, held: bool) -> None:
        """Take a connection out of all rooms.

        Without `held` it departs at once, for `reason`; else its presence lives on for the grace.
        """
        for name in session.rooms:
            room = self.rooms[name]
            if not room.drop(session.identity, session.number):
                continue
            if not held:
                self._depart(session.identity, room, reason)
            elif self._limits.grace > 0:
                self._hold(session.identity, room)
            else:
                self._depart(session.identity, room, LINK_LOST)

    def expel(self, identity: Identity, room: Room, reason: str) -> None:
        """Take a member out, whose connections are none of the room any more."""
        self._depart(identity, room, reason)

    def hand_over(self, session: Session, identity: Identity) -> None:
        """Let a connection stand for `identity`, which has it already, in all of its rooms."""
        for name in session.rooms:
            room = self.rooms[name]
            if room.drop(session.identity, session.number):
                self._depart(session.identity, room, None)
            self._admit(identity, room, session.number)

    def restore_member(self, identity: Identity, name: str) -> None:
        """Hold somebody who was here when the store was last written."""
        room = self.restore_room(name)
        room.members[identity] = ()
        identity.add_room(room.alone)
        self._hold(identity, room)

    def _hold(self, identity: Identity, room: Room) -> None:
        """Keep a member without a connection, until it comes back or the grace is over."""

        def release() -> None:
            if self._held.get((identity, room.name)) == since:
                self._depart(identity, room, LINK_LOST)

        since = self._held[identity, room.name] = self._timers.now
        self._timers.after(self._limits.grace, release)

    def _depart(self, identity: Identity, room: Room, reason: str | None) -> None:
        del room.members[identity]
        self._held.pop((identity, room.name), None)
        identity.drop_room(room.name)
        self._emit(Keep(KeepPresence(identity.number, room.name, False)))
        self._announce(room, Left(room=room.name, nick=identity.nick.text, reason=reason))
        if not room.members:
            self._emptied[room.name] = None

    # -------------------------------------------------------------- what a room hears

    def names(self, room: Room) -> bool:
        """Whether a room is small enough to be told who comes and goes."""
        return len(room.members) <= self._limits.presence

    def _announce(self, room: Room, event: System) -> None:
        if self.names(room):
            self._emit(Broadcast(room.name, event))
        elif room.quiet:
            room.changed = True
        else:
            self._tell_count(room)

    def _tell_count(self, room: Room) -> None:
        """Tell how many there are, and be quiet about it for a while."""
        room.quiet, room.changed = True, False
        self._emit(Broadcast(room.name, Count(room=room.name, count=len(room.members))))

        def end_quiet() -> None:
            room.quiet = False
            if room.changed:
                self._tell_count(room)

        self._timers.after(COUNT_EVERY, end_quiet)
