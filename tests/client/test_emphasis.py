"""The little Markdown, and all that looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.emphasis import Emphasis, emphasised

B, I, C = Emphasis.BOLD, Emphasis.ITALIC, Emphasis.CODE  # noqa: E741


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("a *bold* word", [("*bold*", B)]),
        ("_all of it_", [("_all of it_", I)]),
        ("run `x * y * z` (*now*)", [("`x * y * z`", C), ("*now*", B)]),
        ("*b* _i_ `c`", [("*b*", B), ("_i_", I), ("`c`", C)]),
        ("2*3*4 and snake_case_name", []),
        ("* a list * of stars *", []),
        ("** ** __init__ ``", []),
        ("*open", []),
        ("a*b* *c*d", []),
    ],
)
def test_what_is_marked(line: str, marked: list[tuple[str, Emphasis]]) -> None:
    assert [piece for piece in emphasised(line) if piece[1] is not Emphasis.PLAIN] == marked


@given(st.text(st.sampled_from("*_` ab."), max_size=40))
def test_nothing_is_lost(line: str) -> None:
    assert "".join(text for text, _ in emphasised(line)) == line
