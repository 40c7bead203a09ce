"""Searches: read in a thread of their own, one at a time for each connection."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from securechat.errors import StoreBroken
from securechat.net.ops import Deliver, Op, PageRead, PageWanted
from securechat.phrases import Query
from securechat.records import Found, Page
from securechat.server.readers import Readers, SearchWanted

TS = "2026-05-04T03:02:01.000000Z"


class Library:
    """A store whose searches answer when the test puts an answer there."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[tuple[Query, int]] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Found | Exception] = queue.SimpleQueue()
        self.closed = 0

    def reader(self) -> Any:
        return self

    def search(self, query: Query, limit: int, size: int) -> Found:
        assert 60_000 < size < 65_536
        self.asked.put((query, limit))
        answer = self.answers.get(timeout=10)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def after(self, *_: object) -> Page:
        return Page([], 5, False)

    def close(self) -> None:
        self.closed += 1


class Hall:
    """Readers, and what they post and report."""

    def __init__(self) -> None:
        self.library = Library()
        self.posted: queue.SimpleQueue[tuple[int, Op]] = queue.SimpleQueue()
        self.broken: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.readers = Readers(self.library, self._post, self.broken.put)  # type: ignore[arg-type]
        self.readers.start()

    def _post(self, number: int, ops: Sequence[Op]) -> None:
        for op in ops:
            self.posted.put((number, op))

    def ask(self, number: int, re: str = "q") -> None:
        self.readers.ask(SearchWanted(number, re, Query(1), 3))

    def answer(self) -> tuple[int, Any]:
        number, op = self.posted.get(timeout=10)
        assert isinstance(op, Deliver)
        assert op.number == number
        return number, json.loads(op.data[4:])


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.readers.close()
    assert hall.library.closed == 3  # two readers and the searcher


def test_a_search_is_answered_with_a_page(hall: Hall) -> None:
    hall.ask(4)
    assert hall.library.asked.get(timeout=10) == (Query(1), 3)
    hall.library.answers.put(Found([b'{"seq":2}', b'{"seq":1}'], (TS, 255)))
    number, page = hall.answer()
    assert (number, page) == (
        4,
        {
            "type": "system",
            "re": "q",
            "event": "search",
            "messages": [{"seq": 2}, {"seq": 1}],
            "more": True,
            "next": f"{TS}.ff",
        },
    )
    hall.ask(4)
    hall.library.answers.put(Found([]))
    assert hall.answer()[1]["more"] is False


def test_a_second_search_at_once_is_refused(hall: Hall) -> None:
    hall.ask(4, "first")
    hall.library.asked.get(timeout=10)
    hall.ask(4, "second")
    _, error = hall.answer()
    assert (error["re"], error["code"]) == ("second", "rate_limited")
    hall.ask(6, "another")  # somebody else waits
    hall.library.answers.put(Found([]))
    assert hall.answer()[1]["re"] == "first"
    hall.library.answers.put(Found([]))
    assert hall.answer() == (6, hall_page("another"))


def hall_page(re: str) -> dict[str, Any]:
    return {"type": "system", "re": re, "event": "search", "messages": [], "more": False}


def test_who_waits_for_a_page_does_not_wait_for_searches(hall: Hall) -> None:
    for number in (4, 6, 8):
        hall.ask(number)
    hall.library.asked.get(timeout=10)
    hall.readers.ask(PageWanted(2, "#a", 1, "#a", 0, 5))
    number, op = hall.posted.get(timeout=10)
    assert (number, type(op)) == (2, PageRead)
    for _ in range(3):
        hall.library.answers.put(Found([]))
        hall.answer()


def test_a_search_that_fails_is_told_and_the_next_one_is_done(hall: Hall) -> None:
    hall.ask(4)
    hall.library.answers.put(RuntimeError("planned"))
    assert hall.answer()[1]["code"] == "storage"
    hall.ask(4)
    hall.library.answers.put(StoreBroken("the disk is gone"))
    assert hall.broken.get(timeout=10) == "the disk is gone"
    hall.ask(6)
    hall.library.answers.put(Found([]))
    assert hall.answer()[1]["event"] == "search"
