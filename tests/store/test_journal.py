"""The newest messages: seen by everyone from the moment they are stored, wherever they wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.errors import StoreRefused
from securechat.records import KeepIdentity, Page
from securechat.store.journal import (
    _LOOK_THROUGH,
    Journal,
    Runs,
    decode_messages,
    encode_messages,
)
from securechat.store.maintenance import check, stats
from securechat.store.retention import to_ts

from .folders import (
    ANN,
    PLENTY,
    TS,
    damage,
    identity,
    message,
    numbers,
    opened,
    posted,
    read,
    waiting,
)

# ------------------------------------------------------------------ rows


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())))
def test_what_is_written_is_read_again(said: list[tuple[str, bool]]) -> None:
    messages = [
        message(str(n), text)._replace(action=action, reply_to=n or None)
        for n, (text, action) in enumerate(said)
    ]
    row = encode_messages(messages)
    assert decode_messages(row) == messages
    assert row == json.dumps(messages, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[1]",
        "[[1,2]]",
        '[["#a","1","id","#a","ann","hi",null,false]]',
        '[["#a",1,"id","#a","ann","hi",null,0]]',
        "no",
    ],
)
def test_a_row_that_we_never_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"journal|Expecting"):
        decode_messages(text)


# ------------------------------------------------------------------ ids that are new by their form


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "a-b", "", "a.b", "a-1"]),
            st.sampled_from(["1", "2", "10", "9", "007", "7", "x", "", "1e3", "9" * 19]),
        ),
        max_size=40,
    ),
    st.sets(st.integers(0, 40)),
)
def test_no_id_that_is_stored_passes(said: list[tuple[str, str]], restarts: set[int]) -> None:
    stored: list[str] = []

    def look(_: int, low: str, high: str, limit: int) -> list[str]:
        return sorted(id for id in stored if low <= id < high)[:limit]

    runs = Runs(look)
    for step, (prefix, counter) in enumerate(said):
        if step in restarts:
            runs = Runs(look)
        id = f"{prefix}-{counter}" if prefix else counter
        assert not (runs.passes(ANN, id) and id in stored)
        stored.append(id)


def test_ids_that_grow_are_looked_for_once() -> None:
    looks: list[object] = []

    def look(*asked: object) -> list[str]:
        looks.append(asked)
        return []

    runs = Runs(look)
    assert all(runs.passes(ANN, f"run-{n}") for n in range(100))
    assert [runs.passes(ANN, f"run-{n}") for n in (99, 5)] == [False, False]
    assert looks == [(ANN, "run-", "run.", _LOOK_THROUGH)]


def test_a_run_with_very_many_ids_is_always_looked_for() -> None:
    runs = Runs(lambda *_: [f"run-{n}" for n in range(_LOOK_THROUGH)])
    assert not runs.passes(ANN, f"run-{_LOOK_THROUGH + 1}")


def test_runs_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat.store.journal._MOST_RUNS", 10)
    stored = [f"{n}-5" for n in range(100)]
    runs = Runs(lambda _, low, high, __: [id for id in stored if low <= id < high])
    for n in range(100):
        assert runs.passes(ANN, f"{n}-6")
        runs.forget()
        assert len(runs._highest) <= 10
    assert not runs.passes(ANN, "0-5")


# ------------------------------------------------------------------ readers


def test_pages_are_the_same_before_and_after_it_is_tidied(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _), closing(store.reader()) as reader:
        store.commit([identity(1, "ann"), identity(2, "bob")], TS)
        for n in range(1, 11):
            store.commit(
                [message(f"{n}", f"text {n}"), message(f"d{n}", to="@bob", key="@1:2")], TS
            )
            if n in (3, 6):
                store.tidy()
                assert waiting(store) == 0
        assert waiting(store) == 8
        asked: list[Callable[[], Page]] = [
            lambda: reader.after("#a", 0, PLENTY, PLENTY, PLENTY),
            lambda: reader.after("#a", 4, 9, 3, PLENTY),
            lambda: reader.after("#a", 7, 9, 9, PLENTY),
            lambda: reader.after("#a", 5, 9, 9, 300),
            lambda: reader.after("#a", 10, 10, 9, PLENTY),
            lambda: reader.before("#a", None, 3, PLENTY),
            lambda: reader.before("#a", None, 6, PLENTY),
            lambda: reader.before("#a", 9, 2, PLENTY),
            lambda: reader.before("#a", 4, 9, PLENTY),
            lambda: reader.before("#a", None, 9, 700),
            lambda: reader.after("@1:2", 0, PLENTY, PLENTY, PLENTY),
            lambda: reader.before("@1:2", 8, 4, PLENTY),
        ]
        before = [ask() for ask in asked]
        assert numbers(before[0]) == list(range(1, 11))
        assert numbers(before[6]) == [5, 6, 7, 8, 9, 10]
        assert posted(before[10].payloads[9]).to == "@bob"
        store.tidy()
        assert [ask() for ask in asked] == before


def test_a_reader_misses_nothing_while_it_is_tidied(tmp_path: Path) -> None:
    """The hub stores and tidies as fast as it can; each page holds all that was there before."""
    told, ended = [0], threading.Event()
    with opened(tmp_path) as (store, _):
        faults: list[str] = []

        def look() -> None:
            with closing(store.reader()) as reader:
                while not ended.is_set():
                    upto = told[0]
                    page = reader.after("#a", max(upto - 50, 0), upto, 100, PLENTY)
                    if numbers(page) != list(range(max(upto - 50, 0) + 1, upto + 1)):
                        faults.append(f"{upto}: {numbers(page)}")

        threads = [threading.Thread(target=look, name=f"reader-{n}") for n in range(2)]
        for thread in threads:
            thread.start()
        try:
            for n in range(300):
                store.commit([message(f"r-{n * 3 + k}") for k in range(3)], TS)
                told[0] = n * 3 + 3
                if n % 3 == 0:
                    store.tidy()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert faults == []


# ------------------------------------------------------------------ repeats, and the end


# ------------------------------------------------------------------ when it is tidied


# ------------------------------------------------------------------ tools


def test_tools_see_what_waits(tmp_path: Path) -> None:
    now = 1_800_000_000.0
    with opened(tmp_path) as (store, _):
        store.commit([message("run-1"), message("run-2", to="#old")], to_ts(now - 86_400))
        store.tidy()
        store.commit([message("run-3", to="#new"), message("run-4")], to_ts(now - 3_600))
        found = stats(tmp_path, now)
        assert {room.name: (room.messages, room.head) for room in found.rooms} == {
            "#a": (2, 2),
            "#old": (1, 1),
            "#new": (1, 1),
        }
        assert (found.messages, round(found.messages_per_day)) == (4, 4)
        assert check(tmp_path)[:3] == ((), 4, 3)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE journal SET messages = '[[1]]'", "the journal holds what we never wrote"),
        ("INSERT INTO journal (ts, messages) SELECT ts, messages FROM journal", "a draft twice"),
        (
            "INSERT INTO message (place, identity, id, ts, sender, action, text)"
            f" VALUES (1, {ANN}, 'run-1', '', '', 0, '')",
            "a draft twice",
        ),
    ],
)
def test_a_damaged_journal_is_found_and_refused(tmp_path: Path, sql: str, problem: str) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("run-1")], TS)
        store._broken = "as if it had been killed"
    damage(tmp_path, sql)
    assert any(problem in one for one in check(tmp_path).problems), check(tmp_path).problems
    if "UPDATE" in sql or "SELECT" in sql:
        with pytest.raises(StoreRefused, match="damaged"), opened(tmp_path):
            pass


def test_a_journal_knows_nobody_else(tmp_path: Path) -> None:
    assert Journal().view("#a") == ()
    with opened(tmp_path) as (store, _):
        store.commit([message("run-1"), KeepIdentity(5, "eve", b"x" * 32, 1.0)], TS)
        assert read(store, "#b") == {}
