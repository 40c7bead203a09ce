"""Words of a text, and rows of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.phrases import Author, Phrase, Query, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("?! -- ...", []),
        ("Hello, World", ["hello", "world"]),
        ("foo_bar a-b 12:30", ["foo", "bar", "a", "b", "12", "30"]),
        ("Café Ångström Straße", ["cafe", "angstrom", "strasse"]),
        ("Cafe\N{COMBINING ACUTE ACCENT}", ["cafe"]),
        ("東京タワー 1号", ["東", "京", "タ", "ワ", "ー", "1", "号"]),
        ("がか", ["が", "か"]),
        ("한국어", ["한국어"]),
        ("ﬁne Ⅻ", ["fine", "xii"]),
        ("tea 🍵 time", ["tea", "time"]),
    ],
)
def test_the_words_of_a_text(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text())
def test_words_are_words_of_themselves(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)


@pytest.mark.parametrize(
    ("phrase", "text", "there"),
    [
        (Phrase(("tea",)), "green tea", True),
        (Phrase(("tea",)), "the team", False),
        (Phrase(("tea",), open=True), "the team", True),
        (Phrase(("tea",), open=True), "ate", False),
        (Phrase(("green", "tea")), "a green green tea", True),
        (Phrase(("green", "tea")), "tea green", False),
        (Phrase(("green", "te"), open=True), "green tea", True),
        (Phrase(("green", "te"), open=True), "gree tea", False),
        (Phrase(("a", "b", "c")), "a b", False),
        (Phrase(("a",)), "", False),
    ],
)
def test_a_phrase_is_words_in_a_row(phrase: Phrase, text: str, there: bool) -> None:
    assert phrase.is_in(words(text)) is there


def test_direct_conversations_are_for_their_two_sides() -> None:
    assert [Query(reader).may_read("@1:12") for reader in (1, 12, 2)] == [True, True, False]
    assert Query(7, hidden=frozenset({"#a"})).may_read("#b")
    assert not Query(7, hidden=frozenset({"#a"})).may_read("#a")


def test_conversations_that_are_named_are_covered_if_they_may_be_read() -> None:
    query = Query(1, hidden=frozenset({"#b"}), conversations=("#a", "#b", "@2:3"))
    assert [query.covers(name) for name in ("#a", "#b", "#c", "@2:3", "@1:2")] == [
        *(True, False, False, False, False)
    ]


NOON, LATER = "2026-05-04T12:00:00.000000Z", "2026-05-04T13:00:00.000000Z"


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        (Query(1), True),
        (Query(1, since=NOON), True),
        (Query(1, since=LATER), False),
        (Query(1, until=LATER), True),
        (Query(1, until=NOON), False),
        (Query(1, before=(NOON, 6)), True),
        (Query(1, before=(NOON, 5)), False),
        (Query(1, authors=(Author("bob", 0),)), True),
        (Query(1, authors=(Author("ann", 0), Author("eve", 9))), True),
        (Query(1, authors=(Author("ann", 0),)), False),
        (Query(1, phrases=(Phrase(("tea",)), Phrase(("green",)))), True),
        (Query(1, phrases=(Phrase(("tea",)), Phrase(("red",)))), False),
    ],
)
def test_a_message_is_held_against_all_of_a_query(query: Query, fits: bool) -> None:
    assert query.matches(9, "Bob", NOON, 5, "Green Tea!") is fits
