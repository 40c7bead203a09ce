"""The kinds of values that a setting can have: what is taken, from TOML and from the environment.

`accept` takes what TOML gave and returns the value in its one form; `read` makes of an environment
variable's text what TOML would have given. Both raise `ValueError` with words that go on a
sentence: `must be …`. Relative paths count from `base`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..config import BOUNDS, Bounds
from ..target import parse_target

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")


class Kind(NamedTuple):
    """One kind; `shown` is how a reference describes it."""

    shown: str
    accept: Callable[[object, Path], Any]
    read: Callable[[str], object] = str


def _read_flag(text: str) -> object:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("must be 1 or 0")


def _accept_flag(value: object, _base: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


FLAG: Final = Kind("true or false", _accept_flag, _read_flag)


def word(*choices: str) -> Kind:
    """One of `choices`."""
    shown = ", ".join(choices[:-1]) + f" or {choices[-1]}"

    def accept(value: object, _base: Path) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"must be {shown}")
        return value

    return Kind(shown, accept)


def integer(least: float, most: float) -> Kind:
    """A whole number within bounds."""
    words = f"must be a whole number from {least:,} to {most:,}"

    def accept(value: object, _base: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(words)
        return value

    def read(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise ValueError(words) from None

    return Kind(f"{least:,} to {most:,}", accept, read)


def amount(bounds: Bounds) -> Kind:
    """A number within `bounds`."""
    words = f"must be a number from {bounds.least:,} to {bounds.most:,}"

    def accept(value: object, _base: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(words)
        if refusal := bounds.refusal(value):
            raise ValueError(f"must be a number {refusal}")
        return float(value)

    def read(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise ValueError(words) from None

    return Kind("a number", accept, read)


def number(key: str, kind: type[float] = float) -> Kind:
    """The number that an option of that name takes on the command line as well."""
    bounds = BOUNDS[key]
    return integer(bounds.least, bounds.most) if kind is int else amount(bounds)


def text(shown: str, pattern: str, words: str) -> Kind:
    """A string that `pattern` matches as a whole."""
    compiled = re.compile(pattern)

    def accept(value: object, _base: Path) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"must be {words}")
        return value

    return Kind(shown, accept)


def several(one: Kind) -> Kind:
    """A list, or a single value alone; in the environment between commas."""

    def accept(value: object, base: Path) -> tuple[Any, ...]:
        items = value if isinstance(value, list) else [value]
        return tuple(one.accept(item, base) for item in items)

    def read(text: str) -> object:
        return [one.read(item.strip()) for item in text.split(",") if item.strip()]

    return Kind(f"{one.shown}, or a list of such", accept, read)


def _accept_target(value: object, _base: Path) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string, HOST or HOST:PORT")
    try:
        parse_target(value)
    except ValueError as problem:
        raise ValueError(f"must be the place of a server: {problem}") from None
    return value


TARGET: Final = Kind("HOST or HOST:PORT", _accept_target)


def _accept_path(value: object, base: Path) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("must be a path, as a string")
    try:
        return base / Path(value).expanduser()
    except RuntimeError:
        raise ValueError("must be a path; there is no such home folder") from None


PATH: Final = Kind("a path", _accept_path)


def _accept_data(value: object, base: Path) -> Path:
    return Path(":memory:") if value == ":memory:" else _accept_path(value, base)


DATA: Final = Kind("a path, or :memory:", _accept_data)
NICK: Final = text("a nick", r"(?s).{1,32}", "a nick of 1 to 32 characters")
ROOM: Final = text("a room", r"#?[A-Za-z0-9_-]{1,32}", "a room: 1 to 32 of a-z, 0-9, _ and -")
FINGERPRINT: Final = text(
    "SHA256:…",
    r"SHA256:[A-Za-z0-9+/]{43}=?|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}",
    "a fingerprint, as `securechat serve` prints it",
)
WORD: Final = text("a word", r"\w(?:.{0,62}\w)?", "a word, or a few, of at most 64 characters")
TEXT: Final = text("a string", r"(?s).*", "a string")
KEYS: Final = several(text("a key", r"\S+", "the name of a key, for example ctrl+k"))
LIMIT: Final = text("NAME=VALUE", r"[a-z._-]+=[0-9.]+", "NAME=VALUE, as `securechat limits` has it")
KEEP: Final = text("ROOM=DAYS[,MB]", r"#?[^=]+=[0-9.]*(,[0-9.]+)?", "ROOM=DAYS[,MB]")
