"""`securechat audit`: who did what by a right, out of the server's database.

One line per act, oldest first, or with `--json` one object per line. A server may run meanwhile.
Exits with 0; with 1, and one line on stderr, when the database cannot be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..config import MOST
from .configuring import ConfigOption
from .db import DataFolder, data_folder
from .report import put, reported

if TYPE_CHECKING:
    from ..store.rulings import Audited


def audit(
    *,
    last: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MOST, help="Only the newest so many.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    data: DataFolder = None,
    _config: ConfigOption = None,
) -> None:
    """Show who kicked, muted, banned, removed and changed what, and why.

    Reads the database and changes nothing. A server may run meanwhile.

    \b
    Examples:
      securechat audit
      securechat audit --last 20
      securechat audit --json --data /srv/chat
    """
    with reported():
        from ..store import maintenance

        show = _as_json if as_json else as_line
        put(show(row) for row in maintenance.audit(data_folder(data), last))


def as_line(row: Audited) -> str:
    """`2026-01-31T12:00:00Z ann mute bob in #lobby until 2026-01-31T13:00:00Z (shouting)`."""
    from ..client.harmless import harmless_line

    act = row.act
    parts = [row.ts.partition(".")[0] + "Z", act.nick, act.act, act.subject]
    if act.room:
        parts.append(f"in {act.room}")
    until = _stamp(act.until)
    if until is not None:
        parts.append(f"until {until.partition('.')[0]}Z")
    if act.reason:
        parts.append(f"({act.reason})")
    return harmless_line(" ".join(part for part in parts if part))


def _as_json(row: Audited) -> str:
    from .jsonlines import line

    act = row.act
    keys = {
        "number": row.number,
        "ts": row.ts,
        "by": act.nick,
        "identity": act.identity,
        "act": act.act,
        "room": act.room or None,
        "subject": act.subject or None,
        "reason": act.reason or None,
        "until": _stamp(act.until),
    }
    return line("act", keys)


def _stamp(until: float | None) -> str | None:
    from ..store.retention import to_ts

    return None if until is None else to_ts(until)
