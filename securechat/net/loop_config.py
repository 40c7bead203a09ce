"""What all io threads of a server share, as one value, and what they tell the hub."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..link_events import Arrived, Levelled, Lost
from ..protocol.codec import Refusal
from ..protocol.envelopes import Command, Draft
from .channel import Bucket
from .gate import Fact
from .ops import PageWanted

#: The number of a connection, and what happened there.
Told: TypeAlias = tuple[int, Draft | Command | Refusal | Arrived | Lost | Levelled]
#: Told how far strangers come: their number, what happened, when (monotonic seconds).
Report: TypeAlias = Callable[[int, Fact, float], None]

#: How long the hub may take over what it was told before more is read, seconds: a commit on a disk
#: that is busy, or thousands of messages that are brought into their places.
PATIENCE: Final = 0.02


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """What all io threads of a server share. With `context` they begin; `UseContext` replaces it.

    `inbox` takes a batch, and decides it unless another thread is deciding; when it is decided,
    something is posted, were it an empty list, which the loop awaits for up to `patience` seconds.
    `inbox_full` says that the hub has enough to do; `new_bucket(now)` makes what paces a
    connection, None: nothing does, and `new_shared_bucket(now)` what paces a crowded address
    (`crowd`). `report(number, fact, now)` is told how far strangers come.
    """

    context: ssl.SSLContext
    inbox: Callable[[list[Told]], None]
    inbox_full: Callable[[], bool]
    ask_page: Callable[[PageWanted], None]
    new_bucket: Callable[[float], Bucket] | None
    idle_timeout: float
    patience: float = PATIENCE
    new_shared_bucket: Callable[[float], Bucket] | None = None
    report: Report = lambda _number, _fact, _now: None
