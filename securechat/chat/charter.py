"""What holds in one room: who rules it, who was let in, and its settings.

In: changes of them, and `KeepRoom` records of a store. Out: `KeepRoom` and `ForgetRoom`, what a
store is to keep. Nothing is raised.

Rights belong to identities, guests too: a guest who made a room rules it as long as the session
lives. When a room's owner is no more, the first of its moderators owns it; without any, nobody
does, and the server's admins can hand it over. Numbers are never used again, so those of the dead
do no harm where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ..records import ForgetRoom, KeepRoom
from .rights import State

#: Bounds that keep the answer to `room` within one frame.
MAX_MODERATORS: Final = 50
MAX_ADMITTED: Final = 200


class Charter:
    """The rules of one room; people by the numbers of their identities, `owner` 0: nobody."""

    __slots__ = ("admitted", "moderators", "name", "owner", "state")

    def __init__(self, name: str, owner: int = 0) -> None:
        self.name = name
        self.owner = owner
        self.state = State.OPEN
        self.moderators: tuple[int, ...] = ()
        self.admitted: tuple[int, ...] = ()

    def record(self) -> KeepRoom:
        """These rules as a store keeps them."""
        return KeepRoom(self.name, self.owner, self.state.value, self.moderators, self.admitted)

    @classmethod
    def of(cls, record: KeepRoom) -> Charter:
        """The rules that a store kept."""
        charter = cls(record.room, record.owner)
        charter.state = State(record.state)
        charter.moderators, charter.admitted = record.moderators, record.admitted
        return charter

    @property
    def is_plain(self) -> bool:
        """Whether nothing in it would be missed with the room, but who made it."""
        return self.state is State.OPEN and not self.moderators and not self.admitted

    def rules(self, number: int) -> bool:
        """Whether that identity owns or moderates the room."""
        return number == self.owner or number in self.moderators

    def lets_in(self, number: int) -> bool:
        """Whether that identity may be in the room while it is private."""
        return number in self.admitted or self.rules(number)

    def set(self, state: State, on: bool) -> None:
        """Make the room so, or not so any longer."""
        self.state = self.state | state if on else self.state & ~state

    def admit(self, numbers: Iterable[int]) -> None:
        """Let identities in, as far as `MAX_ADMITTED` goes."""
        new = [number for number in numbers if not self.lets_in(number)]
        self.admitted = (*self.admitted, *new)[:MAX_ADMITTED]

    def shut_out(self, number: int) -> bool:
        """Take back that an identity was let in; True when it was."""
        before = self.admitted
        self.admitted = tuple(one for one in before if one != number)
        return before != self.admitted

    def appoint(self, number: int) -> None:
        """Make an identity a moderator."""
        self.shut_out(number)
        self.moderators = (*self.moderators, number)

    def dismiss(self, number: int) -> None:
        """Take that back; the room stays open to them."""
        self.retire(number)
        self.admit((number,))

    def hand_over(self, number: int) -> None:
        """Give the room to another identity; who owned it is a moderator from now on."""
        before, self.owner = self.owner, number
        self.moderators = tuple(one for one in self.moderators if one != number)
        self.shut_out(number)
        if before and before != number:
            self.moderators = (before, *self.moderators)[:MAX_MODERATORS]

    def retire(self, number: int) -> None:
        """Take back that an identity is a moderator."""
        self.moderators = tuple(one for one in self.moderators if one != number)

    def prune(self, lives: Callable[[int], bool]) -> None:
        """Drop identities that are no more, whose places others may want."""
        self.moderators = tuple(filter(lives, self.moderators))
        self.admitted = tuple(filter(lives, self.admitted))

    def farewell(self) -> ForgetRoom:
        """What a store is told when the room has vanished."""
        return ForgetRoom(self.name)
