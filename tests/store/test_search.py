"""Searching: every store finds the same, with an index, with half of one and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from securechat.phrases import Author, Phrase, Query
from securechat.store.base import Store
from securechat.store.memory import MemoryStore
from securechat.store.sqlite import open_store

from .folders import ANN, BOB, EVE, PLENTY, identity, message, posted
from .seeking import FRAME, hour, take_in, take_in_a_part, tea


def leave_as_it_is(_: Store) -> None:
    """Have no index."""


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(MemoryStore() if request.param == "memory" else open_store(tmp_path)) as store:
        store.load()
        store.commit([identity(ANN, "ann"), identity(BOB, "bob"), identity(EVE, "eve")], hour(0))
        yield store


@pytest.fixture(params=[leave_as_it_is, take_in_a_part, take_in])
def index(request: pytest.FixtureRequest) -> Callable[[Store], None]:
    """How far the index is, when somebody looks."""
    taking: Callable[[Store], None] = request.param
    return taking


@pytest.fixture
def said(store: Store, index: Callable[[Store], None]) -> Store:
    """A store in which this and that was said."""
    store.commit([message("1", "green tea"), message("2", "Black TEA!", by=BOB)], hour(1))
    store.commit([message("3", "the team", to="#b", by=BOB)], hour(2))
    store.commit([message("4", "tea, just us", to="@bob", key="@1:2")], hour(3))
    store.commit([message("5", "tea, us too", to="@eve", key="@2:3", by=BOB)], hour(3))
    store.commit([message("6", "tea to myself", to="@eve", key="@3:3", by=EVE)], hour(4))
    index(store)
    store.commit([message("7", "Thé or tea or té?", to="#b", by=EVE)], hour(5))
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(ANN, phrases=tea()), "7421"),
        (Query(BOB, phrases=tea()), "75421"),
        (Query(EVE, phrases=tea()), "76521"),
        (Query(9, phrases=tea()), "721"),
        (Query(9, phrases=tea(open=True)), "7321"),
        (Query(9, phrases=(Phrase(("green", "tea")),)), "1"),
        (Query(9, phrases=(*tea(), Phrase(("green",)))), "1"),
        (Query(9, phrases=(Phrase(("the",)),)), "73"),
        (Query(9, phrases=(Phrase(("coffee",)),)), ""),
        (Query(9, phrases=(Phrase(("or", "te"), open=True),)), "7"),
        (Query(ANN, authors=(Author("nick2", 0),)), "32"),
        (Query(ANN, authors=(Author("nobody", BOB), Author("nick3", 0))), "732"),
        (Query(ANN, conversations=("#b",)), "73"),
        (Query(ANN, conversations=("#b", "@1:2"), phrases=tea()), "74"),
        (Query(ANN, conversations=("@2:3",)), ""),
        (Query(ANN, conversations=("#nowhere",)), ""),
        (Query(ANN, hidden=frozenset({"#b"})), "421"),
        (Query(ANN, since=hour(2)), "743"),
        (Query(ANN, until=hour(2)), "21"),
        (Query(ANN, since=hour(2), until=hour(3)), "3"),
        (Query(EVE), "765321"),
    ],
)
def test_what_is_found(said: Store, query: Query, found: str) -> None:
    with closing(said.reader()) as reader:
        page = reader.search(query, PLENTY, FRAME)
    assert page.next is None
    numbers = [posted(one).id for one in page.payloads]
    assert sorted(numbers, reverse=True) == list(found)
    stamps = [posted(one).ts for one in page.payloads]
    assert stamps == sorted(stamps, reverse=True)


def test_what_is_found_looks_as_it_did(said: Store) -> None:
    query = Query(BOB, phrases=(Phrase(("us",)),))
    with closing(said.reader()) as reader:
        told = [posted(one) for one in reader.search(query, PLENTY, FRAME).payloads]
    assert {(one.to, one.sender, one.seq) for one in told} == {
        ("@bob", "ann", 1),
        ("@eve", "bob", 1),
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    store: Store, index: Callable[[Store], None], limit: int
) -> None:
    for batch in range(4):  # of each batch all have one time
        rows = [message(f"{batch}-{n}", f"tea {batch}-{n}", to=f"#r{n % 2}") for n in range(5)]
        store.commit(rows, hour(batch // 2))
        if batch == 2:
            index(store)
    query, pages, seen = Query(9, phrases=tea()), 0, []
    with closing(store.reader()) as reader:
        while True:
            found = reader.search(query, limit, FRAME)
            pages += 1
            seen += [posted(one).text for one in found.payloads]
            if found.next is None:
                break
            query = query._replace(before=found.next)
            if pages == 2:
                index(store)  # what was not in the index may be by the next page
    assert len(seen) == len(set(seen)) == 20
    assert pages == -(-20 // limit)


def test_a_page_is_no_longer_than_it_may_be(said: Store) -> None:
    query = Query(9, phrases=tea())
    with closing(said.reader()) as reader:
        whole = reader.search(query, PLENTY, FRAME).payloads
        size = sum(len(one) + 1 for one in whole)
        assert reader.search(query, PLENTY, size).payloads == whole
        assert reader.search(query, PLENTY, size - 1).payloads == whole[:-1]
        assert reader.search(query, PLENTY, 1).payloads == whole[:1]
