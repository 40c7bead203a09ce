"""What a person, and their machine, have set for the full screen; the defaults suit most.

Values, valid from construction. `setup_of` makes them of `config.toml`; it raises SettingsError for
what only the full screen can judge: its keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import Enum
from types import MappingProxyType
from typing import Final

from ..client.bell import BellLevel
from ..client.trust import ByKey, Trust
from ..client.unfinished import Unfinished
from ..settings import Settings, save
from . import keymap
from .keymap import BadKey, Keymap

#: In the order in which a key goes through them: by the name that people give, Textual's name.
THEMES: Final[Mapping[str, str]] = MappingProxyType(
    {"dark": "textual-dark", "light": "textual-light", "high-contrast": "high-contrast"}
)


class Joins(Enum):
    """What is shown of who comes and goes."""

    FOLD = "fold"
    SHOW = "show"
    HIDE = "hide"


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def forget(key: str, value: str) -> None:
    """What is changed counts until the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How the full screen looks and sounds; raises `ValueError` for a theme that is none.

    `trust`: how the server is known, for the status bar. `words` call us, beside our nick.
    `environ` tells what the terminal can. `remember` keeps a changed key of `[ui]` for the next
    start; it raises SettingsError. `unfinished` keeps what is half typed; None: that is lost at the
    end. `clock` and `zone` (None: local) are for the times that are shown.
    """

    trust: str = ""
    bell: BellLevel = BellLevel.MENTIONS
    words: tuple[str, ...] = ()
    notices: bool = True
    theme: str = "dark"
    joins: Joins = Joins.FOLD
    keys: Keymap = keymap.DEFAULT
    environ: Mapping[str, str] = field(default_factory=dict)
    remember: Callable[[str, str], None] = forget
    unfinished: Unfinished | None = None
    clock: Callable[[], datetime] = now
    zone: tzinfo | None = None

    def __post_init__(self) -> None:
        if self.theme not in THEMES:
            raise ValueError(f"there is no theme {self.theme!r}; there are {', '.join(THEMES)}")


DEFAULTS: Final = Setup()


def setup_of(
    settings: Settings,
    trust: Trust,
    environ: Mapping[str, str],
    unfinished: Unfinished | None = None,
) -> Setup:
    """What `settings` say, on the terminal that `environ` describes."""
    try:
        keys = keymap.keymap(settings.keys)
    except BadKey as problem:
        raise settings.fault("keys", problem.name, why=f"keys.{problem.name}: {problem}") from None
    ui = settings.ui
    return Setup(
        trust=trust_in_short(trust),
        bell=BellLevel(ui.bell),
        words=ui.words,
        notices=ui.notices,
        theme=theme_of_terminal(environ) if ui.theme == "system" else ui.theme,
        joins=Joins(ui.joins),
        keys=keys,
        environ=environ,
        unfinished=unfinished,
        remember=lambda key, value: save(settings.path, "ui", **{key: value}),
    )


def theme_of_terminal(environ: Mapping[str, str]) -> str:
    """`light` where the terminal says so: COLORFGBG, of rxvt, ends with the background's number."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in ("7", "15") else "dark"


def trust_in_short(trust: Trust) -> str:
    """How a server is known, as the status bar says it."""
    if isinstance(trust, ByKey):
        return "known key"
    return "public CA" if trust.ca_file is None else "your CA"
