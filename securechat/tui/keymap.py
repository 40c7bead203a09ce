"""Which keys are obeyed: the table of `keys`, with what a person has changed in it.

Pure. Changes come as `{"next-active": ["Alt-N"], …}`: they are all the keys of that row from then
on, and are taken from the rows that had them. What cannot be is raised as `BadKey`, a sentence
without its end, with the name of the row.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Final, TypeAlias

from ..client import slash
from .keys import CHAT, CHOSEN, COMPOSER, Key

Rows: TypeAlias = Mapping[str, Key]

#: As people write keys, and as Textual does.
_ALIASES: Final = MappingProxyType(
    {
        "pgup": "pageup",
        "pgdn": "pagedown",
        "esc": "escape",
        "del": "delete",
        "ins": "insert",
        "return": "enter",
        "control": "ctrl",
        "meta": "alt",
        "option": "alt",
        "_": "underscore",
        "/": "slash",
        "\\": "backslash",
        "-": "minus",
        "+": "plus",
    }
)
_LABELS: Final = MappingProxyType(
    {"pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc", "underscore": "_"}
)
_NAMED: Final = frozenset(
    {"enter", "tab", "escape", "space", "backspace", "delete", "insert", "home", "end", "pageup"}
    | {"pagedown", "up", "down", "left", "right", "underscore", "slash", "backslash", "minus"}
    | {"plus", *(f"f{number}" for number in range(1, 25))}
)
_TYPED: Final = frozenset({"space", "underscore", "slash", "backslash", "minus", "plus"})
_MODIFIERS: Final = ("ctrl", "alt", "shift")
_PARTS: Final = re.compile(r"[-+](?=.)")
#: Without these one could not leave, or not send.
_NEEDED: Final = frozenset({"enter", "clear"})


class BadKey(ValueError):
    """A change that cannot be made; `name` is the row's, as it was given."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


@dataclass(frozen=True, slots=True)
class Keymap:
    """The rows as they are obeyed, table by table."""

    composer: tuple[Key, ...] = COMPOSER
    chat: tuple[Key, ...] = CHAT
    chosen: tuple[Key, ...] = CHOSEN

    def label(self, name: str) -> str:
        """The first key of the row `name`, for people; nothing, if it has none."""
        rows = (*self.composer, *self.chat, *self.chosen)
        [row] = [row for row in rows if row.name == name]
        return label(row.keys[0]) if row.keys else ""

    def help_lines(self) -> list[str]:
        """All keys, and all commands, as lines of text."""
        tables = [_described(rows) for rows in (self.chat, self.composer, self.chosen)]
        width = max(len(keys) for table in tables for keys, _ in table)
        chat, composer, chosen = (
            [f"{keys:<{width}}  {summary}" for keys, summary in table] for table in tables
        )
        return [
            *(*chat, *composer, "", "While a message is chosen:", *chosen),
            *("", "What you can type:", *slash.overview()),
            *("", "[keys] in config.toml changes keys. What they do is called there:"),
            *_names((*self.chat, *self.composer, *self.chosen)),
        ]


DEFAULT: Final = Keymap()


def keymap(changes: Mapping[str, Iterable[str]]) -> Keymap:
    """The table with these changes; raises `BadKey`."""
    known = {row.name: row for row in (*COMPOSER, *CHAT, *CHOSEN)}
    given: dict[str, tuple[str, ...]] = {}
    for name, keys in changes.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "F1 lists all names"
            raise BadKey(name, f"no key can do {name!r}; {hint}")
        given[name] = tuple(dict.fromkeys(_read(name, key) for key in keys))
        if name in _NEEDED and not given[name]:
            raise BadKey(name, f"{name} needs a key")
    _check_twice({name: given[name] for name in given if known[name] not in CHOSEN})
    _check_twice({name: given[name] for name in given if known[name] in CHOSEN})
    typed = {key for name, keys in given.items() if known[name] not in CHOSEN for key in keys}
    chosen = {key for name, keys in given.items() if known[name] in CHOSEN for key in keys}
    return Keymap(
        _changed(COMPOSER, given, typed),
        _changed(CHAT, given, typed),
        _changed(CHOSEN, given, chosen),
    )


def by_key(rows: Sequence[Key]) -> Rows:
    """The rows of a table by each of their keys."""
    return MappingProxyType({key: row for row in rows for key in row.keys})


def obey(target: object, row: Key) -> None:
    """Do what a row says, at once."""
    action = getattr(target, f"action_{row.action}")
    if row.value is None:
        action()
    else:
        action(row.value)


def label(key: str) -> str:
    """A key as people write it: `Alt-A`, `PgUp`."""
    return "-".join(_LABELS.get(part, part.capitalize()) for part in key.split("+"))


def _changed(
    rows: Sequence[Key], given: Mapping[str, tuple[str, ...]], taken: set[str]
) -> tuple[Key, ...]:
    return tuple(
        row._replace(keys=given.get(row.name, tuple(key for key in row.keys if key not in taken)))
        for row in rows
    )


def _check_twice(given: Mapping[str, tuple[str, ...]]) -> None:
    whose: dict[str, str] = {}
    for name, keys in given.items():
        for key in keys:
            if key in whose:
                raise BadKey(name, f"{label(key)} is given to {whose[key]}, too")
            whose[key] = name


def _read(name: str, written: str) -> str:
    """A key as a person wrote it, under Textual's name."""
    *modifiers, last = (
        _ALIASES.get(part.lower(), part.lower()) for part in _PARTS.split(written.strip())
    )
    is_letter = len(last) == 1 and last.isprintable() and not last.isspace()
    if not (is_letter or last in _NAMED) or not set(modifiers) <= set(_MODIFIERS):
        raise BadKey(name, f"{written!r} is no key; keys are like Alt-A, Ctrl-Home and F5")
    is_chosen = name.startswith("chosen-")
    if not is_chosen and set(modifiers) <= {"shift"} and (is_letter or last in _TYPED):
        raise BadKey(name, f"{written!r} is typed; take it together with Alt or Ctrl")
    return "+".join([*(one for one in _MODIFIERS if one in modifiers), last])


def _described(rows: Sequence[Key]) -> list[tuple[str, str]]:
    """The lines of the help: keys, and what they do."""
    lines = []
    for summary, group in groupby(rows, lambda row: row.summary):
        keys = [row.keys for row in group if row.keys]
        if not keys or not summary:
            continue
        shown = list(map(label, keys[0][:2] if len(keys) == 1 else (one[0] for one in keys)))
        told = ", ".join(shown) if len(shown) <= 2 else f"{shown[0]} … {shown[-1]}"
        lines.append((told, summary))
    return lines


def _names(rows: Sequence[Key]) -> list[str]:
    """The names of all rows, several on a line."""
    lines = [""]
    for row in rows:
        if len(lines[-1]) + len(row.name) > 68:
            lines.append("")
        lines[-1] += f" {row.name}"
    return [f" {line}" for line in lines]
