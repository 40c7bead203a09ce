"""What a person, and their machine, have set for the full screen; the defaults suit most.

Pure values, valid from construction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Final

from ..client.bell import BellLevel
from ..client.trust import ByKey, Trust

#: In the order in which a key goes through them: by the name that people give, Textual's name.
THEMES: Final[Mapping[str, str]] = MappingProxyType(
    {"dark": "textual-dark", "light": "textual-light", "high-contrast": "high-contrast"}
)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How the full screen looks and sounds; raises `ValueError` for a theme that is none.

    `trust`: how the server is known, for the status bar. `environ` tells what the terminal can.
    `clock` and `zone` (None: local) are for the times that are shown.
    """

    trust: str = ""
    bell: BellLevel = BellLevel.MENTIONS
    theme: str = "dark"
    environ: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], datetime] = now
    zone: tzinfo | None = None

    def __post_init__(self) -> None:
        if self.theme not in THEMES:
            raise ValueError(f"there is no theme {self.theme!r}; there are {', '.join(THEMES)}")


DEFAULTS: Final = Setup()


def trust_in_short(trust: Trust) -> str:
    """How a server is known, as the status bar says it."""
    if isinstance(trust, ByKey):
        return "known key"
    return "public CA" if trust.ca_file is None else "your CA"
