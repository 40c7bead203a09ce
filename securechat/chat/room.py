"""One room: who is in it, with which connections, and what it is about."""

from __future__ import annotations

from typing import Final

from .charter import Charter
from .identities import Identity

#: Where clients begin: whoever happens to come first does not own it, for it is everybody's.
LOBBY: Final = "#lobby"


class Room:
    """Members are identities; each has the connections that are subscribed.

    A member without connections lost the link and is held for the grace period. Most have one, and
    there are many: a tuple is the least that can hold it.
    """

    __slots__ = ("alone", "changed", "charter", "members", "name", "quiet", "setter", "topic")

    def __init__(self, name: str) -> None:
        self.name = name
        #: The rooms of those who are only here, which is most of them: one tuple for all.
        self.alone = (name,)
        self.topic = ""
        #: The nick of who set it, as it was then; "" where that was before this server's start.
        self.setter = ""
        #: Who rules it and how; None: nobody does, and it is like any other.
        self.charter: Charter | None = None
        self.members: dict[Identity, tuple[int, ...]] = {}
        #: A `count` was told a short while ago: the next one has to wait.
        self.quiet = False
        #: Members came or went since that `count`.
        self.changed = False

    def __repr__(self) -> str:
        return f"<Room {self.name} members={len(self.members)}>"

    def ruled(self) -> Charter:
        """The rules of the room, made for one that nobody ruled so far."""
        if self.charter is None:
            self.charter = Charter(self.name)
        return self.charter

    def enter(self, identity: Identity, connection: int) -> bool:
        """Add a connection; True when its identity was not here before."""
        connections = self.members.get(identity)
        if connections:
            self.members[identity] = (*connections, connection)
        else:
            only = identity.connections
            self.members[identity] = only if only == (connection,) else (connection,)
        return connections is None

    def drop(self, identity: Identity, connection: int) -> bool:
        """Take a connection out, keep the member; True when it was the member's last one."""
        left = tuple(number for number in self.members[identity] if number != connection)
        self.members[identity] = left
        return not left

    def connections(self) -> list[int]:
        """Every subscribed connection."""
        return [number for numbers in self.members.values() for number in numbers]
