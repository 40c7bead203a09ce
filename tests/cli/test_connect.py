"""Which front end one gets."""

from __future__ import annotations

import pytest

from securechat.cli import connect
from securechat.cli.connect import Front


@pytest.mark.parametrize(
    ("terminal", "by_line", "term", "installed", "front"),
    [
        (True, False, "xterm", {"textual", "readline"}, Front.FULL_SCREEN),
        (True, True, "xterm", {"textual", "readline"}, Front.LINE),
        (True, False, "dumb", {"textual", "readline"}, Front.LINE),
        (True, False, "", {"textual", "readline"}, Front.LINE),
        (True, False, "xterm", {"readline"}, Front.LINE),
        (True, True, "xterm", set(), Front.PIPE),
        (False, False, "xterm", {"textual", "readline"}, Front.PIPE),
    ],
)
def test_the_front_end_that_fits(
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    by_line: bool,
    term: str,
    installed: set[str],
    front: Front,
) -> None:
    monkeypatch.setattr(connect, "is_terminal", lambda _stream: terminal)
    monkeypatch.setattr(connect, "find_spec", lambda name: name if name in installed else None)
    monkeypatch.delenv("TERM", raising=False)
    if term:
        monkeypatch.setenv("TERM", term)
    assert connect._front_end(as_json=False, by_line=by_line) is front
