"""How a connection is told no, and how it ends, whoever wants that.

In: a session, with a polite no or the last word to it. Out: effects into the hub, which knows the
connection no longer when it has ended. Nothing is raised; ending it twice does nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from ..errors import Rejected
from ..protocol.envelopes import Error, System
from . import answers, lifetimes
from .effects import Close, Keep, Send

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session

log = logging.getLogger(__name__)

#: The third refusal of a `hello`, or of a proof, ends the connection.
MAX_TRIES: Final = 3


def refuse(hub: Hub, session: Session, no: Rejected, re: str) -> None:
    """Refuse a `hello`, or the proof of who somebody is; the third time with an end."""
    error = answers.refuse(no, re)
    if session.greeted and no.code != "auth_failed":
        hub.emit(Send(session.number, error))
        return
    session.refusals += 1
    if error.fatal or session.refusals >= MAX_TRIES:
        log.info("connection %d: refused for good: %s", session.number, error.code)
        dismiss(hub, session, error.model_copy(update={"fatal": True}))
    else:
        hub.emit(Send(session.number, error, answers_hello=not session.greeted))


def fail(hub: Hub, session: Session) -> None:
    """End a connection whose event we could not decide; our fault, and logged."""
    message = "The server failed on this; it is our fault and it was logged. Connect again."
    dismiss(hub, session, Error(code="internal", message=message, fatal=True), held=True)


def dismiss(
    hub: Hub, session: Session, event: System, reason: str | None = None, *, held: bool = False
) -> None:
    """Say `event` to a connection as the last thing, and `end` it."""
    hub.emit(Close(session.number, event))
    end(hub, session, reason, held=held)


def end(hub: Hub, session: Session, reason: str | None = None, *, held: bool) -> None:
    """Take a connection out of everything; `held`: its presence lives on for the grace."""
    known = hub.sessions.pop(session.number, None)
    hub.arrivals.drop(session.number)
    if known is None or not session.greeted:
        return
    identity = session.identity
    identity.drop_connection(session.number)
    hub.presence.end(session, reason, held=held)
    if not identity.connections:
        if not held:
            hub.absences.pop(identity.number, None)
        lifetimes.stamp(hub, identity)
        hub.emit(Keep(identity.record()))
