"""What a server can be told, with the defaults that docs/protocol.md promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

_T = TypeVar("_T")

#: The largest value of a limit: a number that the wire, SQLite and the kernel's timers all take.
MOST: Final = 1_000_000_000
#: The slowest pace, a second: what is slower stands still, and 0 would mean the opposite.
SLOWEST: Final = 0.001

#: For how long an invite may be good.
MAX_INVITE_DAYS: Final = 3_650


def _limit(
    default: _T, meaning: str, least: float = 1, option: str = "", smallest: float = 0.0
) -> _T:
    """A field with what a person has to know of it; see `Figure`."""
    metadata = {"meaning": meaning, "least": least, "option": option, "smallest": smallest}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """What the chat core holds people to."""

    rate: float = _limit(20.0, "frames a second and connection; 0: no limit", 0, "--rate", SLOWEST)
    burst: int = _limit(100, "frames that may come at once", option="--burst")
    presence: int = _limit(500, "above so many members a room tells a count, not names", 0)
    idle_timeout: float = _limit(90.0, "seconds of silence that end a connection")
    grace: float = _limit(30.0, "seconds until a lost link is a departure", 0, "--grace")
    guest_days: float = _limit(7.0, "days a guest lives after its last use", 0, "--guest-days")
    former_nick: float = _limit(86_400.0, "seconds that a nick stays its former owner's", 0)
    connections_per_identity: int = _limit(8, "connections of one person at once")
    subscriptions: int = _limit(200, "rooms that one connection may be in")
    rooms: int = _limit(20_000, "rooms in all")
    connections: int = _limit(19_000, "connections in all")
    guests: bool = _limit(True, "whether somebody without an account may come in", 0, "--guests")
    accounts: int = _limit(20_000, "accounts in all", 0)
    sessions_per_account: int = _limit(32, "devices that one account may be logged in on")
    session_days: float = _limit(90.0, "days an account's session lives after its last use")
    invites: int = _limit(10_000, "invites that wait to be used", 0)
    proofs: int = _limit(32, "passwords that may wait to be looked at", 4)


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What strangers are held to before they have said `hello`, and addresses for good.

    An address is an IPv4 address or the /64 network of an IPv6 one: what one household has. The
    figures let 500 people behind one address come back at once and be in within 4 s. Who is over a
    limit waits; who waits too long, or with too many, is cut. See docs/security.md.
    """

    trust_loopback: bool = _limit(
        True, "connections from this machine itself are not limited", 0, "--trust-loopback"
    )
    per_address: int = _limit(
        1_000, "connections of one address at once; 0: no limit", 0, "--per-address"
    )
    new_per_second: float = _limit(
        10.0,
        "new connections of an address a second, in the long run; 0: no limit",
        0,
        "--new-per-address",
        SLOWEST,
    )
    new_at_once: int = _limit(1_000, "new connections of an address beyond that run")
    handshakes: float = _limit(
        100.0, "handshakes begun in all a second; 0: no limit", 0, "--handshakes", SLOWEST
    )
    handshakes_at_once: int = _limit(128, "handshakes begun in all at once")
    greeting: int = _limit(
        512, "connections in all that have not been welcomed yet", option="--greeting"
    )
    greeting_per_address: int = _limit(64, "of them, those of one address")
    greeting_fair_share: int = _limit(8, "the same when half of all are taken")
    waiting: int = _limit(8_192, "connections in all that wait for their handshake")
    waiting_per_address: int = _limit(512, "of them, those of one address")
    longest_wait: float = _limit(8.0, "seconds; then who waits is cut", 0.1)
    tolerance: float = _limit(30.0, "seconds of penalty that change nothing", 0)
    borne: float = _limit(1.0, "seconds more for each member of that address who is in", 0)
    longest_penalty: float = _limit(600.0, "seconds; a penalty fades by a second a second")
    in_vain: float = _limit(
        3.0, "seconds of penalty for a place held without hello, besides the time it was held", 0
    )
    innocent: float = _limit(3.5, "seconds of penalty up to which a newcomer goes first", 0)
    offence: float = _limit(5.0, "seconds of penalty for breaking the protocol", 0)
    forgiven: float = _limit(5.0, "seconds forgiven when somebody is welcomed", 0)
    messages: float = _limit(
        1_000.0,
        "frames a second of all connections of one address; 0: no limit",
        0,
        "--messages-per-address",
        SLOWEST,
    )
    table: int = _limit(65_536, "addresses remembered, at most", 16)


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """What guessing costs; a success costs nothing, so a class may log in at once."""

    failure: float = _limit(
        5.0, "seconds of penalty for a wrong password, to the address and the account", 0
    )
    per_address: float = _limit(60.0, "seconds of penalty beyond which an address has to wait", 0)
    doubt: float = _limit(
        60.0, "seconds for which an address that has failed goes behind all others", 0
    )
    per_account: float = _limit(
        60.0, "as per-address, of an account, for addresses that have failed there", 0
    )
    longest_penalty: float = _limit(600.0, "seconds; a penalty fades by a second a second")
    table: int = _limit(65_536, "addresses, and accounts, remembered, at most", 16)


