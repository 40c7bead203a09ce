"""The conversations in the order in which a screen lists them, and where to look next.

Pure: the timeline goes in. What the numbers of Alt-1 to Alt-9 mean is the order of this list.
"""

from __future__ import annotations

from typing import NamedTuple

from .timeline import Timeline


class Rooms(NamedTuple):
    """Conversations in the order of the list: rooms first, then people."""

    names: list[str]

    def after(self, shown: str | None, step: int) -> str | None:
        """The conversation `step` places on, around and around."""
        if not self.names:
            return None
        at = self.names.index(shown) if shown in self.names else -1 if step > 0 else 0
        return self.names[(at + step) % len(self.names)]


def rooms_of(timeline: Timeline) -> Rooms:
    """The rooms that we are in, what is shown, and direct conversations."""
    known = timeline.conversations.values()
    kept = [one.name for one in known if one.joined or one.unread or one.name == timeline.focus]
    return Rooms(sorted(kept, key=lambda name: not name.startswith("#")))


def next_active(timeline: Timeline) -> str | None:
    """Where to look next: where we are called, else where anything is new."""
    order = rooms_of(timeline).names
    start = order.index(timeline.focus) + 1 if timeline.focus in order else 0
    around = [timeline.conversations[name] for name in order[start:] + order[:start]]
    active = [one for one in around if one.mentions] or [one for one in around if one.unread]
    return active[0].name if active else None
