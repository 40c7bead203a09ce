"""Every test that docs/security.md names as its proof is there, and its figures are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from securechat.config import LoginLimits, name_figures

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[a-z0-9_/]+\.py)(?:::(\w+))?`", PAGE)
#: The table of figures: what the second column says, and the names in the third.
TOLD = [
    (value, re.findall(r"`((?:--|[a-z]+\.)[a-z-]+)`", names))
    for _, value, names in re.findall(
        r"^\| (.+) \| (.+) \| (.+) \|$",
        PAGE.partition("| figure | value |")[2].partition("\n\n")[0],
        re.MULTILINE,
    )
]


def test_it_names_its_proofs() -> None:
    assert len(NAMED) >= 10


@pytest.mark.parametrize(("path", "test"), sorted(set(NAMED)))
def test_a_named_proof_is_there(path: str, test: str) -> None:
    source = (ROOT / path).read_text("utf-8")
    assert f"def {test or 'test_'}" in source


def test_it_tells_how_each_figure_of_strangers_and_guesses_is_set() -> None:
    named = {name for _, names in TOLD for name in names}
    figures = [it for it in name_figures().values() if not it.name.startswith("chat.")]
    assert [it.name for it in figures if (it.option or it.name) not in named] == []


@pytest.mark.parametrize(("value", "names"), [row for row in TOLD if row[1]])
def test_it_tells_what_each_figure_is(value: str, names: list[str]) -> None:
    defaults = {it.option or it.name: it.default for it in name_figures().values()}
    told: list[float] = [
        word == "yes" if word in ("yes", "no") else float(word.replace(",", ""))
        for word in re.findall(r"\byes\b|\bno\b|\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?", value)
    ]
    if len(told) == 1:  # one for all of them
        told *= len(names)
    assert told == [defaults[name] for name in names]


def test_an_address_has_to_wait_after_as_many_wrong_passwords_as_it_says() -> None:
    limits = LoginLimits()
    assert "after twelve, for each one more" in PAGE
    assert limits.per_address / limits.failure == limits.per_account / limits.failure == 12
