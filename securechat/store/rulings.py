"""Rights, bans, mutes and the audit as rows: each record to its statement, and back again.

In: the `execute` of a cursor, inside a transaction for writing. Raised: what SQLite raises, and
`ValueError` for a row that we never wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias, TypedDict

from ..records import ForgetRoom, KeepAct, KeepRoom, KeepSanction, LiftSanction

_Execute: TypeAlias = Callable[..., Any]

_KEEP_ROOM: Final = (
    "INSERT OR REPLACE INTO room_rule (room, owner, state, moderators, admitted)"
    " VALUES (?, ?, ?, ?, ?)"
)
_KEEP_ACT: Final = (
    "INSERT INTO audit (identity, nick, act, room, subject, reason, until, ts)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
#: Records whose fields are the columns of their statement.
_PLAIN: Final[dict[type[Any], str]] = {
    ForgetRoom: "DELETE FROM room_rule WHERE room = ?",
    KeepSanction: "INSERT OR REPLACE INTO sanction (number, act, room, identity, nick, account,"
    " network, until, since, by, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    LiftSanction: "DELETE FROM sanction WHERE number = ?",
}


class Rulings(TypedDict):
    """The part of a `Snapshot` that is kept here."""

    rooms: tuple[KeepRoom, ...]
    sanctions: tuple[KeepSanction, ...]


class Audited(NamedTuple):
    """One row of the audit."""

    number: int
    ts: str
    act: KeepAct


def ruling_keepers(
    execute: _Execute, stamp: Callable[[], str]
) -> dict[type[Any], Callable[[Any], None]]:
    """How each of the records is kept; `stamp` tells the `ts` of the transaction."""

    def keep_room(record: KeepRoom) -> None:
        room, owner, state, moderators, admitted = record
        execute(_KEEP_ROOM, (room, owner, state, json.dumps(moderators), json.dumps(admitted)))

    def keep_act(record: KeepAct) -> None:
        execute(_KEEP_ACT, (*record, stamp()))

    def keeper(statement: str) -> Callable[[NamedTuple], None]:
        return lambda record: execute(statement, record)

    plain = {kind: keeper(statement) for kind, statement in _PLAIN.items()}
    return {KeepRoom: keep_room, KeepAct: keep_act, **plain}


def read_rulings(execute: _Execute) -> Rulings:
    """All that is in force."""
    rooms = execute("SELECT room, owner, state, moderators, admitted FROM room_rule").fetchall()
    sanctions = execute(
        "SELECT number, act, room, identity, nick, account, network, until, since, by, reason"
        " FROM sanction ORDER BY number"
    ).fetchall()
    return Rulings(
        rooms=tuple(
            KeepRoom(room, owner, state, _numbers(moderators), _numbers(admitted))
            for room, owner, state, moderators, admitted in rooms
        ),
        sanctions=tuple(KeepSanction(*row) for row in sanctions),
    )


def read_audit(execute: _Execute, *, last: int | None = None) -> Iterator[Audited]:
    """The rows of the audit, oldest first; `last`: only so many of the newest."""
    rows = execute(
        "SELECT * FROM (SELECT number, ts, identity, nick, act, room, subject, reason, until"
        " FROM audit ORDER BY number DESC LIMIT ?) ORDER BY number",
        (-1 if last is None else last,),
    )
    for number, ts, *act in rows:
        yield Audited(number, ts, KeepAct(*act))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in json.loads(text))
