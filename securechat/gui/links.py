"""Links among the messages: where a click leads, as an address that does nothing but lead there.

Pure. What others write is text: only `http` and `https` lead anywhere, to a host that is named
plainly, as ASCII (RFC 3986; a name of other letters as its punycode, RFC 3490, so that a look-alike
is seen to be one). None stands for what is no such address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from ..client.emphasis import Emphasis, emphasised
from ..client.entries import Entry
from ..client.harmless import harmless_text

#: What may stand unescaped behind the host (RFC 3986, 2.2 and 2.3), and the sign of an escape.
_PLAIN: Final = "%/?#:@!$&'()*+,;=-._~[]"
_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_V6: Final = re.compile(r"[0-9A-Fa-f:.]+")
_BARE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Link(NamedTuple):
    """Where it leads, and who said so."""

    address: str
    nick: str


def address_of(shown: str) -> str | None:
    """The address behind a link that is shown so. Who hides the host behind a user has none."""
    try:
        parts = urlsplit(shown)
        port = "" if parts.port is None else f":{parts.port}"
        host = _host(parts.hostname or "")
    except ValueError:  # UnicodeError, from the name, is one too
        return None
    if parts.scheme not in ("http", "https") or host is None or "@" in parts.netloc:
        return None
    rest = shown[len(parts.scheme) + len("://") + len(parts.netloc) :]
    return f"{parts.scheme}://{host}{port}{quote(_BARE_PERCENT.sub('%25', rest), safe=_PLAIN)}"


def host_of(address: str) -> str:
    """Where an address leads, for people."""
    return urlsplit(address).netloc


def links_of(entry: Entry) -> list[Link]:
    """The links of one message, in their order, each once."""
    pieces = (piece for line in emphasised(harmless_text(entry.text)) for piece in line)
    found = (address_of(text) for text, how in pieces if how is Emphasis.LINK)
    return [Link(one, entry.nick) for one in dict.fromkeys(found) if one is not None]


def newest(entries: Iterable[Entry], most: int) -> list[Link]:
    """The last `most` links of what was said, which comes newest first; each address once."""
    found: dict[str, Link] = {}
    for entry in entries:
        for link in reversed(links_of(entry)):
            found.setdefault(link.address, link)
        if len(found) >= most:
            break
    return list(found.values())[:most]


def _host(name: str) -> str | None:
    if ":" in name:
        return f"[{name}]" if _V6.fullmatch(name) else None
    plain = name if name.isascii() else name.encode("idna").decode("ascii")
    return plain if _NAME.fullmatch(plain) else None
