"""What was said in one conversation, as far as it is held: numbered items, oldest first.

Pure. In come entries; out come items, which keep their number for as long as they are held: what
is put in front gets smaller numbers than all others, below zero if need be. People who come and go
one after the other are one item, so that they can be folded. Nothing is raised but `IndexError`
for a number that is not held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

from .entries import Entry, Kind, Move, erased

MAX_ITEMS: Final = 100_000
#: People in one folded item; then another one begins.
MAX_FOLDED: Final = 200
#: So many of those who came or went are named.
MAX_NAMED: Final = 3
#: So often comings and goings take turns and are told in their order.
MAX_TURNS: Final = 4

#: What somebody said.
SPOKEN: Final = frozenset({Kind.MESSAGE, Kind.ACTION})


@dataclass(frozen=True, slots=True)
class Moves:
    """People who came and went, one after the other; at least one."""

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        """Who was the first."""
        return self.entries[0]


Item: TypeAlias = Entry | Moves


def head_of(item: Item) -> Entry:
    """The entry whose time and day an item has."""
    return item.first if isinstance(item, Moves) else item


def moves_in_short(entries: Sequence[Entry]) -> str:
    """`carol joined; dave, erin left`, in their order, or with numbers when they are many.

    When it went to and fro often, all who came are one group, all who went another.
    """
    turns = [list(turn) for _, turn in groupby(entries, lambda entry: entry.move)]
    if len(turns) > MAX_TURNS:
        last = entries[-1].move
        turns = [
            [entry for entry in entries if entry.move is not last],
            [entry for entry in entries if entry.move is last],
        ]
    return "; ".join(map(_turn_in_short, turns))


def _turn_in_short(entries: Sequence[Entry]) -> str:
    """Who made the same move, one after the other."""
    nicks = list(dict.fromkeys(entry.nick for entry in entries))
    who = ", ".join(nicks) if len(nicks) <= MAX_NAMED else str(len(nicks))
    return f"{who} {'joined' if entries[0].move is Move.CAME else 'left'}"


class Position(NamedTuple):
    """The item at the lower edge, and how many of its rows are below it."""

    number: int
    hidden: int


class Log:
    """The items from `first` up to, and without, `end`.

    `marker` is the number of the item before which *new messages* is to stand, None: nowhere.
    `oldest_seq` is that of the oldest message; 0: there is none.
    """

    def __init__(self, max_items: int = MAX_ITEMS) -> None:
        self.first = 0
        self.marker: int | None = None
        self.oldest_seq = 0
        self._items: deque[Item] = deque()
        self._max_items = max_items
        self._gap = False

    @property
    def end(self) -> int:
        """The number that the next item will have."""
        return self.first + len(self._items)

    def __getitem__(self, number: int) -> Item:
        if not self.first <= number < self.end:
            raise IndexError(number)
        return self._items[number - self.first]

    def spoken_near(self, number: int, step: int) -> int | None:
        """The first message from item `number` on, in steps of `step`; None: there is none."""
        numbers = range(number, self.end if step > 0 else self.first - 1, step)
        held = (one for one in numbers if self.first <= one < self.end)
        return next((one for one in held if head_of(self[one]).kind in SPOKEN), None)

    def add(self, entry: Entry, *, seen: bool) -> int:
        """Put an entry behind all others; the number of its item. `seen`: somebody looks at it."""
        last = self._items[-1] if self._items else None
        if entry.move is not None and isinstance(last, Moves) and len(last.entries) < MAX_FOLDED:
            self._items[-1] = Moves((*last.entries, entry))
            return self.end - 1
        if len(self._items) >= self._max_items:
            self._drop_oldest()
        self._items.append(entry if entry.move is None else Moves((entry,)))
        number = self.end - 1
        if entry.kind in SPOKEN and not entry.own:
            if (not seen or (self._gap and entry.missed)) and self.marker is None:
                self.marker = number
            self._gap = self._gap and entry.missed
        if entry.seq and not self.oldest_seq:
            self.oldest_seq = entry.seq
        return number

    def put_older(self, page: Iterable[Entry]) -> int:
        """Put those messages of a page of history in front that are older than all; how many."""
        count = 0
        for entry in sorted(page, key=lambda entry: entry.seq, reverse=True):
            is_older = not self.oldest_seq or entry.seq < self.oldest_seq
            if is_older and len(self._items) < self._max_items:
                self._items.appendleft(entry)
                self.first -= 1
                self.oldest_seq = entry.seq
                count += 1
        return count

    def erase(self, seq: int) -> bool:
        """Show message `seq` as one whose text was erased; False if it is not held."""
        for index, item in enumerate(self._items):
            if isinstance(item, Entry) and item.seq == seq:
                self._items[index] = erased(item)
                return True
        return False

    def leave(self) -> None:
        """Nobody looks any longer: what is here has been read."""
        self.marker = None

    def clear(self) -> None:
        """Hold nothing; what was here is older than what comes, and can be fetched again."""
        newest = next((head_of(item).seq for item in reversed(self._items) if head_of(item).seq), 0)
        self.first, self.marker = self.end, None
        self.oldest_seq = newest + 1 if newest else self.oldest_seq
        self._items.clear()

    def interrupt(self) -> None:
        """The link was lost: what was missed meanwhile is new, though somebody looks."""
        self._gap = True

    def number_of(self, seq: int) -> int | None:
        """The item of message `seq`; None: it is not held."""
        for number in reversed(range(self.first, self.end)):
            found = head_of(self[number]).seq
            if found == seq:
                return number
            if 0 < found < seq:
                return None
        return None

    def find(self, needle: str, before: int) -> int | None:
        """The latest item before number `before` that holds `needle`, in any case."""
        return self._find(needle, reversed(range(self.first, min(before, self.end))))

    def find_after(self, needle: str, after: int) -> int | None:
        """The earliest item behind number `after` that holds `needle`, in any case."""
        return self._find(needle, iter(range(max(after + 1, self.first), self.end)))

    def _find(self, needle: str, numbers: Iterator[int]) -> int | None:
        wanted = needle.casefold()
        for number in numbers:
            item = self[number]
            if isinstance(item, Entry) and wanted in f"{item.nick} {item.text}".casefold():
                return number
        return None

    def _drop_oldest(self) -> None:
        self._items.popleft()
        self.first += 1
        seqs = (head_of(item).seq for item in self._items)
        self.oldest_seq = next((seq for seq in seqs if seq), 0)
