"""How `hello` is answered: who is it, may they come in, and under which nick.

In: a `Hello`, and later the outcome of storing the session. Out: effects into the hub. Raised:
`Rejected` (`bad_protocol`, `server_full`, `bad_nick`, `nick_taken`, `forbidden`), which the hub
answers, the third time with an end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import Rejected
from ..protocol.envelopes import PROTOCOL_VERSION, Bye, Hello
from ..records import Kept, Outcome
from . import moderation
from .effects import Greet, Send
from .identities import Identity, hash_token
from .nicks import parse_nick

if TYPE_CHECKING:
    from .hub import Hub
    from .session import Session

#: Seconds after which it is worth while to knock at a full server again.
_FULL_RETRY: Final = 30.0


def greet(hub: Hub, session: Session, hello: Hello) -> None:
    """Let a connection in."""
    if hello.protocol != PROTOCOL_VERSION:
        message = f"This server speaks protocol {PROTOCOL_VERSION}. Use a client that does too."
        raise Rejected("bad_protocol", message)
    if len(hub.sessions) > hub.limits.connections:
        raise Rejected("server_full", "The server is full. Come back later.", _FULL_RETRY)
    moderation.check_peer(hub, session.peer)
    identity, token = _identify(hub, hello)
    identity.add_connection(session.number)
    hub.stamp(identity)
    session.greet(identity)
    welcome = hub.welcome.model_copy(
        update={"nick": identity.nick.text, "session": token, "re": hello.id}
    )
    hub.emit(Greet(session.number, welcome, identity.record()))
    if len(identity.connections) > hub.limits.connections_per_identity:
        _replace_silent(hub, identity)


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


def _identify(hub: Hub, hello: Hello) -> tuple[Identity, str]:
    """The holder of a session, or a new guest; and the session."""
    nick = parse_nick(hello.nick)
    known = hub.identities.by_token(hello.session) if hello.session is not None else None
    moderation.check_identity(hub, nick.text, known)
    hub.let_lapse(hub.identities.by_nick(hello.nick))
    if hello.session is not None:
        identity = hub.identities.by_token(hello.session)
        if identity is not None and not hub.let_lapse(identity):
            hub.rename(identity, nick)
            return identity, hello.session
    hub.identities.check_free(nick, None)
    token = hub.new_token()
    return hub.identities.add(nick, hash_token(token), hub.now.wall), token


def _replace_silent(hub: Hub, identity: Identity) -> None:
    """One connection too many: the one that has been silent longest has to go."""
    silent = min((hub.sessions[number] for number in identity.connections), key=lambda it: it.heard)
    hub.dismiss(silent, Bye(reason="replaced"), held=True)
