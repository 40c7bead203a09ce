"""What all examples have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_at_most_30_lines_and_a_test(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 30
    assert (Path(__file__).parent / f"test_{path.stem}.py").exists()
