"""A look at the terminal: what the clients can show on it. Pure but for `standard`.

In come what the system says of the standard streams; out come `Finding`s.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import NamedTuple

from ..findings import Finding, ok, warn
from .render import has_many_colours
from .report import is_terminal

#: Smaller than that, the full screen has no room.
_LEAST = (40, 10)


class Surface(NamedTuple):
    """What there is to draw on; `size` is None where there is no terminal."""

    size: tuple[int, int] | None
    encoding: str
    environ: Mapping[str, str]
    has_screen: bool


def standard() -> Surface:
    """That of this process."""
    is_ours = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    size = os.get_terminal_size(sys.stdout.fileno()) if is_ours else None
    return Surface(
        None if size is None else (size.columns, size.lines),
        sys.stdout.encoding,
        os.environ,
        find_spec("textual") is not None,
    )


def examine(surface: Surface) -> Iterator[Finding]:
    """What the clients make of it."""
    if surface.encoding.lower().replace("-", "") == "utf8":
        yield ok("encoding", "UTF-8")
    else:
        text = f"{surface.encoding}: what it cannot show is written as \\u…"
        yield warn("encoding", text, "export LC_ALL=C.UTF-8")
    if surface.size is None:
        yield ok("terminal", "none: `connect` is in pipe mode, one line for each event")
        return
    columns, lines = surface.size
    term = surface.environ.get("TERM", "")
    if term in ("", "dumb"):
        text = f"TERM={term or '(not set)'}: line mode without cursor movements"
        yield warn("terminal", text, "export TERM=xterm-256color")
    elif columns < _LEAST[0] or lines < _LEAST[1]:
        text = f"{term}, {columns} x {lines}: too small for the full screen"
        yield warn("terminal", text, "securechat connect --line")
    else:
        yield ok("terminal", f"{term}, {columns} x {lines}")
    yield _colours(surface.environ)
    if surface.has_screen:
        yield ok("full screen", "installed")
    else:
        text = "the extra tui is not installed: `connect` is in line mode"
        yield warn("full screen", text, "pip install 'securechat[tui]'")


def _colours(environ: Mapping[str, str]) -> Finding:
    if environ.get("NO_COLOR"):
        return ok("colours", "none, as NO_COLOR says")
    if has_many_colours(environ):
        return ok("colours", "256 or more")
    text = "8: nicks share them"
    return warn("colours", text, "export TERM=xterm-256color")
