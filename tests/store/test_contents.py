"""What is there when a store is opened: all that was committed, in place or in the journal."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from securechat.records import (
    Conflict,
    ForgetIdentity,
    KeepIdentity,
    KeepPresence,
    KeepTopic,
    Known,
    Snapshot,
    Stored,
)
from securechat.store.connections import DATABASE_NAME, connect_reader
from securechat.store.contents import Contents
from securechat.store.journal import Journal, Runs
from securechat.store.maintenance import check
from securechat.store.retention import weigh

from .folders import (
    ANN,
    BOB,
    EVE,
    LATER,
    TS,
    identity,
    message,
    opened,
    read,
    texts,
    waiting,
)


def test_everything_is_there_after_the_end(tmp_path: Path) -> None:
    ann = KeepIdentity(ANN, "ann", b"a" * 32, 12.5, (("anna", 99.25), ("änn", 100.0)))
    with opened(tmp_path) as (store, first):
        store.commit([ann, identity(BOB, "bob"), identity(EVE, "eve")], TS)
        store.commit([message("1"), message("2", to="@bob", key="@1:2"), ForgetIdentity(EVE)], TS)
        store.commit([message("3"), KeepTopic("#a", "news"), KeepTopic("#b", "old")], LATER)
        store.commit([KeepPresence(ANN, "#a", True), KeepPresence(BOB, "#a", True)], LATER)
        store.commit([KeepPresence(BOB, "#a", False), KeepTopic("#b", "")], LATER)
    with opened(tmp_path) as (store, second):
        assert second == Snapshot(
            epoch=first.epoch,
            identities=(ann, identity(BOB, "bob")),
            next_identity=4,
            heads={"#a": 2, "@1:2": 1},
            last_ts={"@1:2": TS},
            topics={"#a": "news"},
            presence=((ANN, "#a"),),
        )
        assert read(store) == {1: "hi", 2: "hi"}
        assert store.commit([message("4", "more")], LATER) == [Stored(3, LATER)]


def test_numbers_of_identities_are_not_given_twice(tmp_path: Path) -> None:
    """Whoever could not be stored when the disk was full may have spoken later."""
    with opened(tmp_path) as (store, _):
        store.commit([identity(BOB, "bob"), message("1", by=5)], TS)
    with opened(tmp_path) as (store, snapshot):
        assert snapshot.next_identity == 6
        store.commit([message("1", to="@x", by=BOB, key="@2:9")], TS)
    with opened(tmp_path) as (store, snapshot):
        assert snapshot.next_identity == 10
        store.commit([identity(12, "l"), ForgetIdentity(12)], TS)
    with opened(tmp_path) as (_, snapshot):
        assert snapshot.next_identity == 13


def test_the_next_conversation_has_a_number_of_its_own(tmp_path: Path) -> None:
    """Whether the last one has reached its place or waits in the journal."""
    with opened(tmp_path) as (store, _):
        store.commit([message("1"), message("2", to="#b")], TS)
        store.tidy()
        store.commit([message("3", to="#c")], TS)
        store._broken = "as if it had been killed: nothing is tidied at the end"
    with closing(connect_reader(tmp_path / DATABASE_NAME)) as db:
        found = Contents(db.execute, Journal(), Runs(lambda *_: []))
    assert {name: one.number for name, one in found.conversations.items()} == {
        "#a": 1,
        "#b": 2,
        "#c": 3,
    }
    assert found.next_number == 4
    assert found.weight == 2 * weigh("hi"), "of what has reached its place"


KILLED = """
import os, signal, sys
from pathlib import Path
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


def be_killed(directory: Path) -> None:
    """A server is killed that has brought the first of three batches into its places."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(directory), TS], check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_waited_when_the_server_was_killed_is_there(tmp_path: Path) -> None:
    be_killed(tmp_path)
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
    be_killed(tmp_path)
    with opened(tmp_path) as (store, _):
        store.commit([message("run-0", "text 0")], LATER)  # which has its run looked through
        store.tidy()
        [again] = store.commit([message("run-2", "text 2")], LATER)
        assert type(again) is Known
