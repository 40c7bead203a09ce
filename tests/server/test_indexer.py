"""The indexer: piece by piece, at rest between them, and no harm when it cannot go on."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import Any

import pytest

from securechat.errors import StoreBroken, StoreFull, StoreRefused
from securechat.server.indexer import IndexKeeper, Load
from securechat.store.base import Taken
from securechat.store.memory import MemoryStore


class Index:
    """An index that works as the test says; notes what is done with it."""

    def __init__(self, *results: int | Exception) -> None:
        self.results = list(results)
        self.noted: queue.SimpleQueue[str] = queue.SimpleQueue()

    def indexer(self) -> Any:
        return self

    def work(self, budget: int) -> Taken:
        self.noted.put("work")
        result = self.results.pop(0) if self.results else 0
        if isinstance(result, Exception):
            raise result
        return Taken(min(result, budget), result >= budget)

    def stop(self) -> None:
        self.noted.put("stop")

    def discard(self) -> None:
        self.noted.put("discard")

    def close(self) -> None:
        self.noted.put("close")

    def next(self) -> str:
        """What was done with it, but for `stop`, which comes at any time."""
        while (noted := self.noted.get(timeout=10)) == "stop":
            pass
        return noted


def keeper(index: Any, look_every: float = 0.001) -> IndexKeeper:
    keeper = IndexKeeper(index, look_every, lambda: 0.0)
    keeper.start()
    return keeper


def test_it_looks_again_and_again_until_it_is_closed() -> None:
    index = Index(10**6, 10**6, 3)
    kept = keeper(index)
    assert [index.next() for _ in range(6)] == ["work"] * 6
    kept.close()
    while (noted := index.next()) == "work":
        pass
    assert noted == "close"


def test_it_ends_at_once_while_it_rests() -> None:
    index = Index()
    kept = keeper(index, 60)
    assert index.next() == "work"
    began = time.monotonic()
    kept.close()
    assert time.monotonic() - began < 5
    assert index.next() == "close"


def test_a_damaged_index_is_taken_away(caplog: pytest.LogCaptureFixture) -> None:
    index = Index(5, StoreBroken("search.db: malformed"))
    kept = keeper(index)
    assert [index.next() for _ in range(4)] == ["work", "work", "discard", "close"]
    kept.close()
    assert "given up until the next start" in caplog.text


def test_a_fault_of_ours_ends_it_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    index = Index(RuntimeError("planned"))
    keeper(index).close()
    assert [index.next() for _ in range(2)] == ["work", "close"]
    assert "planned" in caplog.text


def test_a_full_disk_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    index = Index(StoreFull("search.db: the disk is full"))
    kept = keeper(index)
    assert index.next() == "work"
    kept.close()
    assert index.next() == "close"
    assert "the disk is full" in caplog.text


def test_an_index_that_cannot_be_opened_is_told(caplog: pytest.LogCaptureFixture) -> None:
    class Closed:
        def indexer(self) -> Any:
            raise StoreRefused("search.db: no")

    keeper(Closed()).close()
    assert "search.db: no" in caplog.text


def test_a_store_without_one_needs_no_thread() -> None:
    kept = keeper(MemoryStore())
    kept.close()
    IndexKeeper(MemoryStore()).close()  # one that never began ends, too


def test_work_that_takes_long_is_told_to_end() -> None:
    class Slow(Index):
        def __init__(self) -> None:
            super().__init__()
            self.stopped = threading.Event()

        def work(self, budget: int) -> Taken:  # noqa: ARG002 - it has all that it can do
            self.noted.put("work")
            assert self.stopped.wait(10)
            return Taken(0, False)

        def stop(self) -> None:
            self.stopped.set()

    index = Slow()
    kept = keeper(index, 60)
    assert index.next() == "work"
    kept.close()
    assert index.next() == "close"


def test_who_talks_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("securechat.server.indexer.time.monotonic", lambda: now)
    others = 0.0
    kept = IndexKeeper(MemoryStore(), 7.0, lambda: others)

    class Slow(Index):
        def work(self, budget: int) -> Taken:
            nonlocal now
            now += 1.0
            return super().work(budget)

    def step(share: float) -> tuple[float, bool]:
        """How long it rests then, and whether it worked."""
        nonlocal others
        others = share
        index = Slow(10**6)
        return kept._step(index), not index.results

    assert step(0.01) == (1.0, True)
    now += 58
    assert step(0.9) == (7.0, False)
    now += 1
    assert step(0.9) == (50.0, True)
    assert step(0.9) == (50.0, True)
    assert step(0.01) == (1.0, True)
    assert step(0.9) == (7.0, False)


def test_load_is_what_the_other_threads_use() -> None:
    load, done = Load(), threading.Event()

    def work() -> None:
        while not done.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    busy = load.share()
    done.set()
    thread.join()
    load.share()
    time.sleep(0.1)
    assert load.share() < busy


def test_the_way_of_an_old_database_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    index = Index(*[500] * 401, 0, 7)
    kept = keeper(index, 60)
    while len(index.results) > 1:
        index.next()
    kept.close()
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "100000 messages are in the index of words, more follow",
        "200000 messages are in the index of words, more follow",
        "200500 messages were taken into the index of words",
    ]
