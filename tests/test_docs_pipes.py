"""docs/pipes.md: its examples with jq and bash are played as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from securechat.sdk.chat import Chat
from securechat.testing import ChatServer
from securechat.testing.fixtures import chat_server

__all__ = ["chat_server"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("jq") is None or shutil.which("bash") is None,
        reason="jq or bash is not installed",
    ),
]

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "pipes.md").read_text("utf-8")


def example(lead: str) -> str:
    """The indented block behind a line that begins with `lead`."""
    found = re.search(rf"^{re.escape(lead)}.*\n\n((?:    .*\n|\n)+)", PAGE, re.MULTILINE)
    assert found is not None, lead
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


@contextmanager
def playing(script: str, server: ChatServer, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A script with a `securechat` that reaches `server`; ended, with all it has started."""
    program = folder / "bin" / "securechat"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m securechat "$@"\n')
    program.chmod(0o755)
    process = subprocess.Popen(
        ["bash", "-c", script],
        env={
            **os.environ,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(folder / "state"),
            "SECURECHAT_SERVER": f"localhost:{server.port}",
            "SECURECHAT_CERTS": str(server.certs),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def wait_for_bot(carol: Chat, room: str) -> None:
    """Ask until it is there; the server's rate sets the pace."""
    while "bot" not in {one.nick for one in carol.who(room)}:
        pass


def test_jq_shows_what_others_say(chat_server: ChatServer, tmp_path: Path) -> None:
    with (
        chat_server.connect("carol") as carol,
        playing(example("With jq,"), chat_server, tmp_path) as process,
    ):
        assert process.stdout is not None
        wait_for_bot(carol, "#lobby")
        carol.send("#lobby", "is anybody there?")
        assert process.stdout.readline() == "carol: is anybody there?\n"


def test_a_bot_of_bash_answers(chat_server: ChatServer, tmp_path: Path) -> None:
    with (
        chat_server.connect("carol", rooms="#ops") as carol,
        playing(example("With bash,"), chat_server, tmp_path),
    ):
        wait_for_bot(carol, "#ops")
        carol.send("#ops", "!uptime")
        answer = carol.receive(20)
        assert (answer.sender, "load average" in answer.text) == ("bot", True)


def test_every_receipt_on_the_page_is_json() -> None:
    lines = re.findall(r'^    (\{"event".*\})$', PAGE, re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        json.loads(line)
