"""Bans and mutes in force: of people, accounts, nicks and networks, in a room or everywhere.

In: `KeepSanction` records, new ones or those of a store, and questions with the time (Unix
seconds). Out: the sanction that holds, or None; those whose time is over. Raised: `Rejected`
(`forbidden`) where there are too many, and `bad_envelope` for what is no address.

Asking costs a handful of dictionary look-ups, however many sanctions there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from ..errors import Rejected
from ..records import KeepSanction
from .identities import Identity
from .nicks import Nick, parse_nick

BAN: Final = "ban"
MUTE: Final = "mute"

#: Sanctions on the server, in all rooms, and in one; each is a row and some hundred bytes here.
MAX_SANCTIONS: Final = 65_536
MAX_PER_ROOM: Final = 1_000
#: What an IPv6 customer gets at least (RFC 6177): one address of it says nothing about the others.
V6_PREFIX: Final = 64

Network: TypeAlias = IPv4Network | IPv6Network
#: What is looked up: act, room ("": everywhere), the kind of subject, the subject.
_Key: TypeAlias = tuple[str, str, str, object]

_NO_NETWORK: Final = (
    "`address` must be an address or a network, as in 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32."
    " Mend it and send it again."
)


def parse_network(text: str) -> Network:
    """The network that is meant by an address or network; a bare IPv6 address means its /64.

    Raises `bad_envelope`, and `forbidden` for networks as wide as whole providers.
    """
    try:
        network = ip_network(text, strict=False) if "/" in text else network_of(ip_address(text))
    except ValueError:
        raise Rejected("bad_envelope", _NO_NETWORK) from None
    if network.prefixlen < (8 if network.version == 4 else 19):
        raise Rejected(
            "forbidden", "That network is far too wide. Name a smaller one (at least a /8 or /19)."
        )
    return network


def network_of(address: IPv4Address | IPv6Address) -> Network:
    """What one peer may be taken for: its address, or the /64 around it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return IPv4Network(address.ipv4_mapped)
        return IPv6Network((address, V6_PREFIX), strict=False)
    return IPv4Network(address)


def address_of(peer: str) -> IPv4Address | IPv6Address | None:
    """The address in what a listener calls a peer, as in `192.0.2.7:4711` or `[2001:db8::1]:4711`.

    None where there is none.
    """
    host = peer.rpartition(":")[0].strip("[]") if peer[:1] == "[" or peer.count(":") == 1 else peer
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


