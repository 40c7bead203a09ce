"""Messages come from the journal into their places, many at a time, within one transaction.

In: the cursor of the writing connection, the journal, and the conversations as they are committed.
Out: what was brought in weighs, bytes. Raised: what SQLite raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import apsw

from .conversations import Conversation
from .journal import Journal
from .migrations import PLACE_BITS
from .pages import row_of
from .retention import weigh

_INSERT: Final = (
    "INSERT INTO message (place, identity, id, ts, sender, address, reply_to, action, text)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_GROW: Final = (
    "INSERT INTO conversation (number, name, first, head, weight, oldest, last_ts)"
    " VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET head = excluded.head,"
    " weight = weight + excluded.weight, oldest = coalesce(oldest, excluded.oldest),"
    " last_ts = excluded.last_ts"
)


def bring_in(
    cursor: apsw.Cursor, journal: Journal, conversations: Mapping[str, Conversation]
) -> int:
    """Bring in all that waits; the caller clears the journal when it is committed."""
    total = 0
    for name, entries in journal.conversations():
        number = conversations[name].number
        base = number << PLACE_BITS
        cursor.executemany(_INSERT, [row_of(base, name, entry) for entry in entries])
        weight = sum([weigh(entry[0].text) for entry in entries])
        (_, head, last_ts), oldest = entries[-1], entries[0][2]
        cursor.execute(_GROW, (number, name, head, weight, oldest, last_ts))
        total += weight
    cursor.execute("DELETE FROM journal")
    return total
