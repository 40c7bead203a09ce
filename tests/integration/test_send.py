"""`securechat send`: the exit code is a receipt, whatever happens to server, pipe and locale."""

from __future__ import annotations

import json

import pytest

from securechat.client.outbox import Outbox
from securechat.client.snapshot import Snapshot, Under

from .shell import Shell, texts

pytestmark = pytest.mark.slow


def test_stored_is_0_and_its_number_is_printed(shell: Shell) -> None:
    wire = shell.world.join("watcher", "#lobby")
    assert shell.run("send", "#lobby", "hello", "world").returncode == 0
    done = shell.run("send", "lobby", "--json", input="b\n" * 2_100 + "end")
    assert (done.returncode, done.stderr) == (0, "")
    receipts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["event"], one["seq"], one["part"], one["parts"]) for one in receipts] == [
        ("stored", 2, 1, 2),
        ("stored", 3, 2, 2),
    ]
    said = texts(wire)
    assert said[0] == "hello world"
    assert "\n".join(said[1:]) == "b\n" * 2_100 + "end"


def test_code_is_a_block_even_in_the_c_locale(shell: Shell) -> None:
    wire = shell.world.join("watcher", "#lobby")
    done = shell.run(
        "send", "lobby", "--file-name", "x.py", "-", input="``` ä\n\tif\n", LANG="C", LC_ALL="C"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert texts(wire) == ["x.py\n````\n``` ä\n\tif\n````"]


def test_to_one_person(shell: Shell) -> None:
    wire = shell.world.join("watcher")
    assert shell.run("send", "@watcher", "psst").returncode == 0
    assert texts(wire) == ["psst"]


def test_a_server_that_is_down_is_75_and_the_next_command_sends_it_once(shell: Shell) -> None:
    wire = shell.world.join("watcher", "#lobby", "#garden")
    assert shell.run("send", "lobby", "first").returncode == 0
    shell.stop_server()
    for room, text in (("garden", "in the dark"), ("lobby", "still dark")):
        done = shell.run("send", room, text, "--wait", "0.2", "--json")
        assert done.returncode == 75
        [receipt] = map(json.loads, done.stdout.splitlines())
        assert receipt["event"] == "kept"
        assert "seq" not in receipt
        assert "1 message is kept here" in done.stderr
    shell.start_server()
    wire = shell.world.join("watcher", "#lobby", "#garden", session=wire.session)
    done = shell.run("send", "lobby", "light")
    assert done.returncode == 0
    assert "kept earlier, and sent now to #garden: in the dark" in done.stderr
    assert shell.run("send", "lobby", "last").returncode == 0
    assert texts(wire) == ["in the dark", "still dark", "light", "last"]


def test_what_cannot_be_kept_is_not_said_to_be(shell: Shell) -> None:
    shell.stop_server()
    no_writing = 'ulimit -f 0; "$@"'  # EFBIG, as a full disk would be ENOSPC
    done = shell.sh(no_writing, "send", "lobby", "hello", "--wait", "0.1")
    assert done.returncode == 1
    assert "securechat: not sent: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "input", "code", "why"),
    [
        (
            ["@nobody", "hi"],
            "",
            1,
            "not sent: Nobody goes by that nick. /who in `securechat connect` lists",
        ),
        (["lobby"], "", 1, "nothing in it but white space"),
        (["lobby"], "ok\n\x1b[31mred\n", 1, r"line 2 holds the control character \x1b"),
        (["lobby"], "x" * (1 << 20) + "y", 1, "longer than 1,048,576 bytes"),
        (["no room", "hi"], "", 2, "That is no room name"),
        (["lobby", "hi", "--certs", "/nowhere"], "", 4, "/nowhere/ca.pem is not there"),
    ],
)
def test_refusals_say_why(
    shell: Shell, arguments: list[str], input: str, code: int, why: str
) -> None:
    done = shell.run("send", *arguments, input=input)
    assert done.returncode == code
    assert why in done.stderr.replace("│", "").replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_bytes_that_are_no_text_are_refused(shell: Shell) -> None:
    done = shell.sh("printf 'caf\\351' | \"$@\"", "send", "lobby")
    assert done.returncode == 1
    assert "it is not utf-8" in done.stderr


def test_a_nick_of_somebody_else_is_5(shell: Shell) -> None:
    shell.world.join("taken")
    done = shell.run("send", "lobby", "hi", nick="taken")
    assert (done.returncode, done.stdout) == (5, "")


def test_nobody_reads_the_receipt(shell: Shell) -> None:
    wire = shell.world.join("watcher", "#lobby")
    done = shell.sh('{ "$@"; echo $? >&2; } | true', "send", "lobby", "hello", "--json")
    assert done.stderr == "0\n"
    done = shell.sh('"$@" >&- 2>&-; echo $?', "send", "lobby", "again", "--json")
    assert done.stdout == "0\n"
    assert texts(wire) == ["hello", "again"]


def test_what_another_run_has_not_read_is_still_new_to_the_next(shell: Shell) -> None:
    """Sending moves no cursor."""

    def outbox(run: str) -> Outbox:
        return Outbox(shell.home / "securechat", "localhost", shell.world.port, "zoe", run)

    under = Under(shell.world.epoch, None)
    earlier = outbox("run1")
    earlier.rewrite(Snapshot(under, ("zoe",), {"#lobby": 0, "#garden": 7}))
    earlier.close()
    shell.world.join("watcher", "#lobby").say("#lobby", "news")
    assert shell.run("send", "lobby", "hello").returncode == 0
    later = outbox("run2")
    [kept] = later.saved
    later.close()
    assert kept.cursors == {"#lobby": 0, "#garden": 7}
