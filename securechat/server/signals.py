"""What a server process is told by signals; its main thread asks, and acts.

SIGTERM and SIGINT: stop in order; a second one ends the process at once. SIGHUP: load the
certificates again; but when it comes because the terminal is gone that the server was started in,
stop, or it would go on unseen. Under `nohup` it never means that.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Final

_TERMINAL: Final = "/dev/tty"


class Signals:
    """Used by the main thread, but for `stop`, which every thread may call."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._stopping = False
        self._ended_by: int | None = None
        self._hung_up = False
        self._lives_with_terminal = (
            signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()
        )

    def heed_hangup(self) -> None:
        """Take SIGHUP from now on; before others can know us."""
        signal.signal(signal.SIGHUP, self._on_hangup)

    def heed_end(self) -> None:
        """Take SIGTERM and SIGINT from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_end)

    def stop(self) -> None:
        """Let `wait` return False."""
        self._stopping = True
        self._woken.set()

    def wait(self, seconds: float) -> bool:
        """Wait until something is to be done, or so long; False: it is time to stop."""
        self._woken.wait(seconds)
        self._woken.clear()
        if self._hung_up and self._lives_with_terminal and not _has_terminal():
            self._stopping = True
        return not self._stopping

    def take_reload(self) -> bool:
        """Whether to load the certificates again; once for each time."""
        hung_up, self._hung_up = self._hung_up, False
        return hung_up

    def _on_end(self, number: int, _: FrameType | None) -> None:
        if self._ended_by is not None:
            os._exit(128 + number)
        self._ended_by = number
        self.stop()

    def _on_hangup(self, _number: int, _: FrameType | None) -> None:
        self._hung_up = True
        self._woken.set()


def _has_terminal() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
