"""The guard against getting slower: a fixed workload takes no more instructions than it did."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import securechat
from benchmarks import instructions
from benchmarks.instructions import (
    ADVICE,
    KEPT,
    TOLERANCE,
    VERSION,
    complaints,
    count_all,
    read_kept,
)
from benchmarks.path import STAGES, Path
from securechat.chat import drafts
from securechat.net.fanout import Fanout
from securechat.protocol.connection import Connection
from securechat.server.dispatcher import Dispatcher
from securechat.server.renderer import Renderer


def check() -> subprocess.CompletedProcess[str]:
    """The check as one runs it by hand, in a process that nothing else has touched."""
    command = [sys.executable, "-m", "benchmarks.instructions", "--check"]
    return subprocess.run(command, cwd=KEPT.parents[1], capture_output=True, text=True, check=False)


@pytest.mark.skipif(VERSION not in read_kept(), reason=f"{KEPT.name} has no Python {VERSION}")
def test_a_message_takes_no_more_instructions_than_it_did() -> None:
    done = check()
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_counts_are_the_same_each_time() -> None:
    assert check().stdout == check().stdout


@pytest.mark.parametrize("factor", [1.0, 0.9])
def test_more_than_what_is_kept_ends_in_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], factor: float
) -> None:
    now = {"read": {"instructions": 1_000, "calls": 100}}
    kept = {"read": {what: int(count * factor) for what, count in now["read"].items()}}
    monkeypatch.setattr(instructions, "count_all", lambda: now)
    monkeypatch.setattr(instructions, "read_kept", lambda: {VERSION: kept})
    monkeypatch.setattr("sys.argv", ["instructions", "--check"])
    assert instructions.main() == (0 if factor == 1.0 else 1)
    assert (ADVICE in capsys.readouterr().out) is (factor < 1.0)


def test_the_path_delivers_each_message_to_everyone_in_its_room_at_once() -> None:
    path = Path(rooms=2, members=3)
    before = [recorder.writes for recorder in path.recorders]
    seen = []

    class Around:
        def __init__(self, stage: str) -> None:
            seen.append(stage)

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    path.take(path.say(4), Around)
    after = [recorder.writes for recorder in path.recorders]
    assert seen == list(STAGES)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1] * 6
    assert min(recorder.bytes for recorder in path.recorders) > 2 * 100


def planted(before: Callable[..., Any]) -> Callable[..., Any]:
    """`before`, behind a look at what it is given, compiled as if it stood in the package."""
    source = """
def plant(before):
    def look(values):
        return [value is None for value in values]
    def call(*values):
        look(values)
        return before(*values)
    return call
"""
    space: dict[str, Any] = {}
    exec(compile(source, f"{securechat.__path__[0]}/planted.py", "exec"), space)
    call: Callable[..., Any] = space["plant"](before)
    return call


@pytest.mark.parametrize(
    ("owner", "name", "stage"),
    [
        (Connection, "receive_one", "read"),
        (drafts, "take", "decide"),
        (Renderer, "_post", "render"),
    ],
)
def test_one_more_call_for_each_message_is_found(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, stage: str
) -> None:
    before = count_all()
    monkeypatch.setattr(owner, name, planted(getattr(owner, name)))
    grown = complaints(before, count_all())
    assert stage in {line.partition(":")[0] for line in grown}


@pytest.mark.parametrize(
    ("owner", "name", "stage"),
    [(Dispatcher, "commit", "store"), (Fanout, "send_chunk", "fan out")],
)
def test_one_more_call_for_each_batch_or_chunk_is_counted(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, stage: str
) -> None:
    before = count_all()
    monkeypatch.setattr(owner, name, planted(getattr(owner, name)))
    after = count_all()
    assert after[stage]["instructions"] > before[stage]["instructions"]


def test_what_is_within_the_tolerance_is_let_be() -> None:
    kept = {"read": {"instructions": 1_000, "calls": 100}}
    limit = int(1_000 * (1 + TOLERANCE))
    assert complaints(kept, {"read": {"instructions": limit, "calls": 90}}) == []
    [line] = complaints(kept, {"read": {"instructions": 1_100, "calls": 100}})
    assert line == "read: 1,100 instructions, were 1,000 (+10.0%)"
