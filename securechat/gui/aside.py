"""Commands of the desktop that nothing depends on: called, waited for, and forgotten.

In: a command. Out: nothing, whatever became of it; a desktop that has no notices, or no list of
applications, is no reason to say so each time. Raised: nothing.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress


def call_aside(command: Sequence[str], patience: float) -> None:
    """Run `command` unseen, for `patience` seconds at most; it is ended then."""
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=patience,
            check=False,
        )
