"""The commands about one's own account: `register`, `login`, `passwd`, `sessions`, `logout`.

A handler takes what those of `commands` take. Raised: `Rejected` (`auth_required`, `bad_password`,
`forbidden`, `rate_limited`, what `peers.rename` raises); a wrong password is answered later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Rejected
from ..protocol.envelopes import (
    AccountIs,
    Bye,
    Login,
    Logout,
    Passwd,
    Register,
    SessionList,
    Sessions,
)
from ..records import KeepAccount
from . import barring, certified, devices, endings, eviction, heirs, lifetimes
from .accounts import new_account
from .admission import replace_silent
from .answers import storage_error
from .effects import Keep, Send, SendList, Unsubscribe
from .identities import hash_token
from .passwords import check_password
from .proving import derive, prove
from .roles import Role

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .session import Session


def register(hub: Hub, session: Session, command: Register) -> None:
    """Make an account of a guest, under the nick that it has when the password is hashed."""
    devices.require_guest(hub, session.identity)
    check_password(command.password.get_secret_value(), session.identity.nick.text)

    def enrol(session: Session, hashed: str) -> None:
        identity = session.identity
        devices.require_guest(hub, identity)  # two of its connections may have asked at once
        kept = new_account(identity.number, identity.nick, Role.MEMBER, hub.now.wall, hashed)
        devices.enrol(hub, identity, kept, finish)

    def finish(stored: bool, token: str | None) -> None:
        if stored:
            _answer(hub, session, command.id, token)
        else:
            _refuse_storage(hub, session, command.id)

    derive(hub, session, command.id, command.password, enrol)


def _require_account(identity: Identity) -> KeepAccount:
    if identity.account is None:
        raise Rejected("forbidden", "You are a guest. `register` makes an account of your nick.")
    return identity.enrolment.kept


def login(hub: Hub, session: Session, command: Login) -> None:
    """Be another identity from here on."""
    if session.identity.account is not None:
        raise Rejected("forbidden", "You are logged in already. `logout` first.")
    certified.check_name(hub, session, command.nick)
    barring.check_login(hub, command.nick)

    def open_session(session: Session, identity: Identity) -> None:
        devices.open_session(hub, session, identity, "", lambda token: arrive(identity, token))

    def arrive(identity: Identity, token: str | None) -> None:
        try:
            barring.check_login(hub, command.nick)  # again: the proof took its time
        except Rejected as no:
            endings.refuse(hub, session, no, command.id)
            return
        _become(hub, session, identity, token)
        _answer(hub, session, command.id, token)

    prove(hub, session, command.id, (command.nick, command.password), open_session)


def _become(hub: Hub, session: Session, identity: Identity, token: str | None) -> None:
    """Let a connection be somebody else's: a guest goes, an account comes."""
    guest, number = session.identity, session.number
    for conversation in session.take_direct():
        hub.emit(Unsubscribe(number, conversation))
    heirs.inherit(hub, session, identity)
    eviction.leave_for(hub, session, identity)
    guest.drop_connection(number)
    identity.add_connection(number)
    identity.enrolment.links[number] = hash_token(token) if token is not None else b""
    hub.presence.hand_over(session, identity)
    session.greet(identity)
    session.refused = None
    for one in (guest, identity):
        lifetimes.stamp(hub, one)
        hub.emit(Keep(one.record()))
    replace_silent(hub, identity)


def passwd(hub: Hub, session: Session, command: Passwd) -> None:
    """Set another password; who is logged in elsewhere no longer is."""
    identity = session.identity
    kept = _require_account(identity)
    check_password(command.password.get_secret_value(), identity.nick.text)

    def change(session: Session, hashed: str) -> None:
        account = identity.enrolment
        others = account.others(session.number)
        devices.cut(
            hub,
            identity,
            others,
            lambda stored: _tell(hub, session, command.id, stored, len(others)),
            bare=[it for it in account.connections_of(b"") if it != session.number],
            kept=account.decide(password=hashed),
        )

    def hash_it(session: Session, _: Identity | None = None) -> None:
        derive(hub, session, command.id, command.password, change)

    if kept.password is None:
        hash_it(session)
    elif command.old is None:
        message = "The present password is missing. Say it as `old`."
        raise Rejected("auth_required", message)
    else:
        prove(hub, session, command.id, (kept.name, command.old), hash_it)


def sessions(hub: Hub, session: Session, command: Sessions) -> None:
    """List where the account is logged in."""
    _require_account(session.identity)
    event = SessionList(sessions=(), re=command.id)
    rows = devices.rows_of(session.identity, session.number)
    hub.emit(SendList(session.number, event, "sessions", rows))


def logout(hub: Hub, session: Session, command: Logout) -> None:
    """End this session, another one, or all others."""
    identity, number = session.identity, session.number
    _require_account(identity)
    account = identity.enrolment
    own = account.links.get(number, b"")
    tokens: list[bytes]
    bare: list[int] = []
    if command.elsewhere:
        tokens = account.others(number)
        bare = [it for it in account.connections_of(b"") if it != number]
    elif command.session is not None:
        found = account.by_name(command.session)
        if found is None:
            raise Rejected("forbidden", "You have no such session. `sessions` lists yours.")
        tokens = [found]
    else:
        tokens = [own] if own else []
    leaves = own in tokens or (command.session is None and not command.elsewhere)

    def settle(stored: bool) -> None:
        if stored and leaves and number in hub.sessions:
            endings.dismiss(hub, session, Bye(reason="logout", re=command.id), "logged out")
        else:
            _tell(hub, session, command.id, stored, len(tokens))

    devices.cut(hub, identity, tokens, settle, bare=bare)


# ------------------------------------------------------------------ answers


def _tell(hub: Hub, session: Session, re: str, stored: bool, ended: int) -> None:
    if stored:
        _answer(hub, session, re, ended=ended)
    else:
        _refuse_storage(hub, session, re)


def _answer(hub: Hub, session: Session, re: str, token: str | None = None, ended: int = 0) -> None:
    if session.number not in hub.sessions:
        return
    identity = session.identity
    event = AccountIs(
        account=identity.enrolment.kept.name,
        nick=identity.nick.text,
        role=identity.role.value,
        session=token,
        ended=ended,
        re=re,
    )
    hub.emit(Send(session.number, event))


def _refuse_storage(hub: Hub, session: Session, re: str) -> None:
    if session.number in hub.sessions:
        hub.emit(Send(session.number, storage_error(re)))
