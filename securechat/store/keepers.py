"""How each record is kept that is one row and no message: a table, record → what keeps it.

In: the `execute` of a cursor, inside a transaction for writing. Out: `new_keepers`, the table.
Raised: what SQLite raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from ..records import ForgetIdentity, KeepIdentity, KeepPresence, KeepTopic, Together
from .accounts import account_keepers
from .rulings import ruling_keepers

_Execute: TypeAlias = Callable[..., Any]
#: By the type of a record.
Keepers: TypeAlias = dict[type[Any], Callable[[Any], None]]

_KEEP_IDENTITY: Final = (
    "INSERT INTO identity (number, nick, token, used, former) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET nick = excluded.nick, token = excluded.token,"
    " used = excluded.used, former = excluded.former"
)


def new_keepers(execute: _Execute, stamp: Callable[[], str]) -> Keepers:
    """The table; `stamp` tells the `ts` of the transaction."""
    keepers: Keepers = {
        **_identity_keepers(execute),
        **account_keepers(execute),
        **ruling_keepers(execute, stamp),
    }

    def keep_together(record: Together) -> None:
        for change in record.changes:
            keepers[type(change)](change)

    keepers[Together] = keep_together
    return keepers


def _identity_keepers(execute: _Execute) -> Keepers:
    """Identities, where they are present, and the topics of rooms."""

    def keep_identity(record: KeepIdentity) -> None:
        number, nick, token, used, former = record
        listed = json.dumps(former) if former else None
        execute(_KEEP_IDENTITY, (number, nick, token, used, listed))

    def forget_identity(record: ForgetIdentity) -> None:
        execute(
            "UPDATE identity SET token = NULL, former = NULL WHERE number = ?", (record.identity,)
        )
        execute("DELETE FROM presence WHERE identity = ?", (record.identity,))

    def keep_presence(record: KeepPresence) -> None:
        statement = (
            "INSERT INTO presence (room, identity) VALUES (?, ?) ON CONFLICT DO NOTHING"
            if record.present
            else "DELETE FROM presence WHERE room = ? AND identity = ?"
        )
        execute(statement, (record.room, record.identity))

    def keep_topic(record: KeepTopic) -> None:
        if record.text:
            execute("INSERT OR REPLACE INTO topic (room, text) VALUES (?, ?)", record)
        else:
            execute("DELETE FROM topic WHERE room = ?", (record.room,))

    return {
        KeepIdentity: keep_identity,
        ForgetIdentity: forget_identity,
        KeepPresence: keep_presence,
        KeepTopic: keep_topic,
    }
