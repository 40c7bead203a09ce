"""A server that lets TLS records that say nothing be as many as they like.

    python -m tests.hostile.unwatched serve …

The negative control of `test_key_updates`: all else of it is as it should be.
"""

from __future__ import annotations

from securechat.cli import main
from securechat.net import wordless


def disarm() -> None:
    """Count nothing, and look at no io thread."""
    wordless.Tally.note = lambda *_: None  # type: ignore[method-assign]
    wordless.free = lambda *_: None


if __name__ == "__main__":
    disarm()
    main()
