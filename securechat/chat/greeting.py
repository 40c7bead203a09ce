"""How `hello` is answered: who is it, may they come in, and under which nick.

In: a `Hello`. Out: effects into the hub. Raised: `Rejected` (`bad_protocol`, `server_full`,
`too_many_connections`, `banned`, `bad_nick`, `nick_taken`, `auth_required`, `auth_failed`,
`forbidden`, `rate_limited`), which the hub answers, the third time with an end.

Whoever comes is taken for the holder of a session, else for whom a certificate proves, else for
somebody with an invite, else for an account by its password, else for a guest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from ..errors import Rejected
from ..protocol.envelopes import PROTOCOL_VERSION, Hello
from . import barring, certified, devices, invites, lifetimes, peers
from .admission import admit
from .identities import Identity, hash_token
from .nicks import Nick, parse_nick
from .proving import prove

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session

#: Seconds after which it is worth while to knock at a full server again.
_FULL_RETRY: Final = 30.0


def greet(hub: Hub, session: Session, hello: Hello) -> None:
    """Let a connection in, at once or when its password was looked at."""
    if hello.protocol != PROTOCOL_VERSION:
        message = f"This server speaks protocol {PROTOCOL_VERSION}. Use a client that does too."
        raise Rejected("bad_protocol", message)
    if len(hub.sessions) > hub.limits.connections:
        raise Rejected("server_full", "The server is full. Come back later.", _FULL_RETRY)
    if hub.arrivals.is_surplus(session.number):
        message = "Too many connections come from your address already. Close some, or come later."
        raise Rejected("too_many_connections", message, _FULL_RETRY)
    barring.check_peer(hub, session.peer)
    # Beside an invite none need be said: then it is the one that the invite names.
    nick = parse_nick(hello.nick) if hello.nick or hello.invite is None else None
    lifetimes.let_lapse(hub, hub.identities.by_nick(hello.nick))
    proved = certified.check_hello(hub, session, nick)
    hello = certified.only_own_session(hub, session, hello, proved)
    known = _holder(hub, hello)
    barring.check_identity(hub, hello.nick, known or proved or _claimed(hub, hello))
    if known is not None and hello.session is not None:
        if nick is not None:
            peers.rename(hub, known, nick)
        admit(hub, session, hello, known, hello.session)
    elif proved is not None and (proved.account is not None or hello.invite is None):
        assert nick is not None  # it is the certificate's
        peers.rename(hub, proved, nick)
        admit(hub, session, hello, proved, None)
    elif hello.invite is not None:
        invites.redeem(hub, session, hello, nick, hello.invite)
    elif hello.password is not None:
        _log_in(hub, session, hello, hello.password)
    else:
        assert nick is not None  # there is no invite
        _admit_guest(hub, session, hello, nick)


def _holder(hub: Hub, hello: Hello) -> Identity | None:
    """Whom the session proves, if that lets them in: an invite makes more of a guest."""
    if hello.session is None:
        return None
    identity = hub.identities.by_token(hello.session)
    if identity is None or lifetimes.let_lapse(hub, identity):
        return None
    if identity.account is None and (hello.invite is not None or not hub.limits.guests):
        return None
    return identity


def _claimed(hub: Hub, hello: Hello) -> Identity | None:
    """Whose account somebody says that they are; it remains to be proved."""
    return hub.identities.by_account(hello.nick) if hello.password is not None else None


def _log_in(hub: Hub, session: Session, hello: Hello, password: SecretStr) -> None:
    def proved(session: Session, identity: Identity) -> None:
        devices.open_session(
            hub,
            session,
            identity,
            hello.client or "",
            lambda token: admit(hub, session, hello, identity, token),
        )

    prove(hub, session, hello.id, (hello.nick, password), proved)


def _admit_guest(hub: Hub, session: Session, hello: Hello, nick: Nick) -> None:
    if hub.identities.by_account(hello.nick) is not None:
        message = "That nick is an account. Say its password, or choose another nick."
        raise Rejected("auth_required", message)
    hub.identities.check_free(nick, None)
    if not hub.limits.guests:
        message = "Guests are not let in here. Come with a password, or with an invite."
        raise Rejected("auth_required", message)
    token = hub.new_token()
    identity = hub.identities.add(nick, hash_token(token), hub.now.wall)
    admit(hub, session, hello, identity, token)