class Sanctions:
    """All that are in force, found by whom they are for."""

    def __init__(self, kept: Iterable[KeepSanction] = ()) -> None:
        self._by_number: dict[int, KeepSanction] = {}
        self._by_room: dict[str, dict[int, KeepSanction]] = {}
        self._index: dict[_Key, KeepSanction] = {}
        self._networks: dict[tuple[int, int], dict[int, KeepSanction]] = {}
        self._next = 1
        for sanction in kept:
            self._insert(sanction)

    def __len__(self) -> int:
        return len(self._by_number)

    # -------------------------------------------------------------- ask

    def of_room(self, room: str, now: float) -> list[KeepSanction]:
        """Those that hold in a room ("": everywhere), oldest first."""
        return [one for one in self._by_room.get(room, {}).values() if not _is_over(one, now)]

    def on(self, act: str, room: str, identity: Identity, now: float) -> KeepSanction | None:
        """What of that kind holds for an identity there."""
        if room not in self._by_room:
            return None
        return self._find(act, room, _traits(identity), now)

    def on_nick(self, nick: Nick, now: float, room: str = "") -> KeepSanction | None:
        """The ban from there that holds for whoever goes by `nick` or a look-alike."""
        return self._find(BAN, room, _traits_of(nick), now) if room in self._by_room else None

    def on_peer(self, peer: str, now: float) -> KeepSanction | None:
        """The ban from the server that holds for where a connection comes from."""
        if not self._networks:
            return None
        address = address_of(peer)
        if address is None:
            return None
        for (version, length), networks in self._networks.items():
            if version == address.version:
                prefix = int(address) >> (address.max_prefixlen - length)
                found = networks.get(prefix)
                if found is not None and not _is_over(found, now):
                    return found
        return None

    def has(self, room: str) -> bool:
        """Whether anything is in force there, or was until a short while ago."""
        return room in self._by_room

    def silences(self, room: str) -> bool:
        """Whether somebody is muted there, or was until a short while ago."""
        return any(one.act == MUTE for one in self._by_room.get(room, {}).values())

    def _find(
        self, act: str, room: str, traits: Iterable[tuple[str, object]], now: float
    ) -> KeepSanction | None:
        for kind, subject in traits:
            found = self._index.get((act, room, kind, subject))
            if found is not None and not _is_over(found, now):
                return found
        return None

    # -------------------------------------------------------------- change

    def add(self, draft: KeepSanction) -> tuple[KeepSanction, list[KeepSanction]]:
        """Put a sanction in force, under a number of its own; and those that it replaces.

        Raises `forbidden` where there are too many.
        """
        replaced = self.matching(draft)
        if not replaced and self._is_full(draft.room):
            raise Rejected("forbidden", "There are too many of these already. Lift some first.")
        for one in replaced:
            self.drop(one)
        sanction = draft._replace(number=self._next)
        self._insert(sanction)
        return sanction, replaced

    def _is_full(self, room: str) -> bool:
        """Rooms share what they have; whoever fills it leaves the server's admins theirs."""
        here, everywhere = len(self._by_room.get(room, ())), len(self._by_room.get("", ()))
        if not room:
            return everywhere >= MAX_SANCTIONS
        return here >= MAX_PER_ROOM or len(self) - everywhere >= MAX_SANCTIONS

    def matching(self, draft: KeepSanction) -> list[KeepSanction]:
        """Those of the same kind and place that are for the same person, account or network."""
        if draft.network:
            same = [one for one in self._by_room.get(draft.room, {}).values() if one.network]
            return [one for one in same if (one.act, one.network) == (draft.act, draft.network)]
        keys = set(_keys(draft))
        found = (self._index.get(key) for key in keys)
        return list({one.number: one for one in found if one is not None}.values())

    def drop(self, sanction: KeepSanction) -> None:
        """End a sanction."""
        del self._by_number[sanction.number]
        room = self._by_room[sanction.room]
        del room[sanction.number]
        if not room:
            del self._by_room[sanction.room]
        for key in _keys(sanction):
            if self._index.get(key) is sanction:
                del self._index[key]
        if sanction.network:
            place, prefix = _place(ip_network(sanction.network))
            networks = self._networks[place]
            networks.pop(prefix, None)
            if not networks:
                del self._networks[place]

    def take_over(self, now: float) -> list[KeepSanction]:
        """End those whose time is over, and return them."""
        over = [one for one in self._by_number.values() if _is_over(one, now)]
        for one in over:
            self.drop(one)
        return over

    def _insert(self, sanction: KeepSanction) -> None:
        self._next = max(self._next, sanction.number + 1)
        self._by_number[sanction.number] = sanction
        self._by_room.setdefault(sanction.room, {})[sanction.number] = sanction
        for key in _keys(sanction):
            self._index[key] = sanction
        if sanction.network:
            place, prefix = _place(ip_network(sanction.network))
            self._networks.setdefault(place, {})[prefix] = sanction


def _is_over(sanction: KeepSanction, now: float) -> bool:
    return sanction.until is not None and sanction.until <= now


def _traits(identity: Identity) -> Iterator[tuple[str, object]]:
    """By what a sanction may know an identity."""
    yield "identity", identity.number
    if identity.account is not None:
        yield "account", identity.account.casefold()
    yield from _traits_of(identity.nick)


def _traits_of(nick: Nick) -> Iterator[tuple[str, object]]:
    yield from (("look", look) for look in nick.skeletons)


def _keys(sanction: KeepSanction) -> Iterator[_Key]:
    """Where a sanction is found: by identity, by account, by nick and what looks like it."""
    head = sanction.act, sanction.room
    if sanction.identity:
        yield *head, "identity", sanction.identity
    if sanction.account:
        yield *head, "account", sanction.account.casefold()
    if sanction.nick:
        try:
            looks = parse_nick(sanction.nick).skeletons
        except Rejected:  # stored under rules that held then; nobody can take that nick any more
            looks = ()
        yield from ((*head, "look", look) for look in looks)


def _place(network: Network) -> tuple[tuple[int, int], int]:
    """Where a network is found: by version and length of prefix, and then by the prefix."""
    length = network.prefixlen
    prefix = int(network.network_address) >> (network.max_prefixlen - length)
    return (network.version, length), prefix
