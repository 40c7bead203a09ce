"""A server that looks at every password it is told, in the order in which they come.

    python -m tests.hostile.unguarded serve …

The negative control of the suite that guesses: all else of it is as it should be.
"""

from __future__ import annotations

from typing import Any

from securechat.chat import proving
from securechat.chat.logins import CLEAN, Logins
from securechat.cli import main


def _open(self: proving.Proofs, session: Any, re: str, then: Any, rank: int = CLEAN) -> int:
    """A ticket for everybody, as often as they like."""
    del rank
    self._last += 1
    self._waiting[self._last] = proving._Waiting(session.number, re, then)
    return self._last


def disarm() -> None:
    """Let everybody guess as often as they like."""
    proving.Proofs.open = _open  # type: ignore[method-assign]
    Logins.wait = lambda *_: 0.0  # type: ignore[method-assign]
    Logins.rank = lambda *_: CLEAN  # type: ignore[method-assign]


if __name__ == "__main__":
    disarm()
    main()
