"""What is emphasised, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.tui.emphasis import Emphasis, emphasised

B, I, C, L = Emphasis.BOLD, Emphasis.ITALIC, Emphasis.CODE, Emphasis.LINK  # noqa: E741


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("so *bold* and _italic_ and `code`", [("*bold*", B), ("_italic_", I), ("`code`", C)]),
        ("*two words*, (_x_)!", [("*two words*", B), ("_x_", I)]),
        ("2*3*4 and snake_case_name and * not * that", []),
        ("`*in code*`", [("`*in code*`", C)]),
        ("**both** and __too__", []),
        ("* a list * of stars *", []),
        ("** ** __init__ `` a*b* *c*d", []),
        ("*open", []),
        ("```x = 1``` in a line", [("```x = 1```", C)]),
        ("see https://a.example/x_y_z, or", [("https://a.example/x_y_z", L)]),
        ("(HTTP://a.example/?q=*b*&c=d)", [("HTTP://a.example/?q=*b*&c=d", L)]),
        ("https:// and ftp://a.example and xhttp://b", []),
        ("*https://a.example*", [("*https://a.example*", B)]),
        ("javascript:alert(1) [x](http://b.example)", [("http://b.example", L)]),
        ("", []),
    ],
)
def test_what_is_emphasised(line: str, marked: list[tuple[str, Emphasis]]) -> None:
    [pieces] = emphasised([line])
    assert [piece for piece in pieces if piece[1] is not Emphasis.PLAIN] == marked


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("look:\n```python\nx = *a*\n\n_b_\n```\n*so*", [1, 2, 3, 4, 5]),
        ("```\nnever closed", [0, 1]),
        ("````\n```\n````\nbehind", [0, 1, 2]),
        ("```\n``` x\n```", [0, 1, 2]),
        ("a ```\nb", []),
        ("``\nb\n``", []),
    ],
)
def test_blocks_of_code(text: str, code: list[int]) -> None:
    lines = emphasised(text.split("\n"))
    assert [at for at, pieces in enumerate(lines) if [how for _, how in pieces] == [C]] == code


@given(st.lists(st.text("ab *_`/:.\nhttps(", max_size=40).map(lambda one: one.replace("\n", ""))))
def test_nothing_is_lost_or_added(lines: list[str]) -> None:
    assert ["".join(text for text, _ in pieces) for pieces in emphasised(lines)] == lines
