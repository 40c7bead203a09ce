"""What somebody may be on the whole server, as data; who may do what is decided elsewhere.

A moderator is one of a room, not of the server, and so is none of these.
"""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """A role on the whole server, by its name on the wire; `rank` grows with what it may do."""

    GUEST = "guest"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """0 for a guest, higher for who may do more."""
        return _RANKS[self]


_RANKS = {role: rank for rank, role in enumerate(Role)}
