"""Messages come from the journal into their places: when many wait, and as one."""

from __future__ import annotations

import logging
from pathlib import Path

import apsw
import pytest

from securechat.errors import StoreBroken
from securechat.store.conversations import Conversation
from securechat.store.journal import MANY, MANY_CHARACTERS, Entry, Journal
from securechat.store.migrations import PLACE_BITS
from securechat.store.places import bring_in
from securechat.store.retention import weigh

from .faults import FAILED_WRITE, FULL, Faults
from .folders import (
    LATER,
    TS,
    message,
    opened,
    read,
    texts,
    waiting,
)


def test_each_message_has_a_place_and_its_conversation_grows(db: apsw.Connection) -> None:
    journal, conversations = Journal(), {"#a": Conversation(3), "@1:2": Conversation(4)}
    said: list[Entry] = [(message("1", "tulip"), 1, TS), (message("2", "tea"), 2, LATER)]
    whispered: list[Entry] = [(message("3", "psst", to="@bob", key="@1:2"), 1, LATER)]
    journal.publish("#a", said)
    journal.publish("@1:2", whispered)
    db.execute("INSERT INTO journal (ts, messages) VALUES (?, '[]')", (TS,))
    assert bring_in(db.cursor(), journal, conversations) == sum(
        map(weigh, ("tulip", "tea", "psst"))
    )
    assert db.execute(
        "SELECT place >> ?, place & 0xff, id, address, text FROM message", (PLACE_BITS,)
    ).fetchall() == [
        (3, 1, "1", None, "tulip"),
        (3, 2, "2", None, "tea"),
        (4, 1, "3", "@bob", "psst"),
    ]
    grown = "SELECT name, first, head, weight, oldest, last_ts FROM conversation"
    first = weigh("tulip") + weigh("tea")
    assert db.execute(grown).fetchall() == [
        ("#a", 1, 2, first, TS, LATER),
        ("@1:2", 1, 1, weigh("psst"), LATER, LATER),
    ]
    assert db.execute("SELECT count(*) FROM journal").fetchall() == [(0,)]

    journal.clear()
    journal.publish("#a", [(message("4", "more"), 3, LATER)])
    assert bring_in(db.cursor(), journal, conversations) == weigh("more")
    assert db.execute(grown).fetchall()[0] == ("#a", 1, 3, first + weigh("more"), TS, LATER)


def test_it_is_tidied_when_many_wait(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        batch = 512
        for n in range(MANY // batch - 1):
            store.commit([message(f"run-{n * batch + k}") for k in range(batch)], TS)
        assert waiting(store) == MANY - batch
        store.commit([message(f"late-{k}") for k in range(batch)], TS)
        assert waiting(store) == 0
        assert len(read(store)) == MANY


def test_it_is_tidied_when_few_wait_that_are_long(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        batch = [message(f"run-{n}", "x" * 4_000) for n in range(256)]
        most = MANY_CHARACTERS // (256 * 4_000)
        for n in range(most):
            store.commit([one._replace(id=f"run-{n}-{one.id}") for one in batch], TS)
            assert waiting(store) == (n + 1) * 256
        store.commit([one._replace(id=f"late-{one.id}") for one in batch], TS)
        assert waiting(store) == 0
        store.commit([message("more")], TS)
        assert waiting(store) == 1


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
