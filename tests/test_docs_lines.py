"""docs/lines.md is played: its scenes, line by line, in a pipe and on a plain terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from securechat.sdk.chat import Chat
from securechat.testing import ChatServer
from securechat.testing.fixtures import chat_server

__all__ = ["chat_server"]

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[1] / "docs" / "lines.md").read_text("utf-8")
PATIENCE = 20.0


def block(name: str) -> str:
    [found] = re.findall(rf"^```{name}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def timeless(text: str) -> str:
    """The same at another time, on another port."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-27T12:01:00Z", text)
    text = re.sub(r"^\d\d:\d\d", "12:01", text, flags=re.MULTILINE)
    return re.sub(r"localhost port \d+", "localhost port 55555", text)


@pytest.fixture
def carol(chat_server: ChatServer) -> Iterator[Chat]:
    with chat_server.connect("carol") as chat:
        yield chat


def command(server: ChatServer, nick: str, *more: str) -> list[str]:
    where = [f"localhost:{server.port}", "--certs", str(server.certs)]
    return [sys.executable, "-m", "securechat", "connect", *where, "--nick", nick, *more]


def environ(server: ChatServer, **more: str) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(server.certs.parent / "home"), **more}


@pytest.mark.usefixtures("carol")
def test_the_scene_in_a_pipe(chat_server: ChatServer) -> None:
    done = subprocess.run(
        command(chat_server, "bob"),
        env=environ(chat_server),
        input=block("pipe in"),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=50,
    )
    assert timeless(done.stdout) == block("pipe out")
    assert timeless(done.stderr) == block("pipe err")
    assert done.returncode == 1


class Console:
    """A terminal that can do nothing but show text."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self.process = subprocess.Popen(words, env=environ, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        """Read until so much is shown, and see that it is this."""
        deadline = time.monotonic() + PATIENCE
        while len(self.shown) < len(text):
            assert time.monotonic() < deadline, self.shown
            if select.select([self.master], [], [], 0.1)[0]:
                data = os.read(self.master, 1 << 16).decode()
                self.shown = timeless(self.shown + data.replace("\r\n", "\n"))
        assert self.shown[: len(text)] == text

    def type(self, line: str) -> None:
        os.write(self.master, f"{line}\r".encode())


def test_the_scene_on_a_plain_terminal(chat_server: ChatServer, carol: Chat) -> None:
    carol.topic("#lobby", "tea and tulips")
    carol.send("#lobby", "I was here before you")
    prompt, *lines = block("terminal").splitlines()
    assert prompt == "securechat connect --plain --nick ann"
    console = Console(command(chat_server, "ann", "--plain"), environ(chat_server, TERM="vt100"))
    try:
        so_far = ""
        for number, line in enumerate(lines):
            if line.startswith("12:01!<carol>"):
                carol.send("#lobby", "ann: come here")
            elif line.startswith("12:01!@carol"):
                carol.send("@ann", "psst\nin two lines")
            elif not line.startswith(("12:01", " ")):
                console.type(line)
            so_far += f"{line}\n"
            if not lines[number + 1 : number + 2][:1] or lines[number + 1][:1] != " ":
                console.wait_for(so_far)
        assert console.process.wait(PATIENCE) == 0
    finally:
        console.process.kill()
        console.process.wait()
        os.close(console.master)
    assert console.shown == block("terminal").partition("\n")[2]
