"""Every command with standard streams that are closed, full, gone, or in another encoding.

None ends with a traceback, and each exit code is one of those that `securechat --help` lists.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .shell import Shell

pytestmark = pytest.mark.slow

#: What is run, as a shell would; $WHERE and $CERTS are those of a server that is there.
COMMANDS = {
    "help": "--help",
    "connect": "connect $WHERE $CERTS --nick zoe1",
    "connect json": "connect $WHERE $CERTS --nick zoe2 --json",
    "send": "send lobby hällo --json --host $WHERE $CERTS --nick zoe3",
    "run": "run lobby --host $WHERE $CERTS --nick zoe4 -- echo hällo",
    "tail": "tail lobby --host $WHERE $CERTS --nick zoe5 --json",
    "export": "export lobby --format html --host $WHERE $CERTS --nick zoe6",
}
#: What has its answer before they end; what was said before they came may come too late.
ASKED = {"connect": "/history 5", "connect json": '{"text": "gr\\u00fc\\u00dfe"}'}
#: How; and which codes are right for commands whose output nobody gets.
STREAMS = {
    "closed output": ("{} < /dev/null >&-", {0, 1}),
    "reader gone": ("{} < /dev/null | true", {0}),
    "full disk": ("{} < /dev/null > /dev/full", {0, 1, 75}),
    "all closed": ("{} <&- >&- 2>&-", {0, 1}),
}


def play(shell: Shell, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    where = f"localhost:{shell.world.port}"
    return subprocess.run(
        ["sh", "-c", script],
        env={
            **shell.environ(),
            "HOME": str(shell.home),
            "XDG_DATA_HOME": str(shell.home / "share"),
            "WHERE": where,
            "CERTS": f"--certs={shell.world.config.certs}",
            **environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=50,
    )


@pytest.fixture
def home(shell: Shell) -> Shell:
    """There is something to read."""
    shell.home.mkdir(exist_ok=True)
    assert shell.run("send", "lobby", "grüße ☕ \N{GRINNING FACE}", nick="eve").returncode == 0
    return shell


@pytest.mark.parametrize("streams", STREAMS)
def test_no_stream_makes_a_traceback(home: Shell, streams: str) -> None:
    shape, codes = STREAMS[streams]

    def run(words: str) -> subprocess.CompletedProcess[str]:
        return play(home, shape.replace("{}", f"{sys.executable} -m securechat {words}"))

    with ThreadPoolExecutor(4) as pool:
        for name, done in zip(COMMANDS, pool.map(run, COMMANDS.values()), strict=True):
            assert "Traceback" not in done.stderr, (name, done.stderr)
            assert "Exception ignored" not in done.stderr, (name, done.stderr)
            assert done.returncode in codes, (name, done.returncode, done.stderr)


def test_the_c_locale_shows_all_there_is(home: Shell) -> None:
    def run(name: str) -> subprocess.CompletedProcess[str]:
        python = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        script = f"{sys.executable} -m securechat {COMMANDS[name]}"
        if name in ASKED:
            script = f"printf '%s\\n' '{ASKED[name]}' | {script}"
        return play(home, script, LC_ALL="C", **python)

    with ThreadPoolExecutor(4) as pool:
        for name, done in zip(COMMANDS, pool.map(run, COMMANDS), strict=True):
            assert "Traceback" not in done.stderr, (name, done.stderr)
            if name == "send":  # what it is told is no text in this locale
                assert done.stderr == "securechat: Not sent: line 1 holds bytes that are no text.\n"
                continue
            assert done.returncode == 0, (name, done.stderr)
            if name in ("connect", "connect json", "tail"):
                assert done.stdout.isascii()
                assert "\\xfc" in done.stdout or "\\u00fc" in done.stdout


def test_a_broken_pipe_ends_a_long_output_quietly(home: Shell, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text("".join(f"line {number}\n" for number in range(20_000)))
    base = f"{sys.executable} -m securechat"
    fill = f"{base} send lobby --host $WHERE $CERTS --nick zoe - < {lines}"
    assert play(home, fill).returncode == 0
    for words in (COMMANDS["tail"].replace("--json", "--after 0"), COMMANDS["export"]):
        done = play(home, f"({base} {words}; echo $? >&2) | head -1")
        code = done.stderr.strip().splitlines()[-1]
        assert (code, done.stderr.strip()) in (("1", "1"), ("0", "0")), done.stderr
        assert len(done.stdout.splitlines()) == 1
