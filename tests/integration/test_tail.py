"""`securechat tail`: what is there, once each; the cursor moves behind what was written."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from .shell import Shell

pytestmark = pytest.mark.slow


def say(shell: Shell, *texts: str, nick: str = "speaker") -> None:
    wire = shell.world.join(nick, "#lobby")
    for text in texts:
        wire.say("#lobby", text)
    wire.roundtrip()
    wire.close()


def said(out: str) -> list[str]:
    return [line.split(" ", 3)[3] for line in out.splitlines()]


def test_the_last_lines_or_all_behind_a_number(shell: Shell) -> None:
    say(shell, *"abcde", "ä\nö")
    done = shell.run("tail", "lobby", "--lines", "2", LANG="C", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert said(done.stdout) == ["e", "ä⏎ö"]
    assert said(shell.run("tail", "#lobby", "--after", "3").stdout) == ["d", "e", "ä⏎ö"]
    assert shell.run("tail", "empty").stdout == ""
    rows = [json.loads(line) for line in shell.run("tail", "lobby", "--json").stdout.splitlines()]
    assert [row["seq"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[5] == {
        "event": "message",
        "conversation": "#lobby",
        "seq": 6,
        "ts": rows[5]["ts"],
        "sender": "speaker",
        "text": "ä\nö",
        "id": rows[5]["id"],
    }


def test_after_last_each_message_comes_once(shell: Shell) -> None:
    last = ("tail", "lobby", "--after", "last")
    say(shell, "a", "b")
    assert said(shell.run(*last).stdout) == ["a", "b"]
    assert shell.run(*last).stdout == ""
    say(shell, *map(str, range(30)), nick="another")
    assert said(shell.run(*last).stdout) == [str(number) for number in range(30)]
    assert len(shell.run(*last, nick="reader").stdout.splitlines()) == 20


def test_what_was_not_written_comes_again(shell: Shell) -> None:
    say(shell, "a", "b")
    done = shell.sh('{ "$@"; echo $? >&2; } | true', "tail", "lobby", "--after", "last")
    assert done.stderr == "1\n"
    done = shell.sh('"$@" > /dev/full', "tail", "lobby", "--after", "last")
    assert done.returncode == 1
    assert done.stderr == "securechat: The output cannot be written: no space left on device.\n"
    assert said(shell.run("tail", "lobby", "--after", "last").stdout) == ["a", "b"]


def _follow(shell: Shell, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert said(process.stdout.readline()) == ["a"]
    taken = shell.run("tail", "lobby", "--after", "last")
    assert taken.returncode == 1
    assert "Another `tail --after last`" in taken.stderr
    say(shell, "b", nick="another")
    assert said(process.stdout.readline()) == ["b"]
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 143


def test_follow_goes_on_until_it_is_stopped(shell: Shell) -> None:
    say(shell, "a")
    with subprocess.Popen(
        shell.command("tail", "lobby", "--after", "last", "--follow"),
        env=shell.environ(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            _follow(shell, process)
        finally:
            process.kill()
    say(shell, "c", nick="third")
    assert said(shell.run("tail", "lobby", "--after", "last").stdout)[-1] == "c"


def test_one_conversation_with_one_person(shell: Shell) -> None:
    assert shell.run("send", "lobby", "here I am").returncode == 0
    wire = shell.world.join("speaker")
    wire.say("@zoe", "psst")
    wire.roundtrip()
    assert said(shell.run("tail", "@speaker").stdout) == ["psst"]


def test_what_was_kept_is_sent_by_it(shell: Shell) -> None:
    shell.stop_server()
    assert shell.run("send", "lobby", "kept", "--wait", "0.1").returncode == 75
    shell.start_server()
    shell.world.join("gardener", "#garden")
    done = shell.run("tail", "garden")
    assert done.stderr == "securechat: kept earlier, and sent now to #lobby: kept\n"
    shell.stop_server()
    assert shell.run("send", "lobby", "again", "--wait", "0.1").returncode == 75
    shell.start_server()
    done = shell.run("tail", "lobby")
    assert (done.returncode, said(done.stdout)) == (0, ["kept", "again"])
    assert done.stderr == "securechat: kept earlier, and sent now to #lobby: again\n"


@pytest.mark.parametrize("command", [("tail",), ("tail", "--after", "9"), ("export",)])
def test_a_room_that_is_not_there_is_told_and_not_made(
    shell: Shell, command: tuple[str, ...]
) -> None:
    done = shell.run(command[0], "typoroom", *command[1:])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("securechat: there is no room #typoroom")
    wire = shell.world.join("watcher", "#lobby")
    rooms = wire.answer("rooms")["rooms"]
    assert [one["room"] for one in rooms] == ["#lobby"]


def test_refusals(shell: Shell) -> None:
    assert shell.run("tail", "lobby", "--after", "first").returncode == 2
    done = shell.run("tail", "@nobody")
    assert (done.returncode, done.stdout) == (5, "")
    shell.stop_server()
    done = shell.run("tail", "lobby", "--after", "last")
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
