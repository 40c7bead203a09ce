"""Who is who: identities, the nicks they hold, and the session tokens that prove them.

Values in, values out; wall-clock time (Unix seconds) is handed in. Raised: `Rejected`
(`bad_nick`, `nick_taken`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ..errors import Rejected
from ..records import KeepIdentity
from .nicks import Nick, parse_nick


def hash_token(token: str) -> bytes:
    """What is kept of a session token: enough to recognise it, not to use it."""
    return hashlib.sha256(token.encode()).digest()


class Identity:
    """A person or a program behind a nick, with all its connections."""

    __slots__ = ("connections", "former", "nick", "number", "partners", "rooms", "token", "used")

    def __init__(self, number: int, nick: Nick, token: bytes, used: float) -> None:
        self.number = number
        self.nick = nick
        #: SHA-256 of the session token.
        self.token = token
        #: When it was last used, Unix seconds; while connected it does not age.
        self.used = used
        self.connections: list[int] = []
        #: Nicks it gave up, each with the time until which it stays reserved.
        self.former: tuple[tuple[Nick, float], ...] = ()
        #: Rooms in which it is a member, held ones included; made on first use.
        self.rooms: list[str] | None = None
        #: Other sides of its direct conversations; made on first use.
        self.partners: dict[int, None] | None = None

    def __repr__(self) -> str:
        return f"<Identity {self.number} {self.nick.text}>"

    def record(self) -> KeepIdentity:
        """This identity as a store keeps it."""
        former = tuple((nick.text, until) for nick, until in self.former)
        return KeepIdentity(self.number, self.nick.text, self.token, self.used, former)


class Identities:
    """All living identities, found by number, nick, look-alike and token."""

    def __init__(self, next_number: int = 1) -> None:
        self._next = next_number
        self._by_number: dict[int, Identity] = {}
        self._by_token: dict[bytes, Identity] = {}
        self._by_key: dict[str, Identity] = {}
        self._by_skeleton: dict[str, Identity] = {}

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
        """Who holds the nick `text`, as present or as former one (ask `Identity.nick` which)."""
        try:
            return self._by_key.get(parse_nick(text).key)
        except Rejected:
            return None

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

    def restore(self, record: KeepIdentity) -> Identity:
        """An identity as a store kept it."""
        nick = parse_nick(record.nick)
        identity = Identity(record.identity, nick, record.token_hash, record.used)
        identity.former = tuple((parse_nick(text), until) for text, until in record.former)
        self._insert(identity)
        for former, _ in identity.former:
            self._claim(former, identity)
        self._next = max(self._next, record.identity + 1)
        return identity

    def rename(self, identity: Identity, nick: Nick, now: float, reserve: float) -> None:
        """Give `identity` another nick; the old one stays its own for `reserve` seconds."""
        self.check_free(nick, identity)
        kept = [(old, until) for old, until in identity.former if old.key != nick.key]
        if identity.nick.key != nick.key:
            kept.append((identity.nick, now + reserve))
        self._release(identity)
        identity.nick = nick
        identity.former = tuple(kept)
        self._claim_all(identity)

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
        self._claim_all(identity)
        return True

    def _insert(self, identity: Identity) -> None:
        self._by_number[identity.number] = identity
        if identity.token:
            self._by_token[identity.token] = identity
        self._claim(identity.nick, identity)

    def _claim(self, nick: Nick, identity: Identity) -> None:
        self._by_key[nick.key] = identity
        for skeleton in nick.skeletons:
            self._by_skeleton[skeleton] = identity

    def _claim_all(self, identity: Identity) -> None:
        self._claim(identity.nick, identity)
        for nick, _ in identity.former:
            self._claim(nick, identity)

    def _release(self, identity: Identity) -> None:
        for nick in (identity.nick, *(nick for nick, _ in identity.former)):
            self._by_key.pop(nick.key, None)
            for skeleton in nick.skeletons:
                self._by_skeleton.pop(skeleton, None)
