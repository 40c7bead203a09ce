"""Whom a client's certificate lets a connection be: the one that it names, and nobody else.

Values of the hub in, verdicts out. Raised: `Rejected` (`auth_failed`, `forbidden`). A connection
without a certificate may be anybody: where one is asked for, TLS lets nobody in without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Rejected
from ..protocol.envelopes import Hello
from .nicks import Nick, parse_nick

if TYPE_CHECKING:
    from .hub import Hub
    from .identities import Identity
    from .session import Session


def check_hello(hub: Hub, session: Session, nick: Nick | None) -> Identity | None:
    """Who has shown a certificate goes by its name and no other; whom it proves, if they are known.

    An account goes by its own name here: another nick of it proves nothing.
    """
    name = hub.arrivals.certificate_of(session.number)
    if name is None:
        return None
    try:
        certified = parse_nick(name)
    except Rejected:
        message = "Your certificate names nobody who can be here. Ask for one that is for a nick."
        raise Rejected("auth_failed", message) from None
    if nick is None or nick.key != certified.key:
        message = f"Your certificate is for {certified.text}. Connect with that nick."
        raise Rejected("auth_failed", message)
    return hub.identities.by_account(name) or guest_of(hub, session)


def guest_of(hub: Hub, session: Session) -> Identity | None:
    """The guest whom a connection's certificate proves."""
    name = hub.arrivals.certificate_of(session.number)
    holder = hub.identities.by_nick(name) if name is not None else None
    return holder if holder is not None and holder.account is None else None


def only_own_session(hub: Hub, session: Session, hello: Hello, proved: Identity | None) -> Hello:
    """`hello` without a session of anybody but `proved`, whom its certificate proves.

    Else who has got hold of a session would be that person under the name of a certificate.
    """
    if hub.arrivals.certificate_of(session.number) is None or hello.session is None:
        return hello
    if hub.identities.by_token(hello.session) is proved:
        return hello
    return hello.model_copy(update={"session": None})


def check_name(hub: Hub, session: Session, name: str) -> None:
    """Raise `forbidden` when a connection would be called `name`, which its certificate does not.

    Raises what `parse_nick` does for one that nobody can have.
    """
    own = hub.arrivals.certificate_of(session.number)
    if own is not None and parse_nick(name).key != parse_nick(own).key:
        raise Rejected("forbidden", "Your nick is that of your certificate. Get another one first.")
