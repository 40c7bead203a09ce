"""docs/configuration.md: its example is read, and its tables are those of the code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import typer

from securechat.cli.app import app
from securechat.settings import load
from securechat.settings.model import Row
from securechat.settings.reading import PREFIX, VARIABLES

PAGE = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text("utf-8")


def test_the_example_is_read(tmp_path: Path) -> None:
    [example] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "config.toml"
    path.write_text(example, "utf-8")
    settings = load(path, {})
    assert settings.connecting("work").nick == "bob.smith"
    assert settings.keys == {"jump": ("ctrl+k", "f3")}


def built_in(prefix: str) -> Mapping[str, object]:
    """What counts where a key of a section is set nowhere, by the keys."""
    if prefix == "UI_":
        return {key: row.default for key, row in VARIABLES[prefix].rows().items()}
    tree: Any = typer.main.get_command(app)
    commands = ["serve"] if prefix else ["connect", "send"]
    return {
        name: param.show_default if isinstance(param.show_default, str) else param.default
        for command in commands
        for param in tree.commands[command].params
        for name in (param.name, max(param.opts, key=len).strip("-").replace("-", "_"))
    }


def shown(value: object) -> str:
    """A value as the tables have it."""
    match value:
        case None | () | []:
            return "–"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else f"{value}"
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def row_of(row: Row, prefix: str, default: object) -> str:
    return (
        f"| `{row.key}` | {row.kind.shown}: {row.about} | {shown(default)} |"
        f" `{PREFIX}{prefix}{row.key.upper()}` |"
    )


@pytest.mark.parametrize("prefix", VARIABLES)
def test_every_key_has_its_row_with_what_counts_without_it(prefix: str) -> None:
    listed = re.findall(rf"^\| .* \| `{PREFIX}{prefix}[A-Z_]+` \|$", PAGE, re.MULTILINE)
    defaults = built_in(prefix)
    wanted = [
        row_of(row, prefix, defaults.get(row.key)) for row in VARIABLES[prefix].rows().values()
    ]
    assert [one for one in listed if one in wanted] == wanted
