"""What a typed line asks for, as values: a class for each kind of deed, and the row of a command.

Nothing is done here. `slash` makes actions of lines, `controller` does them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from .bell import BellLevel


@dataclass(frozen=True, slots=True)
class Say:
    """Send `text` to a conversation."""

    to: str
    text: str
    action: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Give the server the command `name`; its answer is shown."""

    name: str
    keys: MappingProxyType[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Enter:
    """Show conversation `name`, joining it first if it is a room that we are not in."""

    name: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave a room, or put a direct conversation aside."""

    name: str


@dataclass(frozen=True, slots=True)
class Explain:
    """Show help: of all commands, or of one."""

    row: Row | None


@dataclass(frozen=True, slots=True)
class Confirm:
    """Decide about drafts that the server may have stored in its former history."""

    send: bool


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Try to come back at once."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave for good."""

    reason: str | None


class Question(NamedTuple):
    """A secret that is to be typed where nobody sees it; "" as `key`: the one before, once more.

    `is_new`: a password that is chosen now.
    """

    key: str
    text: str
    optional: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Secretly:
    """Give the server the command `name` with secrets that are not part of the line."""

    name: str
    keys: MappingProxyType[str, object]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """Send `text` to whoever said something to us alone last."""

    text: str


@dataclass(frozen=True, slots=True)
class SetBell:
    """Ring for this from now on; None: tell what rings."""

    level: BellLevel | None


@dataclass(frozen=True, slots=True)
class Clear:
    """Begin with an empty screen; nothing is lost by it."""


@dataclass(frozen=True, slots=True)
class Search:
    """Look for messages; without a `query`: for older ones than were found last."""

    query: str | None


@dataclass(frozen=True, slots=True)
class Around:
    """Show what was said around message `seq` of conversation `name`."""

    name: str
    seq: int


@dataclass(frozen=True, slots=True)
class Remove:
    """Have a message of conversation `to` erased: number `seq`, or the last one that `nick` said.

    Neither: the last one of our own.
    """

    to: str
    seq: int | None
    nick: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Ignore:
    """Hear somebody no more, or (`on` is False) again; without `nick`: tell who is ignored."""

    nick: str | None
    on: bool = True


Action: TypeAlias = (
    Say
    | Ask
    | Enter
    | Leave
    | Explain
    | Confirm
    | Reconnect
    | Secretly
    | Quit
    | Search
    | Around
    | Remove
    | Ignore
    | Reply
    | SetBell
    | Clear
)


class Row(NamedTuple):
    """One slash command. `make` gets what stands behind the name, stripped, and where we are."""

    name: str
    usage: str
    summary: str
    example: str
    make: Callable[[str, str | None], Action]
    aliases: tuple[str, ...] = ()


def ask(name: str, **keys: object) -> Ask:
    """Give the server the command `name` with these keys."""
    return Ask(name, MappingProxyType(keys))
