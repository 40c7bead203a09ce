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
    name: str = "securechat"
    motd: str = ""
