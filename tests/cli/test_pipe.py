"""The whole `connect` on a pipe, with a scripted client in the place of the network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from securechat.cli import pipe

ROOT = Path(__file__).parents[2]
STAMP = "2026-11-23T12:00:00Z"


class Run:
    """`securechat connect` with pipes on all sides."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        (folder / "ca.pem").write_text("not looked at")
        self._record = folder / "record.json"
        command = [sys.executable, "-m", "tests.cli.scripted", "connect", "--nick", "bob"]
        self.process = subprocess.Popen(
            [*command, "--certs", str(folder), *arguments],
            cwd=ROOT,
            env={**os.environ, "RECORD": str(self._record), "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def feed(self, data: str | bytes) -> tuple[int, list[str], list[str]]:
        """Send all input at once; the exit code, the lines that came out, and those on stderr."""
        data = data.encode() if isinstance(data, str) else data
        out, err = self.process.communicate(data, timeout=30)
        return self.process.returncode, out.decode().splitlines(), err.decode().splitlines()

    def record(self) -> dict[str, Any]:
        """What the client was asked for."""
        record: dict[str, Any] = json.loads(self._record.read_text("utf-8"))
        return record

    def said(self) -> list[str]:
        """Every text, with where it was said."""
        return [f"{to} {text}" for to, text, _ in self.record()["said"]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started = Run(tmp_path)
    yield started
    started.process.kill()
    started.process.communicate()


def spoken(lines: list[str]) -> list[str]:
    """The records of messages, without their time."""
    return [line[len(STAMP) + 1 :] for line in lines if line.startswith(STAMP)]


def test_each_line_is_said_and_each_event_is_one_line(run: Run) -> None:
    code, out, err = run.feed("hello\n\n   \ntwo  words\r\n//slash\n/me waves\nlast")
    assert code == 0
    assert run.said() == [
        "#lobby hello",
        "#lobby two  words",
        "#lobby /slash",
        "#lobby waves",
        "#lobby last",
    ]
    assert spoken(out) == [
        "#lobby <carol> earlier",
        "#lobby <bob> hello",
        "#lobby <bob> two  words",
        "#lobby <bob> /slash",
        "#lobby * bob waves",
        "#lobby <bob> last",
    ]
    assert [line[21:] for line in out if not line.startswith(STAMP)] == [
        "#lobby -- you are in #lobby, 3 people"
    ]
    assert err == [
        "securechat: connecting to localhost port 55555",
        "securechat: connected to scripted as bob",
    ]


def test_a_line_waits_for_the_command_before_it(run: Run) -> None:
    code, out, _ = run.feed("/join garden\nhello\n/query carol\npsst\n/who\n/help me\n")
    assert code == 0
    assert run.said() == ["#garden hello", "@carol psst"]
    assert [line[21:] for line in out if not line.startswith(STAMP)][1:] == [
        "#garden -- you are in #garden, 1 person",
        "- -- 3 online: bob, carol, dave",
        "- -- /me TEXT: say what you do",
        "- -- for example: /me waters the roses",
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("refuse this", "securechat: line 2: not sent (I refuse.): refuse this"),
        ("/join secret", "securechat: line 2: You may not."),
        ("/jion garden", "securechat: line 2: There is no command /jion; nothing was sent."),
        (" /quit", "securechat: line 2: Not sent: it begins with a space and a slash."),
        ("x" * 201, "securechat: line 2: Not sent: a message has at most 200 characters"),
    ],
)
def test_what_is_refused_says_why_and_is_a_failure(run: Run, line: str, complaint: str) -> None:
    code, _, err = run.feed(f"first\n{line}\nlast\n")
    assert code == 1
    assert [one for one in err if one.startswith(complaint)] == err[2:]
    assert {"#lobby first", "#lobby last"} <= set(run.said())


def test_a_line_that_is_no_text_is_refused(run: Run) -> None:
    code, _, err = run.feed(b"caf\xe9\nok\n")
    assert (code, run.said()) == (1, ["#lobby ok"])
    assert err[2:] == ["securechat: line 1 is not utf-8: not sent; convert it with iconv"]


def test_quit_ends_it_with_its_reason(run: Run) -> None:
    code, _, _ = run.feed("hello\n/quit good night\nnever\n")
    assert (code, run.said()) == (0, ["#lobby hello"])
    assert run.record()["closed"][0] == "good night"


def test_nothing_at_all_is_fine(run: Run) -> None:
    code, out, _ = run.feed("")
    assert (code, spoken(out), run.said()) == (0, ["#lobby <carol> earlier"], [])


def test_a_link_lost_for_too_long_is_told(run: Run) -> None:
    code, _, err = run.feed("drop\n")
    assert code == 7
    assert err[2] == "securechat: connection lost (connection reset); trying again in 2 s"
    assert err[3].startswith("securechat: 1 message was not confirmed within 30 s")


def test_what_was_not_confirmed_is_told(run: Run) -> None:
    code, _, err = run.feed("hello\nlag behind\n")
    assert code == 7
    assert err[-1].startswith("securechat: 1 message was not confirmed within 30 s")


def test_a_server_without_room_is_told_once_and_at_once(run: Run) -> None:
    code, _, err = run.feed("hello\nfull one\nfull two\n")
    assert code == 7
    assert err[2:] == [
        "securechat: line 2: not stored yet (storage): There is no room. It is kept here, and sent"
        " again until it can be.",
        "securechat: 2 messages were not confirmed within 30 s (storage: the server has no room);"
        " what was not is kept, and sent by the next command that reaches the server.",
    ]


def test_giving_up_has_its_code(run: Run) -> None:
    code, _, err = run.feed("end\n")
    assert (code, err[-1]) == (7, "securechat: The link was lost. Connect again.")


def test_a_server_that_cannot_be_reached_has_its_code(tmp_path: Path) -> None:
    code, out, err = Run(tmp_path, "unreachable:7000").feed("hello\n")
    assert (code, out) == (3, [])
    assert err == [
        "securechat: connecting to unreachable port 7000",
        "securechat: No server answers there. Check the address.",
    ]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_it_in_order(run: Run, number: int, code: int) -> None:
    assert run.process.stdout is not None
    run.process.stdout.readline()
    run.process.send_signal(number)
    assert run.process.wait(timeout=30) == code
    assert run.process.stderr is not None
    assert b"Traceback" not in run.process.stderr.read()
    assert run.record()["closed"]


def test_nobody_reads_the_output_any_more(run: Run) -> None:
    process = run.process
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdin.write(b"flood 5000\n")
    process.stdin.flush()
    assert process.wait(timeout=30) == 1
    assert process.stderr.read().splitlines() == [
        b"securechat: connecting to localhost port 55555",
        b"securechat: connected to scripted as bob",
    ]


# ------------------------------------------------------------------ lines of a descriptor


def lines_of(data: bytes, most: int = pipe.MAX_LINE) -> list[bytes]:
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as stream:  # noqa: PTH123 - a descriptor
            stream.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return list(pipe.lines(reading, most))
    finally:
        os.close(reading)
        writer.join()


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"one", [b"one"]),
        (b"one\ntwo\n", [b"one", b"two"]),
        (b"one\r\n\r\n\n", [b"one", b"", b""]),
        (b"a\x0bb\x0cc\xc2\x85d\n", [b"a\x0bb\x0cc\xc2\x85d"]),
    ],
)
def test_lines(data: bytes, lines: list[bytes]) -> None:
    assert lines_of(data) == lines


def test_a_line_without_end_is_not_kept() -> None:
    assert lines_of(b"x" * 300_000 + b"\nnext\n", most=1_000) == [b"x" * 1_000, b"next"]
    assert lines_of(b"x" * 300_000, most=1_000) == [b"x" * 1_000]


def test_a_closed_input_has_no_lines() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    os.close(reading)
    assert list(pipe.lines(reading)) == []
