"""What a check finds in a database, and what it calls sound."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.errors import StoreRefused
from securechat.records import Stored
from securechat.store.connections import DATABASE_NAME
from securechat.store.maintenance import check
from securechat.store.sqlite import SqliteStore

from .folders import LATER, TS, damage, message, opened


def test_a_sound_database_has_no_problems(data: Path) -> None:
    found = check(data)
    assert (found.problems, found.messages, found.conversations) == ((), 4, 3)
    assert found.server is None


def test_a_check_beside_a_server_tells_its_process(serving: SqliteStore, data: Path) -> None:
    serving.commit([message("5")], LATER)
    found = check(data)
    assert (found.problems, found.messages, found.server) == ((), 5, os.getpid())
    assert serving.commit([message("6")], LATER) == [Stored(4, LATER)]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DELETE FROM message WHERE id = '4'", "#a: the last message is 1, it should be 2"),
        ("UPDATE conversation SET head = 9 WHERE name = '#a'", "#a: the last message is 2, it sh"),
        (
            "DELETE FROM message WHERE id = '1'",
            "#a: 1 texts are there, they should be those from 1",
        ),
        (
            "UPDATE message SET place = place + 5 WHERE id = '4'; "
            "UPDATE conversation SET head = 7 WHERE name = '#a'",
            "#a: from 1 to 7 there are only 2 messages",
        ),
        (
            "UPDATE conversation SET first = 1 WHERE name = '#b'",
            "#b: 1 texts are there, they shoul",
        ),
        (
            "UPDATE message SET text = 'back', digest = NULL WHERE id = '0'",
            "#b: 2 texts are there, they should be those from 2 to 2",
        ),
        (
            "UPDATE message SET text = 'longer' WHERE id = '1'",
            "#a: the messages weigh 328 bytes, not",
        ),
        (
            "UPDATE conversation SET oldest = 'x' WHERE name = '#a'",
            f"#a: the first message is of {TS}",
        ),
        ("UPDATE conversation SET oldest = NULL WHERE name = '#a'", "not of None as written"),
        ("DELETE FROM conversation WHERE name = '#a'", "conversation 2 has messages, but no name"),
        ("INSERT INTO removal VALUES (1, 99, 1)", "removal: a row points nowhere"),
        ("DELETE FROM meta", "the epoch is missing"),
    ],
)
def test_a_check_finds_what_should_not_be(data: Path, sql: str, problem: str) -> None:
    damage(data, sql)
    found = check(data)
    assert any(problem in one for one in found.problems), found.problems


def test_a_check_finds_an_index_that_does_not_fit_its_table(data: Path) -> None:
    with closing(apsw.Connection(str(data / DATABASE_NAME))) as db:
        db.execute(
            "PRAGMA writable_schema = ON;"
            "CREATE TABLE hidden AS SELECT rootpage, sql FROM sqlite_schema"
            " WHERE name = 'message_draft';"
            "DELETE FROM sqlite_schema WHERE name = 'message_draft';"
            "PRAGMA writable_schema = RESET;"
            "DELETE FROM message WHERE id = '4';"
            "PRAGMA writable_schema = ON;"
            "INSERT INTO sqlite_schema SELECT 'index', 'message_draft', 'message', rootpage, sql"
            " FROM hidden;"
            "PRAGMA writable_schema = RESET"
        )
    problems = check(data).problems
    assert any("message_draft" in problem for problem in problems), problems
    assert not any("\n" in problem for problem in problems)


def test_a_check_tells_a_handful_of_problems_and_not_thousands(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), to=f"#r{n}") for n in range(100)], TS)
    damage(tmp_path, "UPDATE conversation SET weight = 1")
    assert len(check(tmp_path).problems) == 20


def test_a_check_of_damaged_pages_says_so(data: Path) -> None:
    path = data / DATABASE_NAME
    content = bytearray(path.read_bytes())
    for page in range(2 * 4_096, len(content), 4_096):
        content[page : page + 16] = b"\xff" * 16
    path.write_bytes(content)
    assert check(data).problems
    assert path.read_bytes() == bytes(content)


def test_there_must_be_a_database_of_ours_to_check(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no database"):
        check(tmp_path)
    (tmp_path / DATABASE_NAME).write_text(
        "Dear diary, today I have written no database at all." * 9
    )
    with pytest.raises(StoreRefused, match="this is not a database"):
        check(tmp_path)
