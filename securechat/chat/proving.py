"""Passwords are looked at elsewhere: jobs go out with a ticket, life goes on, results come back.

In: a password of a connection; later the result from the threads that hash (`securechat.proofs`).
Out: jobs as effects, and a call of what was to follow. Raised: `Rejected` (`rate_limited`).

Whatever could be guessed, a password or an invite, is tried in an `Attempt`, and no other way: it
asks `logins` whether it may, and tells it how it went.

Hashing is slow on purpose, so nobody waits for it, and a result meets whatever is true by then. One
for a connection that has ended is ignored. Jobs are bounded in all, and to one a connection, which
a wrong password keeps until it is answered: each time later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import SecretStr

from ..errors import Rejected
from ..penalties import source_of
from ..proofs import Derive, Derived, Result, Verified, Verify
from . import endings
from .logins import CLEAN

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .session import Session

log = logging.getLogger(__name__)

#: A wrong password is answered so many seconds later, and twice as many each time.
FIRST_DELAY: Final = 0.5
#: Seconds after which it is worth while to try again what was one too many.
_RETRY: Final = 2.0
_WRONG: Final = "The nick or the password is wrong. Try again; each time the answer comes later."


class _Waiting(NamedTuple):
    connection: int
    re: str
    then: Callable[[Session, Result], None]


class Proofs:
    """The jobs that are out, by ticket; at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last = 0
        self._waiting: dict[int, _Waiting] = {}
        #: Connections whose wrong password is not answered yet.
        self._delayed: set[int] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def open(
        self,
        session: Session,
        re: str,
        then: Callable[[Session, Result], None],
        rank: int = CLEAN,
    ) -> int:
        """A ticket for a job of that connection, the answer to `re`; raises `rate_limited`.

        Each rank leaves a quarter of the places to those that go before it.
        """
        number = session.number
        busy = any(one.connection == number for one in self._waiting.values())
        if busy or number in self._delayed:
            message = "Your last password is still being looked at. Wait for the answer."
            raise Rejected("rate_limited", message, _RETRY)
        if len(self._waiting) >= self._limit - rank * self._limit // 4:
            message = "Too many passwords wait to be looked at. Try again in a moment."
            raise Rejected("rate_limited", message, _RETRY)
        self._last += 1
        self._waiting[self._last] = _Waiting(number, re, then)
        return self._last

    def close(self, hub: Hub, result: Result) -> None:
        """Take a result, and go on with it if the connection is still there."""
        connection, re, then = self._waiting.pop(result.ticket)
        session = hub.sessions.get(connection)
        if session is None:
            return
        try:
            then(session, result)
        except Rejected as no:
            endings.refuse(hub, session, no, re)
        except Exception:
            log.exception("connection %d: what follows from a proof failed", connection)
            endings.fail(hub, session)

    def delay(self, hub: Hub, session: Session, no: Rejected, re: str) -> None:
        """Refuse a proof, later each time; until then there is no other try."""
        number = session.number
        self._delayed.add(number)

        def answer() -> None:
            self._delayed.discard(number)
            if number in hub.sessions:
                endings.refuse(hub, session, no, re)

        hub.after(FIRST_DELAY * 2.0**session.refusals, answer)


class Attempt:
    """One try of a connection to prove who it is, begun by the request `re`; it fails or succeeds.

    `account` is for whom it counts, besides the address. Raises `rate_limited` when too much was
    guessed from there.
    """

    __slots__ = ("_account", "_hub", "_re", "_session", "_source")

    def __init__(self, hub: Hub, session: Session, re: str, account: str) -> None:
        self._hub = hub
        self._session = session
        self._re = re
        self._account = account
        self._source = source_of(session.peer)
        wait = hub.logins.wait(self._source, account, hub.now.mono)
        if wait > 0:
            message = "Too much was tried from your address that was wrong. Wait, then try again."
            raise Rejected("rate_limited", message, wait)

    @property
    def rank(self) -> int:
        """How early it is looked at: the smaller, the earlier."""
        return self._hub.logins.rank(self._source, self._account, self._hub.now.mono)

    def succeed(self) -> None:
        """It was right, and a slip before it is forgiven."""
        self._session.refusals = 0
        self._hub.logins.succeeded(self._source, self._account, self._hub.now.mono)

    def fail(self, message: str) -> None:
        """It was wrong: that is told after a while, and counts against the address."""
        self._hub.logins.failed(self._source, self._account, self._hub.now.mono)
        no = Rejected("auth_failed", message)
        self._hub.proofs.delay(self._hub, self._session, no, self._re)


def prove(
    hub: Hub,
    session: Session,
    re: str,
    claim: tuple[str, SecretStr],
    then: Callable[[Session, Identity], None],
) -> None:
    """Have a claim, a name and a password, looked at; `then` gets whose it is.

    It takes as long, and is answered in the same way, for a name that is no account, and for an
    account without a password. Raises `rate_limited`.
    """
    name, password = claim
    identity = hub.identities.by_account(name)
    account = identity.enrolment.kept.key if identity is not None else name.casefold()
    attempt = Attempt(hub, session, re, account)
    hashed = identity.enrolment.kept.password if identity is not None else None
    turn = identity.enrolment.password_turn if identity is not None else 0

    def finish(session: Session, result: Result) -> None:
        assert isinstance(result, Verified)
        # Another password may have been set meanwhile: then this one proves nothing.
        if result.right and identity is not None and identity.enrolment.password_turn == turn:
            attempt.succeed()
            then(session, identity)
        else:
            attempt.fail(_WRONG)

    rank = attempt.rank
    hub.emit(Verify(hub.proofs.open(session, re, finish, rank), password, hashed, rank))


def derive(
    hub: Hub, session: Session, re: str, password: SecretStr, then: Callable[[Session, str], None]
) -> None:
    """Have a password hashed; raises `rate_limited`."""

    def finish(session: Session, result: Result) -> None:
        assert isinstance(result, Derived)
        if result.hashed is None:
            message = "The password could not be kept; it is our fault and was logged. Try again."
            raise Rejected("storage", message, _RETRY)
        then(session, result.hashed)

    hub.emit(Derive(hub.proofs.open(session, re, finish), password))
