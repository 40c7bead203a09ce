"""The store in memory alone: what it does when it runs out of budget, and at its end."""

from __future__ import annotations

import threading

from securechat.protocol.envelopes import Posted
from securechat.records import (
    Conflict,
    Lookup,
    Page,
    Record,
    Stored,
    Unknown,
)
from securechat.store.memory import MemoryStore

from .folders import ANN, LATER, PLENTY, TS, numbers, posted
from .people import PEOPLE, frame, kind, message


def small_store(budget: int) -> MemoryStore:
    store = MemoryStore(budget)
    store.load()
    store.commit(PEOPLE, TS)
    return store


def test_beyond_the_budget_the_oldest_of_all_are_pushed_out() -> None:
    store = small_store(budget=10_000)
    for n in range(1, 31):
        room = "#a" if n % 3 else "#b"
        assert store.commit([message(str(n), "x" * 400, to=room)], TS)[0].seq > 0  # type: ignore[union-attr]
    reader = store.reader()
    in_a, in_b = (reader.before(room, None, 100, PLENTY) for room in ("#a", "#b"))
    left = sorted(int(posted(it).id) for page in (in_a, in_b) for it in page.payloads)
    assert left == list(range(31 - len(left), 31))
    assert 8 <= len(left) <= 10
    assert numbers(in_a)[-1] == 20
    assert numbers(in_b)[-1] == 10
    assert store.commit([message("next")], TS) == [Stored(21, TS)]  # numbers stay used


def test_what_was_pushed_out_is_told_as_trimmed() -> None:
    store = small_store(budget=10_000)
    for n in range(1, 31):
        store.commit([message(str(n), "x" * 400)], TS)
    reader = store.reader()
    first = numbers(reader.before("#a", None, 100, PLENTY))[0]
    assert first > 20
    gone = first - 1
    assert store.first_kept("#a") == first
    page = reader.after("#a", 0, 30, 3, PLENTY)
    assert (numbers(page), page.trimmed, page.last, page.more) == (
        [first, first + 1, first + 2],
        gone,
        first + 2,
        True,
    )
    assert reader.after("#a", gone - 1, 30, 3, PLENTY).trimmed == gone
    assert reader.after("#a", gone, 30, 3, PLENTY).trimmed is None
    assert reader.after("#a", 2, 4, 3, PLENTY) == Page([], 4, False, gone)
    assert reader.before("#a", None, 100, PLENTY).trimmed == gone
    assert reader.before("#a", None, 2, PLENTY).trimmed is None
    assert reader.before("#a", first + 2, 2, PLENTY).trimmed is None
    assert reader.before("#a", 3, 2, PLENTY) == Page([], gone, False, gone)


def test_a_repeat_is_known_for_one_though_its_text_is_gone() -> None:
    store = small_store(budget=20_000)
    for n in range(1, 31):
        store.commit([message(str(n), f"text {n} " + "x" * 1_000)], TS)
    assert 18 not in numbers(store.reader().before("#a", None, 100, PLENTY))
    text = "text 18 " + "x" * 1_000
    again: list[Record] = [message("18", text), Lookup(ANN, "18", "#a", text)]
    known, looked_up = store.commit(again, LATER)
    assert frame(known) == frame(looked_up)
    assert frame(known) == Posted(id="18", to="#a", sender="ann", seq=18, ts=TS, text=text)
    assert store._known[ANN, "18"][0].text == ""
    conflicts = store.commit([message("18", "other"), message("18", text, to="#b")], LATER)
    assert [kind(outcome) for outcome in conflicts] == [Conflict, Conflict]


def test_what_is_kept_to_know_repeats_is_bounded_too() -> None:
    store = small_store(budget=20_000)
    for n in range(200):
        store.commit([message(str(n), "x" * 1_000)], TS)
    assert len(store._ghosts) == 20_000 // 4 // 600
    assert len(store._known) < 30
    assert kind(store.commit([Lookup(ANN, "1", "#a", "x" * 1_000)], TS)[0]) is Unknown


def test_a_message_larger_than_the_budget_has_its_number_all_the_same() -> None:
    store = small_store(budget=100)
    assert store.commit([message("1", "x" * 4_000)], TS) == [Stored(1, TS)]
    assert store.commit([message("2")], TS) == [Stored(2, TS)]


def test_readers_of_what_is_being_pushed_out_see_no_wrong_number() -> None:
    store = small_store(budget=30_000)
    wrong, ended = list[object](), threading.Event()

    def read() -> None:
        reader = store.reader()
        try:
            while not ended.is_set():
                for page in (
                    reader.after("#a", 5, 10**6, 50, PLENTY),
                    reader.before("#a", None, 9, 1),
                ):
                    found = [(posted(it).seq, posted(it).id) for it in page.payloads]
                    wrong.extend(it for it in found if str(it[0]) != it[1])
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(1, 2_000):
        store.commit([message(str(n), "x" * 500)], TS)
    ended.set()
    thread.join()
    assert wrong == []


def test_a_closed_store_has_forgotten_everything() -> None:
    store = small_store(budget=10_000)
    store.commit([message("1")], TS)
    store.close()
    assert store.reader().after("#a", 0, 1, 10, PLENTY).payloads == []
