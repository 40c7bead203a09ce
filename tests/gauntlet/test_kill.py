"""kill -9 of the server under clients at full load: what was acknowledged is there, once, in order.

One case: a real server is killed while 50 clients (two of them the whole client of the product,
the others its session in one thread) have drafts under way, be it in the middle of a commit, of a
start, or while they come back. It is started again on the same data and the same port. After at
most a hundred kills everyone catches up, and the books are held against the database.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from securechat.client import backoff
from securechat.torture.ledger import Kind
from securechat.torture.ordeal import Ordeal, Report, run

from . import scale

pytestmark = scale.MARKS

FULL: Final = 2_000
_KILLS_A_ROUND: Final = 100
#: Seconds of a round besides the kills: everyone comes in, everyone catches up, books are closed.
_ROUND_COSTS: Final = 4.0
#: A kill may come when the last echo is not out yet, so the negative control has more than one.
_ROUNDS_TO_FIND: Final = 5
_BROKEN: Final = (sys.executable, "-m", "tests.gauntlet.broken_server")


def test_nothing_acknowledged_is_lost(
    monkeypatch: pytest.MonkeyPatch, record_property: scale.RecordProperty
) -> None:
    monkeypatch.setattr(backoff, "CAP", 0.1)  # the whole clients have no time to be polite either
    portion = scale.Portion("kill -9 of the server", FULL, budget=11.0)
    total = Report()
    while portion.done < portion.count and not portion.over:
        ordeal = Ordeal(
            seed=portion.seed + portion.done,
            clients=50,
            threaded=2,
            kills=min(_KILLS_A_ROUND, portion.count - portion.done),
            seconds=math.inf if scale.GAUNTLET else 11.0 - _ROUND_COSTS,
        )
        with tempfile.TemporaryDirectory() as folder:
            report = run(ordeal, Path(folder))
        assert report.clean, f"SEED={ordeal.seed}: {report.faults}"
        assert report.kills > 0
        assert report.echoed == report.sent == report.stored
        portion.done += report.kills
        total += report
        if not scale.GAUNTLET:
            break
    counts = {
        "messages": total.stored,
        "deliveries": total.deliveries,
        "connections": total.connections,
        "ms to the first client at most": round(total.slowest_start * 1_000),
    }
    scale.tell(record_property, f"{portion.report(counts)} · {total.verdict}")


def test_an_echo_before_its_commit_would_be_found(record_property: scale.RecordProperty) -> None:
    """The negative control: a server that says what is not on disk yet."""
    seed = scale.first_seed()
    for round in range(_ROUNDS_TO_FIND):
        ordeal = Ordeal(
            seed=seed + round,
            clients=20,
            kills=3,
            patience=2.0,
            command=(*_BROKEN, "echo-before-commit", "serve"),
        )
        with tempfile.TemporaryDirectory() as folder:
            report = run(ordeal, Path(folder))
        if not report.clean:
            break
    assert report.counts[Kind.LOST] or report.counts[Kind.PHANTOM], f"SEED={seed}"
    scale.tell(record_property, f"negative control, echo before COMMIT: found · {report.verdict}")
