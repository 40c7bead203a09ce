"""A draft that comes again is known for what it was, wherever its message lies."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.errors import StoreFull
from securechat.protocol.envelopes import Posted
from securechat.records import (
    Conflict,
    Known,
    Lookup,
    Stored,
    Unknown,
)
from securechat.store.drafts import placed_ids
from securechat.store.sqlite import SqliteStore

from .faults import FULL
from .folders import (
    ANN,
    BOB,
    LATER,
    TS,
    message,
    opened,
    posted,
    read,
    waiting,
)


def test_a_draft_is_known_for_a_repeat_after_the_end(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1", "hello")], TS)
    with opened(tmp_path) as (store, _):
        again, other, elsewhere, new = store.commit(
            [
                message("1", "hello"),
                message("1", "no"),
                message("1", "hello", to="#b"),
                message("2"),
            ],
            LATER,
        )
        assert isinstance(again, Known)
        assert posted(again.payload) == Posted(
            id="1", to="#a", sender="nick1", seq=1, ts=TS, text="hello"
        )
        assert (type(other), type(elsewhere), new) == (Conflict, Conflict, Stored(2, LATER))
    with opened(tmp_path) as (_, snapshot):
        assert snapshot.heads == {"#a": 2}, "a refused draft makes no conversation"


def test_a_lookup_sees_what_came_before_it_in_its_commit_and_nothing_later(
    store: SqliteStore,
) -> None:
    lookup = Lookup(ANN, "1", "#a", "hi")
    outcomes = store.commit([lookup, message("1"), lookup], TS)
    assert [type(outcome) for outcome in outcomes] == [Unknown, Stored, Known]


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


def test_ids_in_their_places_are_given_within_bounds(store: SqliteStore) -> None:
    store.commit([message(id) for id in ("run-1", "run-2", "run-3", "sun-1")], TS)
    store.commit([message("run-4", by=BOB)], TS)
    store.tidy()
    store.commit([message("run-5")], TS)  # it waits in the journal
    execute = store._execute
    assert sorted(placed_ids(execute, ANN, "run-", "run.", 9)) == ["run-1", "run-2", "run-3"]
    assert len(placed_ids(execute, ANN, "run-", "run.", 2)) == 2
    assert placed_ids(execute, ANN, "run-2", "run-3", 9) == ["run-2"]
