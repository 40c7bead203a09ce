"""A bot as a process: how it ends, and what it says then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from securechat.errors import CannotConnect, CertificateError, SecureChatError
from securechat.sdk import process
from securechat.testing import ChatServer

ROOT = Path(__file__).parents[2]
BOT = """
import sys
from securechat import Bot

bot = Bot("robby")

@bot.on_connect
def connect(chat, resumed):
    print("up", flush=True)

port, certs, state = sys.argv[1:]
bot.run("127.0.0.1", int(port), certs=certs, state_dir=state)
"""


def start(port: int, certs: Path, state: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BOT, str(port), str(certs), str(state)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order(
    chat_server: ChatServer, tmp_path: Path, number: int, code: int
) -> None:
    with (
        chat_server.connect("ann") as ann,
        start(chat_server.port, chat_server.certs, tmp_path) as child,
    ):
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(number)
        _, told = child.communicate(timeout=15)
        assert child.returncode == code
        assert "Traceback" not in told
        # It said goodbye: who only loses the link is held for a while.
        assert [one.nick for one in ann.who("#lobby")] == ["ann"]


def test_what_keeps_it_from_starting_is_one_line_and_a_code(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()
    with start(1, tmp_path / "certs", tmp_path) as child:
        _, told = child.communicate(timeout=15)
    assert child.returncode == 4
    assert told.startswith("robby: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CannotConnect("no \x1b[31mserver"), 3),
        (CertificateError("odd"), 1),
        (SecureChatError("odd"), 1),
        (ValueError("no room"), 2),
    ],
)
def test_what_ends_it_is_told_harmlessly(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def serve() -> None:
        raise error

    assert process.run(serve, "robby") == code
    told = capsys.readouterr().err
    assert told.startswith("robby: ")
    assert "\x1b" not in told


def test_the_handlers_of_signals_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert process.run(lambda: None, "robby") == 0
    assert signal.getsignal(signal.SIGINT) is before
