"""The works that every server is given, and which figures of them are shown.

A work is what the load generator (`load.c`) is told; a row takes one figure of its result, with
the factor that makes its unit. In every figure less is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Sizes at which growth is looked at: clients in rooms of 50, a fifth of them speaking.
GROWTH: Final = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of load; `full`: only a full run does it."""

    name: str
    title: str
    arguments: str
    full: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: figure `key` of a work, times `factor`, in `unit`."""

    work: str
    label: str
    key: str
    unit: str
    factor: float = 1.0


def _growth(clients: int) -> Work:
    return Work(
        f"growth-{clients}",
        f"{clients:,} in rooms of 50, a fifth of them speaks, two messages in flight each",
        f"-n {clients} -r {clients // 50} -s {clients // 5} -w 2",
        full=True,
    )


WORKS: Final[tuple[Work, ...]] = (
    Work("hot", "one room of 100, 50 speak, flat out", "-n 100 -s 50 -w 4"),
    Work("rooms", "20 rooms of 50, 10 speak in each, flat out", "-n 1000 -r 20 -s 200 -w 2"),
    Work("small", "200 rooms of 5, 2 speak in each, flat out", "-n 1000 -r 200 -s 400 -w 1"),
    Work("townhall", "one room of 1,000, 50 messages a second", "-n 1000 -s 100 --rate 50"),
    Work("pingpong", "one room of 100, one message in flight", "-n 100 -s 1 -w 1"),
    Work("idle", "5,000 connected in 250 rooms, nobody speaks", "-n 5000 -r 250 --idle"),
    *(_growth(clients) for clients in GROWTH),
)

_CPU: Final = ("cpu_us_per_delivery", "µs of CPU per delivery")

ROWS: Final[tuple[Row, ...]] = (
    *(Row(name, name, *_CPU) for name in ("hot", "rooms", "small", "townhall")),
    Row("townhall", "townhall, p99", "p99_us", "ms from due to heard", 1e-3),
    Row("pingpong", "pingpong", *_CPU),
    Row("pingpong", "pingpong, p50", "p50_us", "ms from said to heard", 1e-3),
    Row("idle", "idle", "kib_per_connection", "KiB a connection"),
    Row("idle", "connecting", "cpu_ms_per_connect", "ms of CPU a connection"),
    *(Row(f"growth-{size}", f"growth, {size:,}", *_CPU) for size in GROWTH),
)
