"""docs/clients.md: each expectation is met by tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "clients.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| (\d+) \| (`[^|]*::[^|]*) \|$", PAGE, re.MULTILINE))
EXPECTATIONS = re.findall(r"^\| (\d+) \|(?: .+ \|){6}$", PAGE, re.MULTILINE)


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_there_are_23_and_each_is_shown_by_a_test() -> None:
    numbers = [str(number) for number in range(1, 24)]
    assert numbers == EXPECTATIONS
    assert list(ROWS) == numbers


def test_the_tests_that_are_named_are_there() -> None:
    missing = []
    for row in ROWS.values():
        for name in re.findall(r"`([^`]+)`", row):
            file, _, function = name.partition("::")
            path = TESTS / file
            known = functions_of(path) if path.exists() else set()
            if function not in known and not (function == "*" and known):
                missing.append(name)
    assert missing == []
