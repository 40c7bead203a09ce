"""`securechat connect --json`: one object per line both ways, each answer with its tag."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from .shell import Finished, Shell

pytestmark = pytest.mark.slow


def connect(shell: Shell, *lines: object, tail: str = "") -> Finished:
    """Run it over these objects, or lines as they are."""
    asked = "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
    where = [f"localhost:{shell.world.port}", "--certs", str(shell.world.config.certs)]
    words = [sys.executable, "-m", "securechat", "connect", "--json", "--nick", "zoe", *where]
    return subprocess.run(
        ["sh", "-c", f'"$@" {tail}', "sh", *words],
        env=shell.environ(LC_ALL="C"),
        input=asked,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=50,
    )


def told(done: Finished, event: str) -> list[dict[str, Any]]:
    rows = map(json.loads, done.stdout.splitlines())
    return [row for row in rows if row["event"] == event]


def test_what_is_said_and_asked_is_answered_with_its_tag(shell: Shell) -> None:
    wire = shell.world.join("watcher", "#lobby")
    done = connect(
        shell,
        {"text": "ä", "tag": 1},
        {"to": "@watcher", "text": "psst", "action": True},
        {"command": "who", "room": "#lobby", "tag": {"any": "thing"}},
        {"command": "quit"},
        {"text": "never"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    heard = [one for one in wire.roundtrip() if one["type"] == "chat"]
    assert [(one["to"], one["text"], "action" in one) for one in heard] == [
        ("#lobby", "ä", False),
        ("@watcher", "psst", True),
    ]
    [sent] = [one for one in told(done, "draft") if one["state"] == "sent" and "tag" in one]
    assert (sent["tag"], sent["seq"]) == (1, 1)
    [members] = told(done, "members")
    assert members["tag"] == {"any": "thing"}
    assert {one["nick"] for one in members["members"]} == {"watcher", "zoe"}
    assert told(done, "online")[0]["max_text"] == 4_000
    assert told(done, "message")[0]["own"] is True
    assert told(done, "ended") == [{"event": "ended"}]


def test_what_makes_no_sense_is_told_and_the_rest_is_done(shell: Shell) -> None:
    bad = ["nonsense", [1], {"txt": "x"}, {"command": "who", "name": "x"}, {"command": "dance"}]
    bad += [{"text": 5, "tag": "t"}, "[" * 100_000, {"to": "lobby", "text": "x"}]
    done = connect(shell, *bad, "", {"to": "@nobody", "text": "hi"}, {"text": "last"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [one["line"] for one in told(done, "error")] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert told(done, "error")[5]["tag"] == "t"
    states = [one["state"] for one in told(done, "draft")]
    assert (states.count("refused"), states.count("sent")) == (1, 1)


def test_nobody_reads_it_and_nobody_serves(shell: Shell) -> None:
    done = connect(shell, {"text": "hello"}, tail=">/dev/full")
    assert done.returncode == 1
    assert "The output cannot be written: no space left on device" in done.stderr
    shell.stop_server()
    done = connect(shell, {"text": "hello"})
    assert done.returncode == 3
    assert "No securechat server answers" in told(done, "ended")[0]["reason"]