class Bounds(NamedTuple):
    """What a number may be: `least` to `most`; what is above 0, `smallest` at least.

    `zero` says what 0 would do where nobody who types it can mean that.
    """

    least: float
    most: float
    smallest: float = 0.0
    zero: str = ""

    def refusal(self, value: float) -> str:
        """What the number has to be, to follow "it must be"; "": it is."""
        if not self.least <= value <= self.most:  # so is nan
            return f"from {self.least:,} to {self.most:,}"
        if not value and self.zero:
            return f"{self.smallest:g} at least: {self.zero}"
        if 0 < value < self.smallest:
            return f"{self.smallest:g} at least" + ("" if self.zero else ", or 0")
        return ""


class Figure(NamedTuple):
    """One limit by its name, as `serve --limit` and docs/security.md have it.

    `option` is the option of `serve` that sets it, "": there is none but `--limit NAME=VALUE`.
    """

    name: str
    default: float
    least: float
    meaning: str
    option: str
    smallest: float

    @property
    def bounds(self) -> Bounds:
        """What it may be told."""
        return Bounds(self.least, MOST, self.smallest)


SECTIONS: Final[Mapping[str, type[ChatLimits | GateLimits | LoginLimits]]] = {
    "chat": ChatLimits,
    "gate": GateLimits,
    "logins": LoginLimits,
}


def name_figures() -> dict[str, Figure]:
    """All limits, by names such as `gate.longest-wait`: the part and the field."""
    found: dict[str, Figure] = {}
    for part, limits in SECTIONS.items():
        for one in fields(limits):
            about: Any = one.metadata
            name = f"{part}.{one.name.replace('_', '-')}"
            found[name] = Figure(name, cast("float", one.default), **about)
    return found


_KEPT: Final = Bounds(
    0, MOST, 0.0001, "0 would remove every message; who leaves it out keeps all of them"
)

#: What the numbers of the command line and of config.toml may be, by their key in the file.
BOUNDS: Final[Mapping[str, Bounds]] = {
    "port": Bounds(0, 65_535),
    "io_threads": Bounds(1, 64),
    "keep_days": _KEPT,
    "keep_mb": _KEPT,
    "wait": Bounds(0, MOST),
    **{
        figure.option.removeprefix("--").replace("-", "_"): figure.bounds
        for figure in name_figures().values()
        if figure.option and not isinstance(figure.default, bool)
    },
}


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
    logins: LoginLimits = LoginLimits()
    #: Who has a certificate of these authorities is who it names; without one nobody gets in.
    client_ca: Path | None = None
    name: str = "securechat"
    motd: str = ""
