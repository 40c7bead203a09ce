"""docs/guarantees.md: what it names as proof is there, and each suite has its negative control."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/guarantees.md").read_text("utf-8")


def test_every_proof_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_suite_of_the_gauntlet_is_named() -> None:
    suites = {path.name for path in (ROOT / "tests/gauntlet").glob("test_*.py")}
    tools = {"test_arena.py", "test_ledger.py", "test_proxy.py"}  # what the suites are made of
    assert set(re.findall(r"tests/gauntlet/(test_\w+\.py)", PAGE)) == suites - tools
