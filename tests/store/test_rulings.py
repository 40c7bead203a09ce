"""Rules of rooms, bans and mutes: what is kept comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from securechat.errors import StoreBroken
from securechat.records import (
    ForgetRoom,
    KeepRoom,
    KeepSanction,
    Kept,
    LiftSanction,
    Record,
    Together,
)

from .folders import ANN, BOB, TS, opened

DEN = KeepRoom("#den", ANN, 5, (BOB,), (7, 8))
BAN = KeepSanction(3, "ban", "", BOB, "bob", "", "", 9.5, 1.0, "ann", "spam")
MUTE = KeepSanction(4, "mute", "#den", 0, "eve", "", "", None, 2.0, "ann", "")
NETWORK = KeepSanction(9, "ban", "", 0, "", "", "192.0.2.0/24", None, 3.0, "ann", "flood")


def test_what_is_in_force_comes_back(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, empty):
        assert (empty.rooms, empty.sanctions) == ((), ())
        outcomes = store.commit([DEN, Together((BAN, MUTE)), NETWORK], TS)
        assert outcomes == [Kept()] * 3
    with opened(tmp_path) as (_, snapshot):
        assert snapshot.rooms == (DEN,)
        assert snapshot.sanctions == (BAN, MUTE, NETWORK)


def test_the_last_word_counts(tmp_path: Path) -> None:
    plain = KeepRoom("#den", BOB, 0)
    with opened(tmp_path) as (store, _):
        store.commit([DEN, plain, BAN, MUTE, LiftSanction(3), LiftSanction(99)], TS)
        store.commit([KeepRoom("#gone", ANN, 0), ForgetRoom("#gone")], TS)
    with opened(tmp_path) as (_, snapshot):
        assert (snapshot.rooms, snapshot.sanctions) == ((plain,), (MUTE,))


@pytest.mark.parametrize("record", [BAN._replace(act="curse")])
def test_what_cannot_be_is_not_kept(tmp_path: Path, record: Record) -> None:
    with opened(tmp_path) as (store, _), pytest.raises(StoreBroken):
        store.commit([record], TS)
