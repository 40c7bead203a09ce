"""Where links lead, and that nothing in one can end what it stands in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.cells import wrap
from securechat.client.links import LONGEST, WHOLE, target_of


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("https://x.org/a?b=c&d=%20#e", "https://x.org/a?b=c&d=%20#e"),
        ("https://x.org/grüße", "https://x.org/gr%C3%BC%C3%9Fe"),
        ("http://x.org/\\", "http://x.org/%5C"),
        ("https://x.org/" + "a" * LONGEST, ""),
    ],
)
def test_where_a_link_leads(link: str, target: str) -> None:
    assert target_of(link) == target


@given(st.text(st.characters(codec="utf-8")))
def test_a_target_is_printable_ascii_without_spaces(text: str) -> None:
    target = target_of(f"https://{text}")
    assert all("!" <= char <= "~" for char in target)


def test_a_link_is_broken_nowhere_if_it_is_to_stay_whole() -> None:
    link = "https://example.org/" + "a" * 40
    text = f"12:00 <bob> see ({link}), please"
    rows = [text[cut] for cut in wrap(text, 30, 6, whole=WHOLE)]
    assert rows == ["12:00 <bob> see (", link, "), please"]
    assert max(len(text[cut]) for cut in wrap(text, 30, 6)) <= 30
    assert [*wrap(link, 30, 6, 6, whole=WHOLE)] == [slice(0, len(link))]


def test_what_stays_whole_can_look_like_no_line_of_ours() -> None:
    found = WHOLE.search("https://x.org/" + "a" * 80 + "12:01!<carol>come")
    assert found is not None
    assert "<" not in found[0]
