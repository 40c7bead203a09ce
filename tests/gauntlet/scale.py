"""How much of the gauntlet is run: what fits into a few seconds, a tenth of it, or all of it.

    pytest tests/gauntlet                       about 11 s a suite; figures: how many cases fitted
    GAUNTLET=1 pytest tests/gauntlet            a tenth of the full size, on all cores
    GAUNTLET=1 SCALE=10 pytest tests/gauntlet   the full size
    SEED=n pytest tests/gauntlet/test_x.py      begins with case n: a failure says which it was

A case is a number, and the same number is the same case. `run` plays cases that are made of their
seed; `Portion` says how many of a list of cases there is time for.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias, TypeVar

import pytest

ROOT: Final = Path(__file__).parents[2]
#: Seconds that a suite may take in an ordinary run of the tests, its negative control included.
BUDGET: Final = 11.0
GAUNTLET: Final = os.environ.get("GAUNTLET", "") not in ("", "0")
#: Tenths of the full size.
SCALE: Final = float(os.environ.get("SCALE", "1"))
#: What a test of the gauntlet is marked with: no time limit where the size is what counts.
MARKS: Final = [pytest.mark.slow, pytest.mark.timeout(0 if GAUNTLET else 120)]

#: A case: takes its seed, returns what is to be counted, raises when a promise was broken.
Play: TypeAlias = Callable[[int], Mapping[str, int]]
#: The fixture of pytest that takes what a test has measured, in whatever process it runs.
RecordProperty: TypeAlias = Callable[[str, object], None]
_T = TypeVar("_T")


def first_seed() -> int:
    """The seed of the first case: `SEED`, or one that nobody has thought of."""
    given = os.environ.get("SEED")
    return int(given) if given else secrets.randbits(31)


class Portion:
    """The cases of one suite that are run: all that fit into the budget, or a share of `full`."""

    def __init__(self, suite: str, full: int, budget: float = BUDGET) -> None:
        self.suite = suite
        self.full = full
        self.seed = first_seed()
        self.done = 0
        self.count = min(full, max(1, round(full * SCALE / 10))) if GAUNTLET else full
        self._budget = budget
        self._began = time.monotonic()

    def __iter__(self) -> Iterator[int]:
        """Numbers from 0, as many as there is time for."""
        self._began = time.monotonic()
        while self.done < self.count and not self.over:
            yield self.done
            self.done += 1

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return not GAUNTLET and time.monotonic() - self._began >= self._budget

    def pick(self, cases: Sequence[_T]) -> Iterator[_T]:
        """Those of `cases` that are run, in an order that the seed decides."""
        shuffled = list(cases)
        Random(self.seed).shuffle(shuffled)
        for index in self:
            yield shuffled[index]

    def work_off(self, cases: Sequence[_T], work: Callable[[_T], None]) -> None:
        """`work` on the same, on all cores: for cases that are processes of their own."""
        picked, lock, errors = self.pick(cases), threading.Lock(), list[BaseException]()

        def pull() -> None:
            while not errors:
                with lock:
                    case = next(picked, None)
                if case is None:
                    return
                try:
                    work(case)
                except BaseException as error:
                    errors.append(error)

        threads = [threading.Thread(target=pull) for _ in range(os.cpu_count() or 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def report(self, totals: Mapping[str, int] | None = None) -> str:
        """One line: how many cases fitted, how long they took, and the seed."""
        seconds = time.monotonic() - self._began
        counts = "".join(f" · {value:,} {name}" for name, value in (totals or {}).items())
        return (
            f"{self.suite}: {self.done:,} of {self.full:,} cases in {seconds:.1f} s"
            f" · seed {self.seed}{counts}"
        )


def tell(record_property: RecordProperty, line: str) -> None:
    """Show `line` though the test passes: among the figures at the end, and under `-s` at once."""
    print(f"\n  {line}", flush=True)
    record_property("figure", line)


# ------------------------------------------------------------------ cases that are made of a seed


class Broken(AssertionError):
    """A promise was broken; the message says how, and how to see it again."""


def run(suite: str, full: int, play: Play, budget: float = BUDGET) -> str:
    """Play as many cases as there is time for; returns the report, raises `Broken`."""
    portion = Portion(suite, full, budget)
    totals: Counter[str] = Counter()
    cores = os.cpu_count() or 1
    if GAUNTLET and cores > 1:
        _share_out(portion, play, cores, totals)
    else:
        for index in portion:
            totals.update(_play(play, portion.seed + index))
    return portion.report(totals)


def _play(play: Play, seed: int) -> Mapping[str, int]:
    try:
        return play(seed)
    except Exception as error:
        raise Broken(f"seed {seed}: {error!r}; to see it again, run with SEED={seed}") from error


def _share_out(portion: Portion, play: Play, cores: int, totals: Counter[str]) -> None:
    """The same in a process for each core; each plays every so many seeds in a row."""
    name = f"{play.__module__}:{play.__qualname__}"
    share = -(-portion.count // cores)
    bounds = [
        (start, min(share, portion.count - start)) for start in range(0, portion.count, share)
    ]
    children = [
        subprocess.Popen(
            [sys.executable, "-m", __name__, name, str(portion.seed + start), str(count)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for start, count in bounds
    ]
    answers = [child.communicate()[0] for child in children]
    for child, answer in zip(children, answers, strict=True):
        result: dict[str, Any] = json.loads(answer.splitlines()[-1]) if answer else {}
        if child.returncode or "error" in result:
            raise Broken(str(result.get("error", f"a process ended with {child.returncode}")))
        totals.update(result["totals"])
        portion.done += result["cases"]


def _main(name: str, first: str, count: str) -> None:
    """What each of those processes does: the last line that it prints is its result."""
    module, _, function = name.partition(":")
    play: Play = getattr(importlib.import_module(module), function)
    totals: Counter[str] = Counter()
    for seed in range(int(first), int(first) + int(count)):
        try:
            totals.update(_play(play, seed))
        except Broken as broken:
            print(json.dumps({"error": str(broken)}))
            raise
    print(json.dumps({"cases": int(count), "totals": totals}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
