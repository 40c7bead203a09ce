"""What whoever runs the server may ask it, on its own machine: accounts, sessions, invites.

In: an `Asked` with one of the `REQUESTS`, which came over a socket that only they can open, or from
a tool that holds the data folder itself. Out: one `Reply` for each into the hub, with rows or a
sentence that says why not. Raised: `Rejected`, which the hub answers so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ..config import MAX_INVITE_DAYS
from ..errors import Rejected
from ..protocol.envelopes import ROOM_PATTERN, Bye, Secret
from ..records import KeepInvite, Together
from . import devices, endings, eviction, invites, lifetimes, passage
from .accounts import name_of, new_account
from .clock import to_ts
from .effects import Commit, Reply
from .identities import Identity, hash_token
from .nicks import Nick, parse_nick
from .passwords import check_password
from .roles import Role

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

Row: TypeAlias = Mapping[str, object]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ListAccounts(_Request):
    """Every account."""

    do: Literal["accounts"] = "accounts"


class AddAccount(_Request):
    """A new account; without a password it can be used once one is set."""

    do: Literal["add"] = "add"
    name: str
    role: Role = Role.MEMBER
    password: Secret | None = None


class SetRole(_Request):
    """Another role for an account."""

    do: Literal["role"] = "role"
    name: str
    role: Role


class SetPassword(_Request):
    """Another password for an account, which is logged out everywhere."""

    do: Literal["passwd"] = "passwd"
    name: str
    password: Secret


class ListSessions(_Request):
    """Where an account is logged in."""

    do: Literal["sessions"] = "sessions"
    name: str


class CutSessions(_Request):
    """Log an account out everywhere, or of one session."""

    do: Literal["cut"] = "cut"
    name: str
    session: str | None = None


class ListConnections(_Request):
    """Who is connected."""

    do: Literal["connections"] = "connections"


class CutConnection(_Request):
    """End one connection."""

    do: Literal["disconnect"] = "disconnect"
    number: int


class ShowStatus(_Request):
    """How many are there, and what they have said."""

    do: Literal["status"] = "status"


class MakeInvite(_Request):
    """A new invite; its token is in the answer, and nowhere else."""

    do: Literal["invite"] = "invite"
    nick: str | None = None
    room: Annotated[str, Field(pattern=ROOM_PATTERN)] | None = None
    uses: Annotated[int, Field(ge=1, le=10_000)] = 1
    ttl: Annotated[float, Field(gt=0, le=MAX_INVITE_DAYS * 86_400)] = 2 * 86_400.0


class ListInvites(_Request):
    """Every invite that may still be used."""

    do: Literal["invites"] = "invites"


class RevokeInvite(_Request):
    """Let nobody in by an invite any more."""

    do: Literal["revoke"] = "revoke"
    invite: str


Request: TypeAlias = Annotated[
    ListAccounts
    | AddAccount
    | SetRole
    | SetPassword
    | ListSessions
    | CutSessions
    | ListConnections
    | CutConnection
    | ShowStatus
    | MakeInvite
    | ListInvites
    | RevokeInvite,
    Field(discriminator="do"),
]


class Asked(NamedTuple):
    """A request; `hashed` is its password as it is kept, a PHC string."""

    ticket: int
    request: Any
    hashed: str | None = None


def password_of(request: object) -> SecretStr | None:
    """The password in a request, which is to be hashed before the hub is asked."""
    password = getattr(request, "password", None)
    return password if isinstance(password, SecretStr) else None


def answer(hub: Hub, asked: Asked) -> None:
    """Do what was asked for."""
    try:
        _DO[type(asked.request)](hub, asked)
    except Rejected as no:
        hub.emit(Reply(asked.ticket, (), no.message))
    except Exception:
        log.exception("an operator's `%s` failed", asked.request.do)
        hub.emit(Reply(asked.ticket, (), "The server failed on this, and logged it."))


# ------------------------------------------------------------------ accounts


def _account(hub: Hub, name: str) -> Identity:
    identity = hub.identities.by_account(name)
    if identity is None:
        message = "There is no account of that name. `securechat admin accounts` lists them."
        raise Rejected("no_such_user", message)
    return identity


def _reply(hub: Hub, asked: Asked, *rows: Row) -> None:
    hub.emit(Reply(asked.ticket, rows))


def _reply_if(hub: Hub, asked: Asked, *rows: Row) -> Callable[[bool], None]:
    """For what is stored first."""

    def then(stored: bool) -> None:
        no_room = None if stored else "The server has no room to store this. Nothing was changed."
        hub.emit(Reply(asked.ticket, rows if stored else (), no_room))

    return then


def _describe(identity: Identity) -> Row:
    account = identity.enrolment
    return {
        "account": account.kept.name,
        "role": account.role.value,
        "nick": identity.nick.text,
        "password": account.kept.password is not None,
        "sessions": len(account.sessions),
        "connections": len(identity.connections),
        "created": to_ts(account.kept.created),
    }


def _list_accounts(hub: Hub, asked: Asked) -> None:
    ranked = sorted(
        hub.identities.accounts.values(), key=lambda it: (-it.role.rank, it.enrolment.kept.key)
    )
    _reply(hub, asked, *map(_describe, ranked))


def _add_account(hub: Hub, asked: Asked) -> None:
    request: AddAccount = asked.request
    nick = parse_nick(request.name)
    if request.password is not None:
        check_password(request.password.get_secret_value(), nick.text)
    devices.require_room_for_account(hub)
    lifetimes.let_lapse(hub, hub.identities.by_nick(request.name))
    hub.identities.check_free(nick, None)
    identity = hub.identities.add(nick, b"", hub.now.wall)
    identity.provable = True  # or somebody might take the nick before this is stored
    kept = new_account(identity.number, nick, request.role, hub.now.wall, asked.hashed)

    def settle(stored: bool) -> None:
        if stored:
            hub.identities.enrol(identity, kept)
            _reply(hub, asked, _describe(identity))
        else:
            hub.identities.forget(identity)
            _reply_if(hub, asked)(False)

    hub.emit(Commit(Together((identity.record(), kept)), settle))


def _set_role(hub: Hub, asked: Asked) -> None:
    request: SetRole = asked.request
    identity = _account(hub, request.name)
    if request.role is Role.GUEST:
        raise Rejected("forbidden", "An account is no guest. Choose owner, admin or member.")
    kept = identity.enrolment.decide(role=request.role.value)

    def settle(stored: bool) -> None:
        if stored:
            identity.enrolment.replace(kept)
            eviction.review_member(hub, identity)
        else:
            identity.enrolment.give_up()
        _reply_if(hub, asked, *([_describe(identity)] if stored else ()))(stored)

    hub.emit(Commit(Together((kept,)), settle))


def _set_password(hub: Hub, asked: Asked) -> None:
    request: SetPassword = asked.request
    identity = _account(hub, request.name)
    check_password(request.password.get_secret_value(), identity.nick.text)
    account = identity.enrolment
    kept = account.decide(password=asked.hashed)
    then = _reply_if(hub, asked, {"account": kept.name, "ended": len(account.sessions)})
    devices.cut(hub, identity, [*account.sessions], then, bare=identity.connections, kept=kept)


# ------------------------------------------------------------------ sessions and connections


def _list_sessions(hub: Hub, asked: Asked) -> None:
    request: ListSessions = asked.request
    rows = devices.rows_of(_account(hub, request.name))
    _reply(hub, asked, *(row.model_dump(exclude={"here"}) for row in rows))


def _cut_sessions(hub: Hub, asked: Asked) -> None:
    request: CutSessions = asked.request
    identity = _account(hub, request.name)
    account = identity.enrolment
    tokens, bare = [*account.sessions], identity.connections
    if request.session is not None:
        found = account.by_name(request.session)
        if found is None:
            message = "There is no such session. `securechat admin sessions NAME` lists them."
            raise Rejected("forbidden", message)
        tokens, bare = [found], ()
    then = _reply_if(hub, asked, {"account": account.kept.name, "ended": len(tokens)})
    devices.cut(hub, identity, tokens, then, bare=bare)


def _list_connections(hub: Hub, asked: Asked) -> None:
    _reply(
        hub,
        asked,
        *(
            {
                "connection": session.number,
                "nick": session.identity.nick.text,
                "account": session.identity.account,
                "role": session.identity.role.value,
                "rooms": list(session.rooms),
                "silent": round(hub.now.mono - session.heard, 1),
            }
            for session in hub.sessions.values()
            if session.greeted
        ),
    )


def _cut_connection(hub: Hub, asked: Asked) -> None:
    request: CutConnection = asked.request
    session = hub.sessions.get(request.number)
    if session is None or not session.greeted:
        message = "There is no such connection. `securechat admin connections` lists them."
        raise Rejected("forbidden", message)
    nick = session.identity.nick.text
    endings.dismiss(hub, session, Bye(reason=devices.LOGGED_OUT), "disconnected by the operator")
    _reply(hub, asked, {"connection": request.number, "nick": nick})


def _show_status(hub: Hub, asked: Asked) -> None:
    _reply(
        hub,
        asked,
        {
            "connections": sum(session.greeted for session in hub.sessions.values()),
            "people": sum(bool(identity.connections) for identity in hub.identities),
            "rooms": len(hub.rooms),
            "messages": hub.messages_since_start,
        },
    )


# ------------------------------------------------------------------ invites


def _make_invite(hub: Hub, asked: Asked) -> None:
    request: MakeInvite = asked.request
    nick = None
    if request.nick is not None:
        parsed = parse_nick(request.nick)
        lifetimes.let_lapse(hub, hub.identities.by_nick(request.nick))
        _check_invitable(hub, parsed)
        nick = parsed.text
    passage.require_place(hub, request.room)
    token, now = hub.new_token()[: invites.TOKEN_LENGTH], hub.now.wall
    invite = KeepInvite(hash_token(token), nick, request.room, request.uses, now, now + request.ttl)
    then = _reply_if(hub, asked, {**_describe_invite(invite), "token": token})
    invites.make(hub, invite, then)


def _check_invitable(hub: Hub, nick: Nick) -> None:
    """Raise `nick_taken` for an account's; a guest of that nick may be the one who is meant."""
    holder = hub.identities.by_nick(nick.text)
    guest = holder if holder is not None and holder.account is None else None
    hub.identities.check_free(nick, guest)


