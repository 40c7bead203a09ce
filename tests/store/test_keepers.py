"""Each record that is one row is kept by what the table names for it."""

from __future__ import annotations

from typing import get_args

import apsw
import pytest

from securechat.records import (
    Change,
    ForgetIdentity,
    KeepIdentity,
    KeepPresence,
    KeepTopic,
    Record,
    Together,
)
from securechat.store.keepers import Keepers, new_keepers

from .folders import ANN, BOB, TS, identity


@pytest.fixture
def keepers(db: apsw.Connection) -> Keepers:
    return new_keepers(db.execute, lambda: TS)


def keep(keepers: Keepers, *records: Record) -> None:
    for record in records:
        keepers[type(record)](record)


def test_there_is_one_for_every_change_there_is(keepers: Keepers) -> None:
    assert set(keepers) == {*get_args(Change), Together}


def test_an_identity_has_one_row_which_the_latest_word_fills(
    db: apsw.Connection, keepers: Keepers
) -> None:
    later = KeepIdentity(ANN, "anna", b"t" * 32, 9.5, (("ann", 7.25),))
    keep(keepers, identity(ANN, "ann"), later)
    assert db.execute("SELECT * FROM identity").fetchall() == [
        (ANN, "anna", b"t" * 32, 9.5, '[["ann", 7.25]]')
    ]


def test_who_is_forgotten_is_nowhere_and_keeps_a_name(
    db: apsw.Connection, keepers: Keepers
) -> None:
    """Direct messages go on to show it."""
    keep(keepers, identity(ANN, "ann"), identity(BOB, "bob"))
    keep(keepers, KeepPresence(ANN, "#a", True), KeepPresence(BOB, "#a", True))
    keep(keepers, ForgetIdentity(ANN))
    assert db.execute("SELECT nick, token IS NULL FROM identity").fetchall() == [
        *(("ann", 1), ("bob", 0))
    ]
    assert db.execute("SELECT room, identity FROM presence").fetchall() == [("#a", BOB)]


def test_presence_may_be_said_twice_and_taken_back_twice(
    db: apsw.Connection, keepers: Keepers
) -> None:
    rows = []
    for present in (True, True, False, False):
        keep(keepers, KeepPresence(ANN, "#a", present))
        rows.append(db.execute("SELECT count(*) FROM presence").fetchall()[0][0])
    assert rows == [1, 1, 0, 0]


def test_a_topic_is_replaced_and_an_empty_one_is_none(
    db: apsw.Connection, keepers: Keepers
) -> None:
    kept = []
    for text in ("tea", "tulips", ""):
        keep(keepers, KeepTopic("#a", text))
        kept.append(db.execute("SELECT * FROM topic").fetchall())
    assert kept == [[("#a", "tea")], [("#a", "tulips")], []]


def test_changes_that_belong_together_are_kept_in_their_order(
    db: apsw.Connection, keepers: Keepers
) -> None:
    keep(keepers, Together((KeepTopic("#a", "one"), KeepTopic("#a", "two"))))
    assert db.execute("SELECT text FROM topic").fetchall() == [("two",)]
