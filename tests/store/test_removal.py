"""A removed message keeps its number and loses its text: to readers, to repeats, and on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.protocol.codec import decode_server
from securechat.protocol.envelopes import Posted
from securechat.records import (
    Conflict,
    KeepAct,
    Kept,
    Known,
    Lookup,
    NewMessage,
    Removal,
    RemoveMessage,
    Stored,
    Unknown,
)
from securechat.store.base import Store
from securechat.store.connections import DATABASE_NAME, connect_reader
from securechat.store.maintenance import check
from securechat.store.memory import MemoryStore
from securechat.store.migrations import MIGRATIONS, create
from securechat.store.retention import Retention
from securechat.store.rulings import read_audit
from securechat.store.sqlite import open_store

from .folders import ANN, BOB, PLENTY, TS, identity, message, opened, read

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": open_store,
}
ACT = KeepAct(BOB, "bob", "remove", "#a", "message 2", "a password")
SECRET = "correct horse battery staple"


def removal(seq: int = 2, author: int | None = None, where: str = "#a") -> RemoveMessage:
    return RemoveMessage(where, seq, author, ACT)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """ann said three things in #a, the second of them the secret."""
    store = STORES[request.param](tmp_path)
    store.load()
    store.commit([identity(ANN, "ann"), identity(BOB, "bob")], TS)
    said = [message("1", "one"), message("2", SECRET), message("3", "three")]
    store.commit(said, TS)
    yield store
    store.close()


def page(store: Store) -> list[Posted]:
    with closing(store.reader()) as reader:
        payloads = reader.after("#a", 0, PLENTY, PLENTY, PLENTY).payloads
        assert reader.before("#a", None, PLENTY, PLENTY).payloads == payloads
    return [chat for chat in map(decode_server, payloads) if isinstance(chat, Posted)]


def test_it_is_still_there_and_says_nothing(store: Store) -> None:
    assert store.commit([removal()], TS) == [Kept()]
    assert [(it.seq, it.text, it.removed) for it in page(store)] == [
        *((1, "one", False), (2, "", True), (3, "three", False))
    ]
    assert store.commit([message("4")], TS) == [Stored(4, TS)]


def test_a_repeat_gets_it_as_removed_whatever_it_says(store: Store) -> None:
    store.commit([removal()], TS)
    for text in (SECRET, "anything else"):
        for record in (message("2", text), Lookup(ANN, "2", "#a", text)):
            [known] = store.commit([record], TS)
            assert isinstance(known, Known)
            chat = decode_server(known.payload)
            assert isinstance(chat, Posted)
            assert (chat.seq, chat.text, chat.removed) == (2, "", True)
    assert isinstance(store.commit([Lookup(ANN, "2", "#b", SECRET)], TS)[0], Conflict)


def test_what_cannot_be_removed_is_left(store: Store) -> None:
    outcomes = [
        *((removal(4), Unknown), (removal(2, BOB), Conflict), (removal(1, where="#b"), Unknown)),
        *((removal(2, ANN), Kept), (removal(2, ANN), Unknown)),
    ]
    for record, outcome in outcomes:
        assert isinstance(store.commit([record], TS)[0], outcome)


def test_a_message_of_the_same_batch_is_removed(store: Store) -> None:
    new = NewMessage("#b", ANN, "9", "#b", "ann", SECRET, None, True)
    stored, kept = store.commit([new, removal(1, where="#b")], TS)
    assert (stored, kept) == (Stored(1, TS), Kept())
    with closing(store.reader()) as reader:
        [payload] = reader.after("#b", 0, 9, 9, PLENTY).payloads
    chat = decode_server(payload)
    assert isinstance(chat, Posted)
    assert (chat.removed, chat.action) == (True, True)


def test_an_erased_message_that_memory_pushed_out_is_still_known() -> None:
    store = MemoryStore(budget=100_000)
    store.load()
    store.commit([identity(ANN, "ann"), message("1", "x" * 4_000)], TS)
    store.commit([removal(1)], TS)
    for number in range(2, 60):
        store.commit([message(str(number), "x" * 4_000)], TS)
    assert store.first_kept("#a") > 1
    [known] = store.commit([message("1", "another")], TS)
    assert isinstance(known, Known)
    assert b'"removed":true' in known.payload


# ------------------------------------------------------------------ on disk


