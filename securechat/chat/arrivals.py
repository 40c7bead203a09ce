"""What the io threads know of a connection before it says anything: where from, and who.

In: `Arrived`, and the end of the connection. Out: answers by the connection's number. Nothing is
raised. Most connections have a place and nothing else, so a fact is kept only where there is one.
"""

from __future__ import annotations

import sys

from ..link_events import Arrived
from ..penalties import source_of


class Arrivals:
    """The facts about each living connection, by its number."""

    __slots__ = ("_certified", "_sources", "_surplus")

    def __init__(self) -> None:
        self._sources: dict[int, str] = {}
        self._surplus: set[int] = set()
        self._certified: dict[int, str] = {}

    def note(self, number: int, arrived: Arrived) -> None:
        """Remember how a connection came."""
        self._sources[number] = sys.intern(source_of(arrived.peer))  # one text for all of one place
        if arrived.surplus:
            self._surplus.add(number)
        if arrived.name is not None:
            self._certified[number] = arrived.name

    def drop(self, number: int) -> None:
        """Forget a connection that has ended."""
        self._sources.pop(number, None)
        self._surplus.discard(number)
        self._certified.pop(number, None)

    def source_of(self, number: int) -> str:
        """Where a living connection comes from, as limits mean it."""
        return self._sources[number]

    def is_surplus(self, number: int) -> bool:
        """Whether its address had too many connections already."""
        return number in self._surplus

    def certificate_of(self, number: int) -> str | None:
        """The name in its certificate; None: it came with none."""
        return self._certified.get(number)
