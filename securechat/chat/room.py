"""One room: who is in it, with which connections, and what it is about."""

from __future__ import annotations

from .identities import Identity


class Room:
    """Members are identities; each has the connections that are subscribed.

    A member without connections lost the link and is held for the grace period.
    """

    __slots__ = ("changed", "members", "name", "quiet", "topic")

    def __init__(self, name: str) -> None:
        self.name = name
        self.topic = ""
        self.members: dict[Identity, list[int]] = {}
        #: A `count` was told a short while ago: the next one has to wait.
        self.quiet = False
        #: Members came or went since that `count`.
        self.changed = False

    def __repr__(self) -> str:
        return f"<Room {self.name} members={len(self.members)}>"

    def enter(self, identity: Identity, connection: int) -> bool:
        """Add a connection; True when its identity was not here before."""
        connections = self.members.get(identity)
        if connections is None:
            self.members[identity] = [connection]
            return True
        connections.append(connection)
        return False

    def drop(self, identity: Identity, connection: int) -> bool:
        """Take a connection out, keep the member; True when it was the member's last one."""
        connections = self.members[identity]
        connections.remove(connection)
        return not connections

    def connections(self) -> list[int]:
        """Every subscribed connection."""
        return [number for numbers in self.members.values() for number in numbers]
