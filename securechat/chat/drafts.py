"""What becomes of a draft: it is stored and numbered, or refused; never dropped.

In: a `Draft`, and later the outcome of storing it. Out: effects into the hub. Raised: `Rejected`
for a text that may not be said (`bad_text`, `text_too_long`).

Whatever else speaks against a draft is said behind the store's check for repeats, for that comes
before the address is resolved: a draft that was stored gets its frame back even where its author
has left the room, or the receiver goes by another nick.

One sender's messages keep their order: after a draft was refused for want of room, every other one
of that connection is refused too, until that one comes again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..errors import Rejected
from ..protocol.envelopes import MAX_TEXT, Draft, Error
from ..records import Failed, Lookup, NewMessage, Outcome, Unknown
from . import away, judge, lifetimes
from .answers import refuse, storage_error
from .direct import key_of, make_partners
from .effects import Post, Refuse, Send, Subscribe
from .rights import Verb
from .rows import check_text, no_subscription, require_partner

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session

_NOTHING_THERE: Final = (
    "`reply_to` must be the `seq` of a message in the same conversation. Mend it, or leave it out."
)
#: A `NamedTuple` made without its `__new__`, which is Python and takes twice the time.
_make: Final[Callable[[Any, tuple[object, ...]], Any]] = tuple.__new__
_CONFLICT: Final = "That id was used for another message. Use a new id for a new message."


def take(hub: Hub, session: Session, draft: Draft) -> None:
    """Decide a draft; runs once per message."""
    if session.refused is not None:
        if draft.id != session.refused:
            hub.emit(Send(session.number, storage_error(draft.id)))
            return
        session.refused = None
    text, to = draft.text, draft.to
    if not text.isprintable() or text.isspace() or not 0 < len(text) <= MAX_TEXT:
        check_text(text, MAX_TEXT)
    identity = session.identity
    if not identity.met:
        lifetimes.meet(hub, identity)
    try:
        if hub.hushed and ("" in hub.hushed or to in hub.hushed):
            _require_voice(hub, session, to)
        conversation = to if to in session.rooms else _resolve(hub, session, to)
        if draft.reply_to is not None and draft.reply_to > hub.heads.get(conversation, 0):
            raise Rejected("bad_envelope", _NOTHING_THERE)
    except Rejected as no:
        lookup = Lookup(identity.number, draft.id, to, text)
        hub.emit(Refuse(session.number, lookup, no.code, no.message, no.retry_after))
        return
    record = _make(
        NewMessage,
        (
            conversation,
            identity.number,
            draft.id,
            to,
            identity.nick.text,
            text,
            draft.reply_to,
            draft.action,
        ),
    )
    address = hub.address_of(identity, conversation) if to[0] == "@" else None
    hub.emit(_make(Post, (session.number, record, address)))
    if address is not None and hub.absences:
        away.tell_writer(hub, session, conversation)


def settle(hub: Hub, effect: Post | Refuse, outcome: Outcome) -> None:
    """Answer a draft that was not stored."""
    number, id = effect.connection, effect.record.id
    if isinstance(outcome, Failed):
        session = hub.sessions.get(number)
        if session is not None and session.refused is None:
            session.refused = id
        error = storage_error(id)
    elif isinstance(effect, Refuse) and isinstance(outcome, Unknown):
        error = refuse(Rejected(effect.code, effect.message, effect.retry_after), id)
    else:
        error = Error(code="id_conflict", message=_CONFLICT, re=id)
    hub.emit(Send(number, error))


def _require_voice(hub: Hub, session: Session, to: str) -> None:
    """Raise `forbidden` for who may not speak where not everybody may."""
    if to in session.rooms:
        judge.require(hub, session.identity, Verb.SPEAK, hub.rooms[to])
    elif to[0] == "@":
        judge.require(hub, session.identity, Verb.WRITE, None)


def _resolve(hub: Hub, session: Session, to: str) -> str:
    """The direct conversation behind an address; a room is none that this connection is in."""
    if to[0] == "#":
        raise no_subscription(hub, session, to)
    one, other = session.identity, require_partner(hub, to)
    conversation = key_of(one, other)
    make_partners(one, other)
    for side in (one, other):
        for number in side.connections:
            direct = hub.sessions[number].direct
            if conversation not in direct:
                direct.add(conversation)
                hub.emit(Subscribe(number, conversation))
    return conversation
