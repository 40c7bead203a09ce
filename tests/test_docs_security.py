"""Every test that docs/security.md names as its proof is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(
    r"`(tests/[a-z0-9_/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / "security.md").read_text("utf-8")
)


def test_it_names_its_proofs() -> None:
    assert len(NAMED) >= 10


@pytest.mark.parametrize(("path", "test"), sorted(set(NAMED)))
def test_a_named_proof_is_there(path: str, test: str) -> None:
    source = (ROOT / path).read_text("utf-8")
    assert f"def {test or 'test_'}" in source
