"""Sessions of accounts, one per device: opened, listed, cut; and how a guest comes to have some.

Whatever changes here is stored first, all or none; what follows from it is told to a callback. The
hub holds a session by the hash of its token, as the store does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ..errors import Rejected
from ..protocol.envelopes import Bye, SessionInfo
from ..records import Change, ForgetSession, KeepAccount, KeepSession, Together
from . import endings
from .accounts import name_of
from .clock import DAY, to_ts
from .effects import Commit, Keep
from .identities import Identity, hash_token

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session

#: How the server says goodbye to who was logged out from elsewhere.
LOGGED_OUT: Final = "logged_out"
#: A session that is used is written down again after so many seconds.
_STAMP_EVERY: Final = DAY


def require_guest(hub: Hub, identity: Identity) -> None:
    """Raise `forbidden` for who has an account, or can have none because there are too many."""
    if identity.account is not None:
        raise Rejected("forbidden", "You have an account. `passwd` sets another password.")
    require_room_for_account(hub)


def require_room_for_account(hub: Hub) -> None:
    """Raise `forbidden` when there are as many accounts as there may be."""
    if len(hub.identities.accounts) >= hub.limits.accounts:
        message = "This server has as many accounts as it may have. Ask who runs it."
        raise Rejected("forbidden", message)


def enrol(
    hub: Hub,
    identity: Identity,
    kept: KeepAccount,
    then: Callable[[bool, str | None], None],
    *more: Change,
    client: str = "",
) -> None:
    """Make an account of a guest, and have it stored with `more`.

    The guest's own session goes on as the account's first. `then` is told whether it was stored,
    and gets a new token where the guest never could know its own.
    """
    token = None if identity.provable else hub.new_token()
    known = hash_token(token) if token is not None else identity.token
    session = _new(hub, identity, known, client)
    was, identity.provable = identity.provable, True  # or it might lapse before this is settled

    def settle(stored: bool) -> None:
        identity.provable = was
        if stored:
            account = hub.identities.enrol(identity, kept)
            hub.identities.add_session(session)
            account.links.update(dict.fromkeys(identity.connections, known))
        then(stored, token)

    record = identity.record()._replace(token_hash=b"")
    hub.emit(Commit(Together((record, kept, session, *more)), settle))


def open_session(
    hub: Hub,
    connection: Session,
    identity: Identity,
    client: str,
    then: Callable[[str | None], None],
) -> None:
    """Log an account in; `then` gets the token, None: there was no room to store it.

    Not called when the connection has ended meanwhile: then nobody could know the token.
    """
    token, account = hub.new_token(), identity.enrolment
    session = _new(hub, identity, hash_token(token), client)
    surplus, turn = account.surplus(hub.limits.sessions_per_account), account.password_turn
    account.ending.update(surplus)

    def settle(stored: bool) -> None:
        account.ending.difference_update(surplus)
        there, outdated = connection.number in hub.sessions, account.password_turn != turn
        if stored:
            for old in surplus:
                hub.identities.drop_session(identity, old)
            if there and not outdated:
                hub.identities.add_session(session)
            else:
                hub.emit(Keep(ForgetSession(session.token_hash)))
        if there and outdated:  # what they have proved was another password when it was stored
            endings.dismiss(hub, connection, Bye(reason=LOGGED_OUT), "logged out")
        elif there:
            then(token if stored else None)

    hub.emit(Commit(Together((session, *map(ForgetSession, surplus))), settle))


def _new(hub: Hub, identity: Identity, token_hash: bytes, client: str) -> KeepSession:
    return KeepSession(token_hash, identity.number, client, hub.now.wall, hub.now.wall)


def cut(
    hub: Hub,
    identity: Identity,
    tokens: Sequence[bytes],
    then: Callable[[bool], None],
    *,
    bare: Sequence[int] = (),
    kept: KeepAccount | None = None,
) -> None:
    """End sessions: their tokens prove nothing, and the connections that came by them end.

    So do the connections `bare`, which came by none; with it `kept` is stored. `then` is told
    whether it was, before the connections are.
    """
    account = identity.enrolment
    account.ending.update(tokens)
    changes: list[Change] = [ForgetSession(token) for token in tokens]
    if kept is not None:
        changes.append(kept)
        account.password_turn += 1

    def settle(stored: bool) -> None:
        account.ending.difference_update(tokens)
        if not stored:
            account.give_up()
            then(False)
            return
        if kept is not None:
            account.replace(kept)
        doomed = [*bare, *(it for token in tokens for it in account.connections_of(token))]
        for token in tokens:
            hub.identities.drop_session(identity, token)
        then(True)
        for number in doomed:
            if number in hub.sessions:
                endings.dismiss(hub, hub.sessions[number], Bye(reason=LOGGED_OUT), "logged out")

    hub.emit(Commit(Together(tuple(changes)), settle))


def rows_of(identity: Identity, here: int = 0) -> list[SessionInfo]:
    """The sessions of an account, the last used first; `here` is the connection that asks."""
    account = identity.enrolment
    ordered = sorted(account.sessions.values(), key=lambda it: it.used, reverse=True)
    return [
        SessionInfo(
            session=name_of(it.token_hash),
            client=it.client,
            created=to_ts(it.created),
            used=to_ts(it.used),
            connections=len(account.connections_of(it.token_hash)),
            here=account.links.get(here) == it.token_hash,
        )
        for it in ordered
    ]


def stamp(hub: Hub, identity: Identity, token_hash: bytes) -> None:
    """Note that a session is used now; written down once a day."""
    account = identity.enrolment
    session = account.sessions.get(token_hash)
    if session is None or token_hash in account.ending:
        return
    if hub.now.wall - session.used > _STAMP_EVERY:
        session = session._replace(used=hub.now.wall)
        hub.identities.add_session(session)
        hub.emit(Keep(session))


def sweep(hub: Hub, identity: Identity) -> None:
    """Let the sessions of an account lapse that nobody has used for long."""
    account = identity.enrolment
    for token in set(account.links.values()):
        stamp(hub, identity, token)
    before = hub.now.wall - hub.limits.session_days * DAY
    for token in list(account.stale(before)):
        hub.identities.drop_session(identity, token)
        hub.emit(Keep(ForgetSession(token)))
