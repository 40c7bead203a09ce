"""docs/configuration.md: its example is read, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from securechat.settings import load
from securechat.settings.reading import PREFIX, VARIABLES

PAGE = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text("utf-8")


def test_the_example_is_read(tmp_path: Path) -> None:
    [example] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "config.toml"
    path.write_text(example, "utf-8")
    settings = load(path, {})
    assert settings.connecting("work").nick == "bob.smith"
    assert settings.keys == {"jump": ("ctrl+k", "f3")}


@pytest.mark.parametrize("prefix", VARIABLES)
def test_every_key_has_its_row(prefix: str) -> None:
    listed = re.findall(rf"^\| .* \| `{PREFIX}{prefix}[A-Z_]+` \|$", PAGE, re.MULTILINE)
    wanted = [
        f"| `{row.key}` | {row.kind.shown}: {row.about} | `{PREFIX}{prefix}{row.key.upper()}` |"
        for row in VARIABLES[prefix].rows().values()
    ]
    assert [one for one in listed if one in wanted] == wanted
