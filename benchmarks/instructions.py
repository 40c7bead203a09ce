"""How many instructions a fixed workload takes, a count that noise does not move.

    python -m benchmarks.instructions [--check | --write]

Counted are the bytecode instructions that our own code executes, and the calls that it makes into
C, in each stage of `path.py`. `instructions.json` holds what they were, for each minor version of
Python, whose compilers differ; `tests/benchmarks/test_instructions.py` compares. `--write` puts
down what they are now, for the Python that runs it; `--check` ends with exit code 1 if they have
grown. A process of its own counts best: what others patched before moves the counts of Python 3.12.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path as FilePath
from types import FrameType
from typing import Any, Final, TypeAlias

import securechat

from .path import STAGES, Path

#: stage → what → how many
Counts: TypeAlias = dict[str, dict[str, int]]

KEPT: Final = FilePath(__file__).with_name("instructions.json")
#: How far a count may be above what was kept: others' versions of libraries differ a little.
TOLERANCE: Final = 0.03
VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"

ADVICE: Final = (
    "The way of a message has grown. If that is a mistake, look for it with `python -m "
    "benchmarks.stages`; if it is the price of something, say so in the commit and keep the new "
    "counts: `python -m benchmarks.instructions --write`, with each supported Python."
)

_PACKAGE: Final = str(FilePath(securechat.__file__).parent)
_ROOMS, _MEMBERS, _BATCHES = 10, 5, 15


def is_ours(frame: FrameType) -> bool:
    """Whether it is our code that runs: the package, or what a tuple of ours was made from."""
    name = frame.f_code.co_filename
    return name.startswith(_PACKAGE) or name == "<string>"


@contextmanager
def counting_instructions(into: dict[str, int]) -> Iterator[None]:
    """Add the instructions that are executed inside to `into`."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
        elif event == "call":
            if not is_ours(frame):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
        into["instructions"] = into.get("instructions", 0) + count


@contextmanager
def counting_calls(into: dict[str, int]) -> Iterator[None]:
    """Add the calls into C that are made inside to `into`."""
    count = 0

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        if event == "c_call" and is_ours(frame):
            count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)
        into["calls"] = into.get("calls", 0) + count


def count_all() -> Counts:
    """The counts of this code under this Python."""
    counts: Counts = {stage: {} for stage in STAGES}
    for counting in (counting_instructions, counting_calls):
        path = Path(_ROOMS, _MEMBERS)
        for _ in range(_BATCHES):
            path.take(path.say(2 * _ROOMS), lambda stage: counting(counts[stage]))  # noqa: B023
    return counts


def complaints(kept: Mapping[str, Mapping[str, int]], now: Counts) -> list[str]:
    """What has grown by more than the tolerance, a sentence each."""
    return [
        f"{stage}: {now[stage][what]:,} {what}, were {before:,} "
        f"({now[stage][what] / before - 1:+.1%})"
        for stage, counts in kept.items()
        for what, before in counts.items()
        if now[stage][what] > before * (1 + TOLERANCE)
    ]


def read_kept() -> dict[str, Counts]:
    """What was put down: version → counts."""
    kept: dict[str, Counts] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return kept


def main() -> int:
    """Show the counts beside what was kept; check or keep them if that was asked for."""
    parser = argparse.ArgumentParser(description="instructions of a fixed workload")
    parser.add_argument("--check", action="store_true", help="exit code 1 if they have grown")
    parser.add_argument("--write", action="store_true", help="keep what they are now")
    options = parser.parse_args()
    kept, now = read_kept(), count_all()
    messages = 2 * _ROOMS * _BATCHES
    print(f"Python {VERSION}, {messages} messages in rooms of {_MEMBERS}; per message:")
    for stage, counts in now.items():
        for what, number in counts.items():
            before = kept.get(VERSION, {}).get(stage, {}).get(what)
            was = f", was {before / messages:.1f}" if before else ""
            print(f"  {stage:10}{number / messages:10.1f} {what}{was}")
    if options.write:
        kept[VERSION] = now
        KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n")
    grown = complaints(kept.get(VERSION, {}), now) if options.check else []
    if grown:
        print("\n".join([*grown, ADVICE]))
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
