"""Who is away, and why: a word that lasts until they are back or quit.

In: the `away` command, and each direct message while anybody is away. Out: effects into the hub.
Raised: `Rejected` for a word that may not be said.

Nothing of it is stored, and who is not away costs nothing: only those who are have an entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol.envelopes import MAX_AWAY, AwayIs, GoAway
from . import peers
from .direct import sides_of
from .effects import Send
from .rows import check_line

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session


class Absence:
    """That one is away: the word, and who was told it when they wrote (numbers of identities)."""

    __slots__ = ("text", "told")

    def __init__(self, text: str) -> None:
        self.text = text
        self.told: set[int] = set()


def go_away(hub: Hub, session: Session, command: GoAway) -> None:
    """Be away, or be back; tell those who share a room or talk directly, if that is news."""
    identity, text = session.identity, command.text
    before = hub.absences.get(identity.number)
    if text is not None:
        check_line(text, MAX_AWAY, "Why you are away")
        if before is None or before.text != text:
            hub.absences[identity.number] = Absence(text)
    else:
        hub.absences.pop(identity.number, None)
    event = AwayIs(nick=identity.nick.text, text=text)
    if text != (before.text if before is not None else None):
        peers.tell_peers(hub, identity, event, session.number)
    hub.emit(Send(session.number, event.model_copy(update={"re": command.id})))


def tell_writer(hub: Hub, session: Session, conversation: str) -> None:
    """Tell who has just written to somebody away that they are, once."""
    me = session.identity.number
    low, high = sides_of(conversation)
    other = high if me == low else low
    absence = hub.absences.get(other)
    if absence is None or other == me or me in absence.told:
        return
    identity = hub.identities.by_number(other)
    assert identity is not None  # a draft was just accepted for them
    absence.told.add(me)
    hub.emit(Send(session.number, AwayIs(nick=identity.nick.text, text=absence.text)))
