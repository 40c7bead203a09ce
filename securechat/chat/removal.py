"""Removing what a message says: who may, what follows, and who has to hear of it later.

In: a `Remove`, and later the outcome of erasing the text. Out: effects into the hub. Raised:
`Rejected` (`no_such_message`, `forbidden`).

The number of the message stays used. Those at the head of the conversation hear `removed` at once.
Who is behind or away does not, as with every notice: they get the last removals anew when they are
level or have come back, for the text may have reached them before it was erased; those that a store
has kept, too, so that a restart forgets none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ..errors import Rejected
from ..protocol.envelopes import Remove, Removed
from ..records import (
    MAX_REMOVALS,
    Conflict,
    Failed,
    KeepAct,
    Kept,
    Outcome,
    Removal,
    RemoveMessage,
)
from . import judge, peers
from .answers import refuse, storage_error
from .effects import Erase, Scrub, Send
from .rights import Verb
from .rows import check_reason, locate

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session

#: Of so many conversations the last removals are told again.
_CONVERSATIONS: Final = 1_000

_NONE: Final = "There is no message of that number, or it was removed already. Look at its `seq`."
_NOT_YOURS: Final = (
    "Somebody else wrote that. The moderators of the room may remove it; ask one of them."
)


class Removals:
    """The last removals in each conversation, those of longest ago forgotten first."""

    def __init__(self, kept: Iterable[Removal] = ()) -> None:
        self._recent: dict[str, deque[Removal]] = {}
        for removal in kept:
            self.add(removal)

    def add(self, removal: Removal) -> None:
        """Remember a removal."""
        conversation = removal.conversation
        recent = self._recent.pop(conversation, None) or deque(maxlen=MAX_REMOVALS)
        recent.append(removal)
        self._recent[conversation] = recent
        if len(self._recent) > _CONVERSATIONS:
            del self._recent[next(iter(self._recent))]

    def upto(self, conversation: str, seq: int) -> list[Removal]:
        """Those of messages up to `seq`, oldest first."""
        return [removal for removal in self._recent.get(conversation, ()) if removal.seq <= seq]


def remove(hub: Hub, session: Session, command: Remove) -> None:
    """Have a text erased: one's own, or in a room that one moderates."""
    identity = session.identity
    conversation, address = locate(hub, identity, command.to)
    author: int | None = identity.number
    if address[0] == "#" and judge.may(hub, identity, Verb.REMOVE, hub.rooms[address]):
        author = None
    if command.seq > hub.heads.get(conversation, 0):
        raise Rejected("no_such_message", _NONE)
    nick, reason = identity.nick.text, check_reason(command.reason)
    place = address if address[0] == "#" else ""
    act = KeepAct(identity.number, nick, "remove", place, f"message {command.seq}", reason)
    hub.emit(
        Erase(
            session.number,
            command.id,
            Removed(to=address, seq=command.seq, nick=nick),
            RemoveMessage(conversation, command.seq, author, act),
        )
    )


def settle(hub: Hub, effect: Erase, outcome: Outcome) -> None:
    """Tell all of what is erased, or whoever wanted it why it is not."""
    if isinstance(outcome, Kept):
        conversation = effect.record.conversation
        hub.removals.add(effect.record.removal)
        hub.emit(Scrub(conversation))
        peers.tell_room(hub, conversation, effect.event, effect.connection, effect.re)
        return
    if isinstance(outcome, Failed):
        error = storage_error(effect.re)
    elif isinstance(outcome, Conflict):
        error = refuse(Rejected("forbidden", _NOT_YOURS), effect.re)
    else:
        error = refuse(Rejected("no_such_message", _NONE), effect.re)
    hub.emit(Send(effect.connection, error))


def tell_recent(hub: Hub, number: int, conversation: str, seq: int) -> None:
    """Tell a connection, which may have messages up to `seq`, what was erased among them."""
    for removal in hub.removals.upto(conversation, seq):
        event = _event_of(hub, removal)
        if event is not None:
            hub.emit(Send(number, event))


def _event_of(hub: Hub, removal: Removal) -> Removed | None:
    """The event again, a direct one with the nicks of now; None where one of the two is no more."""
    name, seq, number, nick = removal
    if name[0] == "#":
        return Removed(to=name, seq=seq, nick=nick)
    identity = hub.identities.by_number(number)
    address = hub.address_of(identity, name) if identity is not None else None
    if identity is None or address is None:
        return None
    return Removed(to=address, seq=seq, nick=identity.nick.text)
