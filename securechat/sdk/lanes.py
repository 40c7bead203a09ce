"""Work in a few threads: that of one lane is done one after the other, in the order it came.

Nothing is raised; work that raises is a bug of who gave it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

Work: TypeAlias = Callable[[], object]


class Lanes:
    """`workers` threads; at most `most` pieces of work are under way or wait."""

    def __init__(self, workers: int, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()  # guards everything below
        self._lanes: dict[str, deque[Work]] = {}  # those at work, with what waits behind it
        self._ready: deque[str] = deque()
        self._left = 0
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"bot-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, lane: str, work: Work, timeout: float) -> bool:
        """Have `work` done behind all that `lane` has; False: there was no room in `timeout` s."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._left < self._most, timeout):
                return False
            self._left += 1
            if lane in self._lanes:
                self._lanes[lane].append(work)
            else:
                self._lanes[lane] = deque([work])
                self._ready.append(lane)
            self._changed.notify_all()
        return True

    def close(self, timeout: float) -> bool:
        """Wait until all is done; False if it was not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not self._left

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self._closing)
                if not self._ready:
                    return  # what still comes to a lane at work is done by its own thread
                lane = self._ready.popleft()
                work = self._lanes[lane].popleft()
            try:
                work()
            finally:
                with self._changed:
                    self._left -= 1
                    if self._lanes[lane]:
                        self._ready.append(lane)
                    else:
                        del self._lanes[lane]
                    self._changed.notify_all()
