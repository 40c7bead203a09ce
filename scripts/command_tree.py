"""The commands of `securechat` as plain values, for what is generated from them.

In comes Typer's tree; out come `Command`s, in the order of the help.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import typer

from securechat.cli.app import app


class Parameter(NamedTuple):
    """An option or argument. `names` are its spellings (empty: an argument); `off` switches it off.

    `metavar` is empty for a flag.
    """

    names: tuple[str, ...]
    off: tuple[str, ...]
    metavar: str
    summary: str
    default: str
    choices: tuple[str, ...]
    required: bool
    repeats: bool


class Command(NamedTuple):
    """One command; `path` is empty for `securechat` itself, whose commands are `groups`."""

    path: tuple[str, ...]
    text: str
    examples: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    groups: tuple[str, ...]
    epilog: str


def commands() -> Iterator[Command]:
    """All of them, groups before what is in them."""
    yield from _walk(typer.main.get_command(app), ())


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[Command]:
    below = getattr(node, "commands", {})
    text, _, examples = inspect.cleandoc(node.help or "").partition("\b\n")
    heading, *lines = examples.splitlines() or [""]
    yield Command(
        path,
        text.strip(),
        tuple(line.strip() for line in lines if line.strip()),
        tuple(_parameter(one) for one in node.params if not getattr(one, "hidden", False)),
        tuple(below),
        inspect.cleandoc(node.epilog or ""),
    )
    assert heading in ("", "Examples:", "For a start, in three terminals:"), heading
    for name, one in below.items():
        yield from _walk(one, (*path, name))


def _parameter(one: Any) -> Parameter:
    is_option = one.param_type_name == "option"
    is_flag = is_option and one.is_flag
    choices = tuple(
        str(getattr(choice, "value", choice)) for choice in one.type_descriptor.choices or ()
    )
    metavar = "" if is_flag else one.metavar or "|".join(choices) or _metavar(one)
    shown = one.show_default
    default = shown if isinstance(shown, str) else ""
    if not default and shown and not is_flag and one.default is not None and one.default != []:
        default = str(getattr(one.default, "value", one.default))
    return Parameter(
        tuple(one.opts) if is_option else (),
        tuple(one.secondary_opts) if is_option else (),
        metavar,
        " ".join((one.help or "").split()),
        default,
        choices,
        one.required,
        one.nargs == -1 or bool(getattr(one, "multiple", False)),
    )


def _metavar(one: Any) -> str:
    return str(one.human_readable_name if hasattr(one, "human_readable_name") else one.name).upper()
