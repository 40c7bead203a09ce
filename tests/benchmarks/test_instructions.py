"""The guard against getting slower: a fixed workload takes no more instructions than it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import securechat
from benchmarks.instructions import (
    KEPT,
    TOLERANCE,
    VERSION,
    Counts,
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

ADVICE = (
    "The way of a message has grown. If that is a mistake, look for it with `python -m "
    "benchmarks.stages`; if it is the price of something, say so in the commit and keep the new "
    "counts: `python -m benchmarks.instructions --write`, with each supported Python."
)


@pytest.fixture(scope="module")
def kept() -> Counts:
    counts = read_kept().get(VERSION)
    if counts is None:
        pytest.skip(f"no counts are kept for Python {VERSION} in {KEPT.name}")
    return counts


def test_a_message_takes_no_more_instructions_than_it_did(kept: Counts) -> None:
    grown = complaints(kept, count_all())
    assert not grown, "\n".join([*grown, ADVICE])


def test_the_counts_are_the_same_each_time() -> None:
    assert count_all() == count_all()


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
    kept: Counts, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, stage: str
) -> None:
    monkeypatch.setattr(owner, name, planted(getattr(owner, name)))
    grown = complaints(kept, count_all())
    assert {line.partition(":")[0] for line in grown} == {stage}


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
    assert [it for it in STAGES if after[it] != before[it]] == [stage]


def test_what_is_within_the_tolerance_is_let_be() -> None:
    kept = {"read": {"instructions": 1_000, "calls": 100}}
    limit = int(1_000 * (1 + TOLERANCE))
    assert complaints(kept, {"read": {"instructions": limit, "calls": 90}}) == []
    [line] = complaints(kept, {"read": {"instructions": 1_100, "calls": 100}})
    assert line == "read: 1,100 instructions, were 1,000 (+10.0%)"
