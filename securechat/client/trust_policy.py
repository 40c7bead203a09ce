"""What trust in a server is to rest on: the order of the reasons, as a pure function.

In come what the user said and what is known of the server; out comes a `Basis`. Raised:
`NotTrusted` where the two contradict each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from ..errors import KeyChanged
from .known_servers import AUTHORITIES, Known, Server, parse_fingerprint

#: Names that no public authority vouches for (RFC 6761, 6762, 8375, 9476; ICANN's `internal`), and
#: what routers at home call their networks.
_PRIVATE_ENDINGS: Final = frozenset(
    {"alt", "arpa", "example", "home", "internal", "invalid", "lan", "local", "localhost", "test"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user said: which key it must be, whose signature is enough, or to take any key.

    `certificate` is who the user is, for servers that ask for it. `accept_new` counts at the first
    meeting alone, and never for a key that has changed. Raises `ValueError` for what is no
    fingerprint.
    """

    ca_file: Path | None = None
    fingerprint: str | None = None
    accept_new: bool = False
    certificate: Path | None = None

    def __post_init__(self) -> None:
        if self.fingerprint is not None:
            object.__setattr__(self, "fingerprint", parse_fingerprint(self.fingerprint))


class Basis(Enum):
    """What trust rests on, best first."""

    PIN = "the key that we know"
    FINGERPRINT = "the key that the user named"
    CA_FILE = "the authority that the user named"
    AUTHORITIES = "this machine's authorities, as before"
    PUBLIC_NAME = "this machine's authorities, else the first meeting"
    FIRST_USE = "the first meeting"


def decide(server: Server, wishes: Wishes, known: Known | None) -> Basis:
    """What trust in `server` rests on."""
    if known is not None and known.key != AUTHORITIES:
        _refuse_contradiction(server, wishes.fingerprint, known.key)
        return Basis.PIN
    if wishes.fingerprint is not None:
        return Basis.FINGERPRINT
    if wishes.ca_file is not None:
        return Basis.CA_FILE
    if known is not None:
        return Basis.AUTHORITIES
    return Basis.PUBLIC_NAME if is_public(server.host) else Basis.FIRST_USE


def is_public(host: str) -> bool:
    """Whether a public authority could vouch for this name."""
    try:
        ip_address(host)
    except ValueError:
        first, _, rest = host.rpartition(".")
        return bool(first) and rest not in _PRIVATE_ENDINGS
    return False


def _refuse_contradiction(server: Server, named: str | None, known: str) -> None:
    if named is not None and named != known:
        raise KeyChanged(
            f"{server} is known by the key {known}, and you named {named}. If the one you named is "
            f"right: securechat trust replace {server.typed} {named}",
            known=known,
            shown=named,
        )
