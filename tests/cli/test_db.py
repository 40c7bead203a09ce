"""`securechat db`: what it prints, and how it ends."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import date
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner

from securechat.cli.db import app, show_stats
from securechat.records import NewMessage
from securechat.store.connections import DATABASE_NAME
from securechat.store.maintenance import RoomSize, Stats
from securechat.store.sqlite import open_store

TS = "2026-05-04T03:02:01.000000Z"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one message."""
    folder = tmp_path / "data"
    with closing(open_store(folder)) as store:
        store.load()
        store.commit([NewMessage("#a", 1, "1", "#a", "ann", "hi", None, False)], TS)
    return folder


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of `securechat db ARGUMENTS`."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


def test_what_cannot_be_opened_is_not_sent_to_the_check_that_says_so(data: Path) -> None:
    file = data / "securechat.db"
    with closing(open_store(data)):
        pass
    file.write_bytes(file.read_bytes()[:4096] + os.urandom(8192))
    code, _, err = run("check", "--data", data)
    assert code == 1
    assert "is damaged" in err
    assert "db restore" in err
    assert "db check" not in err


def test_a_sound_database(data: Path) -> None:
    assert run("check", "--data", data) == (0, "sound: 1 message in 1 conversation\n", "")


def test_a_check_beside_a_server(data: Path) -> None:
    with closing(open_store(data)):
        code, out, _ = run("check", "--data", data)
    said = f"sound: 1 message in 1 conversation (a server is running: process {os.getpid()})\n"
    assert (code, out) == (0, said)


def test_a_damaged_database_is_told_with_the_cure(data: Path) -> None:
    with closing(apsw.Connection(str(data / DATABASE_NAME))) as db:
        db.execute("UPDATE conversation SET name = '#\x1b[31m', head = 3")
    code, out, err = run("check", "--data", data)
    assert code == 1
    assert "the last message is 1, it should be 3" in out
    assert "\x1b" not in out
    assert err.startswith("securechat: the database is damaged. Stop the server, then restore")
    assert err.endswith(f"securechat db restore FILE --data {data}\n")


def test_backup_and_restore(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    code, out, err = run("backup", file, "--data", data)
    assert (code, err) == (0, "")
    assert out.startswith(f"{file}: ")
    assert out.endswith(" kB, written and verified\n")
    code, out, err = run("restore", file, "--data", data)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"restored {file} into {data}, with a new epoch"
    assert out.splitlines()[1].startswith(f"what was there before: {data / DATABASE_NAME}.replaced")
    code, out, _ = run("restore", file, "--data", tmp_path / "new")
    assert (code, out.count("\n")) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check", "--data", "{missing}"], "there is no database"),
        (["stats", "--data", "{missing}"], "there is no database"),
        (["backup", "{file}", "--data", "{missing}"], "there is no database"),
        (["backup", "{data}", "--data", "{data}"], "it is there already"),
        (["restore", "{file}", "--data", "{data}"], "nothing was restored: "),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_1(
    data: Path, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    places = {"missing": tmp_path / "missing", "file": tmp_path / "file", "data": data}
    code, out, err = run(*(argument.format_map(places) for argument in arguments))
    assert (code, out) == (1, "")
    assert err.startswith("securechat: ")
    assert complaint in err
    assert err.count("\n") == 1


def test_without_data_it_is_the_users_folder(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda name, **_keys: data.parent / name)
    code, _, err = run("check")
    assert code == 1
    assert f"{data.parent / 'securechat' / DATABASE_NAME}: there is no database" in err


def test_a_room_is_shown_with_its_size(data: Path) -> None:
    code, out, err = run("stats", "--data", data)
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == ["room  messages       size", "#a           1  162 bytes"]


def make_stats(rooms: tuple[RoomSize, ...], **values: object) -> Stats:
    told: dict[str, object] = {
        "path": Path("/srv/chat/securechat.db"),
        "rooms": rooms,
        "messages": sum(room.messages for room in rooms),
        "removed": 0,
        "file_bytes": 12_345_678,
        "reusable_bytes": 999,
        "index_bytes": 0,
        "free_disk_bytes": 10**12,
        "pace_days": 7.0,
        "messages_per_day": 1_234.5,
        "bytes_per_day": 99_500.0,
        "full_on": date(2031, 2, 3),
        "server": None,
    }
    return Stats(**told | values)  # type: ignore[arg-type]


def test_stats_as_a_person_reads_them() -> None:
    rooms = (RoomSize("#lobby", 12_345, 2_000_000, 20_000), RoomSize("direct", 7, 1_500, 7))
    assert show_stats(make_stats(rooms, removed=7_655, index_bytes=7_000_000, server=77)) == [
        "room    messages    size",
        "#lobby    12,345  2.0 MB",
        "direct         7  1.5 kB",
        "",
        "/srv/chat/securechat.db: 12.3 MB with its log, 999 bytes of it free for new messages"
        " (a server is running: process 77)",
        "index for searching: 7.0 MB",
        "12,352 messages, 7,655 removed",
        "pace: 1,234 messages and 100 kB a day (over the last 7 days)",
        "disk: 1.0 TB free; at this pace, and if nothing is removed, it is full on 2031-02-03",
    ]


def test_stats_of_a_quiet_server() -> None:
    quiet = make_stats((), messages_per_day=0.0, bytes_per_day=0.0, full_on=None, server=0)
    assert show_stats(quiet) == [
        "room  messages  size",
        "",
        "/srv/chat/securechat.db: 12.3 MB with its log, 999 bytes of it free for new messages"
        " (a server is running)",
        "0 messages",
        "disk: 1.0 TB free; at this pace it is never full",
    ]


def test_a_day_too_far_away_is_not_told() -> None:
    assert show_stats(make_stats((), full_on=None))[-1] == (
        "disk: 1.0 TB free; at this pace it is not full within ten years"
    )


def test_stats_of_a_young_server() -> None:
    assert "(over the last 1 hour)" in "\n".join(show_stats(make_stats((), pace_days=1 / 24)))


def test_many_rooms_are_summed_up() -> None:
    rooms = tuple(RoomSize(f"#r{n:02}", 100 - n, 1_000, 100) for n in range(25))
    lines = show_stats(make_stats(rooms))
    assert lines[20] == "#r19            81  1.0 kB"
    assert lines[21] == "5 others       390  5.0 kB"
    assert lines[22] == ""


def test_help_has_examples_and_loads_nothing_heavy() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for command in ("check", "backup", "restore", "stats"):
        assert command in out
        code, text, _ = run(command, "--help")
        assert code == 0
        assert f"securechat db {command}" in text
