"""What a client must not forget, as values: the session makes them, the outbox keeps them.

Cursors and drafts mean something only under one history (`epoch`) and one identity; `Under` names
the two. An identity is named by the fingerprint of its session token, never by the token; an
account that is told no session, as beside a certificate, by its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..protocol.envelopes import Draft


class Under(NamedTuple):
    """Where a `seq` or a draft's `id` means something.

    `identity` is None for a guest whose session the server could not store: nothing proves that
    the next one is the same.
    """

    epoch: str
    identity: str | None

    def is_same(self, other: Under) -> bool:
        """Whether what was said under `other` is known here, and what was sent is recognised."""
        return self == other and self.identity is not None


class KeptDraft(NamedTuple):
    """A draft that was not echoed; `under` is None when there was no server yet."""

    draft: Draft
    under: Under | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that one run of a client must not forget."""

    under: Under | None = None
    nicks: tuple[str, ...] = ()  #: every nick that the run's drafts may come back under
    cursors: Mapping[str, int] = field(default_factory=dict)
    drafts: tuple[KeptDraft, ...] = ()


def identity_of(account: str | None, session: str | None) -> str | None:
    """Who we are, for `Under`; None: nobody who can be proved."""
    if session is None and account is not None:
        return f"account {account}"
    return fingerprint(session)


def fingerprint(session: str | None) -> str | None:
    """What tells one session token from another without giving it away."""
    return None if session is None else hashlib.sha256(session.encode()).hexdigest()[:16]
