"""How wide text is, and where it breaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.cells import cells, wrap


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("日本", 4),
        ("e\u0301", 1),
        ("\x1b[1;31mred\x1b[0m", 3),
        ("🦊", 2),
        ("a\u200db", 2),
    ],
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [""]),
        ("short", ["short"]),
        ("   ", [""]),
        ("hello there world", ["hello", "there", "world"]),
        ("hello  there  ", ["hello", "there"]),
        ("abcdefghijklmnop", ["abcdefghij", "klmnop"]),
        ("ab cdefghijklmnop", ["ab cdefghi", "jklmnop"]),
        ("日本語日本語日", ["日本語日本", "語日"]),
        ("a b c d e f g", ["a b c d e", "f g"]),
    ],
)
def test_wrapping(text: str, rows: list[str]) -> None:
    assert [text[cut] for cut in wrap(text, 10, 3)] == rows


def test_wrapping_behind_a_lead() -> None:
    text = "abc defg"
    assert [text[cut] for cut in wrap(text, 10, 3, 3)] == ["abc", "defg"]


@given(st.text(st.sampled_from("ab 日é\u0301🦊"), max_size=80), st.integers(12, 30))
def test_wrapped_rows_fit_and_lose_nothing(text: str, width: int) -> None:
    first, *others = [text[cut] for cut in wrap(text, width, 4)]
    assert cells(first) <= width
    assert all(cells(row) <= width - 4 for row in others)
    assert "".join([first, *others]).replace(" ", "") == text.replace(" ", "")


def test_who_draws_by_another_table_measures_by_it() -> None:
    text = "aa bb cc"
    assert [text[cut] for cut in wrap(text, 8, 0, measure=lambda piece: 2 * len(piece))] == [
        "aa",
        "bb",
        "cc",
    ]
