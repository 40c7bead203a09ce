"""What the tests of searching share: what was said, and ways to look for it."""

from __future__ import annotations

from contextlib import closing

from securechat.phrases import Phrase, Query
from securechat.store.base import Store

from .folders import PLENTY, posted

FRAME = 60_000


def hour(number: int) -> str:
    return f"2026-05-04T{number:02d}:00:00.000000Z"


def tea(*, open: bool = False) -> tuple[Phrase, ...]:
    return (Phrase(("tea",), open),)


def texts(store: Store, query: Query, limit: int = PLENTY, size: int = FRAME) -> list[str]:
    with closing(store.reader()) as reader:
        return [posted(one).text for one in reader.search(query, limit, size).payloads]


def take_in(store: Store, budget: int = 3) -> int:
    """Bring the index up to date; how many pieces it took."""
    store.tidy()  # what waits in the journal is not for the index yet
    index = store.indexer()
    pieces = 0
    if index is not None:
        with closing(index):
            pieces = 1
            while index.work(budget).more:
                pieces += 1
    return pieces


def take_in_a_part(store: Store) -> None:
    store.tidy()
    index = store.indexer()
    if index is not None:
        with closing(index):
            index.work(4)
