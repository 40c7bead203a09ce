"""Entries as rows for people and as records for programs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.cli.render import (
    Look,
    day_of,
    day_row,
    has_many_colours,
    plain,
    record,
    rows,
    wants_colour,
)
from securechat.client.cells import cells
from securechat.client.entries import Entry, Found, Kind
from securechat.client.nick_colours import NICK_COLOURS

NOW = datetime(2026, 11, 23, 23, 59, 8, 500_000, tzinfo=UTC)
PLAIN = Look(zone=UTC)
COLOURED = Look(colour=True, many_colours=True, zone=UTC)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def entry(kind: Kind = Kind.MESSAGE, text: str = "hello", **keys: Any) -> Entry:
    usual = {"conversation": "#lobby", "nick": "carol", "at": NOW}
    return Entry(kind=kind, text=text, **{**usual, **keys})


@pytest.mark.parametrize(
    ("shown", "row"),
    [
        (entry(), "23:59 <carol> hello"),
        (entry(Kind.ACTION, "waves"), "23:59 * carol waves"),
        (entry(conversation="#den"), "23:59 #den <carol> hello"),
        (entry(conversation="@carol", mention=True), "23:59!@carol <carol> hello"),
        (entry(mention=True), "23:59!<carol> hello"),
        (entry(missed=True), "23:59~<carol> hello"),
        (entry(recalled=True), "23:59~<carol> hello"),
        (entry(reply_to=7), "23:59 <carol> [re 7] hello"),
        (entry(Kind.NOTICE, "dave joined", nick=""), "23:59 -- dave joined"),
        (entry(Kind.NOTICE, "dave joined", conversation="#den"), "23:59 #den -- dave joined"),
        (entry(Kind.ANSWER, "1 online", conversation="#den"), "23:59 -- 1 online"),
        (entry(Kind.STATE, "connected", conversation=None), "23:59 -- connected"),
        (entry(Kind.ERROR, "No.", conversation=None), "23:59 !! No."),
        (entry(Kind.UNSENT, note="waiting"), "23:59 (waiting) <carol> hello"),
        (entry(Kind.REFUSED, note="Too long."), "23:59 !! not sent (Too long.): hello"),
        (
            entry(seq=12, recalled=True, found=Found.HIT),
            "2026-11-23 23:59>#lobby [12] <carol> hello",
        ),
        (
            entry(Kind.ACTION, "waves", seq=13, recalled=True, found=Found.NEAR),
            "2026-11-23 23:59 #lobby [13] * carol waves",
        ),
    ],
)
def test_rows(shown: Entry, row: str) -> None:
    assert rows(shown, PLAIN, "#lobby") == [row]
    assert [COLOUR.sub("", one) for one in rows(shown, COLOURED, "#lobby")] == [row]


def test_every_kind_has_a_look() -> None:
    for kind in Kind:
        assert rows(entry(kind), PLAIN, None)
        assert record(entry(kind), "utf-8")


def test_times_are_those_of_the_zone() -> None:
    east = replace(PLAIN, zone=timezone(timedelta(hours=2)))
    assert rows(entry(), east, "#lobby") == ["01:59 <carol> hello"]
    assert (day_of(entry(), PLAIN), day_of(entry(), east)) == (
        date(2026, 11, 23),
        date(2026, 11, 24),
    )
    assert day_row(date(2026, 11, 24), PLAIN) == "--- 2026-11-24"


def test_all_rows_but_the_first_are_indented() -> None:
    long = entry(text="12:00 <dave> I never said this " * 3 + "\n12:00 <dave> nor this")
    narrow = replace(PLAIN, width=40)
    first, *others = rows(long, narrow, "#lobby")
    assert first == "23:59 <carol> 12:00 <dave> I never said"
    assert len(others) == 4
    assert all(row.startswith("      ") for row in others)
    assert all(row.startswith("      ") for row in rows(long, PLAIN, "#lobby")[1:])


texts = st.text(st.characters(codec=None), max_size=120)


@given(texts, texts, texts, st.sampled_from(list(Kind)), st.integers(8, 60), st.booleans())
def test_whatever_comes_rows_fit_and_obey_nobody(
    text: str, nick: str, place: str, kind: Kind, width: int, colour: bool
) -> None:
    look = Look(colour=colour, many_colours=True, width=width, zone=UTC)
    shown = entry(kind, text, nick=nick, conversation=place, note=text, mention=colour)
    for number, row in enumerate(rows(shown, look, "#lobby")):
        bare = COLOUR.sub("", row) if colour else row
        assert "\x1b" not in bare
        assert "\n" not in bare
        assert "\r" not in bare
        assert cells(bare) <= width
        assert number == 0 or bare.startswith(" " * min(6, width // 2))
    assert "\n" not in record(shown, "utf-8")
    assert "\x1b" not in record(shown, "utf-8")


def test_each_row_ends_the_colours_that_it_begins() -> None:
    for kind in Kind:
        for keys in ({}, {"missed": True}, {"mention": True}):
            shown = entry(kind, "word " * 30, note="why", **keys)
            for row in rows(shown, replace(COLOURED, width=30), None):
                assert row.count("\x1b[0m") == len(COLOUR.findall(row)) / 2
                assert "\x1b[0m" not in row or row.rindex("\x1b[") == row.rindex("\x1b[0m")


def test_colours_tell_kinds_apart() -> None:
    assert "\x1b[31m" in rows(entry(Kind.ERROR), COLOURED, "#lobby")[0]
    assert "\x1b[1;7mcarol\x1b[0m" in rows(entry(mention=True), COLOURED, "#lobby")[0]
    assert rows(entry(missed=True), COLOURED, "#lobby") == ["\x1b[2m23:59~<carol> hello\x1b[0m"]


def test_a_nick_has_its_colour_for_ever() -> None:
    look = replace(COLOURED, many_colours=False)
    assert "\x1b[38;5;27mcarol\x1b[0m" in rows(entry(), COLOURED, "#lobby")[0]
    assert rows(entry(), look, "#lobby") == rows(entry(), look, "#lobby")
    assert (
        rows(entry(nick="CAROL"), look, "#lobby")[0].replace("CAROL", "carol")
        == (rows(entry(), look, "#lobby")[0])
    )
    seen = {
        COLOUR.findall(rows(entry(nick=f"n{number}"), COLOURED, "#lobby")[0])[2]
        for number in range(200)
    }
    assert len(seen) == len(NICK_COLOURS)


@pytest.mark.parametrize(
    ("environ", "is_terminal", "refused", "colour"),
    [
        ({"TERM": "xterm"}, True, False, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, False, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False, False),
        ({"TERM": "xterm"}, False, False, False),
        ({"TERM": "xterm"}, True, True, False),
        ({"TERM": "dumb"}, True, False, False),
        ({}, True, False, False),
    ],
)
def test_when_there_is_colour(
    environ: dict[str, str], is_terminal: bool, refused: bool, colour: bool
) -> None:
    assert wants_colour(environ, is_terminal=is_terminal, refused=refused) is colour


def test_which_terminals_know_many_colours() -> None:
    assert has_many_colours({"TERM": "xterm-256color"})
    assert has_many_colours({"TERM": "xterm", "COLORTERM": "truecolor"})
    assert not has_many_colours({"TERM": "linux"})


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (entry(), "2026-11-23T23:59:08Z #lobby <carol> hello"),
        (entry(Kind.ACTION, "waves"), "2026-11-23T23:59:08Z #lobby * carol waves"),
        (entry(conversation="@carol"), "2026-11-23T23:59:08Z @carol <carol> hello"),
        (entry(text="two\nlines"), "2026-11-23T23:59:08Z #lobby <carol> two⏎lines"),
        (entry(text="\x1b[2J"), "2026-11-23T23:59:08Z #lobby <carol> \\x1b[2J"),
        (entry(Kind.NOTICE, "dave joined"), "2026-11-23T23:59:08Z #lobby -- dave joined"),
        (
            entry(Kind.ANSWER, "1 online", conversation=None),
            "2026-11-23T23:59:08Z - -- 1 online",
        ),
        (
            entry(seq=12, recalled=True, found=Found.HIT),
            "2026-11-23T23:59:08Z #lobby [12] <carol> hello",
        ),
    ],
)
def test_records(shown: Entry, line: str) -> None:
    assert record(shown, "utf-8") == line


def test_what_the_encoding_lacks_is_shown_otherwise() -> None:
    said = entry(text="caf\u00e9 \u2026\n\U0001f98a")
    assert record(said, "ascii").endswith("<carol> caf\\xe9 ...\\n\\u{1f98a}")
    assert rows(said, replace(PLAIN, encoding="ascii"), "#lobby") == [
        "23:59 <carol> caf\\xe9 ...",
        "      \\u{1f98a}",
    ]
    assert plain("[#caf\u00e9] \x1b", "ascii") == "[#caf\\xe9] \\x1b"
