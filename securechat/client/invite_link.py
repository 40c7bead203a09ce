"""An invite as one line: `securechat://HOST[:PORT]/#TOKEN.PIN`, where to go and what lets in.

Pure. PIN is the fingerprint of the server's key in base64url, so the first connection already goes
to that key or to nobody. What stands behind `#` never goes into a look-up or a log of others (RFC
3986, 3.5), and is not shown by `repr`. Raised: `ValueError` with a sentence for the user.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from ..protocol.envelopes import DEFAULT_PORT
from .known_servers import Server, parse_fingerprint

SCHEME: Final = "securechat://"

_LINK: Final = re.compile(
    r"securechat:// (?: \[ (?P<v6>[0-9A-Fa-f:.]+) \] | (?P<name>[^\s/:@\[\]#?]+) )"
    r" (?: : (?P<port>[0-9]{1,5}) )? /? \# (?P<token>[A-Za-z0-9_-]{1,128}) \. "
    r"(?P<pin>[A-Za-z0-9_-]{43})",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class InviteLink:
    """Where to go, by which key the server is known, and the token that lets in."""

    host: str
    port: int
    token: str = field(repr=False)
    fingerprint: str

    @classmethod
    def parse(cls, text: str) -> InviteLink:
        """Read a link; raises `ValueError`, which repeats nothing of it."""
        found = _LINK.fullmatch(text.strip())
        if found is None:
            raise ValueError(
                "this is no whole invite; it is securechat://HOST:PORT/#TOKEN.PIN, all of it. In "
                "a shell put it between single quotes"
            )
        port = int(found["port"] or DEFAULT_PORT)
        if not 1 <= port <= 65_535:
            raise ValueError("a port is a number from 1 to 65535")
        pin = found["pin"].replace("-", "+").replace("_", "/")
        fingerprint = parse_fingerprint(f"SHA256:{pin}")
        return cls(found["v6"] or found["name"], port, found["token"], fingerprint)

    def render(self) -> str:
        """The line."""
        pin = self.fingerprint.removeprefix("SHA256:").replace("+", "-").replace("/", "_")
        return f"{SCHEME}{Server.at(self.host, self.port)}/#{self.token}.{pin}"
