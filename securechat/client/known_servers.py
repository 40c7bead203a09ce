"""The servers we have met, as text and as a value: a line `HOST:PORT KEY SINCE` for each.

Pure: in comes the text of a file, out comes a `KnownServers`, and back. KEY is the fingerprint of
the server's public key, or the word `AUTHORITIES`: this machine's authorities vouched for it, and
must go on doing so. Raised: `ValueError`, with what is wrong in which line.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final, NamedTuple

from ..target import DEFAULT_PORT

AUTHORITIES: Final = "authorities"

_HEADER: Final = "# Servers that securechat knows. See: securechat trust --help\n"
_SSH: Final = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}", re.ASCII)
_PLACE: Final = re.compile(r"(?:\[([^\[\]\s]+)\]|([^:\[\]\s]+)):([0-9]{1,5})", re.ASCII)


class Server(NamedTuple):
    """Where a server is; make it with `at`, so that each has one name."""

    host: str
    port: int

    @classmethod
    def at(cls, host: str, port: int = DEFAULT_PORT) -> Server:
        """The one name of what can be typed in several ways: `Chat.Example.` or `0:0::1`."""
        try:
            return cls(str(ip_address(host)), port)
        except ValueError:
            return cls(host.lower().removesuffix("."), port)

    def __str__(self) -> str:
        return f"{self._shown_host}:{self.port}"

    @property
    def typed(self) -> str:
        """As short as it can be typed: without the usual port."""
        return self._shown_host if self.port == DEFAULT_PORT else str(self)

    @property
    def _shown_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


class Known(NamedTuple):
    """What a server proves itself with (a fingerprint, or `AUTHORITIES`), and since when."""

    key: str
    since: date


@dataclass(frozen=True, slots=True)
class KnownServers:
    """All servers that we know; a change gives a new value."""

    entries: Mapping[Server, Known] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def parse(cls, text: str) -> KnownServers:
        """Read what `render` wrote; anything else in it is an error, never passed over."""
        entries: dict[Server, Known] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if not line or line.startswith("#"):
                continue
            try:
                server, known = _parse_line(line)
            except ValueError as error:
                raise ValueError(f"line {number} is damaged: {error}") from error
            if server in entries:
                raise ValueError(f"line {number} names {server} a second time")
            entries[server] = known
        return cls(MappingProxyType(entries))

    def render(self) -> str:
        """The file."""
        return _HEADER + "".join(
            f"{server} {known.key} {known.since.isoformat()}\n"
            for server, known in sorted(self.entries.items())
        )

    def find(self, server: Server) -> Known | None:
        """What we know of `server`."""
        return self.entries.get(server)

    def with_key(self, server: Server, key: str, today: date) -> KnownServers:
        """The same, but `server` is known by `key` and nothing else."""
        return KnownServers(MappingProxyType({**self.entries, server: Known(key, today)}))

    def without(self, server: Server) -> KnownServers:
        """The same, but for `server`."""
        left = {one: known for one, known in self.entries.items() if one != server}
        return KnownServers(MappingProxyType(left))


def parse_fingerprint(text: str) -> str:
    """The one form of a fingerprint, `SHA256:…`, from that or from 64 hexadecimal digits."""
    if found := _SSH.fullmatch(text):
        digest = base64.b64decode(f"{found[1]}=")
    elif _HEX.fullmatch(text):
        digest = binascii.unhexlify(text.replace(":", ""))
    else:
        raise ValueError("a fingerprint is SHA256: and 43 letters, as `securechat serve` prints it")
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _parse_line(line: str) -> tuple[Server, Known]:
    fields = line.split(" ")
    if len(fields) != 3:
        raise ValueError("it is not HOST:PORT KEY DATE")
    place, key, since = fields
    found = _PLACE.fullmatch(place)
    if found is None or not 1 <= int(found[3]) <= 65_535:
        raise ValueError("it does not begin with HOST:PORT")
    server = Server.at(found[1] or found[2], int(found[3]))
    return server, Known(_parse_key(key), date.fromisoformat(since))


def _parse_key(text: str) -> str:
    return text if text == AUTHORITIES else parse_fingerprint(text)
