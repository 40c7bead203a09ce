"""`securechat admin status` on a real server: what it shows is so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from securechat import __version__
from securechat.cli.app import app
from securechat.server.operate import OperatorError, ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "d"


@pytest.fixture
def world(make_world: Callable[..., Any], folder: Path) -> Any:
    """A server that keeps what it is told, with two io threads."""
    return make_world(data=folder, io_threads=2)


def status(folder: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["admin", "status", "--data", str(folder), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_tells_who_is_there_and_how_quickly_they_are_answered(world: Any, folder: Path) -> None:
    assert json.loads(status(folder, "--json"))["latency"] == {
        "events": 0,
        "p50": None,
        "p90": None,
        "p99": None,
        "max": None,
    }
    ann, bob = world.join("ann", "#a"), world.join("bob", "#a")
    for number in range(30):
        ann.say("#a", f"number {number}")
    ann.roundtrip()
    bob.roundtrip()
    silent = world.wire()  # connected, and says nothing
    found = json.loads(status(folder, "--json"))
    silent.cut()
    assert (found["connections"], found["people"], found["rooms"]) == (2, 2, 1)
    assert (found["messages"], found["open"]) == (30, 3)
    latency = found["latency"]
    assert latency["events"] >= 30, "of both io threads"
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"] < 60
    assert (found["process"], found["version"]) == (os.getpid(), __version__)
    assert 0 <= found["uptime"] < 60
    assert 10_000_000 < found["memory"] <= found["memory_peak"] < 10**10
    left = world.server.certificates.not_after - datetime.now(UTC)
    assert left.days <= found["certificate_days"] < left.days + 1.1
    assert found["database"] >= (folder / "securechat.db").stat().st_size > 0


def test_a_person_reads_it_at_a_glance(world: Any, folder: Path) -> None:
    world.join("ann", "#a").roundtrip()
    lines = dict(line.split(maxsplit=1) for line in status(folder).splitlines())
    assert list(lines) == [
        *("server", "connections", "people", "messages"),
        *("latency", "memory", "certificate", "database"),
    ]
    assert lines["people"] == "1 online, in 1 room"
    assert lines["messages"] == "0 since the start"


def test_after_the_server_there_is_nothing_to_show(world: Any, folder: Path) -> None:
    world.server.stop()
    done = CliRunner().invoke(app, ["admin", "status", "--data", str(folder)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"securechat: No server runs on {folder}. ")
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(OperatorError):
        ask(folder / "elsewhere", object())  # type: ignore[arg-type]
