"""The browser of the desktop, called from a thread of its own: some take seconds to answer.

`xdg-open` says whether it could; where it is not, or where $BROWSER is set, `webbrowser` knows
which one. What went wrong comes as a sentence for a person, through `problems`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import webbrowser
from queue import SimpleQueue
from typing import Final

#: Seconds after which `xdg-open` has not failed, but become the browser.
_PATIENCE: Final = 20.0


class Browser:
    """Opens addresses that `links.address_of` gave."""

    def __init__(self) -> None:
        self.problems: SimpleQueue[str] = SimpleQueue()

    def open(self, address: str) -> None:
        """Show a page; returns at once."""
        threading.Thread(
            target=self._work, args=(address,), name="gui-browser", daemon=True
        ).start()

    def _work(self, address: str) -> None:
        try:
            is_open = _open(address)
        except (OSError, ValueError, webbrowser.Error):
            is_open = False
        if not is_open:
            self.problems.put(f"No browser could be opened. Copy this into yours: {address}")


def _open(address: str) -> bool:
    opener = None if os.environ.get("BROWSER") else shutil.which("xdg-open")
    if opener is None:
        return webbrowser.open(address)
    process = subprocess.Popen(
        [opener, address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(_PATIENCE) == 0
    except subprocess.TimeoutExpired:
        return True
