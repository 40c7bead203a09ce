"""Leaving while the network hangs: at once; what was not sent is sent by the next start, once."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .test_scene import PATIENCE, SECURECHAT, Home, home  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

#: Seconds from the key to the shell's prompt; what a person takes for at once.
AT_ONCE = 0.3
#: A machine that is busy with other tests gets so many tries.
TRIES = 4


class Screen:
    """A program on a terminal of its own."""

    def __init__(self, home: Home, *options: str) -> None:  # noqa: F811
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        where = ("connect", f"localhost:{home.port}", "--nick", "alice", *options)
        self.process = subprocess.Popen(
            [*SECURECHAT, *where],
            cwd=home.path,
            env={**home.env, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(slave)
        self.shown = b""

    def wait_for(self, text: str) -> None:
        """Read until `text` was shown."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.shown:
            assert time.monotonic() < deadline, self.shown.decode(errors="replace")
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 1 << 16)

    def type(self, keys: str) -> None:
        """Press keys."""
        self.shown = b""
        os.write(self.master, keys.encode())

    def leave(self, keys: str) -> float:
        """Press keys; the seconds until the program has ended."""
        began = time.monotonic()
        self.type(keys)
        while self.process.poll() is None:
            assert time.monotonic() < began + PATIENCE
            if select.select([self.master], [], [], 0.005)[0]:
                try:
                    os.read(self.master, 1 << 16)
                except OSError:  # the program has given the terminal back
                    self.process.wait(PATIENCE)
        return time.monotonic() - began

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@contextmanager
def frozen(home: Home) -> Iterator[None]:  # noqa: F811
    """The server hangs."""
    assert home.server is not None
    home.server.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        home.server.send_signal(signal.SIGCONT)


def wait_until_entered(home: Home, text: str) -> None:  # noqa: F811
    """Until the client has it on disk: a Ctrl-C before that would clear what is only typed."""
    deadline = time.monotonic() + PATIENCE
    folder = home.path / "state"
    while not any(text in path.read_text("utf-8") for path in folder.rglob("outbox-*")):
        assert time.monotonic() < deadline, text
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("options", "ready", "keys"),
    [
        (("--plain",), "in #lobby: alice", "\x04"),
        (("--line",), "in #lobby: alice", "\x03"),
        ((), "you are in #lobby", "\x04"),
    ],
)
def test_who_leaves_a_silent_server_waits_for_nothing(
    home: Home,  # noqa: F811
    options: tuple[str, ...],
    ready: str,
    keys: str,
) -> None:
    home.run("gen-certs")
    home.serve()
    took = []
    for attempt in range(TRIES):
        screen = Screen(home, *options)
        try:
            screen.wait_for(ready)
            with frozen(home):
                screen.type(f"anybody? {attempt}\r")
                wait_until_entered(home, f"anybody? {attempt}")
                took.append(screen.leave(keys))
        finally:
            screen.close()
        if took[-1] < AT_ONCE:
            break
    assert min(took) < AT_ONCE, took
    home.connect("alice", "I am back\n")
    where = ("--host", f"localhost:{home.port}")
    _, said, _ = home.run("export", "lobby", "--nick", "bob", *where)
    for number in range(len(took)):
        assert said.count(f'"anybody? {number}"') == 1, said
