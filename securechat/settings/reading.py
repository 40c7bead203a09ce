"""From what TOML and the environment say to `Settings`: every key known, every value fit.

Raised is `Misfit`: the way to the key, and what is wrong with it, for who knows file and line.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from . import kinds
from .document import Document
from .model import Connect, Section, Serve, Settings, Ui

_S = TypeVar("_S", bound=Section)

#: Before the names of the environment's variables, which are the keys in capitals.
PREFIX: Final = "SECURECHAT_"
#: What stands between `PREFIX` and the key, for each section that the environment can set.
VARIABLES: Final[Mapping[str, type[Section]]] = MappingProxyType(
    {"": Connect, "UI_": Ui, "SERVE_": Serve}
)
_TABLES: Final = ("connect", "profiles", "ui", "keys", "serve")
_PROFILE: Final = kinds.text("", r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}", "a word, for example work")


class Misfit(ValueError):
    """`path` leads to a key that is not known, or whose value is not fit."""

    def __init__(self, path: tuple[str, ...], why: str) -> None:
        super().__init__(why)
        self.path = path
        self.why = why


def settings_of(document: Document, path: Path, environ: Mapping[str, str]) -> Settings:
    """What the file at `path` and the environment say together."""
    values = document.values
    for name in values:
        if name not in _TABLES:
            raise Misfit((name,), f"there is no section [{name}]{nearest(name, _TABLES)}")
    tables = {name: _table(values.get(name, {}), (name,)) for name in _TABLES}
    base = path.parent
    profiles = {}
    for name, table in tables["profiles"].items():
        _accept(_PROFILE, name, base, ("profiles", name), "the name of a profile")
        way = ("profiles", name)
        profiles[name] = _section(Connect, _table(table, way), way, base)
    return Settings(
        path=path,
        connect=_section(Connect, tables["connect"], ("connect",), base),
        profiles=MappingProxyType(profiles),
        ui=_section(Ui, tables["ui"], ("ui",), base).over(_from_environ("UI_", environ)),
        keys=MappingProxyType(
            {
                action: _accept(kinds.KEYS, keys, base, ("keys", action), f"keys.{action}")
                for action, keys in tables["keys"].items()
            }
        ),
        serve=_section(Serve, tables["serve"], ("serve",), base).over(
            _from_environ("SERVE_", environ)
        ),
        environment=Connect().over(_from_environ("", environ)),
        document=document,
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "bell"?`, or nothing."""
    import difflib

    near = difflib.get_close_matches(word, list(known), 1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _table(value: object, way: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Misfit(way, f"{'.'.join(way)} must be a table: [{'.'.join(way)}]")
    return value


def _section(kind: type[_S], table: Mapping[str, object], way: tuple[str, ...], base: Path) -> _S:
    rows = kind.rows()
    found: dict[str, Any] = {}
    for key, value in table.items():
        where = (*way, key)
        if key not in rows:
            raise Misfit(where, f'[{".".join(way)}] has no key "{key}"{nearest(key, rows)}')
        found[key] = _accept(rows[key].kind, value, base, where, ".".join(where))
    return kind(**found)


def _accept(kind: kinds.Kind, value: object, base: Path, way: tuple[str, ...], name: str) -> Any:
    try:
        return kind.accept(value, base)
    except ValueError as problem:
        raise Misfit(way, f"{name} {problem}") from None


def _from_environ(prefix: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """The fields that the environment sets; an empty variable sets nothing."""
    found: dict[str, Any] = {}
    for key, row in VARIABLES[prefix].rows().items():
        name = f"{PREFIX}{prefix}{key.upper()}"
        text = environ.get(name)
        if text:
            try:
                found[key] = row.kind.accept(row.kind.read(text), Path())
            except ValueError as problem:
                raise Misfit((), f"{name} {problem}") from None
    return found