def _describe_invite(invite: KeepInvite) -> Row:
    return {
        "invite": name_of(invite.token_hash),
        "nick": invite.nick,
        "room": invite.room,
        "uses": invite.uses,
        "expires": to_ts(invite.expires),
    }


def _list_invites(hub: Hub, asked: Asked) -> None:
    living = [it for it in hub.invites if it.expires > hub.now.wall]
    _reply(hub, asked, *map(_describe_invite, sorted(living, key=lambda it: it.expires)))


def _revoke_invite(hub: Hub, asked: Asked) -> None:
    request: RevokeInvite = asked.request
    invite = hub.invites.by_name(request.invite)
    if invite is None:
        message = "There is no such invite. `securechat invite list` shows them."
        raise Rejected("forbidden", message)
    invites.revoke(hub, invite, _reply_if(hub, asked, _describe_invite(invite)))


_DO: Final[Mapping[type[_Request], Callable[[Hub, Asked], None]]] = MappingProxyType(
    {
        ListAccounts: _list_accounts,
        AddAccount: _add_account,
        SetRole: _set_role,
        SetPassword: _set_password,
        ListSessions: _list_sessions,
        CutSessions: _cut_sessions,
        ListConnections: _list_connections,
        CutConnection: _cut_connection,
        ShowStatus: _show_status,
        MakeInvite: _make_invite,
        ListInvites: _list_invites,
        RevokeInvite: _revoke_invite,
    }
)
