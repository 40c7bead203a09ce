"""What became of a draft that may have been stored before.

In: the `execute` of a cursor, the journal, and the draft as it is said now. Out: `Known` with what
was stored, `Conflict` where its id stands for something else, `Unknown` where it was not stored.
Raised: what SQLite raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from ..records import Conflict, Known, Outcome, Unknown
from .journal import Journal
from .migrations import PLACE_BITS
from .pages import ROW, Painter, row_of
from .removal import ERASED
from .retention import digest

_Execute: TypeAlias = Callable[..., Any]

_IDS: Final = "SELECT id FROM message WHERE identity = ? AND id >= ? AND id < ? LIMIT ?"
_RECALL: Final = (
    f"SELECT name, digest, {ROW} FROM message JOIN conversation ON number = place >> {PLACE_BITS}"
    " WHERE identity = ? AND id = ?"
)
#: One for all, to be known by `is`.
UNKNOWN: Final = Unknown()
CONFLICT: Final = Conflict()


def recall(
    execute: _Execute, journal: Journal, identity: int, id: str, to: str, text: str
) -> Outcome:
    """What became of the draft `id` of `identity`, which says `text` to `to`."""
    entry = journal.find(identity, id)
    if entry is not None:
        new = entry[0]
        if new.to != to or new.text not in (text, ERASED):
            return CONFLICT
        name = new.conversation
        return Known(Painter(name, execute).paint(row_of(0, name, entry)))
    found = execute(_RECALL, (identity, id)).fetchall()
    if not found:
        return UNKNOWN
    name, gone, *row = found[0]
    if gone is not None:
        erased = gone == digest(to, ERASED)
        same = erased or gone == digest(to, text)
        row[-1] = ERASED if erased else text
    else:  # nobody can tell any more what an erased draft said: it is known by its id
        same = (row[5] or name) == to and row[-1] in (text, ERASED)
    if not same:
        return CONFLICT
    return Known(Painter(name, execute).paint(row))


def placed_ids(execute: _Execute, identity: int, low: str, high: str, limit: int) -> Sequence[str]:
    """Ids of `identity` from `low` to below `high` that are in their places, at most `limit`."""
    return [id for (id,) in execute(_IDS, (identity, low, high, limit))]
