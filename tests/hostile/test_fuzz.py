"""Coverage-guided fuzzing of what reads bytes of strangers; the work is done by `fuzz`."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from importlib.util import find_spec
from typing import Final

import pytest

from tests.gauntlet import scale

from .siege import ROOT

pytestmark = [
    *scale.MARKS,
    pytest.mark.skipif(
        find_spec("atheris") is None,
        reason="atheris is not installed: it has wheels for Linux on x86-64 alone",
    ),
]

FULL: Final = 100_000_000
_TARGETS: Final = ("framing", "codec", "connection", "hub") if scale.GAUNTLET else ("all",)
#: The hub is a hundred times slower than the others.
_SHARE: Final = {"framing": 0.4, "codec": 0.4, "connection": 0.199, "hub": 0.001, "all": 1.0}
_SECONDS: Final = 0 if scale.GAUNTLET else 4


def fuzz(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.hostile.fuzz", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def runs_of(done: subprocess.CompletedProcess[str]) -> int:
    found = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    return int(found[1]) if found else 0


def test_no_input_breaks_anything(record_property: scale.RecordProperty) -> None:
    seed, done = scale.first_seed(), dict[str, subprocess.CompletedProcess[str]]()

    def run(target: str) -> None:
        runs = round(FULL * _SHARE[target] * min(1.0, scale.SCALE / 10))
        done[target] = fuzz(target, runs, _SECONDS, seed)

    threads = [threading.Thread(target=run, args=(target,)) for target in _TARGETS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = ", ".join(f"{runs_of(it):,} {target}" for target, it in done.items())
    scale.tell(record_property, f"fuzzing: {counts} · seed {seed}")
    for target, it in done.items():
        assert it.returncode == 0, (target, it.stdout[-1_000:], it.stderr[-3_000:])
        assert runs_of(it) > 500, (target, it.stderr[-1_000:])


def test_a_planted_fault_is_found(record_property: scale.RecordProperty) -> None:
    """The negative control: within a minute."""
    seed = scale.first_seed()
    done = fuzz("all", FULL, 60, seed, "planted")
    scale.tell(
        record_property,
        f"fuzzing: the planted fault is found after {runs_of(done):,} · seed {seed}",
    )
    assert done.returncode != 0
    assert "the planted fault" in done.stdout + done.stderr
