"""What could not be stored and nobody waits for: it goes with the next commit, until one succeeds.

In: records, in the order in which they were decided. Out: the fewest that leave a store as all of
them would. Nothing is raised.

A disk may be full for days, and whoever joins and leaves all that time must not add to what each
commit tries again: of the records of one subject only the last counts. It takes the place of the
first, so that what was decided about an identity's presence stays before its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from ..records import (
    ForgetIdentity,
    ForgetInvite,
    ForgetRoom,
    ForgetSession,
    KeepAccount,
    KeepIdentity,
    KeepInvite,
    KeepPresence,
    KeepRoom,
    KeepSanction,
    KeepSession,
    KeepTopic,
    LiftSanction,
    Record,
)

#: By the type of a record: what kind of thing it is about, and which. Others count each.
_SUBJECTS: Final[dict[type[Any], tuple[str, Callable[[Any], object]]]] = {
    KeepIdentity: ("identity", lambda it: it.identity),
    ForgetIdentity: ("identity", lambda it: it.identity),
    KeepPresence: ("presence", lambda it: (it.identity, it.room)),
    KeepTopic: ("topic", lambda it: it.room),
    KeepAccount: ("account", lambda it: it.identity),
    KeepSession: ("session", lambda it: it.token_hash),
    ForgetSession: ("session", lambda it: it.token_hash),
    KeepInvite: ("invite", lambda it: it.token_hash),
    ForgetInvite: ("invite", lambda it: it.token_hash),
    KeepRoom: ("room", lambda it: it.room),
    ForgetRoom: ("room", lambda it: it.room),
    KeepSanction: ("sanction", lambda it: it.number),
    LiftSanction: ("sanction", lambda it: it.number),
}


class Owed:
    """The records, by subject; its owner is the hub."""

    def __init__(self) -> None:
        self._records: dict[object, Record] = {}
        self._unlike = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Iterable[Record]) -> None:
        """Owe these, too."""
        for record in records:
            self._records[self._subject(record)] = record

    def take_stock(self) -> list[Record]:
        """All that is owed, in order."""
        return list(self._records.values())

    def settle(self) -> None:
        """Owe nothing any more: all of it was stored."""
        self._records.clear()

    def _subject(self, record: Record) -> object:
        found = _SUBJECTS.get(type(record))
        if found is None:
            self._unlike += 1
            return self._unlike
        kind, which = found
        return kind, which(record)
