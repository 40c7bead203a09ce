"""What ties threads to Tk, which is called from the main thread alone.

`Pump` looks at queues every 30 ms and hands the time until which its work may go on; so a key never
waits for what arrives. `Rubbish` has Python's cyclic collector run in this thread too: it would
otherwise run in whichever thread allocates, and end an image or a variable of Tk's there, which Tcl
answers with an abort ("async handler deleted by the wrong thread").
"""

from __future__ import annotations

import gc
import time
import tkinter as tk
from collections.abc import Callable
from typing import Final

#: Milliseconds between two looks, and seconds that one may take.
TICK: Final = 30
SLICE: Final = 0.01
_COLLECT: Final = 500


class Pump:
    """Calls `work(until)` again and again; `until` is of `time.monotonic`.

    `longest`: seconds that the longest call took; that long a key may have waited.
    """

    def __init__(self, root: tk.Misc, work: Callable[[float], None]) -> None:
        self.longest = 0.0
        self._root = root
        self._work = work
        self._timer: str | None = root.after(TICK, self._tick)

    def _tick(self) -> None:
        self._timer = self._root.after(TICK, self._tick)
        began = time.monotonic()
        self._work(began + SLICE)
        self.longest = max(self.longest, time.monotonic() - began)

    def stop(self) -> None:
        """Look no longer."""
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None


class Rubbish:
    """Collects in the main thread what refers to itself, as often as Python would."""

    def __init__(self, root: tk.Misc) -> None:
        self._root = root
        self._thresholds = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.disable()
        root.after(_COLLECT, self._tick)

    def _tick(self) -> None:
        self._root.after(_COLLECT, self._tick)
        young, middle, old = (
            count > threshold
            for count, threshold in zip(gc.get_count(), self._thresholds, strict=True)
        )
        if young or middle or old:
            gc.collect(2 if old else 1 if middle else 0)

    @staticmethod
    def resume() -> None:
        """Once Tk is gone: collect its objects, and go on as usual."""
        gc.enable()
        gc.unfreeze()
        gc.collect()
