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
        rows = [
            (base + seq, identity, id, ts, sender, None if to == name else to, reply, action, text)
            for (_, identity, id, to, sender, text, reply, action), seq, ts in entries
        ]  # as `row_of` makes one, for this runs once per message
        cursor.executemany(_INSERT, rows)
        weight = sum([weigh(row[-1]) for row in rows])
        (_, head, last_ts), oldest = entries[-1], entries[0][2]
        cursor.execute(_GROW, (number, name, head, weight, oldest, last_ts))
        total += weight
    cursor.execute("DELETE FROM journal")
    return total
