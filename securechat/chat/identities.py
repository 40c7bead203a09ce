"""Who is who: identities, the nicks they hold, and the session tokens that prove them.

Values in, values out; wall-clock time (Unix seconds) is handed in. Raised: `Rejected`
(`bad_nick`, `nick_taken`, `forbidden`).

A nick is claimed by its key and its skeletons, each of them by one identity at most. What a store
gives back may break today's rules (written by a newer Python, reserved or found to look alike
since): such an identity lives on, a nick that is none is claimed as the plain text that it is, and
of two that collide the first keeps the claim. Neither is said to be an error, for whoever comes
back under such a nick is refused it by `hello` and chooses another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from ..errors import Rejected
from ..records import KeepAccount, KeepIdentity, KeepSession
from .accounts import Account
from .nicks import Nick, parse_nick
from .roles import Role

#: Former nicks that one identity may have reserved; without a bound one guest could take them all.
MAX_FORMER: Final = 20


def hash_token(token: str) -> bytes:
    """What is kept of a session token: enough to recognise it, not to use it."""
    return hashlib.sha256(token.encode()).digest()


class Identity:
    """A person or a program behind a nick, with all its connections."""

    __slots__ = (
        "_account",
        "connections",
        "former",
        "met",
        "nick",
        "number",
        "partners",
        "provable",
        "rooms",
        "token",
        "used",
    )

    def __init__(self, number: int, nick: Nick, token: bytes, used: float) -> None:
        self.number = number
        self.nick = nick
        #: SHA-256 of the session token; empty for an account, which may have several.
        self.token = token
        self._account: Account | None = None
        #: Whether the token was stored and told, so that somebody can come back with it.
        self.provable = False
        #: Whether it said anything behind `welcome`, and so must have read it.
        self.met = False
        #: When it was last used, Unix seconds; while connected it does not age.
        self.used = used
        self.connections: tuple[int, ...] = ()
        #: Nicks it gave up, each with the time until which it stays reserved.
        self.former: tuple[tuple[Nick, float], ...] = ()
        #: Rooms in which it is a member, held ones included.
        self.rooms: tuple[str, ...] = ()
        #: Other sides of its direct conversations; made on first use.
        self.partners: dict[int, None] | None = None

    def __repr__(self) -> str:
        return f"<Identity {self.number} {self.nick.text}>"

    @property
    def account(self) -> str | None:
        """The name of its account; None: it is a guest."""
        return self._account.kept.name if self._account is not None else None

    @property
    def role(self) -> Role:
        """What it is on the whole server."""
        return self._account.role if self._account is not None else Role.GUEST

    @property
    def enrolment(self) -> Account:
        """Its account; only for who has one."""
        assert self._account is not None
        return self._account

    def claims(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What it holds, each as key and skeletons: its nick, former ones, its account's name."""
        yield self.nick.key, self.nick.skeletons
        for nick, _ in self.former:
            yield nick.key, nick.skeletons
        if self._account is not None:
            kept = self._account.kept
            yield kept.key, (*kept.skeletons, *_read(kept.name).skeletons)

    def record(self) -> KeepIdentity:
        """This identity as a store keeps it."""
        former = tuple((nick.text, until) for nick, until in self.former)
        return KeepIdentity(self.number, self.nick.text, self.token, self.used, former)

    def add_room(self, alone: tuple[str]) -> None:
        """Note that it is a member of a room; see `Room.alone`."""
        self.rooms = (*self.rooms, *alone) if self.rooms else alone

    def drop_room(self, name: str) -> None:
        """Note that it is a member there no longer."""
        self.rooms = tuple(room for room in self.rooms if room != name)

    def add_connection(self, number: int) -> None:
        """Note a connection of its own."""
        self.connections = (*self.connections, number)

    def drop_connection(self, number: int) -> None:
        """Note that a connection has ended."""
        self.connections = tuple(one for one in self.connections if one != number)
        if self._account is not None:
            self._account.links.pop(number, None)

    def add_partner(self, number: int) -> None:
        """Note the other side of a direct conversation."""
        if self.partners is None:
            self.partners = {}
        self.partners[number] = None


