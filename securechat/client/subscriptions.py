"""Where we are in each conversation: cursors, what is subscribed, what a new link must ask for.

Pure. A conversation is a room (`#name`) or the other side of a direct one (`@nick`). Its cursor is
the last `seq` seen; a frame moves it only if it is the very next one, so that what comes out is
each message once, in order, without a gap (docs/protocol.md, "A subscription is a cursor").

A room is subscribed from our `join` on. Direct conversations are live from `welcome` on, before
we know how far behind we are in them. So until `conversations` has told, and the `join` that it
made necessary is answered, their frames are passed over: the stream that follows brings them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ..protocol.envelopes import Conversation, Join, Joined


class Place(Enum):
    """What a posted chat is to its conversation."""

    LIVE = "live"  # the next one, said just now
    MISSED = "missed"  # the next one, said before we came or while we were away
    SEEN = "seen"  # had before
    APART = "apart"  # no part of a stream: the answer to a repeated draft, or not subscribed
    GAP = "gap"  # something before it never came


@dataclass(slots=True)
class _Standing:
    """How far one conversation has come."""

    cursor: int | None = None  #: last `seq` seen; None: whatever comes first is the next
    live: bool = False  #: what comes is the stream behind `cursor`
    head: int = 0  #: up to here it was said before we joined
    known: int = 0  #: up to here it was seen before the last link, or the last run, ended
    shown: bool = False  #: the stream was joined in this run


class Subscriptions:
    """All conversations of one run.

    `wanted` are the rooms to be in, in order: what was asked last decides, not what was answered
    last, or a late `left` would undo the `join` behind it. `backlog` is how many messages from
    before we came a conversation begins with; 0: none. Without `reads` what earlier runs have
    read stays as it was, and nothing is caught up with but what a `join` asks for.
    """

    def __init__(self, rooms: Iterable[str], backlog: int, *, reads: bool = True) -> None:
        self.wanted: dict[str, None] = dict.fromkeys(rooms)
        self._backlog = backlog
        self._reads = reads
        self._all: dict[str, _Standing] = {}
        self._moved: dict[str, int] = {}
        self._kept: dict[str, int] = {}
        self._directs_known = False
        #: Nothing is known of this identity's direct conversations: they begin with the backlog.
        self.fresh = False

    def want(self, address: str) -> bool:
        """Be in the room `address` from now on; True if that is new."""
        if address[0] != "#" or address in self.wanted:
            return False
        self.wanted[address] = None
        return True

    # -------------------------------------------------------------- what is remembered

    def restore(self, cursors: Mapping[str, int], *, directs: bool) -> None:
        """Take over cursors of an earlier run, the higher one where there are two."""
        for key, seq in cursors.items():
            if key[0] == "@" and not directs:
                continue
            if not self._reads:
                self._kept[key] = max(seq, self._kept.get(key, 0))
            else:
                standing = self._all.setdefault(key, _Standing())
                standing.cursor = standing.known = self._kept[key] = max(standing.known, seq)

    def forget(self, *, directs_only: bool = False) -> None:
        """Drop the cursors: they belong to another history, or to another identity."""
        for key in [*self._all, *self._kept]:
            if key[0] == "@" or not directs_only:
                self._all.pop(key, None)
                self._moved.pop(key, None)
                self._kept.pop(key, None)

    def cursors(self) -> dict[str, int]:
        """Every cursor, for the next run, as it was when `take_moved` was last called."""
        return self._kept.copy()

    def take_moved(self) -> dict[str, int]:
        """The cursors that have moved since the last call.

        Call it when the front end has taken the messages: what it had not, comes again next time.
        """
        moved, self._moved = self._moved, {}
        if not self._reads:
            return {}
        for key, seq in moved.items():
            self._kept[key] = max(seq, self._kept.get(key, 0))
        return moved

    @property
    def has_moved(self) -> bool:
        """Whether `take_moved` would give something."""
        return self._reads and bool(self._moved)

    def name_of(self, address: str) -> str:
        """The conversation that `address` means, in the spelling that we know it by."""
        if address[0] == "#" or address in self._all:
            return address
        folded = address.casefold()
        return next((key for key in self._all if key.casefold() == folded), address)

    # -------------------------------------------------------------- one frame

    def place(self, key: str, seq: int, *, again: bool) -> Place:
        """Where message `seq` of conversation `key` belongs; the cursor moves if it is the next.

        `again`: it may be the answer to a draft that we repeated.
        """
        standing = self._all.get(key)
        if standing is None:
            if key[0] == "#":
                return Place.APART
            standing = self._meet(key)
        if not standing.live:
            return Place.APART
        cursor = standing.cursor
        if cursor is None:
            if again:
                return Place.APART
        elif seq != cursor + 1:
            if seq <= cursor:
                return Place.SEEN
            return Place.APART if again else Place.GAP
        standing.cursor = self._moved[key] = seq
        return Place.MISSED if seq <= standing.head else Place.LIVE

    def is_news(self, key: str, seq: int) -> bool:
        """Whether a missed message is one that no earlier link or run had brought."""
        return seq > self._all[key].known

    def is_level(self, key: str) -> bool:
        """Whether all that was missed has come."""
        standing = self._all.get(key)
        return standing is None or (standing.live and (standing.cursor or 0) >= standing.head)

    def _meet(self, key: str) -> _Standing:
        """A direct conversation that we hear of for the first time."""
        standing = self._all[key] = _Standing()
        if self._directs_known:
            standing.cursor, standing.live = 0, True
        elif self.fresh and not self._backlog:
            standing.live = True
        standing.shown = standing.live and self._reads
        return standing

    # -------------------------------------------------------------- the link

    def lose_link(self) -> None:
        """Nothing is subscribed any more."""
        self._directs_known = False
        for standing in self._all.values():
            standing.live = False
            if standing.shown and standing.cursor:
                standing.known = max(standing.known, standing.cursor)

    def start_of(self, room: str) -> dict[str, int]:
        """Where a `join` of `room` is to begin: the keys `after` or `last`, or none.

        The first time in a run a room known from an earlier one begins a backlog before its
        cursor, so that what was missed has something to stand on.
        """
        standing = self._all.get(room)
        if standing is None or standing.cursor is None:
            return {"last": self._backlog} if self._backlog else {}
        if standing.shown:
            return {"after": standing.cursor}
        return {"after": max(0, standing.cursor - self._backlog)}

    def join(self, asked: Join, joined: Joined) -> None:
        """The server's answer to our `join`: from here on it is one stream."""
        standing = self._all.setdefault(joined.room, _Standing())
        start = joined.seq if joined.after is None else joined.after
        standing.head = joined.seq or 0
        standing.live = True
        beyond_head = start is not None and asked.after is not None and start < asked.after
        if beyond_head and start is not None and self._reads:
            standing.known = self._kept[joined.room] = min(standing.known, start)
        if not standing.shown or beyond_head or start is None:
            standing.cursor = start
        else:
            standing.cursor = max(start, standing.cursor or 0)
        standing.shown = True
        if standing.cursor:
            self._moved[joined.room] = max(standing.cursor, standing.known)

    def is_live(self, key: str) -> bool:
        """Whether what comes is one stream behind the cursor."""
        standing = self._all.get(key)
        return standing is not None and standing.live

    def leave(self, key: str) -> None:
        """We are not, or no longer, in a room; its cursor stays for another time.

        A direct conversation cannot be left. When it could not be joined behind its cursor it
        goes on from where it is, and what was missed shows as a gap.
        """
        standing = self._all.get(key)
        if standing is not None:
            standing.live = key[0] == "@"
            standing.shown = standing.shown and self._reads  # the next `join` says where to begin
            standing.cursor = standing.cursor or 0

    # -------------------------------------------------------------- what a server tells

    def compare(self, row: Conversation) -> dict[str, int] | None:
        """What a row of `conversations` makes necessary: the keys of a `join`, or None."""
        standing = self._all.setdefault(row.to, _Standing())
        if not self._reads and not standing.shown:
            standing.cursor, standing.live = row.seq, True
            return None
        if standing.cursor is None and self.fresh:
            if self._backlog:
                return {"last": self._backlog}
        elif (standing.cursor or 0) != row.seq:
            return {"after": standing.cursor or 0}
        standing.cursor = self._moved[row.to] = row.seq
        standing.live = standing.shown = True
        return None

    def know_directs(self, asked: Iterable[str]) -> None:
        """All direct conversations were told; those not `asked` for are level and live."""
        self._directs_known, self.fresh = True, False
        waiting = set(asked)
        for key, standing in self._all.items():
            if key[0] == "@" and key not in waiting:
                standing.live = True
                standing.shown = standing.shown or self._reads
                standing.cursor = standing.cursor or 0

    def trim(self, key: str, after: int) -> None:
        """Retention has removed what is up to `after`."""
        standing = self._all.get(key)
        if standing is not None and (standing.cursor or 0) < after:
            standing.cursor = self._moved[key] = after

    def rename(self, old: str, new: str) -> bool:
        """The conversation `old` is called `new` from now on; True if we know it."""
        standing = self._all.pop(old, None)
        if standing is None:
            return False
        self._all[new] = standing
        for cursors in (self._moved, self._kept):
            if old in cursors:
                cursors[new] = cursors.pop(old)
        return True
