"""What we said and have not seen come back: pending drafts, in the order in which they were said.

Pure. A draft is pending until its echo comes (`settle`) or the server refuses it (`take`). After a
lost link all of them are sent again, in first order, under their old ids; the server recognises
what it has stored already, so nothing is said twice.

Two things can keep pending drafts back. A *stall*: the server has no room to store, and takes
nothing until the first refused draft comes again. A *hold*: the server's history, or our identity
on it, is another one than before, so old ids prove nothing and a person must decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ..protocol.envelopes import Draft, Posted
from .events import DraftState
from .snapshot import KeptDraft, Under


@dataclass(slots=True)
class Pending:
    """One draft without an echo."""

    draft: Draft
    number: int  #: its place in the first order
    under: Under | None  #: where its `id` means something; None: it never met a server
    tried: bool  #: it was on a wire before, so its answer may be that of a repeat
    state: DraftState = DraftState.WAITING
    held: bool = False


class Drafts:
    """All pending drafts of one run."""

    def __init__(self) -> None:
        self._pending: dict[str, Pending] = {}
        self._next = 0
        self._stalled_on: Pending | None = None
        #: When a stall ends; None: there is none.
        self.retry_at: float | None = None

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._pending.values())

    def get(self, id: str) -> Pending | None:
        """The pending draft of that id."""
        return self._pending.get(id)

    def add(self, draft: Draft, under: Under | None, *, tried: bool = False) -> Pending:
        """A new one behind all others; an id that is pending already stays as it is."""
        pending = self._pending.get(draft.id)
        if pending is None:
            pending = self._pending[draft.id] = Pending(draft, self._next, under, tried)
            self._next += 1
        return pending

    def take(self, id: str) -> Pending | None:
        """Remove a draft, whatever became of it."""
        return self._pending.pop(id, None)

    def settle(self, posted: Posted, names: Collection[str]) -> Pending | None:
        """The draft whose echo `posted` is, no longer pending; None: it is nobody's echo.

        Ids can be guessed from earlier ones, so the sender must be one of our `names` too. A room
        must be the same; a direct address may have changed with the other side's nick.
        """
        pending = self._pending.get(posted.id)
        if pending is None or posted.sender not in names:
            return None
        to = pending.draft.to
        if to != posted.to and (to[0] == "#" or posted.to[0] == "#"):
            return None
        del self._pending[posted.id]
        return pending

    def kept(self) -> tuple[KeptDraft, ...]:
        """Everything pending, for the next run."""
        return tuple(KeptDraft(one.draft, one.under) for one in self._pending.values())

    def sendable(self) -> list[Pending]:
        """What a new link begins with, in first order."""
        return [one for one in self._pending.values() if not one.held]

    # -------------------------------------------------------------- the server has no room

    @property
    def stalled(self) -> bool:
        """Whether the server takes nothing until the first refused draft comes again."""
        return self.retry_at is not None

    def stall(self, first: Pending, retry_at: float) -> None:
        """`first` was refused for want of room; nothing is sent until `retry_at`."""
        if self._stalled_on is None or first.number < self._stalled_on.number:
            self._stalled_on = first
        if self.retry_at is None:
            self.retry_at = retry_at

    def end_stall(self) -> list[Pending]:
        """What must be sent again now: the first refused one and all behind it.

        The first may have been settled meanwhile, by the echo of what an earlier link had still
        under way: this link's server waits for it all the same.
        """
        first, self._stalled_on, self.retry_at = self._stalled_on, None, None
        if first is None:
            return []
        return [first, *(one for one in self.sendable() if one.number > first.number)]

    # -------------------------------------------------------------- a person must decide

    def hold_all(self) -> None:
        """Keep back everything that is pending now."""
        for one in self._pending.values():
            one.held = True

    @property
    def held(self) -> int:
        """How many wait for a person's word."""
        return sum(one.held for one in self._pending.values())

    def release(self) -> list[Pending]:
        """Everything that was held, no longer held, in first order."""
        released = [one for one in self._pending.values() if one.held]
        for one in released:
            one.held = False
            one.under = None
        return released

    def lose_link(self) -> list[Pending]:
        """Those that were on their way and now wait for the next link."""
        self.end_stall()
        lost = [one for one in self._pending.values() if one.state is DraftState.SENDING]
        for one in lost:
            one.state = DraftState.WAITING
        return lost