class Identities:
    """All living identities, found by number, nick, look-alike and token."""

    def __init__(self, next_number: int = 1) -> None:
        self._next = next_number
        self._by_number: dict[int, Identity] = {}
        self._by_token: dict[bytes, Identity] = {}
        self._by_key: dict[str, Identity] = {}
        self._by_skeleton: dict[str, Identity] = {}
        #: Those with an account, by number.
        self.accounts: dict[int, Identity] = {}

    def __iter__(self) -> Iterator[Identity]:
        return iter(self._by_number.values())

    def __len__(self) -> int:
        return len(self._by_number)

    # -------------------------------------------------------------- find

    def by_number(self, number: int) -> Identity | None:
        """The living identity of that number."""
        return self._by_number.get(number)

    def by_token(self, token: str) -> Identity | None:
        """Whom a session token proves."""
        return self._by_token.get(hash_token(token))

    def by_nick(self, text: str) -> Identity | None:
        """Who goes by the nick `text` now."""
        key, holder = self._holder(text)
        return holder if holder is not None and holder.nick.key == key else None

    def by_former_nick(self, text: str) -> Identity | None:
        """Who gave up the nick `text` and still has it reserved."""
        key, holder = self._holder(text)
        return holder if holder is not None and holder.nick.key != key else None

    def by_account(self, name: str) -> Identity | None:
        """Whose account is called `name`, whatever nick it goes by now."""
        key, holder = self._holder(name)
        if holder is None or holder.account is None or holder.enrolment.kept.key != key:
            return None
        return holder

    def looking_like(self, nick: Nick) -> list[Identity]:
        """Those whose present nick would be taken for `nick`."""
        holders = (self._by_skeleton.get(skeleton) for skeleton in nick.skeletons)
        looks = set(nick.skeletons)
        return [it for it in dict.fromkeys(holders) if it and looks & set(it.nick.skeletons)]

    def _holder(self, text: str) -> tuple[str, Identity | None]:
        holder = self._by_key.get(text)  # most nicks are their own key, which spares the parsing
        if holder is not None:
            return text, holder
        try:
            key = parse_nick(text).key
        except Rejected:
            return text, None
        return key, self._by_key.get(key)

    def check_free(self, nick: Nick, owner: Identity | None) -> None:
        """Raise `nick_taken` when someone other than `owner` holds `nick` or a look-alike."""
        holder = self._by_key.get(nick.key)
        if holder is not None and holder is not owner:
            raise Rejected("nick_taken", "That nick belongs to someone else. Choose another one.")
        for skeleton in nick.skeletons:
            holder = self._by_skeleton.get(skeleton)
            if holder is not None and holder is not owner:
                raise Rejected(
                    "nick_taken", "That nick looks like someone else's. Choose another one."
                )

    # -------------------------------------------------------------- change

    def add(self, nick: Nick, token: bytes, used: float) -> Identity:
        """A new identity that holds `nick`; call `check_free` first."""
        identity = Identity(self._next, nick, token, used)
        self._next += 1
        self._insert(identity)
        return identity

    def restore(self, record: KeepIdentity, kept: KeepAccount | None = None) -> Identity:
        """An identity as a store kept it, with its account if it has one; never refused."""
        # A guest may have been noted once more while it became an account, with the token that is
        # that of a session since: kept as its own, too, it would outlive the session.
        token = record.token_hash if kept is None else b""
        identity = Identity(record.identity, _read(record.nick), token, record.used)
        identity.provable = identity.met = True
        identity.former = tuple((_read(text), until) for text, until in record.former)
        if kept is not None:
            identity._account = Account(kept)
            self.accounts[identity.number] = identity
        self._insert(identity)
        self._next = max(self._next, record.identity + 1)
        return identity

    def enrol(self, identity: Identity, kept: KeepAccount) -> Account:
        """Make an account of a guest; its token is none of the account's sessions yet."""
        self._by_token.pop(identity.token, None)
        identity.token = b""
        identity.provable = identity.met = True
        identity._account = account = Account(kept)
        self.accounts[identity.number] = identity
        self._claim(identity)
        return account

    def add_session(self, session: KeepSession) -> None:
        """Let a token prove an account from now on."""
        identity = self._by_number[session.identity]
        identity.enrolment.sessions[session.token_hash] = session
        self._by_token[session.token_hash] = identity

    def drop_session(self, identity: Identity, token_hash: bytes) -> None:
        """Let a token prove an account no longer."""
        identity.enrolment.sessions.pop(token_hash, None)
        self._by_token.pop(token_hash, None)

    def note_stored(self, number: int) -> None:
        """Note that an identity's session is stored, so that it can be told."""
        self._by_number[number].provable = True

    def rename(self, identity: Identity, nick: Nick, now: float, reserve: float) -> None:
        """Give `identity` another nick; the old one stays its own for `reserve` seconds.

        Raises `nick_taken`, or `forbidden` when too many are reserved already.
        """
        self.check_free(nick, identity)
        kept = [(old, until) for old, until in identity.former if old.key != nick.key]
        if identity.nick.key != nick.key:
            kept.append((identity.nick, now + reserve))
        if len(kept) > MAX_FORMER:
            raise Rejected(
                "forbidden",
                f"Your last {MAX_FORMER} nicks are still reserved for you. Go back to one of them, "
                "or wait until they are free.",
            )
        self._release(identity)
        identity.nick = nick
        identity.former = tuple(kept)
        self._claim(identity)

    def forget(self, identity: Identity) -> None:
        """End an identity: its token proves nothing and its nicks are free."""
        self._release(identity)
        del self._by_number[identity.number]
        self._by_token.pop(identity.token, None)

    def release_former(self, identity: Identity, now: float) -> bool:
        """Free those former nicks whose time is over; True when there were any."""
        living = tuple((nick, until) for nick, until in identity.former if until > now)
        if len(living) == len(identity.former):
            return False
        self._release(identity)
        identity.former = living
        self._claim(identity)
        return True

    def _insert(self, identity: Identity) -> None:
        self._by_number[identity.number] = identity
        if identity.token:
            self._by_token[identity.token] = identity
        self._claim(identity)

    def _claim(self, identity: Identity) -> None:
        """Take what nobody has: all of it, after `check_free`; what was stored may collide."""
        for key, skeletons in identity.claims():
            self._by_key.setdefault(key, identity)
            for skeleton in skeletons:
                self._by_skeleton.setdefault(skeleton, identity)

    def _release(self, identity: Identity) -> None:
        for key, skeletons in identity.claims():
            _pop_own(self._by_key, key, identity)
            for skeleton in skeletons:
                _pop_own(self._by_skeleton, skeleton, identity)


def _read(text: str) -> Nick:
    """A stored nick; one that today's rules refuse is its own key."""
    try:
        return parse_nick(text)
    except Rejected:
        return Nick(text, text)


def _pop_own(claims: dict[str, Identity], claim: str, identity: Identity) -> None:
    if claims.get(claim) is identity:
        del claims[claim]
