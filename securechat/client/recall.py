"""What is fetched of the past: pages of history while somebody scrolls up, and searches.

Pure; a part of `controller`, which sends the commands, and tells of each and of its answer here.
"""

from __future__ import annotations

from ..protocol.envelopes import HistoryPage, SearchPage


class Recall:
    """What is under way, what is known to be the beginning, and where the last search goes on."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}  # conversations, by the command that fetches
        self._whole: set[str] = set()  # conversations whose first message was fetched
        self._searches: dict[str, str] = {}  # queries, by the command
        self._last: tuple[str, str | None] | None = None

    def has_older(self, name: str, before: int) -> bool:
        """Whether to ask for what was said in `name` before message `before`."""
        return before > 1 and name not in self._whole and name not in self._pages.values()

    def fetch(self, command_id: str, name: str) -> None:
        """A page of conversation `name` was asked for."""
        self._pages[command_id] = name

    def search(self, command_id: str, query: str) -> None:
        """A search was begun, or goes on."""
        self._searches[command_id] = query

    def next_search(self) -> tuple[str, str] | None:
        """The last query, and before what it goes on; None: there is nothing more."""
        if self._last is None or self._last[1] is None:
            return None
        return self._last[0], self._last[1]

    def came(self, command_id: str, page: HistoryPage) -> None:
        """A page that was asked for is here."""
        if not page.more:
            self._whole.add(page.to)
        self._pages.pop(command_id, None)

    def found(self, command_id: str, page: SearchPage) -> None:
        """The answer to a search is here."""
        query = self._searches.pop(command_id, None)
        if query is not None:
            self._last = query, page.next if page.more else None

    def refused(self, command_id: str) -> None:
        """The command was answered with an error."""
        self._pages.pop(command_id, None)
        self._searches.pop(command_id, None)

    def begin_again(self, name: str | None) -> None:
        """What conversation `name` holds was put away: all of it can be fetched again."""
        self._whole.discard(name or "")

    def lose_link(self) -> None:
        """What was under way is not answered any more."""
        self._pages.clear()
        self._searches.clear()

    def lose_history(self) -> None:
        """The server began a new history."""
        self._whole.clear()
