"""The text of a TOML file with the places of its keys, and changes that leave all else as it is.

`Document.parse` reads it; `line_of` says where a key stands; `with_value` gives the text with one
key set, comments and order untouched. What comes out is read again and compared, so that a way of
writing that is not foreseen here is refused and never damaged. Raised: `tomllib.TOMLDecodeError`
for what is no TOML, `NotEditable`. Pure.
"""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str, ...]

_BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class NotEditable(ValueError):
    """The key is written in a way that cannot be changed here; `line` is where, from 1."""

    def __init__(self, line: int) -> None:
        super().__init__("it is written in a way that only you can change")
        self.line = line


class Statement(NamedTuple):
    """One header (`[ui]`) or one `key = value`: its lines, from 0 to before `end`, and its key.

    `table` is the header above it, and `path` the whole way to the key.
    """

    start: int
    end: int
    table: Path
    path: Path
    is_header: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text, and what it says."""

    text: str
    values: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Document:
        """Read a file."""
        text = text.removeprefix("\ufeff")
        return cls(text, tomllib.loads(text))

    def line_of(self, path: Path) -> int:
        """The line, from 1, in which the key or table `path` begins, or the nearest above it."""
        best, line = 0, 1
        for one in self._statements():
            common = _common(one.path, path)
            if common > best:
                best, line = common, one.start + 1
        return line

    def with_value(self, path: Path, value: object) -> Document:
        """The same with the key `path`, in a table, set to `value`."""
        lines = self.text.split("\n")
        self._put(lines, path, _written(value))
        wanted = copy.deepcopy(dict(self.values))
        table = wanted
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = list(value) if isinstance(value, tuple) else value
        try:
            changed = Document.parse("\n".join(lines))
        except tomllib.TOMLDecodeError:
            raise NotEditable(self.line_of(path)) from None
        if changed.values != wanted:
            raise NotEditable(self.line_of(path))
        return changed

    def _put(self, lines: list[str], path: Path, value: str) -> None:
        """Change, or add, one line."""
        table = path[:-1]
        last_of_table = last_dotted = None
        for one in self._statements():
            if one.path == path and not one.is_header:
                self._replace(lines, one, value)
                return
            if one.table == table:
                last_of_table = one
            elif not one.table and one.path[: len(table)] == table and not one.is_header:
                last_dotted = one
        if last_of_table is not None:
            where, key = last_of_table.end, _key(path[-1:])
        elif last_dotted is not None:
            where, key = last_dotted.end, _key(path)
        else:
            where, key = _end(lines), _key(path[-1:])
            head = [f"[{_key(table)}]"]
            lines[where:where] = [f"{line}{self._cr}" for line in ([""] if where else []) + head]
            where += 2 if where else 1
        lines.insert(where, f"{key} = {value}{self._cr}")
        if where + 1 == len(lines):
            lines.append("")  # what was the last line had no end; now it has

    def _replace(self, lines: list[str], one: Statement, value: str) -> None:
        """The value anew; what stands before and behind it stays."""
        old = "\n".join(lines[one.start : one.end])
        key, _, rest = old.partition("=")
        comment = ""
        for at in (at for at, char in enumerate(rest) if char == "#"):
            if _parses(f"x ={rest[:at]}"):
                before = rest[:at]
                comment = before[len(before.rstrip()) :] + rest[at:].removesuffix("\r")
                break
        lines[one.start : one.end] = [f"{key.rstrip()} = {value}{comment}{self._cr}"]

    @property
    def _cr(self) -> str:
        return "\r" if "\r\n" in self.text else ""

    def _statements(self) -> Iterator[Statement]:
        """The statements, in order: each is the fewest lines from its start that are TOML."""
        table: Path = ()
        lines = self.text.split("\n")
        start = 0
        while start < len(lines):
            bare = lines[start].strip()
            if not bare or bare.startswith("#"):
                start += 1
                continue
            end = start + 1
            while not _parses("\n".join(lines[start:end])) and end < len(lines):
                end += 1
            way = _way("\n".join(lines[start:end]))
            is_header = bare.startswith("[")
            if is_header:
                table = way
            yield Statement(start, end, table, way if is_header else table + way, is_header)
            start = end


def _parses(text: str) -> bool:
    try:
        tomllib.loads(f"{text}\n")  # of the last line's end, a \r may be left
    except tomllib.TOMLDecodeError:
        return False
    return True


def _way(statement: str) -> Path:
    """The keys that lead to what a statement sets, as far as there is one way only."""
    found: list[str] = []
    node: object = tomllib.loads(f"{statement}\n")
    while isinstance(node, dict) and len(node) == 1:
        [(key, node)] = node.items()
        found.append(key)
    return tuple(found)


def _common(one: Path, other: Path) -> int:
    """With how many keys both begin."""
    count = 0
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            break
        count += 1
    return count


def _end(lines: list[str]) -> int:
    """Behind the last line that is not empty."""
    return next((at for at in range(len(lines), 0, -1) if lines[at - 1].strip()), 0)


def _key(path: Path) -> str:
    return ".".join(one if one and set(one) <= _BARE else _written(one) for one in path)


def _written(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(one) for one in value) + "]"
    raise TypeError(f"no setting is a {type(value).__name__}")
