"""Commands that nothing depends on: they are run, and whatever becomes of them is no matter."""

from __future__ import annotations

import time
from pathlib import Path

from securechat.gui.aside import call_aside


def test_it_is_run_and_waited_for(tmp_path: Path) -> None:
    call_aside(["touch", str(tmp_path / "made")], 10.0)
    assert (tmp_path / "made").exists()


def test_nobody_hears_of_one_that_is_missing_fails_or_hangs(tmp_path: Path) -> None:
    call_aside([str(tmp_path / "none")], 10.0)
    call_aside(["false"], 10.0)
    began = time.monotonic()
    call_aside(["sleep", "30"], 0.05)
    assert time.monotonic() - began < 20.0
