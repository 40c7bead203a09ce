"""Invites: a token that lets somebody in and makes an account of them, so often and so long.

In: what an operator wants, and a `hello` with a token. Out: effects into the hub. Raised:
`Rejected` (`auth_failed`, `bad_nick`, `nick_taken`, `forbidden`).

A token is 132 random bits, so a plain SHA-256 of it is kept: nobody guesses what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from ..errors import Rejected
from ..protocol.envelopes import Hello
from ..records import Change, ForgetInvite, KeepInvite, Together
from . import barring, certified, devices, endings, peers
from .accounts import name_of, new_account
from .admission import admit
from .answers import STORAGE_RETRY
from .effects import Commit, Keep
from .identities import Identity, hash_token
from .nicks import Nick, parse_nick
from .passage import Passage
from .passwords import check_password
from .proving import Attempt, derive
from .roles import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from .hub import Hub
    from .session import Session

#: Characters of a session token that make the token of an invite: 132 bits.
TOKEN_LENGTH: Final = 22
#: For whom a wrong token counts, besides the address; no nick is empty.
_NO_ACCOUNT: Final = ""


class Invites:
    """All living invites, by the hash of their token."""

    def __init__(self, kept: Iterable[KeepInvite] = ()) -> None:
        self._by_hash = {invite.token_hash: invite for invite in kept}
        #: Who came by one and has said nothing yet, and so may never have read its `welcome`.
        self.unmet: dict[int, KeepInvite] = {}
        #: The tokens of those that are, or were, for more than one: others have them too.
        self._shared: set[bytes] = set()

    def __iter__(self) -> Iterator[KeepInvite]:
        return iter(self._by_hash.values())

    def __len__(self) -> int:
        return len(self._by_hash)

    def by_token(self, token: str, now: float) -> KeepInvite | None:
        """The invite behind a token, if it may still be used; `now` is Unix seconds."""
        invite = self._by_hash.get(hash_token(token))
        return invite if invite is not None and invite.expires > now else None

    def by_name(self, name: str) -> KeepInvite | None:
        """The invite that is listed under `name`."""
        return next((it for it in self if name_of(it.token_hash) == name), None)

    def keep(self, invite: KeepInvite) -> None:
        """Take an invite as it is now."""
        self._by_hash[invite.token_hash] = invite

    def drop(self, invite: KeepInvite) -> None:
        """Let nobody in by it any more."""
        self._by_hash.pop(invite.token_hash, None)

    def is_shared(self, invite: KeepInvite) -> bool:
        """Whether others than the one who has used it last may have its token."""
        return invite.uses > 1 or invite.token_hash in self._shared

    def spend(self, invite: KeepInvite) -> Change:
        """Take one use off it; what is to be stored."""
        if invite.uses <= 1:
            self.drop(invite)
            return ForgetInvite(invite.token_hash)
        self._shared.add(invite.token_hash)
        less = invite._replace(uses=invite.uses - 1)
        self.keep(less)
        return less

    def give_back(self, invite: KeepInvite) -> None:
        """Undo a `spend` that could not be stored."""
        self.restore(invite._replace(uses=1))

    def restore(self, invite: KeepInvite) -> None:
        """Take back an invite that was dropped, beside the uses that came back before it."""
        now = self._by_hash.get(invite.token_hash)
        self.keep(invite._replace(uses=invite.uses + (now.uses if now is not None else 0)))


def make(hub: Hub, invite: KeepInvite, then: Callable[[bool], None]) -> None:
    """Have an invite stored; `then` is told whether it was."""
    if len(hub.invites) >= hub.limits.invites:
        raise Rejected("forbidden", "There are too many invites already. Revoke some of them.")

    def settle(stored: bool) -> None:
        if stored:
            hub.invites.keep(invite)
        then(stored)

    hub.emit(Commit(Together((invite,)), settle))


def revoke(hub: Hub, invite: KeepInvite, then: Callable[[bool], None]) -> None:
    """Have an invite forgotten; `then` is told whether that was stored.

    Nobody comes by it meanwhile: what is left of it would be stored behind its end.
    """
    hub.invites.drop(invite)

    def settle(stored: bool) -> None:
        if not stored:
            hub.invites.restore(invite)
        then(stored)

    hub.emit(Commit(Together((ForgetInvite(invite.token_hash),)), settle))


def sweep(hub: Hub) -> None:
    """Forget the invites whose time is over."""
    for invite in [it for it in hub.invites if it.expires <= hub.now.wall]:
        hub.invites.drop(invite)
        hub.emit(Keep(ForgetInvite(invite.token_hash)))
    for number, invite in list(hub.invites.unmet.items()):
        if invite.expires <= hub.now.wall:
            del hub.invites.unmet[number]


# ------------------------------------------------------------------ coming by one


def redeem(hub: Hub, session: Session, hello: Hello, nick: Nick | None, token: SecretStr) -> None:
    """Let somebody in by an invite, and make an account of them, called `nick` if they say so."""
    if _let_in_again(hub, session, hello, token):
        return
    attempt = Attempt(hub, session, hello.id, _NO_ACCOUNT)
    invite = hub.invites.by_token(token.get_secret_value(), hub.now.wall)
    if invite is None:
        attempt.fail("This invite is unknown, used up or out of date. Ask for a new one.")
        return
    nick = nick or _nick_of(invite)
    guest = _known_guest(hub, session, hello)
    barring.check_identity(hub, nick.text, guest)
    hub.identities.check_free(nick, guest)
    if hello.password is None:
        _enrol(hub, session, hello, invite, nick, None)
        return
    check_password(hello.password.get_secret_value(), nick.text)

    def finish(session: Session, hashed: str) -> None:
        still = hub.invites.by_token(token.get_secret_value(), hub.now.wall)
        if still is None:
            raise Rejected("auth_failed", "This invite was used up just now. Ask for a new one.")
        barring.check_peer(hub, session.peer)
        barring.check_identity(hub, nick.text, guest)
        _enrol(hub, session, hello, still, nick, hashed)

    derive(hub, session, hello.id, hello.password, finish)


def _let_in_again(hub: Hub, session: Session, hello: Hello, token: SecretStr) -> bool:
    """Whether it is somebody whose first `welcome` was lost with the link: then they are let in.

    Without it they would have an account that nothing proves, and an invite that is used up. Only
    where the invite was for one: the token of another proves nothing about who uses it.
    """
    known = hash_token(token.get_secret_value())
    for number, invite in hub.invites.unmet.items():
        name = hello.nick or invite.nick
        identity = hub.identities.by_account(name) if name is not None else None
        if invite.token_hash == known and identity is not None and identity.number == number:
            _admit_again(hub, session, hello, identity, invite.room)
            return True
    return False


def _admit_again(
    hub: Hub, session: Session, hello: Hello, identity: Identity, room: str | None
) -> None:
    def arrive(token: str | None) -> None:
        admit(hub, session, hello, identity, token, room)

    devices.open_session(hub, session, identity, hello.client or "", arrive)


def _nick_of(invite: KeepInvite) -> Nick:
    if invite.nick is None:
        raise Rejected("bad_nick", "This invite is for whoever has it. Choose a nick.")
    return parse_nick(invite.nick)


def _enrol(
    hub: Hub,
    session: Session,
    hello: Hello,
    invite: KeepInvite,
    nick: Nick,
    hashed: str | None,
) -> None:
    identity, token, is_new = _guest_of(hub, session, hello, nick)
    kept = new_account(identity.number, nick, Role.MEMBER, hub.now.wall, hashed)
    client = hello.client or ""
    spent, passage = hub.invites.spend(invite), Passage(hub, invite.room, identity)

    def settle(stored: bool, _: str | None) -> None:
        there = session.number in hub.sessions
        if stored:
            identity.met = False
            if not hub.invites.is_shared(invite):
                hub.invites.unmet[identity.number] = invite
            passage.tell()
            if there:
                admit(hub, session, hello, identity, token, invite.room)
            return
        hub.invites.give_back(invite)
        passage.take_back()
        if is_new:
            hub.identities.forget(identity)
        if there:
            message = "The server has no room for another account now. Try again later."
            endings.refuse(hub, session, Rejected("storage", message, STORAGE_RETRY), hello.id)

    devices.enrol(hub, identity, kept, settle, spent, *passage.changes, client=client)


def _known_guest(hub: Hub, session: Session, hello: Hello) -> Identity | None:
    """Whom a session proves, else a certificate."""
    if hello.session is not None:
        return hub.identities.by_token(hello.session)
    return certified.guest_of(hub, session)


def _guest_of(
    hub: Hub, session: Session, hello: Hello, nick: Nick
) -> tuple[Identity, str | None, bool]:
    """Whoever comes, with their session if they have one: a guest we know, or a new one (True)."""
    identity = _known_guest(hub, session, hello)
    if identity is not None:
        devices.require_guest(hub, identity)
        peers.rename(hub, identity, nick)
        identity.provable = True
        return identity, hello.session, False
    devices.require_room_for_account(hub)
    hub.identities.check_free(nick, None)
    token = hub.new_token()
    identity = hub.identities.add(nick, hash_token(token), hub.now.wall)
    identity.provable = True  # its session is stored with it, or it is forgotten
    return identity, token, True
