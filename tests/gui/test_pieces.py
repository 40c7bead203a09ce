"""What stands in the window for each thing that happens, and that nothing in it is obeyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from securechat.client.entries import Entry, Kind, Move
from securechat.client.events import Draft, DraftState
from securechat.client.harmless import harmless_text
from securechat.client.log import Item, Moves
from securechat.gui.pieces import Row, rows_of_draft, rows_of_item, text_of
from securechat.settings.model import Joins

from ..client.saying import NOON, message, moved


def rows(
    item: Item, before: Item | None = None, *, is_new: bool = False, joins: Joins = "fold"
) -> list[Row]:
    return rows_of_item(item, before, UTC, is_new=is_new, joins=joins)


def shown(item: Item, before: Item | None = None, *, is_new: bool = False) -> str:
    return text_of(rows(item, before, is_new=is_new))


BEFORE = message("before", nick="dave")


def test_the_day_stands_above_the_first_message_and_above_another_day() -> None:
    assert shown(message()) == "Monday, 23 November 2026\ncarol  12:00\nhello"
    assert shown(message(), BEFORE) == "carol  12:00\nhello"
    tomorrow = message(at=NOON + timedelta(days=1))
    assert shown(tomorrow, BEFORE).startswith("Tuesday, 24 November 2026\n")


def test_who_goes_on_speaking_has_one_heading() -> None:
    first = message()
    assert shown(message("more", at=NOON + timedelta(minutes=4)), first) == "more"
    for other in (
        message("late", at=NOON + timedelta(minutes=6)),
        message("other", nick="dave"),
        message("call", mention=True),
        replace(message("waves"), kind=Kind.ACTION),
    ):
        assert other.nick in shown(other, first)
    assert "carol" in shown(message("new", at=NOON), first, is_new=True)
    assert shown(message("new"), first, is_new=True).startswith(
        "────────  new messages  ────────\n"
    )


def test_a_call_is_said_in_words_too() -> None:
    call = rows(message("bob: come", mention=True), BEFORE)
    assert text_of(call) == "carol  12:00  for you\nbob: come"
    assert all("mention" in row.tags for row in call)
    private = message("psst", mention=True, conversation="@carol")
    assert "for you" not in shown(private, BEFORE)


def test_the_state_of_each_of_our_own() -> None:
    assert shown(message("mine", nick="bob", own=True), BEFORE).endswith("mine ✓")
    draft = Draft("d1", "#lobby", "hello", DraftState.SENDING)
    assert text_of(rows_of_draft(draft, "bob", goes_on=False)) == "bob\nhello  sending …"
    waits = replace(draft, state=DraftState.WAITING, text="two\nlines")
    assert text_of(rows_of_draft(waits, "bob", goes_on=True)) == (
        "two\nlines  waits for the connection …"
    )
    acts = replace(draft, action=True, text="waves")
    assert text_of(rows_of_draft(acts, "bob", goes_on=True)) == "* bob waves  sending …"


def test_what_was_refused_says_why_and_offers_what_can_be_done() -> None:
    draft = Draft("d1", "#lobby", "hello", DraftState.REFUSED, reason="You are muted.")
    drawn = rows_of_draft(draft, "bob", goes_on=True)
    assert text_of(drawn) == "hello\nnot sent: You are muted.   Send again   Drop"
    tags = {tag for piece in drawn[-1].pieces for tag in piece.tags}
    assert {"again:d1", "drop:d1", "link"} <= tags


def test_what_nobody_said() -> None:
    for kind, text in ((Kind.NOTICE, "x"), (Kind.STATE, "x"), (Kind.ANSWER, "x")):
        assert shown(Entry(kind, NOON, "x"), BEFORE) == f"12:00  {text}"
    assert shown(Entry(Kind.ERROR, NOON, "no\nreally"), BEFORE) == "12:00  ! no\n       really"
    assert shown(replace(message("waves"), kind=Kind.ACTION), BEFORE) == "* carol waves  12:00"
    answer = message("yes", reply_to=7)
    assert "in answer to message 7:" in shown(answer, BEFORE)


def test_who_came_and_went_in_short_one_by_one_or_not_at_all() -> None:
    moves = Moves((moved("dave"), moved("erin"), moved("dave", Move.WENT)))
    assert text_of(rows(moves, BEFORE)) == "12:00  dave, erin joined; dave left"
    assert len(rows(moves, BEFORE, joins="show")) == 3
    assert rows(moves, BEFORE, joins="hide") == []


@given(st.text(min_size=1), st.text(min_size=1))
def test_nothing_that_others_write_does_anything(text: str, nick: str) -> None:
    said = rows(message(text, nick=nick), BEFORE)
    assert len(said) == 1 + len(harmless_text(text))
    for row in said:
        for piece in row.pieces:
            assert not set(piece.text) & set("\n\r\t\x1b\x07\u202e\u2066")
