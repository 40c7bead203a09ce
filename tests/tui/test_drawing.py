"""Items as rows: what they say without any colour, and that nothing in them is obeyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from securechat.client.entries import Entry, Kind, Move
from securechat.client.events import NO_LINK, Draft, DraftState
from securechat.client.log import Item, Moves
from securechat.tui.drawing import Lines, Tint, fitted, rows_of_draft, rows_of_item, rule
from securechat.tui.palette import strip_of

from ..client.saying import NOON, message, moved


def plain(lines: Lines) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


def drawn(item: Item, width: int = 40, *, folded: bool = True) -> list[str]:
    return plain(rows_of_item(item, width, UTC, folded=folded))


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        ({}, "12:00 <carol> hello"),
        ({"own": True, "nick": "bob"}, "12:00✓<bob> hello"),
        ({"mention": True}, "12:00!<carol> hello"),
        ({"missed": True, "own": True}, "12:00~<carol> hello"),
        ({"recalled": True}, "12:00~<carol> hello"),
        ({"kind": Kind.ACTION, "text": "waves"}, "12:00 * carol waves"),
        ({"reply_to": 7}, "12:00 <carol> [re 7] hello"),
        ({"kind": Kind.STATE}, "12:00 -- hello"),
        ({"kind": Kind.ANSWER}, "12:00 -- hello"),
        ({"kind": Kind.ERROR}, "12:00 !! hello"),
    ],
)
def test_the_mark_says_what_a_colour_says(keys: dict[str, Any], row: str) -> None:
    assert drawn(message(**keys)) == [row]


def test_rows_below_the_first_cannot_pass_for_another_entry() -> None:
    assert drawn(message("one two three four\n12:00 <dave> liar"), 24) == [
        "12:00 <carol> one two",
        "      three four",
        "      12:00 <dave> liar",
    ]


def test_who_comes_and_goes_is_folded() -> None:
    moves = Moves((moved("carol"), moved("dave"), moved("carol", Move.WENT)))
    assert drawn(moves) == ["12:00 -- carol, dave joined; carol left"]
    assert drawn(moves, folded=False) == [
        "12:00 -- carol joined",
        "12:00 -- dave joined",
        "12:00 -- carol left",
    ]
    many = Moves(tuple(moved(f"n{number}") for number in range(9)))
    assert drawn(many) == ["12:00 -- 9 joined"]
    assert drawn(Moves((moved("carol"),))) == ["12:00 -- carol joined"]


@pytest.mark.parametrize(
    ("state", "rows"),
    [
        (DraftState.SENDING, ["     …<bob> hello (sending)"]),
        (DraftState.WAITING, ["     …<bob> hello (waits: too fast)"]),
        (
            DraftState.REFUSED,
            [
                "     ✗<bob> hello",
                "      not sent (too fast) press r",
            ],
        ),
    ],
)
def test_the_state_of_what_is_not_stored(state: DraftState, rows: list[str]) -> None:
    draft = Draft("d1", "#lobby", "hello", state, reason="too fast")
    assert plain(rows_of_draft(draft, "bob", 80, "press r")) == rows
    action = plain(rows_of_draft(replace(draft, action=True), "bob", 80, ""))
    assert action[0].startswith(rows[0][:6] + "* bob hello")


def test_what_waits_says_for_what() -> None:
    full = "The server has no room to store this; it was not accepted. Send it again later."
    for reason, told in {
        NO_LINK: "waits for the connection",
        full: "waits: the server has no room to store this; it was not accepted",
    }.items():
        draft = Draft("d1", "#lobby", "hello", DraftState.WAITING, reason=reason)
        assert plain(rows_of_draft(draft, "bob", 99, "")) == [f"     …<bob> hello ({told})"]


def test_emphasis_keeps_its_signs() -> None:
    [row] = rows_of_item(message("so *bold* `x*y*`"), 40, UTC, folded=True)
    assert [(span.text, span.tint) for span in row[-4:]] == [
        ("so ", Tint.PLAIN),
        ("*bold*", Tint.BOLD),
        (" ", Tint.PLAIN),
        ("`x*y*`", Tint.CODE),
    ]


def test_a_rule_fills_the_row() -> None:
    assert plain([rule("Monday", 12)]) == ["── Monday ──"]
    assert fitted("garden", 6) == "garden"
    assert fitted("gardens", 6) == "garde…"
    assert fitted("日本語", 4) == "日…"
    assert fitted("ab", 0) == ""


anything = st.text(st.characters(), max_size=60)


@given(anything, anything, st.sampled_from(Kind), st.integers(20, 80))
def test_whatever_others_write_stays_within_its_rows(
    text: str, nick: str, kind: Kind, width: int
) -> None:
    if kind in (Kind.UNSENT, Kind.REFUSED):
        draft = Draft("d", "#x", text, DraftState.REFUSED, reason=nick)
        lines = rows_of_draft(draft, nick, width, "press r")
    else:
        lines = rows_of_item(Entry(kind, NOON, text, "#x", nick), width, UTC, folded=True)
    for row in plain(lines):
        assert cell_len(row) <= width
        assert not any(char < " " or "\x7f" <= char < "\xa0" or char == "\u202e" for char in row)


def test_a_block_of_code_keeps_its_spaces_and_wraps_like_the_rest() -> None:
    rows = drawn(message("so:\n```\nif x:\n    y = *1*\n```\nhttps://a.example"), 40)
    assert rows == [
        "12:00 <carol> so:",
        "      ```",
        "      if x:",
        "          y = *1*",
        "      ```",
        "      https://a.example",
    ]


def test_all_rows_of_a_link_lead_to_the_same_place() -> None:
    link = "https://example.org/" + "a" * 60
    rows = rows_of_item(message(f"see {link}. <b>"), 40, UTC, folded=True)
    spans = [span for row in rows for span in row if span.link]
    assert "".join(span.text for span in spans) == link
    assert len(spans) > 1
    assert {span.link for span in spans} == {link}
    styles = [
        segment.style
        for row in rows
        for segment in strip_of(row, 40, Style(bgcolor="black"), "textual-dark")
        if segment.style is not None and segment.style.link
    ]
    assert {style.link for style in styles} == {link}
    assert len({style.link_id for style in styles}) == 1
    assert not [
        span
        for row in rows_of_item(message("ftp://x *b* `https`"), 40, UTC, folded=True)
        for span in row
        if span.link
    ]
