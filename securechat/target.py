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


def parse_target(text: str, port: int | None = None) -> Target:
    """HOST, HOST:PORT, [IPV6]:PORT or IPV6; raises ValueError with a sentence for the user.

    `port` is the one that is said beside it; None: none is.
    """
    host, said = _split(text)
    if port is not None and said is not None and port != said:
        raise ValueError(
            f"{text} names port {said}, and port {port} is given beside it: say it once"
        )
    return Target(host, _check_port(said if port is None else port))


def _split(text: str) -> tuple[str, int | None]:
    if _BARE_V6.fullmatch(text) and _is_address(text):
        return text, None
    found = _TARGET.fullmatch(text)
    if found is None:
        raise ValueError("expected HOST, HOST:PORT or [IPV6]:PORT, for example localhost:55555")
    return found["v6"] or found["name"], int(found["port"]) if found["port"] else None


def _check_port(port: int | None) -> int:
    if port is None:
        return DEFAULT_PORT
    if not 1 <= port <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return port


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
