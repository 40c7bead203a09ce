"""What makes an identity an account: a name that is its own for ever, a role, sessions, a password.

A guest is an identity without one. The record is what a store keeps; it is replaced as a whole, and
only when the new one is stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..records import KeepAccount, KeepSession
from .nicks import Nick, unicode_version
from .roles import Role


class Account:
    """One account, by the record that is stored of it."""

    __slots__ = ("decided", "ending", "kept", "links", "password_turn", "role", "sessions")

    def __init__(self, kept: KeepAccount) -> None:
        self.kept = kept
        #: `kept` with what was decided since and is not stored yet: the next change builds on it.
        self.decided = kept
        #: `kept.role`, read once: it is asked for more often than it changes.
        self.role = Role(kept.role)
        #: Its living sessions, one per device, by the SHA-256 of the token.
        self.sessions: dict[bytes, KeepSession] = {}
        #: Those of them that are being cut; used once more until that is settled, they end, too.
        self.ending: set[bytes] = set()
        #: How often another password was set, counted from before it is stored: whoever was proving
        #: the one before has proved nothing.
        self.password_turn = 0
        #: With which session each of its connections came; b"" where that was not stored.
        self.links: dict[int, bytes] = {}

    def __repr__(self) -> str:
        return f"<Account {self.kept.name} {self.role.value}>"

    def decide(self, **changes: str | None) -> KeepAccount:
        """The record to store so that fields change; then `replace` or `give_up` is to follow."""
        self.decided = self.decided._replace(**changes)  # type: ignore[arg-type]
        return self.decided

    def give_up(self) -> None:
        """Forget what was decided: nothing of that batch could be stored."""
        self.decided = self.kept

    def replace(self, kept: KeepAccount) -> None:
        """Go by another record, now that it is stored."""
        self.kept = kept
        self.role = Role(kept.role)

    def others(self, number: int) -> list[bytes]:
        """Its sessions but that of connection `number`."""
        own = self.links.get(number)
        return [token for token in self.sessions if token != own]

    def by_name(self, name: str) -> bytes | None:
        """The session that `sessions` lists as `name`."""
        return next((token for token in self.sessions if name_of(token) == name), None)

    def connections_of(self, token: bytes) -> list[int]:
        """The connections that came with a session."""
        return [number for number, own in self.links.items() if own == token]

    def surplus(self, limit: int) -> list[bytes]:
        """Sessions to be cut so that one more fits: the longest unused ones that nobody is on."""
        online = set(self.links.values())
        idle = sorted(
            (session.used, token) for token, session in self.sessions.items() if token not in online
        )
        return [token for _, token in idle[: max(0, len(self.sessions) + 1 - limit)]]

    def stale(self, before: float) -> Iterator[bytes]:
        """Sessions last used before then, Unix seconds, that nobody is on."""
        online = set(self.links.values())
        for token, session in self.sessions.items():
            if session.used < before and token not in online:
                yield token


def name_of(token_hash: bytes) -> str:
    """What a session or an invite is called where it is listed; it tells nothing of the token."""
    return token_hash[:6].hex()


def new_account(
    identity: int, nick: Nick, role: Role, now: float, password: str | None = None
) -> KeepAccount:
    """The record of a new account named `nick`; `now` is Unix seconds, `password` a PHC string."""
    return KeepAccount(
        identity, nick.text, nick.key, nick.skeletons, unicode_version(), role.value, password, now
    )
