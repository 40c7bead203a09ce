"""Erasing what one message says: its row stays, with everything but the text.

In: the `execute` of a cursor inside a transaction of the writing connection, and which message.
Out: what became of it. Raised: what SQLite raises.

This is the one place that erases a text for a person, so what else is made of texts (an index for
search) can follow it: by a trigger on `UPDATE OF text`, or here. SQLite is told to overwrite what
it frees meanwhile (PRAGMA secure_delete), and the caller has the log brought in and cut off
(`wal_checkpoint(TRUNCATE)`), for the text stands in it too. Copies made before, and what a disk
keeps of blocks that were written over, are out of reach.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ..records import Conflict, Kept, Outcome, RemoveMessage, Unknown

#: No text that was ever said is empty, so this one means that it was erased.
ERASED: Final = ""


class Erasure(NamedTuple):
    """`freed`: by how many bytes the conversation is lighter now; 0 where nothing was erased."""

    outcome: Outcome
    freed: int = 0


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
    return Erasure(Kept(), len(text.encode()))
