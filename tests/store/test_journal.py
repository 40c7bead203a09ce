"""The newest messages: seen by everyone from the moment they are stored, wherever they wait."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.errors import StoreBroken, StoreFull, StoreRefused
from securechat.records import Conflict, KeepIdentity, Known, Lookup, Page, Stored, Unknown
from securechat.store.journal import (
    _LOOK_THROUGH,
    MANY,
    Journal,
    Runs,
    decode_messages,
    encode_messages,
)
from securechat.store.maintenance import check, stats
from securechat.store.retention import to_ts
from securechat.store.sqlite import SqliteStore

from .faults import FAILED_WRITE, FULL, Faults
from .folders import (
    ANN,
    LATER,
    PLENTY,
    TS,
    damage,
    identity,
    message,
    numbers,
    opened,
    posted,
    read,
    texts,
)


def waiting(store: SqliteStore) -> int:
    return len(store._journal)


# ------------------------------------------------------------------ rows


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())))
def test_what_is_written_is_read_again(said: list[tuple[str, bool]]) -> None:
    messages = [
        message(str(n), text)._replace(action=action, reply_to=n or None)
        for n, (text, action) in enumerate(said)
    ]
    assert decode_messages(encode_messages(messages)) == messages


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

KILLED = """
import os, signal, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from securechat.records import NewMessage
from securechat.store.sqlite import open_store
store = open_store(Path(sys.argv[1]))
store.load()
for n in range(3):
    store.commit([
        NewMessage("#a", 1, f"run-{n}", "#a", "ann", f"text {n}", None, False),
        NewMessage("@1:7", 7, f"dm-{n}", "@ann", "eve", "psst", None, True),
    ], sys.argv[2])
    if n == 0:
        store.tidy()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_waited_when_the_server_was_killed_is_there(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), TS], check=False)
    assert done.returncode == -signal.SIGKILL
    found = check(tmp_path)
    assert (found.problems, found.messages, found.conversations) == ((), 6, 2)
    with opened(tmp_path) as (store, snapshot):
        assert waiting(store) == 4
        assert snapshot.heads == {"#a": 3, "@1:7": 3}
        assert snapshot.last_ts == {"@1:7": TS}
        assert snapshot.next_identity == 8
        assert read(store) == {1: "text 0", 2: "text 1", 3: "text 2"}
        again = store.commit([message("run-2", "text 2"), message("run-1", "other")], LATER)
        assert [type(outcome) for outcome in again] == [Known, Conflict]
        assert store.commit([message("run-3", "new")], LATER) == [Stored(4, LATER)]
    assert list(texts(tmp_path)) == [1, 2, 3, 4]
    assert check(tmp_path).problems == ()


def test_an_id_that_was_left_in_the_journal_is_known_when_it_has_reached_its_place(
    tmp_path: Path,
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), TS], check=False)
    assert done.returncode == -signal.SIGKILL
    with opened(tmp_path) as (store, _):
        store.commit([message("run-0", "text 0")], LATER)  # which has its run looked through
        store.tidy()
        [again] = store.commit([message("run-2", "text 2")], LATER)
        assert type(again) is Known


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["tidy", "end", "kill"]),
            st.tuples(st.sampled_from(["a-", "a-b-", "", "z"]), st.integers(0, 9)),
        ),
        max_size=40,
    )
)
def test_no_draft_is_ever_stored_twice(acts: list[str | tuple[str, int]]) -> None:
    """Whatever comes again, and whether it waits, has its place, or was left by a run before."""
    said: dict[str, int] = {}
    with TemporaryDirectory() as folder, ExitStack() as stack:
        store, _ = stack.enter_context(opened(Path(folder)))
        for act in acts:
            if act == "tidy":
                store.tidy()
            elif isinstance(act, str):
                if act == "kill":
                    store._broken = "as if it had been killed: nothing is tidied at the end"
                stack.close()
                store, snapshot = stack.enter_context(opened(Path(folder)))
                assert snapshot.heads.get("#a", 0) == len(said)
            else:
                id = f"{act[0]}{act[1]}"
                [outcome] = store.commit([message(id)], TS)
                if id in said:
                    assert isinstance(outcome, Known)
                    assert posted(outcome.payload).seq == said[id]
                else:
                    said[id] = len(said) + 1
                    assert outcome == Stored(said[id], TS)
        assert len(read(store)) == len(said)


def test_a_repeat_of_what_waits_is_answered_as_it_was_stored(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1", "hello")._replace(action=True)], TS)
        [known] = store.commit([message("1", "hello")], LATER)
        assert isinstance(known, Known)
        first = posted(known.payload)
        assert (first.seq, first.ts, first.action) == (1, TS, True)
        store.tidy()
        assert store.commit([message("1", "hello")], LATER) == [known]


def test_what_was_not_stored_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as (store, _):
        execute = store._execute

        def full(sql: str, *values: object) -> object:
            if sql.startswith("INSERT INTO journal"):
                raise FULL
            return execute(sql, *values)

        monkeypatch.setattr(store, "_execute", full)
        with pytest.raises(StoreFull):
            store.commit([message("run-1"), message("run-2", to="#new")], TS)
        monkeypatch.setattr(store, "_execute", execute)
        assert waiting(store) == 0
        lookup, first, second = store.commit(
            [Lookup(ANN, "run-1", "#a", "hi"), message("run-1"), message("run-2", to="#b")], TS
        )
        assert (type(lookup), first, second) == (Unknown, Stored(1, TS), Stored(1, TS))
        assert read(store, "#new") == {}


# ------------------------------------------------------------------ when it is tidied


def test_it_is_tidied_when_many_wait(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        batch = 512
        for n in range(MANY // batch - 1):
            store.commit([message(f"run-{n * batch + k}") for k in range(batch)], TS)
        assert waiting(store) == MANY - batch
        store.commit([message(f"late-{k}") for k in range(batch)], TS)
        assert waiting(store) == 0
        assert len(read(store)) == MANY


def test_without_room_it_stays_and_is_told_once(
    tmp_path: Path, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(f"run-{n}") for n in range(3)], TS)
    with opened(tmp_path, vfs=faults.vfs) as (store, _):
        store.commit([message(f"run-{n}") for n in range(3, 6)], TS)
        faults.fail("write", FULL)
        with caplog.at_level(logging.WARNING):
            store.tidy()
            store.tidy()
        assert caplog.text.count("no room") == 1
        assert waiting(store) == 3
        assert len(read(store)) == 6
        faults.heal()
        store.tidy()
        assert waiting(store) == 0
    assert len(texts(tmp_path)) == 6


def test_a_write_that_fails_then_is_the_end_and_costs_nothing(
    tmp_path: Path, faults: Faults
) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("run-1")], TS)
    with opened(tmp_path, vfs=faults.vfs) as (store, _):
        store.commit([message("run-2")], TS)
        faults.fail("write", FAILED_WRITE)
        with pytest.raises(StoreBroken):
            store.tidy()
        with pytest.raises(StoreBroken):
            store.commit([message("run-3")], TS)
    assert texts(tmp_path) == {1: "hi", 2: "hi"}


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
