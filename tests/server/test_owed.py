"""What could not be stored: it does not grow by who comes and goes, and ends as all would have."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from securechat.chat.effects import Keep
from securechat.chat.hub import Now
from securechat.errors import StoreFull
from securechat.records import (
    ForgetIdentity,
    KeepAct,
    KeepIdentity,
    KeepPresence,
    Kept,
    Outcome,
    Record,
)
from securechat.server.dispatcher import Dispatcher
from securechat.server.owed import Owed

NOW = Now(1.0, 2.0, "2026-01-31T12:00:00.000000Z")


class Disk:
    """A store that is full until there is room."""

    def __init__(self) -> None:
        self.full = True
        self.tried: list[Record] = []

    def commit(self, records: Sequence[Record], _ts: str) -> list[Outcome]:
        self.tried = list(records)
        if self.full:
            raise StoreFull("the disk is full.")
        return [Kept()] * len(records)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def dispatcher(disk: Disk) -> Dispatcher:
    return Dispatcher(None, disk, None, [], lambda _: None)  # type: ignore[arg-type]


def test_who_comes_and_goes_while_the_disk_is_full_is_owed_once(
    dispatcher: Dispatcher, disk: Disk
) -> None:
    for turn in range(1_001):
        dispatcher.commit([Keep(KeepPresence(1, "#tea", turn % 2 == 0))], NOW)
    disk.full = False
    last = Keep(KeepPresence(2, "#tea", True))
    assert dispatcher.commit([last], NOW) == [Kept()]
    assert disk.tried == [KeepPresence(1, "#tea", True), last.record]
    assert dispatcher.commit([last], NOW) == [Kept()]
    assert disk.tried == [last.record]


def test_the_last_word_about_a_subject_stands_where_its_first_one_stood() -> None:
    owed = Owed()
    identity = KeepIdentity(1, "ann", b"t", 1.0)
    owed.add([identity, KeepPresence(1, "#tea", True), identity._replace(nick="anna")])
    assert owed.take_stock() == [identity._replace(nick="anna"), KeepPresence(1, "#tea", True)]
    owed.add([KeepPresence(1, "#tea", False), ForgetIdentity(1)])
    assert owed.take_stock() == [ForgetIdentity(1), KeepPresence(1, "#tea", False)]
    owed.settle()
    assert not owed.take_stock()


def test_each_act_is_owed() -> None:
    owed = Owed()
    act = KeepAct(1, "ann", "hand_over")
    owed.add([act, act])
    assert owed.take_stock() == [act, act]
