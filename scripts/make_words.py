"""Makes securechat/cli/words.py: what can be typed behind `securechat`, as a table for completion.

    python scripts/make_words.py [--check]

Completion answers a key, so it has no time for Typer, whose parameters load pydantic.
"""

from __future__ import annotations

import pprint
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scripts.command_tree import Command, Parameter, commands  # noqa: E402

TARGET = ROOT / "securechat" / "cli" / "words.py"

#: What is offered for a value, by its name in the help; `files`: what the shell itself offers.
SOURCES = {
    "HOST[:PORT]": "servers",
    "HOST[:PORT]|INVITE": "servers",
    "NICK": "nicks",
    "PROFILE": "profiles",
    "ROOM": "rooms",
    "ROOM|@NICK": "addresses",
    "NAME=VALUE": "limits",
}
#: Commands about servers that are known already, and no others.
KNOWN = ("trust",)

HEAD = '''"""What can be typed behind `securechat`. Made by scripts/make_words.py: do not edit.

For each command its options, with what is offered behind them (None: they take no value), its
arguments, with what is offered for them, and the commands in it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

_Command: TypeAlias = tuple[dict[str, str | None], tuple[str, ...], tuple[str, ...]]

WORDS: Final[dict[str, _Command]] = '''


def source_of(one: Parameter, command: Command) -> str | None:
    """What is offered as a value."""
    if one.choices:
        return f"={'|'.join(one.choices)}"
    if not one.metavar:
        return None
    source = SOURCES.get(one.metavar, "files")
    return "known_servers" if source == "servers" and command.path[:1] == KNOWN else source


def render() -> str:
    """The module."""
    table = {}
    for command in commands():
        options = {
            name: source_of(one, command)
            for one in command.parameters
            for name in (*one.names, *one.off)
        }
        options |= {"--help": None, "-h": None}
        arguments = tuple(
            str(source_of(one, command)) for one in command.parameters if not one.names
        )
        table[" ".join(command.path)] = (options, arguments, command.groups)
    return HEAD + pprint.pformat(table, width=96, sort_dicts=False).replace("'", '"') + "\n"


def main() -> None:
    """Write it, or see that it is what would be written."""
    made = _formatted(render())
    if "--check" in sys.argv:
        sys.exit(TARGET.read_text("utf-8") != made)
    TARGET.write_text(made, "utf-8")


def _formatted(text: str) -> str:
    import subprocess

    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
