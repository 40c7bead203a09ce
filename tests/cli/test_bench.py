"""`securechat bench`: what it asks for, what it prints, how it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from securechat.cli.bench import bench, live_line
from securechat.client import measure
from securechat.client.measure import Progress, Report, Trial
from securechat.client.trust import ByAuthority
from securechat.errors import CannotConnect, ClientError, GaveUp, NotTrusted, Refused

app = typer.Typer()
app.command()(bench)

REPORT = Report(
    server="tea\x1b[2J house 1.0",
    room="#bench-1",
    rate=20.0,
    connecting=[0.004, 0.004],
    echo=[0.001, 0.002, 0.003],
    fan_out=[0.0015] * 3,
    everyone=[0.0035] * 3,
)


@pytest.fixture(autouse=True)
def _keep_the_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").touch()
    return tmp_path


class Fake:
    """Stands where `measure` stands: reports, or raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, outcome: Report | ClientError) -> None:
        self.trials: list[Trial] = []
        self._outcome = outcome
        monkeypatch.setattr(measure, "measure", self)

    def __call__(self, trial: Trial, show: Progress) -> Report:
        self.trials.append(trial)
        if isinstance(self._outcome, ClientError):
            raise self._outcome
        show(1.0, self._outcome)
        return self._outcome


def test_the_table(monkeypatch: pytest.MonkeyPatch, certs: Path) -> None:
    fake = Fake(monkeypatch, REPORT)
    arguments = ["[::1]:7000", "--clients", "5", "--seconds", "0.5", "--certs", str(certs)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    [trial] = fake.trials
    assert (trial.host, trial.port, trial.clients, trial.seconds) == ("::1", 7000, 5, 0.5)
    assert trial.trust == ByAuthority(certs / "ca.pem")
    lines = done.stdout.splitlines()
    assert lines[1] == "3 messages, each stored and heard by everyone, once and in order"
    assert lines[5].split() == ["round", "trip", "2.00", "3.00", "3.00"]
    assert "\x1b" not in done.output


def test_for_programs(monkeypatch: pytest.MonkeyPatch, certs: Path) -> None:
    Fake(monkeypatch, REPORT)
    done = CliRunner().invoke(app, ["--json", "--certs", str(certs)])
    said = json.loads(done.stdout)
    assert (said["connections"], said["messages"]) == (2, 3)
    assert said["round_trip"] == {"median": 0.002, "p99": 0.003, "most": 0.003}


@pytest.mark.parametrize(
    ("error", "code"),
    [(CannotConnect("a"), 3), (NotTrusted("b"), 4), (Refused("c"), 5), (GaveUp("d"), 7)],
)
def test_what_goes_wrong_is_one_line_and_a_code(
    monkeypatch: pytest.MonkeyPatch, certs: Path, error: ClientError, code: int
) -> None:
    Fake(monkeypatch, error)
    done = CliRunner().invoke(app, ["--certs", str(certs)])
    assert done.exit_code == code
    assert done.stderr == f"securechat: {error}\n"


def test_without_a_ca_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = Fake(monkeypatch, REPORT)
    done = CliRunner().invoke(app, ["--certs", str(tmp_path)])
    assert done.exit_code == 4
    assert fake.trials == []


@pytest.mark.parametrize("wrong", [["--clients", "1"], ["--seconds", "0"], ["a:b:c@"]])
def test_a_wrong_command_line(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, wrong).exit_code == 2


def test_the_line_is_drawn_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    show = live_line(lambda: now)
    show(0.0, Report(connecting=[0.1]))
    show(0.1, REPORT)  # too soon
    now = 101.0
    show(0.5, REPORT)
    assert capsys.readouterr().err == (
        "\r\x1b[K1 connected\r\x1b[K 50%  3 messages, round trip 3.00 ms"
    )
