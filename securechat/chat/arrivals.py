"""What the io threads know of a few connections before they say anything: surplus, or certified.

In: `Arrived`, and the end of the connection. Out: answers by the connection's number. Nothing is
raised. Of most connections there is nothing to know, so a fact is kept only where there is one.
"""

from __future__ import annotations

from ..link_events import Arrived


class Arrivals:
    """The facts about each living connection, by its number."""

    __slots__ = ("_certified", "_surplus")

    def __init__(self) -> None:
        self._surplus: set[int] = set()
        self._certified: dict[int, str] = {}

    def note(self, number: int, arrived: Arrived) -> None:
        """Remember how a connection came."""
        if arrived.surplus:
            self._surplus.add(number)
        if arrived.name is not None:
            self._certified[number] = arrived.name

    def drop(self, number: int) -> None:
        """Forget a connection that has ended."""
        self._surplus.discard(number)
        self._certified.pop(number, None)

    def is_surplus(self, number: int) -> bool:
        """Whether its address had too many connections already."""
        return number in self._surplus

    def certificate_of(self, number: int) -> str | None:
        """The name in its certificate; None: it came with none."""
        return self._certified.get(number)
