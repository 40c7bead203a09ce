"""What one message costs the server's Python in each stage, microseconds of CPU.

    python -m benchmarks.stages [--rooms 100] [--members 5] [--batches 100]

Without TLS, the kernel and the hand-over between threads: what is left is ours to make quicker.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .path import STAGES, Path


def measure(rooms: int, members: int, batches: int) -> dict[str, float]:
    """Microseconds of CPU per message and stage; two speak in each room."""
    path = Path(rooms, members)
    spent = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        spent[stage] += time.thread_time() - began

    for _ in range(batches):
        path.take(path.say(2 * rooms), timed)
    return {stage: seconds / (batches * 2 * rooms) * 1e6 for stage, seconds in spent.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU per message, stage by stage")
    parser.add_argument("--rooms", type=int, default=100)
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--batches", type=int, default=100)
    options = parser.parse_args()
    for stage, cost in measure(options.rooms, options.members, options.batches).items():
        print(f"{stage:10}{cost:8.2f} µs")


if __name__ == "__main__":
    main()
