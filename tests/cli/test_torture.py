"""`securechat torture`: what it prints, how it ends, and once the real thing for a few seconds."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from securechat.cli.torture import line_now_and_then, lines_of, progress, torture
from securechat.torture import ordeal
from securechat.torture.ledger import Kind
from securechat.torture.ordeal import Ordeal, Progress, Report
from securechat.torture.process import OrdealError

app = typer.Typer()
app.command()(torture)

CLEAN = Report(kills=12_345, cuts=7, sent=1_000_000, echoed=999_999, stored=999_999)
BAD = Report(counts=Counter({Kind.LOST: 2}), faults=["lost: a-1 of ann", "lost: a-2 of ann"])


@pytest.fixture(autouse=True)
def _keep_the_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


class Fake:
    """Stands where `endure` stands: reports `report`, or raises it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, report: Report | Exception) -> None:
        self.ordeals: list[Ordeal] = []
        self._report = report
        monkeypatch.setattr(ordeal, "endure", self)

    def __call__(self, what: Ordeal, folder: Path, show: Progress) -> Report:
        assert folder.is_dir()
        self.ordeals.append(what)
        show(0.5, Report(kills=3, cuts=4, echoed=5_000))
        if isinstance(self._report, Exception):
            raise self._report
        show(1.0, self._report)
        return self._report


def test_a_clean_run_ends_in_three_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(monkeypatch, CLEAN)
    done = CliRunner().invoke(app, ["--minutes", "0.5", "--seed", "7", "--clients", "9"])
    assert done.exit_code == 0
    assert fake.ordeals == [Ordeal(seed=7, clients=9, seconds=30.0, cuts=True)]
    lines = done.stdout.splitlines()
    assert lines[0] == "torture of a private server: 9 clients, seed 7"
    assert lines[-1] == "lost 0 · twice 0 · out of order 0"
    assert any(line.split() == ["server", "killed", "(-9)", "12,345", "times"] for line in lines)


def test_two_minutes_and_a_seed_of_its_own_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(monkeypatch, CLEAN)
    done = [CliRunner().invoke(app, []) for _ in range(2)]
    first, second = fake.ordeals
    assert first.seconds == 120.0
    assert first.seed != second.seed
    assert f"seed {first.seed}\n" in done[0].stdout


def test_anything_lost_is_told_and_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    Fake(monkeypatch, BAD)
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-3:] == [
        "  lost: a-1 of ann",
        "  lost: a-2 of ann",
        "lost 2 · twice 0 · out of order 0",
    ]


def test_a_damaged_database_exits_1_though_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Fake(monkeypatch, Report(faults=["the database is damaged: page 7"]))
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 1
    assert "  the database is damaged: page 7" in done.stdout.splitlines()


def test_what_was_shown_and_is_not_stored_stands_in_the_verdict() -> None:
    report = Report(counts=Counter({Kind.PHANTOM: 1}))
    assert list(lines_of(report))[-1] == "lost 0 · twice 0 · out of order 0 · not stored 1"


def test_an_ordeal_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    Fake(monkeypatch, OrdealError("The server did not start."))
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 1
    assert done.stderr == "securechat: The server did not start.\n"


# ------------------------------------------------------------------ progress


def test_without_a_terminal_it_says_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter((0.0, 9.0, 10.0, 11.0, 20.0))
    show = line_now_and_then(lambda: next(times))
    for part in (0.1, 0.2, 0.3, 1.0):
        show(part, Report(kills=3, cuts=4, echoed=5_000))
    assert capsys.readouterr().err.splitlines() == [
        " 20%  3 kills, 4 cuts, 5,000 messages acknowledged",
        "100%  everyone catches up, then the books are closed",
    ]


class Terminal(io.StringIO):
    """A stderr that says it is one."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_draws_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress() as show:
        show(0.5, Report(kills=3, cuts=4, echoed=5_000))
    drawn = terminal.getvalue()
    assert "50%" in drawn
    assert "3 kills, 4 cuts" in drawn


# ------------------------------------------------------------------ the real thing


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_few_seconds_of_it() -> None:
    code = (
        "import typer\n"
        "from securechat.cli.torture import torture\n"
        "app = typer.Typer()\n"
        "app.command()(torture)\n"
        "app()\n"
    )
    arguments = ("--minutes", "0.05", "--clients", "12")
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "lost 0 · twice 0 · out of order 0"
    assert "Traceback" not in done.stderr
