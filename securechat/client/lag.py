"""How long the server takes to say back what we said: the lag that a person notices.

Pure; time is handed in, in UTC. Links that are lost take what was under way with them.
"""

from __future__ import annotations

from datetime import datetime, timedelta


class Lag:
    """Told of each draft that goes out and comes back; at most one is measured at a time."""

    def __init__(self) -> None:
        self._latest = timedelta(0)
        self._draft_id = ""
        self._since: datetime | None = None

    def sent(self, draft_id: str, now: datetime) -> None:
        """A draft went out."""
        if self._since is None:
            self._draft_id, self._since = draft_id, now

    def arrived(self, draft_id: str, now: datetime) -> None:
        """A draft came back, or was refused."""
        if self._since is not None and draft_id == self._draft_id:
            self._latest, self._since = now - self._since, None

    def lost(self) -> None:
        """The link is gone, and nothing is known of the next one."""
        self._latest, self._since = timedelta(0), None

    @property
    def latest(self) -> timedelta:
        """How long the last one took that came back on this link."""
        return self._latest

    def at(self, now: datetime) -> timedelta:
        """How long the last one took; longer, if one is under way for longer."""
        waiting = timedelta(0) if self._since is None else now - self._since
        return max(self._latest, waiting)
