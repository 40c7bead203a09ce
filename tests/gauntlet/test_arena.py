"""What ordeals are made of, without an ordeal: a server that comes and goes, clients that die."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from securechat.torture.arena import Arena
from securechat.torture.ledger import Kind, between
from securechat.torture.process import OrdealError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PATIENCE = 30.0


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    with Arena(tmp_path) as arena:
        yield arena


def test_what_was_said_is_read_from_the_database(arena: Arena) -> None:
    ann = arena.admit("ann", rooms=("#room",), seed=1)
    bob = arena.admit_threaded("bob", rooms=("#room",), targets=("#room",), seed=2)
    arena.ledger.began("bob", between("ann", "bob"), 0)
    arena.wait_for_arrival()
    for text in ("one", "two\n\x09lines", "drei €🦉"):
        ann.say("#room", text)
        ann.say("@bob", text)
    bob.window = 1
    assert arena.wait(lambda: arena.ledger.echoed_count >= 9, PATIENCE)
    bob.window = 0
    stored, sound = arena.close_books()
    assert arena.ledger.faults == []
    assert (stored, sound) == (arena.ledger.sent_count, "ok")
    assert arena.ledger.cursor("bob", between("ann", "bob")) == 3


def test_a_client_that_is_killed_with_unsent_lines_sends_them_once(arena: Arena) -> None:
    ann = arena.admit("ann", rooms=("#room",), seed=1)
    arena.admit("bob", rooms=("#room",), seed=2)
    arena.wait_for_arrival()
    arena.server.kill()
    assert arena.swarm.run(lambda: not ann.online, PATIENCE)
    for number in range(5):
        ann.say("#room", f"unsent {number}")
    arena.swarm.turn(0.0)
    ann.kill(time.monotonic())
    ann.kill(time.monotonic())
    assert ann.session.pending == 5
    arena.server.start()
    assert arena.wait(lambda: arena.ledger.echoed_count == 5, PATIENCE)
    assert arena.close_books() == (5, "ok")
    assert arena.ledger.faults == []


def test_a_client_that_finds_no_server_is_started_again(arena: Arena) -> None:
    ann = arena.admit("ann", rooms=("#room",), seed=1)
    arena.wait_for_arrival()
    arena.server.kill()
    ann.kill(time.monotonic())
    arena.swarm.run(lambda: False, 0.3)
    assert ann.ended is None
    arena.server.start()
    assert arena.wait(lambda: ann.level, PATIENCE)


def test_one_that_is_turned_away_is_an_error(arena: Arena) -> None:
    arena.admit("ann", rooms=("#room",), seed=1)
    arena.wait_for_arrival()
    arena.admit("Аnn", rooms=("#room",), seed=2)  # with a Cyrillic A, in a folder of its own
    with pytest.raises(OrdealError, match="turned away for good"):
        arena.wait_for_arrival()


def test_drafts_without_an_echo_are_lost_ones(tmp_path: Path) -> None:
    with Arena(tmp_path, patience=0.5) as arena:
        ann = arena.admit("ann", rooms=("#room",), seed=1)
        arena.wait_for_arrival()
        ann.say("#nowhere", "nobody is there")
        assert arena.close_books() == (0, "ok")
    assert arena.ledger.counts == {Kind.LOST: 1}
    assert "was refused" in arena.ledger.faults[0].what


def test_a_server_that_does_not_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    complain = (sys.executable, "-c", "raise SystemExit('no, because')")
    arena = Arena(tmp_path, command=complain)
    with pytest.raises(OrdealError, match=r"with 1: no, because$"), arena:
        pass