def on_disk(folder: Path, text: str) -> list[str]:
    """The files in which a text stands."""
    found = (path for path in folder.iterdir() if path.is_file())
    return sorted(path.name for path in found if text.encode() in path.read_bytes())


def test_its_text_is_gone_from_the_database_and_from_the_log(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        long = SECRET + " and more" * 900  # on pages of its own
        store.commit([identity(ANN, "ann"), message("1", SECRET), message("2", long)], TS)
        store.commit([message(str(number)) for number in range(3, 300)], TS)
        assert on_disk(tmp_path, SECRET) == [f"{DATABASE_NAME}-wal"]
        store.commit([removal(1)], TS)
        assert " and more" in read(store)[2]
        store.commit([removal(2)], TS)
        assert on_disk(tmp_path, SECRET) == on_disk(tmp_path, "and more and more") == []
        assert len(read(store)) == 299
    assert check(tmp_path).problems == ()


def test_a_reader_may_hold_the_log_for_a_while(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([identity(ANN, "ann"), message("1", SECRET)], TS)
        with closing(connect_reader(tmp_path / DATABASE_NAME)) as tool:
            tool.execute("BEGIN")
            tool.execute("SELECT count(*) FROM message").fetchall()
            assert store.commit([removal(1)], TS) == [Kept()]
            assert on_disk(tmp_path, SECRET) != []
            store.retain(0.0, 10)
            assert on_disk(tmp_path, SECRET) != []
            tool.execute("COMMIT")
        store.retain(0.0, 10)
        assert on_disk(tmp_path, SECRET) == []


def test_retention_passes_over_what_was_removed(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        store.commit([identity(ANN, "ann"), message("1", SECRET), message("2", "two")], TS)
        store.commit([removal(1)], TS)
        assert store.retain(4e9, PLENTY) == 2
        for text in (SECRET, "else"):
            [known] = store.commit([message("1", text)], TS)
            assert isinstance(known, Known)
            assert b'"removed":true' in known.payload
        assert isinstance(store.commit([message("2", "else")], TS)[0], Conflict)
    assert check(tmp_path).problems == ()


def test_who_removed_what_is_in_the_audit_and_only_if_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([identity(ANN, "ann"), message("1"), message("2", SECRET)], TS)
        store.commit([removal(7), removal(2, BOB), removal(2), KeepAct(ANN, "ann", "kick")], TS)
    with closing(connect_reader(tmp_path / DATABASE_NAME)) as db:
        rows = list(read_audit(db.execute))
        assert [(row.number, row.ts) for row in rows] == [(1, TS), (2, TS)]
        assert [row.act for row in rows] == [ACT, KeepAct(ANN, "ann", "kick")]
        assert list(read_audit(db.execute, last=1)) == rows[1:]


def test_the_last_removals_of_each_conversation_come_back(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, empty):
        assert empty.removals == ()
        store.commit([message(str(number), f"text {number}") for number in range(1, 131)], TS)
        store.commit([message("b", "text b", to="#b"), removal(1, where="#b")], TS)  # at once, too
        for seq in range(1, 131):
            assert store.commit([removal(seq)], TS) == [Kept()]
        assert store.commit([removal(7), removal(131), removal(1, BOB)], TS) == [Unknown()] * 3
    with opened(tmp_path) as (_, snapshot):
        assert snapshot.removals == (
            Removal("#b", 1, BOB, "bob"),
            *(Removal("#a", seq, BOB, "bob") for seq in range(31, 131)),
        )


def test_the_removals_of_before_are_taken_from_the_audit(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    create(path, MIGRATIONS[:5])
    db = apsw.Connection(str(path))
    for room, subject in (("#a", "message 12"), ("", "message 3"), ("#b", "message 4")):
        db.execute(
            "INSERT INTO audit (ts, identity, nick, act, room, subject, reason)"
            " VALUES (?, ?, 'bob', 'remove', ?, ?, '')",
            (TS, BOB, room, subject),
        )
    db.execute(
        "INSERT INTO audit (ts, identity, nick, act, room, subject, reason)"
        " VALUES (?, ?, 'bob', 'kick', '#a', 'eve', '')",
        (TS, BOB),
    )
    db.close()
    with opened(tmp_path) as (_, snapshot):
        assert snapshot.removals == (Removal("#a", 12, BOB, "bob"), Removal("#b", 4, BOB, "bob"))
