"""HOST[:PORT] as people type it, made into where a server is. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final, NamedTuple

DEFAULT_PORT: Final = 55555

_TARGET: Final = re.compile(
    r"(?: \[ (?P<v6>[^\[\]]+) \] | (?P<name>[^:\[\]\s/@]+) ) (?: : (?P<port>[0-9]{1,5}) )?",
    re.VERBOSE,
)
_BARE_V6: Final = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.%\w]*")


class Target(NamedTuple):
    """Where the server is."""

    host: str
    port: int


def parse_target(text: str) -> Target:
    """HOST, HOST:PORT, [IPV6]:PORT or IPV6; raises ValueError with a sentence for the user."""
    if _BARE_V6.fullmatch(text) and _is_address(text):
        return Target(text, DEFAULT_PORT)
    found = _TARGET.fullmatch(text)
    if found is None:
        raise ValueError("expected HOST, HOST:PORT or [IPV6]:PORT, for example localhost:55555")
    port = int(found["port"]) if found["port"] else DEFAULT_PORT
    if not 1 <= port <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return Target(found["v6"] or found["name"], port)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
