"""Every test that docs/security.md names as its proof is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from securechat.config import name_figures

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


def test_it_tells_how_each_figure_of_strangers_and_guesses_is_set() -> None:
    told = (ROOT / "docs" / "security.md").read_text("utf-8")
    figures = [it for it in name_figures().values() if not it.name.startswith("chat.")]
    assert [it.name for it in figures if f"`{it.option or it.name}`" not in told] == []
