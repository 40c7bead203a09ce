"""The language of search, and who may find what."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.chat import effects as fx
from securechat.chat.searching import (
    MAX_PARTS,
    Asked,
    parse_place,
    parse_query,
    show_place,
)
from securechat.errors import Rejected
from securechat.phrases import Author, Phrase
from securechat.protocol.envelopes import Ban, RoomSettings, Search

from .stage import Person, Stage, code_of

#: 2026-02-10T12:30:00Z
WALL = 1_770_726_600.0


def open_(*words: str) -> Phrase:
    return Phrase(words, open=True)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("tea", Asked((open_("tea"),))),
        ("of TEA", Asked((Phrase(("of",)), open_("tea")))),
        ('"green tea"  pot', Asked((Phrase(("green", "tea")), open_("pot")))),
        ('say"good night"', Asked((open_("say"), Phrase(("good", "night"))))),
        ("it's", Asked((Phrase(("it", "s")),))),
        ("--- tea", Asked((open_("tea"),))),
        ("https://example.org", Asked((open_("https", "example", "org"),))),
        ("From:Bob tea", Asked((open_("tea"),), ("Bob",))),
        ("from:bob from:@Zoë", Asked((), ("bob", "Zoë"))),
        ('from:"bob"', Asked((), ("bob",))),
        ("in:#a in:b in:@ann", Asked((), (), ("#a", "#b", "@ann"))),
        ("after:2026-02-01", Asked(since="2026-02-01T00:00:00.000000Z")),
        ("after:2026-02-01t08:30", Asked(since="2026-02-01T08:30:00.000000Z")),
        ("before:2026-02-01T08:30+01:00", Asked(until="2026-02-01T07:30:00.000000Z")),
        ("before:2026-02-01T08:30:01.5Z", Asked(until="2026-02-01T08:30:01.500000Z")),
        ("after:1d after:2H", Asked(since="2026-02-10T10:30:00.000000Z")),
        ("before:1d before:2h", Asked(until="2026-02-09T12:30:00.000000Z")),
        ("before:0999-01-01", Asked(until="0999-01-01T00:00:00.000000Z")),
        (" ".join(["tea"] * MAX_PARTS), Asked((open_("tea"),) * MAX_PARTS)),
    ],
)
def test_what_a_query_asks_for(text: str, asked: Asked) -> None:
    assert parse_query(text, WALL) == asked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing to look for"),
        ("  ?! ", "nothing to look for"),
        ('""', "nothing to look for"),
        ('a "b', 'A " is missing'),
        ("from: bob", "`from:` has nothing behind it. Write it without a space: from:bob"),
        ('in:"" a', "`in:` has nothing behind it"),
        ("before: a", "before:2026-01-31"),
        ("from:#a", "Behind `from:` stands no nick."),
        ("after:yesterday", "take a day or a time in UTC"),
        ("after:2026-02-30", "take a day or a time in UTC"),
        ("before:2026-01", "take a day or a time in UTC"),
        ("after:0001-01-01T00:00+01:00", "take a day or a time in UTC"),
        (" ".join(["tea"] * (MAX_PARTS + 1)), f"at most {MAX_PARTS} words"),
    ],
)
def test_what_cannot_be_understood_gets_one_line(text: str, told: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_query(text, WALL)
    assert caught.value.code == "bad_query"
    assert told in caught.value.message
    assert "\n" not in caught.value.message


def test_a_place_is_what_it_was_shown_as() -> None:
    place = ("2026-02-10T12:30:00.000001Z", (7 << 40) | 123)
    assert parse_place(show_place(*place)) == place
    for broken in ("", "12", "2026-02-10T12:30:00.000001Z", f"{show_place(*place)}g"):
        with pytest.raises(Rejected) as caught:
            parse_place(broken)
        assert caught.value.code == "bad_query"


# ------------------------------------------------------------------ the command


@pytest.fixture
def stage() -> Stage:
    return Stage()


def find(person: Person, query: str, **keys: Any) -> fx.Find:
    [effect] = person.ask(Search, query=query, **keys)
    assert isinstance(effect, fx.Find)
    return effect


def test_a_search_says_who_looks_for_what(stage: Stage) -> None:
    ann, bob = stage.enter("ann", "#a"), stage.enter("bob")
    ann.say("@bob")
    effect = find(bob, "tea from:Ann from:carol in:#a in:@ann", limit=7)
    assert (effect.connection, effect.re, effect.limit) == (bob.number, "q", 7)
    me, other = (stage.hub.sessions[it.number].identity.number for it in (bob, ann))
    assert effect.query.reader == me
    assert effect.query.phrases == (open_("tea"),)
    assert effect.query.authors == (Author("ann", other), Author("carol", 0))
    assert effect.query.conversations == ("#a", f"@{other}:{me}")
    assert effect.query.before is None


def test_a_search_in_one_place_goes_on_where_a_page_ended(stage: Stage) -> None:
    ann = stage.enter("ann", "#a")
    place = ("2026-02-10T12:30:00.000001Z", 5)
    query = find(ann, "tea", to="#a", before=show_place(*place)).query
    assert (query.conversations, query.before) == (("#a",), place)


@pytest.mark.parametrize(
    ("query", "keys", "code"),
    [
        ("tea", {"to": "#nowhere"}, "no_such_room"),
        ("tea in:nowhere", {}, "no_such_room"),
        ("tea in:@nobody", {}, "no_such_user"),
        ("tea", {"before": "12"}, "bad_query"),
        ('"', {}, "bad_query"),
    ],
)
def test_a_search_that_cannot_be_done_is_refused(
    stage: Stage, query: str, keys: dict[str, str], code: str
) -> None:
    ann = stage.enter("ann")
    assert code_of(ann.ask(Search, query=query, **keys)) == code


def test_an_open_room_is_searched_by_all_and_a_private_one_by_who_is_let_in(stage: Stage) -> None:
    ann = stage.enter("ann", "#a", "#den")
    bob = stage.enter("bob", "#b")
    assert find(bob, "tea").query.hidden == frozenset()
    ann.ask(RoomSettings, room="#den", private=True)
    assert find(bob, "tea").query.hidden == {"#den"}
    assert find(ann, "tea").query.hidden == frozenset()
    assert code_of(bob.ask(Search, query="tea in:#den")) == "no_such_room"
    ann.ask(Ban, room="#a", nick="bob")
    bob.hears()
    assert find(bob, "tea").query.hidden == {"#den", "#a"}
    assert code_of(bob.ask(Search, query="tea", to="#a")) == "forbidden"
