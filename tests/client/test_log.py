"""Items keep their numbers, whatever is put behind or in front of them."""

from __future__ import annotations

import pytest

from securechat.client.entries import Move
from securechat.client.log import MAX_FOLDED, Log, Moves, head_of, moves_in_short

from .saying import message, moved


def texts(log: Log) -> list[str]:
    return [head_of(log[number]).text for number in range(log.first, log.end)]


def test_a_page_of_history_goes_in_front_and_moves_nothing() -> None:
    log = Log()
    log.add(message("five", seq=5), seen=True)
    page = [message(f"old {seq}", seq=seq, recalled=True) for seq in (3, 4, 5, 6)]
    assert log.put_older(page) == 2
    assert texts(log) == ["old 3", "old 4", "five"]
    assert (log.first, log.end, log.oldest_seq) == (-2, 1, 3)
    assert head_of(log[0]).text == "five"
    assert log.put_older(page) == 0


def test_only_so_much_is_held_and_the_oldest_goes() -> None:
    log = Log(max_items=3)
    for seq in range(1, 6):
        log.add(message(f"m{seq}", seq=seq), seen=True)
    assert texts(log) == ["m3", "m4", "m5"]
    assert (log.first, log.end, log.oldest_seq) == (2, 5, 3)
    assert log.put_older([message("m2", seq=2)]) == 0
    for gone in (1, 5):
        with pytest.raises(IndexError):
            log[gone]


def test_those_who_come_and_go_in_a_row_are_one_item() -> None:
    log = Log()
    assert log.add(moved("carol"), seen=True) == 0
    assert log.add(moved("dave", Move.WENT), seen=True) == 0
    log.add(message(), seen=True)
    log.add(moved("erin"), seen=True)
    item = log[0]
    assert isinstance(item, Moves)
    assert [entry.nick for entry in item.entries] == ["carol", "dave"]
    assert log.end == 3
    for number in range(MAX_FOLDED):
        log.add(moved(f"n{number}"), seen=True)
    assert log.end == 4


@pytest.mark.parametrize(
    ("moves", "told"),
    [
        ("-q +q", "q left; q joined"),
        ("+q -q", "q joined; q left"),
        ("-q +q -q", "q left; q joined; q left"),
        ("+a +b -a -c", "a, b joined; a, c left"),
        ("+a +b +a", "a, b joined"),
        ("+a +b +c +d", "4 joined"),
        ("-a +a -a +a -b", "a joined; a, b left"),
        ("-a +a -a +a -b +b", "a, b left; a, b joined"),
    ],
)
def test_who_came_and_went_is_told_in_its_order(moves: str, told: str) -> None:
    entries = [moved(it[1], Move.CAME if it[0] == "+" else Move.WENT) for it in moves.split()]
    assert moves_in_short(entries) == told


def test_new_is_what_nobody_saw() -> None:
    log = Log()
    log.add(message("seen"), seen=True)
    assert log.marker is None
    log.add(moved("dave"), seen=False)
    log.add(message("ours", own=True), seen=False)
    log.add(message("new"), seen=False)
    log.add(message("newer"), seen=False)
    assert log.marker == 3
    log.leave()
    assert log.marker is None


def test_what_was_missed_while_the_link_was_lost_is_new() -> None:
    log = Log()
    log.add(message("backlog", missed=True), seen=True)
    assert log.marker is None
    log.interrupt()
    log.add(message("missed", missed=True), seen=True)
    assert log.marker == 1
    log.leave()
    log.interrupt()
    log.add(message("live"), seen=True)
    log.add(message("late", missed=True), seen=True)
    assert log.marker is None


def test_searching_goes_back_and_leaves_case_out() -> None:
    log = Log()
    for text in ("The Fox", "a hen", "fox again"):
        log.add(message(text), seen=True)
    log.add(moved("fox"), seen=True)
    assert log.find("FOX", log.end) == 2
    assert log.find("fox", 2) == 0
    assert log.find("fox", 0) is None
    assert log.find("carol a", log.end) == 1


def test_a_cleared_log_is_empty_and_older_than_what_comes() -> None:
    log = Log()
    log.add(message("one", seq=7), seen=False)
    log.add(moved("dave"), seen=True)
    log.clear()
    assert (texts(log), log.marker, log.oldest_seq) == ([], None, 8)
    assert log.put_older([message("one", seq=7, recalled=True)]) == 1
    log.add(message("two", seq=8), seen=True)
    assert texts(log) == ["one", "two"]
    empty = Log()
    empty.clear()
    assert (empty.first, empty.end, empty.oldest_seq) == (0, 0, 0)


def test_messages_are_found_from_one_on_both_ways() -> None:
    log = Log()
    for entry in (message("a", seq=1), moved("dave"), message("b", seq=2), moved("erin")):
        log.add(entry, seen=True)
    assert [log.spoken_near(at, 1) for at in range(-1, 5)] == [0, 0, 2, 2, None, None]
    assert [log.spoken_near(at, -1) for at in range(-1, 5)] == [None, 0, 0, 2, 2, 2]
