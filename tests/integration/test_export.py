"""`securechat export`: what was asked for and nothing else, whole or not at all."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from .shell import Shell

pytestmark = pytest.mark.slow


def say(shell: Shell, *texts: str) -> None:
    wire = shell.world.join("speaker", "#lobby")
    for text in texts:
        wire.say("#lobby", text)
    wire.roundtrip()


def seqs(out: str) -> list[int]:
    return [json.loads(line)["seq"] for line in out.splitlines()]


def test_between_two_points(shell: Shell) -> None:
    say(shell, *map(str, range(1, 61)))
    done = shell.run("export", "lobby")
    assert (done.returncode, done.stderr) == (0, "")
    assert seqs(done.stdout) == list(range(1, 61))
    assert seqs(shell.run("export", "lobby", "--after", "3", "--before", "6").stdout) == [4, 5]
    first = json.loads(done.stdout.splitlines()[30])["ts"]
    behind = seqs(shell.run("export", "lobby", "--after", first).stdout)
    ahead = seqs(shell.run("export", "lobby", "--before", first).stdout)
    assert ahead + behind == list(range(1, 61))
    assert 31 in behind


def test_a_file_is_written_whole_in_any_locale(shell: Shell, tmp_path: Path) -> None:
    say(shell, "ä & <b>")
    page = tmp_path / "lobby.html"
    where = ("--format", "html", "--output", str(page))
    done = shell.run("export", "lobby", *where, LANG="C", LC_ALL="C", PYTHONUTF8="0")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"securechat: 1 message in {page}\n"
    assert "ä &amp; &lt;b&gt;" in page.read_text("utf-8")
    done = shell.run("export", "lobby", "--format", "md", LC_ALL="C", PYTHONUTF8="0")
    assert "ä \\& \\<b\\>" in done.stdout
    assert list(tmp_path.glob(".*.part")) == []


def test_what_fails_leaves_the_old_file(shell: Shell, tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text("old")
    done = shell.run("export", "@nobody", "--output", str(old))
    assert done.returncode == 5
    assert old.read_text() == "old"
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--output", "/nowhere/x"], 1, "/nowhere/x cannot be written: no such file or directory"),
        (["--output", "/dev/full"], 1, "/dev/full cannot be written: no space left on device"),
        (["--after", "soon"], 2, "expected the number of a message, or a date"),
        (["--format", "pdf"], 2, "pdf"),
    ],
)
def test_refusals_say_why(shell: Shell, arguments: list[str], code: int, why: str) -> None:
    say(shell, "hello")
    done = shell.run("export", "lobby", *arguments)
    assert done.returncode == code
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_reads_it(shell: Shell) -> None:
    say(shell, *["x" * 4_000] * 40)
    done = shell.sh('{ "$@"; echo $? >&2; } | true', "export", "lobby")
    assert done.stderr == "1\n"
    shell.stop_server()
    done = shell.run("export", "lobby")
    assert (done.returncode, done.stdout) == (3, "")


def test_a_bar_is_drawn_on_a_terminal_only(shell: Shell) -> None:
    say(shell, "hello")
    near, far = pty.openpty()
    with subprocess.Popen(
        shell.command("export", "lobby"),
        env=shell.environ(TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=far,
        text=True,
    ) as process:
        os.close(far)
        assert process.stdout is not None
        assert seqs(process.stdout.read()) == [1]
        drawn = b""
        try:
            while piece := os.read(near, 4_096):
                drawn += piece
        except OSError:  # the terminal is gone with its last user
            pass
        os.close(near)
    assert process.returncode == 0
    assert b"%" in drawn
