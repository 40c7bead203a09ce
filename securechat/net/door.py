"""The accept thread's part in the limits: holds the sockets that wait, and does what the gate says.

In: `Adopt`s from the listener, `tell` from io threads. Out: operations for the io threads. A socket
that waits is one descriptor and nothing else: no TLS, nothing read; what its peer has sent waits in
the kernel. Nothing is raised.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from ..penalties import source_of
from .gate import RELEASE_EVERY, Admit, Cut, Fact, Gate, Wait
from .ops import Adopt, Evict, Op

log = logging.getLogger(__name__)

#: Between two log lines about connections that were cut, seconds.
_TELL_EVERY: Final = 10.0


class Door:
    """Between the listener and the io threads; all but `tell` is for the accept thread."""

    def __init__(self, gate: Gate, post: Callable[[int, Sequence[Op]], None]) -> None:
        self._gate = gate
        self._post = post
        self._waiting: dict[int, Adopt] = {}
        self._told: queue.SimpleQueue[tuple[int, Fact, float]] = queue.SimpleQueue()
        self._cut: Counter[str] = Counter()
        self._example = ""
        self._tell_at = 0.0

    def tell(self, number: int, fact: Fact, now: float) -> None:
        """Note something about a connection; from any thread, never blocks.

        Nobody is woken: it is looked at when the next one comes, or has its turn.
        """
        self._told.put((number, fact, now))

    def adopt(self, adopt: Adopt) -> None:
        """Let a connection in, have it wait, or cut it."""
        now = time.monotonic()
        self._heed(now)
        source = source_of(adopt.peer)
        decision = self._gate.judge(adopt.number, source, now)
        if isinstance(decision, Admit):
            self._let_in(adopt, decision, source)
        elif isinstance(decision, Wait):
            self._waiting[adopt.number] = adopt
            if decision.displaced:
                self._close(self._waiting.pop(decision.displaced), "others have waited less")
        else:
            self._close(adopt, decision.why)

    def tend(self) -> float | None:
        """Let in those whose turn has come; returns after how long to call again, None: no need."""
        now = time.monotonic()
        if self._gate.anyone_waits:
            self._heed(now)
            for number, decision in self._gate.release(now):
                adopt = self._waiting.pop(number)
                if isinstance(decision, Cut):
                    self._close(adopt, decision.why)
                else:
                    self._let_in(adopt, decision, source_of(adopt.peer))
        self._tell_of_cuts(now)
        if self._gate.anyone_waits:
            return RELEASE_EVERY
        return max(0.0, self._tell_at - now) if self._cut else None

    @property
    def waiting(self) -> int:
        """How many wait to be let in; from any thread."""
        return len(self._waiting)

    def close(self) -> None:
        """Nobody comes in any more."""
        for adopt in self._waiting.values():
            adopt.sock.close()
        self._waiting.clear()

    def _heed(self, now: float) -> None:
        while not self._told.empty():
            number, fact, when = self._told.get()
            self._gate.note(number, fact, min(when, now))

    def _let_in(self, adopt: Adopt, admit: Admit, source: str) -> None:
        if admit.evict:
            self._post(admit.evict, (Evict(admit.evict),))
        crowd = source if admit.crowded else ""
        self._post(adopt.number, (adopt._replace(surplus=admit.surplus, crowd=crowd),))

    def _close(self, adopt: Adopt, why: str) -> None:
        adopt.sock.close()
        self._cut[why] += 1
        self._example = adopt.peer

    def _tell_of_cuts(self, now: float) -> None:
        """One line for many: a flood shall not flood the log."""
        if not self._cut or now < self._tell_at:
            return
        self._tell_at = now + _TELL_EVERY
        counts = ", ".join(f"{count} because {why}" for why, count in self._cut.most_common())
        log.warning("connections cut before TLS: %s; the last from %s", counts, self._example)
        self._cut.clear()
