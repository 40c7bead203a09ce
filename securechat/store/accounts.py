"""Accounts, their sessions and invites as rows: each record to its statement, and back again.

In: the `execute` of a cursor, inside a transaction for writing. Raised: what SQLite raises, and
`ValueError` for a row that we never wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias, TypedDict

from ..records import (
    ForgetInvite,
    ForgetSession,
    KeepAccount,
    KeepInvite,
    KeepSession,
)

_Execute: TypeAlias = Callable[..., Any]

_KEEP_ACCOUNT: Final = (
    "INSERT INTO account (identity, name, key, skeletons, unicode, role, password, created)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (identity) DO UPDATE SET name = excluded.name, key = excluded.key,"
    " skeletons = excluded.skeletons, unicode = excluded.unicode, role = excluded.role,"
    " password = excluded.password"
)
#: Records whose fields are the columns of their statement.
_PLAIN: Final[dict[type[Any], str]] = {
    KeepSession: "INSERT OR REPLACE INTO session (token, identity, client, created, used)"
    " VALUES (?, ?, ?, ?, ?)",
    ForgetSession: "DELETE FROM session WHERE token = ?",
    KeepInvite: "INSERT OR REPLACE INTO invite (token, nick, room, uses, created, expires)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    ForgetInvite: "DELETE FROM invite WHERE token = ?",
}


class Accounts(TypedDict):
    """The part of a `Snapshot` that is kept here."""

    accounts: tuple[KeepAccount, ...]
    sessions: tuple[KeepSession, ...]
    invites: tuple[KeepInvite, ...]


def account_keepers(execute: _Execute) -> dict[type[Any], Callable[[Any], None]]:
    """How each of the records is kept."""

    def keep_account(record: KeepAccount) -> None:
        execute(_KEEP_ACCOUNT, record._replace(skeletons=json.dumps(record.skeletons)))  # type: ignore[arg-type]

    def keeper(statement: str) -> Callable[[NamedTuple], None]:
        return lambda record: execute(statement, record)

    plain = {kind: keeper(statement) for kind, statement in _PLAIN.items()}
    return {KeepAccount: keep_account, **plain}


def read_accounts(execute: _Execute) -> Accounts:
    """All that is kept."""
    accounts = execute(
        "SELECT identity, name, key, skeletons, unicode, role, password, created FROM account"
    ).fetchall()
    sessions = execute("SELECT token, identity, client, created, used FROM session").fetchall()
    invites = execute("SELECT token, nick, room, uses, created, expires FROM invite").fetchall()
    return Accounts(
        accounts=tuple(_restore(*row) for row in accounts),
        sessions=tuple(KeepSession(*row) for row in sessions),
        invites=tuple(KeepInvite(*row) for row in invites),
    )


def _restore(identity: int, name: str, key: str, skeletons: str, *rest: Any) -> KeepAccount:
    listed = tuple(str(one) for one in json.loads(skeletons))
    return KeepAccount(identity, name, key, listed, *rest)
