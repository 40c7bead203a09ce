"""The browser of the desktop, called from a thread of its own: some take seconds to answer.

`webbrowser` knows which one (`xdg-open`, `open`, or $BROWSER). What went wrong comes as a sentence
for a person, through `problems`.
"""

from __future__ import annotations

import threading
import webbrowser
from queue import SimpleQueue


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
            is_open = webbrowser.open(address)
        except (OSError, ValueError, webbrowser.Error):
            is_open = False
        if not is_open:
            self.problems.put(f"No browser was found for {address}. Copy it into yours.")
