"""What makes an identity an account: a name that is its own for ever, a role, a proof.

A guest is an identity without one. The record is what a store keeps; it is replaced as a whole, and
only when the new one is stored.
"""

from __future__ import annotations

from ..records import KeepAccount, KeepSession
from .nicks import Nick, unicode_version
from .roles import Role


class Account:
    """One account, by the record that is stored of it."""

    __slots__ = ("kept", "links", "role", "sessions")

    def __init__(self, kept: KeepAccount) -> None:
        self.kept = kept
        #: `kept.role`, read once: it is asked for more often than it changes.
        self.role = Role(kept.role)
        #: Its living sessions, one per device, by the SHA-256 of the token.
        self.sessions: dict[bytes, KeepSession] = {}
        #: With which session each of its connections came.
        self.links: dict[int, bytes] = {}

    def __repr__(self) -> str:
        return f"<Account {self.kept.name} {self.role.value}>"

    def replace(self, kept: KeepAccount) -> None:
        """Go by another record, now that it is stored."""
        self.kept = kept
        self.role = Role(kept.role)


def new_account(identity: int, nick: Nick, role: Role, now: float) -> KeepAccount:
    """The record of a new account without a password, named `nick`; `now` is Unix seconds."""
    return KeepAccount(
        identity, nick.text, nick.key, nick.skeletons, unicode_version(), role.value, None, now
    )
