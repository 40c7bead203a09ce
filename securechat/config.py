"""What a server can be told, with the defaults that docs/protocol.md promises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """What the chat core holds people to."""

    rate: float = 20.0  #: frames a second and connection; 0: no limit
    burst: int = 100  #: frames that may come at once
    presence: int = 500  #: above so many members a room tells a count, not names
    idle_timeout: float = 90.0  #: seconds of silence that end a connection
    grace: float = 30.0  #: seconds in which a lost link is not yet a departure
    guest_days: float = 7.0  #: days that a guest's session lives after its last use
    former_nick: float = 86_400.0  #: seconds that a nick stays its former owner's
    connections_per_identity: int = 8
    subscriptions: int = 200  #: rooms that one connection may be in
    rooms: int = 20_000  #: rooms in all
    connections: int = 19_000  #: connections in all
    guests: bool = True  #: whether somebody without an account may come in
    accounts: int = 20_000  #: accounts in all
    sessions_per_account: int = 32  #: devices that one account may be logged in on
    session_days: float = 90.0  #: days that an account's session lives after its last use
    invites: int = 10_000  #: invites that wait to be used
    proofs: int = 32  #: passwords that may wait to be looked at


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What strangers are held to before they have said `hello`, and addresses for good.

    An address is an IPv4 address or the /64 network of an IPv6 one: what one household has. The
    figures let 500 people behind one address come back at once and be in within 4 s. Who is over a
    limit waits; who waits too long, or with too many, is cut. See docs/security.md.
    """

    trust_loopback: bool = True  #: connections from this machine itself are not limited
    per_address: int = 1_000  #: connections at once; 0: no limit
    new_per_second: float = 10.0  #: new connections of an address, in the long run; 0: no limit
    new_at_once: int = 1_000  #: and beyond that run
    handshakes: float = 100.0  #: handshakes a second that are begun in all; 0: no limit
    handshakes_at_once: int = 128
    greeting: int = 512  #: connections in all that have not been welcomed yet
    greeting_per_address: int = 64
    waiting: int = 8_192  #: connections in all that wait for their handshake
    waiting_per_address: int = 512
    longest_wait: float = 8.0  #: seconds; then who waits is cut
    tolerance: float = 30.0  #: seconds of penalty that change nothing
    longest_penalty: float = 600.0  #: seconds; a penalty fades by one second a second
    offence: float = 5.0  #: seconds of penalty for breaking the protocol after `welcome`
    messages: float = 1_000.0  #: frames a second of all connections of one address; 0: no limit
    table: int = 65_536  #: addresses remembered, at most


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """What guessing costs; a success costs nothing, so a class may log in at once."""

    failure: float = 5.0  #: seconds of penalty for a wrong password, to the address and the account
    per_address: float = 60.0  #: seconds of penalty beyond which an address has to wait
    doubt: float = 60.0  #: seconds for which an address that has failed goes behind all others
    per_account: float = 60.0  #: the same for an account, for addresses that have failed there
    longest_penalty: float = 600.0
    table: int = 65_536  #: addresses, and accounts, remembered, at most


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What `securechat serve` was told."""

    host: str = "127.0.0.1"
    port: int = 55555
    certs: Path = Path("certs")
    data: str = ":memory:"  #: a folder, or this: nothing is kept
    keep_days: float | None = None  #: older messages are removed; None: never
    keep_mb: float | None = None  #: the oldest are removed beyond so many megabytes; None: never
    #: What single rooms keep instead: (room, days or None, megabytes or None).
    keep_rooms: tuple[tuple[str, float | None, float | None], ...] = ()
    io_threads: int = 1
    limits: ChatLimits = ChatLimits()
    gate: GateLimits = GateLimits()
    #: Who has a certificate of these authorities is who it names; without one nobody gets in.
    client_ca: Path | None = None
    name: str = "securechat"
    motd: str = ""
