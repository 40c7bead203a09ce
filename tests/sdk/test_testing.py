"""The test kit itself: the fixture works in a project of somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from securechat import Bot
from securechat.errors import CannotConnect
from securechat.testing import ChatServer

TEST = """
from securechat import Bot
from securechat.testing import ChatServer, Harness

bot = Bot("robby")
bot.command("hi")(lambda context: f"hi {context.message.sender}")

def test_offline():
    assert Harness(bot).hear("!hi") == ["hi ann"]

def test_online(chat_server: ChatServer):
    with chat_server.running(bot), chat_server.connect("ann") as ann:
        ann.send("#lobby", "!hi")
        assert ann.receive(10).text == "hi ann"
"""


@pytest.mark.slow
def test_another_project_may_use_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["securechat.testing.fixtures"]\n')
    (tmp_path / "test_bot.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    root = str(Path(__file__).parents[2])
    environ = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(
        [
            *command,
            "--rootdir",
            str(tmp_path),
            "--basetemp",
            str(tmp_path / "bt"),
            "-c",
            os.devnull,
        ],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_a_server_may_be_stopped_twice_and_is_gone_then(chat_server: ChatServer) -> None:
    chat_server.stop()
    chat_server.stop()
    with pytest.raises(CannotConnect):
        chat_server.connect("ann")


def test_two_servers_know_nothing_of_each_other(tmp_path: Path, chat_server: ChatServer) -> None:
    with ChatServer(tmp_path / "other") as other, chat_server.running(Bot("robby")):
        with other.connect("ann") as ann:
            assert [one.nick for one in ann.who()] == ["ann"]
        with chat_server.connect("ann") as ann:
            assert {one.nick for one in ann.who()} == {"ann", "robby"}
