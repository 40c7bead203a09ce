"""Letting a connection in that has shown who it is.

In: a `hello` and an identity, later the outcome of storing the session. Out: effects into the hub.
Nothing is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol.envelopes import Bye, Hello
from ..records import Kept, Outcome
from . import devices, endings, lifetimes
from .effects import Greet, Send
from .identities import Identity, hash_token

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session


def admit(
    hub: Hub,
    session: Session,
    hello: Hello,
    identity: Identity,
    token: str | None,
    room: str | None = None,
) -> None:
    """Answer `hello`: the connection is `identity`'s, by the session `token`.

    None: there was no room to store one. `room` is where an invite leads.
    """
    identity.add_connection(session.number)
    if identity.account is not None:
        known = hash_token(token) if token is not None else b""
        identity.enrolment.links[session.number] = known
        devices.stamp(hub, identity, known)
    lifetimes.stamp(hub, identity)
    session.greet(identity)
    welcome = hub.welcome.model_copy(
        update={
            "nick": identity.nick.text,
            "session": token,
            "re": hello.id,
            "account": identity.account,
            "room": room,
        }
    )
    hub.emit(Greet(session.number, welcome, identity.record()))
    replace_silent(hub, identity)


def settle(hub: Hub, effect: Greet, outcome: Outcome) -> None:
    """Say welcome; a session that was never stored is not told, for it might not live.

    One that was stored before is told though the disk is full now: without it a client that comes
    back could not know that it is the same guest, nor that its drafts are recognised.
    """
    welcome, number = effect.welcome, effect.record.identity
    if isinstance(outcome, Kept):
        hub.identities.note_stored(number)
    else:
        identity = hub.identities.by_number(number)
        if identity is None or not identity.provable:
            welcome = welcome.model_copy(update={"session": None})
    hub.emit(Send(effect.connection, welcome))


def replace_silent(hub: Hub, identity: Identity) -> None:
    """Where an identity has one connection too many, the longest silent one has to go."""
    if len(identity.connections) > hub.limits.connections_per_identity:
        sessions = (hub.sessions[number] for number in identity.connections)
        silent = min(sessions, key=lambda it: max(it.heard, it.alive))
        endings.dismiss(hub, silent, Bye(reason="replaced"), held=True)
