"""`securechat run`: the command first, the chat beside it."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from .shell import Shell, texts

pytestmark = pytest.mark.slow


def test_a_room_hears_how_a_command_went(shell: Shell) -> None:
    wire = shell.world.join("watcher", "#lobby")
    script = "read line; echo out $line; printf '\\033[31merr\\033[0m' >&2; exit 3"
    done = shell.run("run", "lobby", "--lines", "1", "--", "sh", "-c", script, input="in\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, "out in\n", "\x1b[31merr\x1b[0m")
    begun, ended = texts(wire)
    assert begun.startswith("$ sh -c 'read line; echo out $line;")
    assert re.match(r"exit 3 after 0\.\d s: sh -c", ended)
    assert ended.endswith(("\n```\nout in\n```", "\n```\nerr\n```"))  # two streams, no order


@pytest.mark.parametrize(
    ("script", "code", "outcome"),
    [
        (["sh", "-c", "kill -9 $$"], 137, "ended by SIGKILL after"),
        (["/nowhere/command"], 127, "not started (No such file or directory): /nowhere/command"),
        (["/"], 126, "not started (Permission denied): /"),
    ],
)
def test_the_code_is_that_of_a_shell(
    shell: Shell, script: list[str], code: int, outcome: str
) -> None:
    wire = shell.world.join("watcher", "#lobby")
    assert shell.run("run", "lobby", "--", *script).returncode == code
    assert texts(wire)[1].startswith(outcome)


def test_without_a_server_the_command_runs_and_the_room_hears_of_it_later(shell: Shell) -> None:
    wire = shell.world.join("watcher", "#lobby")
    shell.stop_server()
    done = shell.run("run", "lobby", "--wait", "0.1", "--", "echo", "yes")
    assert (done.returncode, done.stdout) == (0, "yes\n")
    assert done.stderr.startswith("securechat: kept, and told by the next command that can (")
    shell.start_server()
    wire = shell.world.join("watcher", "#lobby", session=wire.session)
    assert shell.run("send", "lobby", "later").returncode == 0
    begun, ended, later = texts(wire)
    assert (begun, later) == ("$ echo yes", "later")
    assert ended.endswith("s: echo yes\n```\nyes\n```")


@pytest.mark.parametrize(
    ("arguments", "nick", "why"),
    [
        (["lobby", "--certs", "/nowhere"], "zoe", "nothing will be told: /nowhere/ca.pem"),
        (["lobby"], "taken", "That nick belongs to someone else"),
        (["@nobody"], "zoe", "securechat: not told: Nobody goes by that nick"),
    ],
)
def test_no_trouble_with_the_chat_keeps_a_command_from_running(
    shell: Shell, arguments: list[str], nick: str, why: str
) -> None:
    shell.world.join("taken")
    done = shell.run("run", *arguments, "--", "sh", "-c", "echo yes; exit 4", nick=nick)
    assert (done.returncode, done.stdout) == (4, "yes\n")
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_reaches_the_command(shell: Shell) -> None:
    script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done"
    process = subprocess.Popen(
        shell.command("run", "lobby", "--", "sh", "-c", script),
        env=shell.environ(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "bye\n"
    assert process.returncode == 7


def test_nobody_reads_what_the_command_writes(shell: Shell) -> None:
    """It is told as it would be without us: by SIGPIPE."""
    wire = shell.world.join("watcher", "#lobby")
    done = shell.sh('{ "$@"; echo $? >&2; } | head -1', "run", "lobby", "--", "yes")
    assert (done.stdout, done.stderr) == ("y\n", "141\n")
    assert texts(wire)[1].startswith("ended by SIGPIPE after")


def test_bytes_pass_through_as_they_are(shell: Shell) -> None:
    done = shell.sh(
        '"$@" | od -An -tx1', "run", "lobby", "--", "printf", r"\351\000\r\n\033[1m no end"
    )
    assert "".join(done.stdout.split()) == "e9000d0a1b5b316d206e6f20656e64"
    assert done.stderr == ""
