"""What the server says to do about a refusal, in the words of who types commands with a slash.

Pure. The wire names commands bare, in backticks (`join`), for whoever writes a program; the same
text for a person says what to type (/join).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from .commands import ROWS

_MARKED: Final = re.compile(r"`([a-z]+)`")
#: Commands of the wire that go by other names here.
_TYPED_AS: Final = MappingProxyType({"room": "rules"})
_NAMES: Final = frozenset(row.name for row in ROWS)


def as_typed(message: str) -> str:
    """`message` of the server with each command as one types it; what is none of them stays."""
    return _MARKED.sub(_typed, message)


def _typed(found: re.Match[str]) -> str:
    name = _TYPED_AS.get(found[1], found[1])
    return f"/{name}" if name in _NAMES else found[0]
