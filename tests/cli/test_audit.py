"""`securechat audit`: what it prints, and how it ends."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from securechat.cli.app import app
from securechat.records import KeepAct
from securechat.store.connections import DATABASE_NAME
from securechat.store.sqlite import open_store

TS = "2026-05-04T03:02:01.000000Z"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two acts."""
    with closing(open_store(tmp_path / "data")) as store:
        store.load()
        store.commit(
            [
                KeepAct(1, "ann", "mute", "#a", "eve", "loud \x1b[2J", 1_700_000_000.0),
                KeepAct(2, "root", "ban", "", "192.0.2.0/24"),
            ],
            TS,
        )
    return tmp_path / "data"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["audit", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_each_act_is_one_line_that_a_terminal_can_be_shown(data: Path) -> None:
    code, out, _ = run("--data", data)
    first, second = out.splitlines()
    assert code == 0
    assert first.startswith("2026-05-04T03:02:01Z ann mute eve in #a until 2023-11-14T22:13:20Z (")
    assert "\x1b" not in out
    assert second == "2026-05-04T03:02:01Z root ban 192.0.2.0/24"


def test_for_programs_each_is_an_object(data: Path) -> None:
    with closing(open_store(data)):  # a server is running
        _, out, _ = run("--data", data, "--json", "--last", "1")
    assert [json.loads(line) for line in out.splitlines()] == [
        {
            "event": "act",
            "number": 2,
            "ts": TS,
            "by": "root",
            "identity": 2,
            "act": "ban",
            "subject": "192.0.2.0/24",
        }
    ]


def test_a_database_from_before_has_none(data: Path) -> None:
    with closing(apsw.Connection(str(data / DATABASE_NAME))) as db:
        db.execute("DROP TABLE audit")
    assert run("--data", data) == (0, "", "")


def test_without_a_database_the_cure_is_told(tmp_path: Path) -> None:
    code, _, err = run("--data", tmp_path)
    assert code == 1
    assert "there is no database. Give its folder with --data." in err
