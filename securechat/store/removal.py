"""Erasing what one message says: its row stays, with everything but the text.

In: the `execute` of a cursor inside a transaction of the writing connection, and which message.
Out: what became of it. Raised: what SQLite raises.

This is the one place that erases a text for a person, so what else is made of texts (an index for
search) can follow it: by a trigger on `UPDATE OF text`, or here. SQLite is told to overwrite what
it frees meanwhile (PRAGMA secure_delete). The caller has the log brought in and cut off, for the
text stands in it too, and has the rest of the file looked through (`scrub`). Copies made before,
and what a disk keeps of blocks that were written over, are out of reach.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ..records import (
    MAX_REMOVALS,
    Conflict,
    Kept,
    Outcome,
    Removal,
    RemoveMessage,
    Unknown,
)

#: Says that traces of an erased text may stand in the file, until `forget` takes it away.
_NOTE: Final = "INSERT OR REPLACE INTO meta (key, value) VALUES ('erasing', '1')"
#: No text that was ever said is empty, so this one means that it was erased.
ERASED: Final = ""


#: Read when a store is opened: so many in all, the newest.
_MOST_READ: Final = 100_000
_OUTDATED: Final = (
    "DELETE FROM erasure WHERE conversation = ?1 AND number <= (SELECT number FROM erasure"
    " WHERE conversation = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
)


class Erasure(NamedTuple):
    """What became of it; `text` is what was erased, "" where nothing was."""

    outcome: Outcome
    text: str = ""


def erase(execute: Callable[..., Any], place: int, wanted: RemoveMessage) -> Erasure:
    """Erase the text of the message at `place`, if it is there and may be erased."""
    found = execute("SELECT identity, text FROM message WHERE place = ?", (place,)).fetchall()
    if not found or not found[0][1]:
        return Erasure(Unknown())
    ((identity, text),) = found
    if wanted.author is not None and wanted.author != identity:
        return Erasure(Conflict())
    execute("PRAGMA secure_delete = 1").fetchall()
    try:
        execute("UPDATE message SET text = ? WHERE place = ?", (ERASED, place))
    finally:
        execute("PRAGMA secure_delete = 0").fetchall()
    execute(_NOTE)
    return Erasure(Kept(), text)


def remember(execute: Callable[..., Any], removal: Removal) -> None:
    """Note a removal for those who come back, and forget the oldest of that conversation."""
    execute("INSERT INTO erasure (conversation, seq, identity, nick) VALUES (?, ?, ?, ?)", removal)
    execute(_OUTDATED, (removal.conversation, MAX_REMOVALS))


def read_removals(execute: Callable[..., Any]) -> tuple[Removal, ...]:
    """The last removals, oldest first."""
    rows = execute(
        "SELECT conversation, seq, identity, nick FROM erasure ORDER BY number DESC LIMIT ?",
        (_MOST_READ,),
    ).fetchall()
    return tuple(Removal(*row) for row in reversed(rows))


def is_noted(execute: Callable[..., Any]) -> bool:
    """Whether traces of an erased text may stand in the file."""
    return bool(execute("SELECT 1 FROM meta WHERE key = 'erasing'").fetchall())


def forget(execute: Callable[..., Any]) -> None:
    """Note that there are none."""
    execute("DELETE FROM meta WHERE key = 'erasing'")
