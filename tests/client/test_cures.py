"""What to do about a refusal, as one types it; and every command that the server names so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from securechat.client.commands import find
from securechat.client.cures import as_typed

CHAT = Path(__file__).parents[2] / "securechat" / "chat"
#: Keys of envelopes, which no command is called.
KEYS = {"old", "seq", "next", "reply_to", "before", "address"}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("You are not in that room. `join` it first.", "You are not in that room. /join it first."),
        ("`rooms` lists them; `join` makes one.", "/rooms lists them; /join makes one."),
        (
            "Only its owner may. `room` tells who it is.",
            "Only its owner may. /rules tells who it is.",
        ),
        ("Look at its `seq`.", "Look at its `seq`."),
        ("`", "`"),
        ("", ""),
    ],
)
def test_commands_are_named_as_one_types_them(told: str, shown: str) -> None:
    assert as_typed(told) == shown


def test_every_command_that_the_server_names_can_be_typed() -> None:
    named: set[str] = set()
    for path in CHAT.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        told_to_us = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
        for one in ast.walk(tree):
            if isinstance(one, ast.Constant) and id(one) not in told_to_us:
                named |= set(re.findall(r"`([a-z_]+)`", str(one.value)))
    assert len(named) > 10
    for name in named - KEYS:
        assert find(as_typed(f"`{name}`").removeprefix("/")), name
