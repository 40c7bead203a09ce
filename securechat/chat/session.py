"""What the hub knows of one connection."""

from __future__ import annotations

from .identities import Identity


class Session:
    """A connection by its number; what it rarely has is made on first use, for there are many."""

    __slots__ = (
        *("_direct", "_identity", "alive", "heard", "number", "peer"),
        *("refusals", "refused", "rooms"),
    )

    def __init__(self, number: int, heard: float, peer: str) -> None:
        self.number = number
        #: Where it comes from, as the io thread calls it; the same object as there.
        self.peer = peer
        #: When it last did anything, monotonic seconds; and when it last but answered a ping.
        self.heard = self.alive = heard
        #: How often its `hello`, or a proof of who it is, was refused.
        self.refusals = 0
        #: The first draft refused for want of storage; until it comes again none is taken.
        self.refused: str | None = None
        self._identity: Identity | None = None
        #: The rooms this connection is subscribed to: few, so a tuple serves and weighs least.
        self.rooms: tuple[str, ...] = ()
        self._direct: set[str] | None = None

    def __repr__(self) -> str:
        return f"<Session {self.number} {self._identity}>"

    @property
    def identity(self) -> Identity:
        """Who is on the other side; only after `hello`."""
        assert self._identity is not None
        return self._identity

    @property
    def greeted(self) -> bool:
        """Whether `hello` was answered with `welcome`."""
        return self._identity is not None

    def add_room(self, alone: tuple[str]) -> None:
        """Note that this connection is subscribed to a room; see `Room.alone`."""
        self.rooms = (*self.rooms, *alone) if self.rooms else alone

    def drop_room(self, name: str) -> None:
        """Note that it is no longer."""
        self.rooms = tuple(room for room in self.rooms if room != name)

    @property
    def direct(self) -> set[str]:
        """The direct conversations that were subscribed so far."""
        if self._direct is None:
            self._direct = set()
        return self._direct

    def take_direct(self) -> set[str]:
        """The direct conversations that were subscribed, which it has no longer."""
        direct, self._direct = self._direct, None
        return direct or set()

    def greet(self, identity: Identity) -> None:
        """Remember who it is."""
        self._identity = identity
        self.refusals = 0
