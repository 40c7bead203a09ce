"""What a look at something found, as values: for `doctor`, on both sides of the wire."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Mark(Enum):
    """How it is. `SKIPPED`: what comes before it failed, so it was not reached."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "-"


class Finding(NamedTuple):
    """One line: of what, how it is, in words; `cure` is a command that mends it, or helps."""

    topic: str
    mark: Mark
    text: str
    cure: str = ""


def ok(topic: str, text: str) -> Finding:
    """As it should be."""
    return Finding(topic, Mark.OK, text)


def warn(topic: str, text: str, cure: str = "") -> Finding:
    """It works, but something is to be seen to."""
    return Finding(topic, Mark.WARN, text, cure)


def fail(topic: str, text: str, cure: str = "") -> Finding:
    """It does not work."""
    return Finding(topic, Mark.FAIL, text, cure)


def skipped(topic: str) -> Finding:
    """It could not be looked at."""
    return Finding(topic, Mark.SKIPPED, "not reached")
