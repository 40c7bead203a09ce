"""`securechat search`, and the slash commands of searching on a pipe."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .shell import Shell

pytestmark = pytest.mark.slow


def say(shell: Shell, *texts: str) -> None:
    wire = shell.world.join("carol", "#garden")
    for text in texts:
        wire.say("#garden", text)
    wire.roundtrip()
    wire.close()


def said(out: str) -> list[str]:
    return [line.split(" ", 1)[1] for line in out.splitlines()]


def test_what_is_found_is_printed_oldest_first(shell: Shell) -> None:
    say(shell, "one tulip", "no rose", "two\ntulips")
    done = shell.run("search", "tulip", LANG="C", LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")
    assert said(done.stdout) == ["#garden [1] <carol> one tulip", "#garden [3] <carol> two⏎tulips"]
    assert said(shell.run("search", '"one', 'tulip"').stdout) == ["#garden [1] <carol> one tulip"]
    done = shell.run("search", "from:carol in:garden", "--limit", "1", "--json")
    [row] = [json.loads(line) for line in done.stdout.splitlines()]
    assert (row["event"], row["seq"], row["text"]) == ("message", 3, "two\ntulips")


def test_it_says_what_is_wrong_and_that_nothing_is_there(shell: Shell) -> None:
    done = shell.run("search", "after:never")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("securechat: `before:` and `after:` take a day or a time in UTC")
    done = shell.run("search", "tulip")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "securechat: nothing was found\n")


def test_more_than_a_page_is_printed(shell: Shell) -> None:
    say(shell, *(f"tulip {number} {'x' * 2_000}" for number in range(70)))
    done = shell.run("search", "tulip", "--limit", "1000")
    assert [line.split()[2] for line in done.stdout.splitlines()] == [
        f"[{number}]" for number in range(1, 71)
    ]


def test_on_a_pipe_one_searches_and_looks_around(shell: Shell) -> None:
    say(shell, "before", "a tulip", "behind")
    words = [sys.executable, "-m", "securechat", "connect", f"localhost:{shell.world.port}"]
    words += ["--certs", shell.command("x")[9], "--nick", "zoe", "--room", "garden"]
    done = subprocess.run(
        words,
        env=shell.environ(),
        input="/search tulip\n/context 2\n/away lunch\n/whois zoe\n",
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=30,
    )
    # What is read on joining comes when it has been read, before the answers or among them.
    joining = {f"#garden <carol> {text}" for text in ("before", "a tulip", "behind")}
    joining.add("- -- you are in #garden")
    told = [line for line in said(done.stdout) if line not in joining]
    at = told.index("#garden [2] <carol> a tulip")
    assert told[at + 1 :] == [
        "- -- 1 message found; to see one among the others: /context #garden 2",
        "#garden [1] <carol> before",
        "#garden [2] <carol> a tulip",
        "#garden [3] <carol> behind",
        "- -- you are away: lunch",
        "- -- zoe is a guest; online",
        "- -- zoe is away: lunch",
    ]
