"""The part of a log that stands in the text widget: the edits lead where a fresh drawing would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.client.entries import Entry, Move
from securechat.client.events import Draft, DraftState
from securechat.client.log import Item, Log
from securechat.gui.page import MAX_SHOWN, STEP, Delete, Edit, Insert, Page, Replace, line_after
from securechat.gui.pieces import Piece, Row, rows_of_item, text_of

from ..client.saying import message, moved


def draw_item(item: Item, before: Item | None, is_new: bool) -> list[Row]:
    return rows_of_item(item, before, None, is_new=is_new, joins="fold")


def draw_draft(draft: Draft, _before: Draft | Item | None) -> list[Row]:
    return [Row((Piece(line),), ()) for line in draft.text.split("\n")]


class Widget:
    """What a text widget makes of edits; only what is there can be taken away."""

    def __init__(self, log: Log) -> None:
        self.page = Page(log, draw_item, draw_draft)
        self.rows: list[Row] = []
        self.written = 0

    def write(self, edits: Iterable[Edit]) -> None:
        for edit in edits:
            at = edit.line - 1
            assert 0 <= at <= len(self.rows)
            lines = 0 if isinstance(edit, Insert) else edit.lines
            rows = [] if isinstance(edit, Delete) else edit.rows
            assert at + lines <= len(self.rows)
            self.rows[at : at + lines] = rows
            self.written += len(rows)

    def follow(self, drafts: Iterable[Draft] = ()) -> None:
        self.write(self.page.update(list(drafts), follow=True))

    @property
    def text(self) -> str:
        return text_of(self.rows)


def fresh(page: Page, drafts: Iterable[Draft]) -> list[Row]:
    """The same part of the log, drawn at once."""
    log, rows = page.log, list[Row]()
    for number in range(page.first, page.end):
        before = log[number - 1] if number > log.first else None
        rows += draw_item(log[number], before, log.marker == number)
    if page.is_at_end:
        for draft in drafts:
            rows += draw_draft(draft, None)
    return rows


def filled(count: int) -> Log:
    log = Log()
    for number in range(count):
        log.add(message(f"message {number}", seq=number + 1), seen=True)
    return log


def draft(number: int, text: str = "mine") -> Draft:
    return Draft(f"d{number}", "#lobby", f"{text} {number}", DraftState.SENDING)


def test_it_begins_with_the_newest() -> None:
    widget = Widget(filled(1_000))
    widget.follow()
    assert widget.page.end - widget.page.first == STEP
    assert widget.text.endswith("message 999")
    assert widget.page.is_at_end


def test_what_is_there_is_not_drawn_again() -> None:
    widget = Widget(filled(10))
    widget.follow()
    before = widget.written
    widget.page.log.add(message("one more", seq=11), seen=True)
    widget.follow()
    assert widget.written == before + 1


def test_it_never_holds_more_than_a_window_takes() -> None:
    log = filled(50)
    widget = Widget(log)
    for number in range(2_000):
        log.add(message(f"flood {number}", seq=51 + number), seen=True)
        if number % 7 == 0:
            widget.follow()
    widget.follow()
    assert len(widget.rows) <= MAX_SHOWN + 3
    assert widget.rows == fresh(widget.page, ())


def test_a_burst_is_not_drawn_message_by_message() -> None:
    log = filled(300)
    widget = Widget(log)
    widget.follow()
    for number in range(2_000):
        log.add(message(f"flood {number}", seq=301 + number), seen=True)
    before = widget.written
    widget.follow()
    assert widget.written - before <= STEP + 3
    assert widget.text.endswith("flood 1999")


def test_scrolling_up_and_down_walks_through_all_of_it() -> None:
    widget = Widget(filled(1_000))
    widget.follow()
    while widget.page.first > 0:
        widget.write(widget.page.show_older())
        assert len(widget.rows) <= MAX_SHOWN + 3
    assert "message 0" in widget.text
    assert widget.page.show_older() == []
    assert not widget.page.is_at_end
    while not widget.page.is_at_end:
        widget.write(widget.page.show_newer())
    assert widget.text.endswith("message 999")
    assert widget.page.show_newer() == []


def test_who_has_scrolled_up_sees_no_change() -> None:
    log = filled(1_000)
    widget = Widget(log)
    widget.write(widget.page.show(10))
    widget.write(widget.page.update([], follow=False))
    while len(widget.rows) < MAX_SHOWN:
        widget.write(widget.page.show_newer())
    before = list(widget.rows)
    log.add(message("new", seq=1_001), seen=True)
    widget.write(widget.page.update([draft(1)], follow=False))
    assert widget.rows == before
    widget.write(widget.page.show_end())
    assert widget.text.endswith("new\nmine 1")


def test_drafts_stand_behind_everything_and_go_one_by_one() -> None:
    log = filled(3)
    widget = Widget(log)
    widget.follow([draft(1), draft(2)])
    assert widget.text.endswith("message 2\nmine 1\nmine 2")
    log.add(message("mine 1", seq=4), seen=True)
    widget.follow([draft(2)])
    assert widget.text.endswith("mine 1\nmine 2")
    found = widget.page.draft_at(len(widget.rows))
    assert found is not None
    assert found.id == "d2"
    assert widget.page.draft_at(1) is None


def test_a_place_is_found_again() -> None:
    widget = Widget(filled(500))
    widget.write(widget.page.show(250))
    line = widget.page.line_of(250)
    assert widget.rows[line - 1].pieces[-1].text == "message 250"
    assert widget.page.number_at(line) == 250
    item = widget.page.item_at(line)
    assert isinstance(item, Entry)
    assert item.text == "message 250"
    assert widget.page.item_at(len(widget.rows) + 1) is None


def test_new_messages_begin_where_one_left_off() -> None:
    log = filled(3)
    widget = Widget(log)
    widget.follow()
    log.add(message("unseen", seq=4), seen=False)
    widget.follow()
    assert "  new messages  " in widget.text
    log.leave()
    widget.follow()
    assert "new messages" not in widget.text
    assert widget.rows == fresh(widget.page, ())


def test_drawing_anew_keeps_the_place() -> None:
    widget = Widget(filled(500))
    widget.write(widget.page.show(100))
    before, first = list(widget.rows), widget.page.first
    widget.write(widget.page.redraw())
    assert (widget.rows, widget.page.first) == (before, first)


def test_a_line_is_followed_through_edits() -> None:
    row = Row((), ())
    assert line_after(5, [Insert(1, [row] * 3)]) == 8
    assert line_after(5, [Insert(6, [row])]) == 5
    assert line_after(5, [Delete(1, 2)]) == 3
    assert line_after(5, [Delete(4, 9)]) == 4
    assert line_after(5, [Delete(6, 9)]) == 5
    assert line_after(5, [Replace(1, 2, [row] * 4)]) == 7
    assert line_after(5, [Replace(5, 3, [row] * 2)]) == 5
    assert line_after(5, [Replace(3, 3, [row])]) == 3
    assert line_after(5, [Replace(6, 3, [row])]) == 5
    assert line_after(1, [Delete(1, 1), Insert(1, [row])]) == 2


def test_older_items_in_front_leave_the_line_that_one_looks_at() -> None:
    widget = Widget(filled(1_000))
    widget.follow()
    line = 10
    seen = widget.rows[line - 1]
    edits = widget.page.show_older()
    line = line_after(line, edits)
    widget.write(edits)
    assert widget.rows[line - 1] == seen


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 400)), max_size=40))
def test_whatever_happens_the_widget_shows_what_a_fresh_drawing_would(
    steps: list[tuple[int, int]],
) -> None:
    log = Log(max_items=600)
    widget = Widget(log)
    drafts: list[Draft] = []
    seq = 10_000
    for kind, amount in steps:
        if kind == 0:
            for _ in range(amount):
                seq += 1
                log.add(message(f"m{seq}", seq=seq), seen=amount % 2 == 0)
        elif kind == 1:
            log.add(moved(f"n{amount}", Move.CAME if amount % 2 else Move.WENT), seen=True)
        elif kind == 2 and log.oldest_seq > amount:
            older = log.oldest_seq
            log.put_older(message(f"old {n}", seq=n) for n in range(older - amount, older))
        elif kind == 3:
            drafts = [*drafts[amount % 3 :], replace(draft(amount), id=f"d{seq}-{amount}")][-4:]
        elif kind == 4:
            widget.write(widget.page.show_older())
        elif kind == 5:
            widget.write(widget.page.show_newer())
        elif kind == 6 and log.end > log.first:
            widget.write(widget.page.show(log.first + amount % (log.end - log.first)))
        elif kind == 7:
            log.leave()
        elif kind == 8:
            widget.write(widget.page.show_end())
        widget.write(widget.page.update(drafts, follow=kind % 2 == 0))
        assert widget.rows == fresh(widget.page, drafts)
