"""What is asked of the threads that hash passwords, and what they answer; a leaf, as `records` are.

The hub makes jobs and takes results, the threads of `server.auth` do the other half. A job's
`ticket` is used once, and comes back with its result. A `SecretStr` shows no password to whoever
prints it.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pydantic import SecretStr


class Verify(NamedTuple):
    """Is it the password behind `hashed`? None: there is none to compare with, which takes as long.

    The result is a `Verified`. Smaller ranks go first (`chat.logins`).
    """

    ticket: int
    password: SecretStr
    hashed: str | None
    rank: int = 0


class Derive(NamedTuple):
    """Hash a password to be kept. The result is a `Derived`."""

    ticket: int
    password: SecretStr


Job: TypeAlias = Verify | Derive


class Verified(NamedTuple):
    """Whether it was the password."""

    ticket: int
    right: bool


class Derived(NamedTuple):
    """The hash, a PHC string; None: it could not be made, which was logged."""

    ticket: int
    hashed: str | None


Result: TypeAlias = Verified | Derived
