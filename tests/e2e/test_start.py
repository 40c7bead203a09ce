"""How soon there is something to see, and something to type at: on a terminal, with slack; and what
a terminal is told beside pictures.

What is counted is the CPU time of the process until then, all its threads together, which a busy
machine does not make longer.
"""

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
from contextlib import contextmanager
from pathlib import Path

import pytest

from securechat.client.bell import PAUSE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
#: A slow machine may take twice what ours does.
SLACK = 2.0
PATIENCE = 20.0


class Started:
    """A command on a terminal of its own."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self.process = master, process
        self.shown = b""

    def shows(self, text: str, within: float) -> bool:
        """Whether `text` was written, or is in so many seconds."""
        deadline = time.monotonic() + within
        while text.encode() not in self.shown:
            if time.monotonic() > deadline:
                return False
            if select.select([self._master], [], [], 0.1)[0]:
                self.shown += os.read(self._master, 65_536)
        return True

    def cpu_until(self, text: str) -> float:
        """Seconds of CPU until `text` was written."""
        assert self.shows(text, PATIENCE), self.shown[-2_000:]
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)


@contextmanager
def started(
    folder: Path, *options: str, module: str = "tests.cli.scripted", **environ: str
) -> Iterator[Started]:
    """`connect`, with a scripted client: what is measured is ours, not the network's."""
    (folder / "ca.pem").write_text("not looked at")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", module, "connect", "--nick", "bob"]
    env = {**os.environ, "TERM": "xterm", "RECORD": str(folder / "record"), "PYTHONPATH": str(ROOT)}
    env |= {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), **environ}
    process = subprocess.Popen(
        [*command, "--certs", str(folder), *options],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=folder,
        env=env,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Started(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="CPU time is read from /proc")
def test_a_sign_of_life_at_once_and_usable_within_a_second(tmp_path: Path) -> None:
    signs = []
    for _ in range(3):  # we may be late to look, and the process has gone on meanwhile
        with started(tmp_path, module="securechat") as real:
            signs.append(real.cpu_until("securechat …\r"))
    assert min(signs) < 0.1 * SLACK
    with started(tmp_path) as screen:
        assert screen.cpu_until("connected") < 1.0 * SLACK
        screen.type(b"typed")
        assert screen.cpu_until("typed") < 1.1 * SLACK


def test_what_comes_next_stands_in_the_place_of_the_sign(tmp_path: Path) -> None:
    with started(tmp_path, "--line") as screen:
        screen.cpu_until("connected to scripted")
        first, _, _ = screen.shown.decode().partition("\n")
        assert re.fullmatch(r"securechat …\r(\x1b\[[0-9;]*m)*\d\d:\d\d.{12,}", first.rstrip("\r"))


@pytest.mark.parametrize(
    ("options", "environ"), [(("--plain",), {}), (("--help",), {}), ((), {"TERM": "dumb"})]
)
def test_where_nothing_may_be_drawn_over_there_is_no_sign(
    tmp_path: Path, options: tuple[str, ...], environ: dict[str, str]
) -> None:
    with started(tmp_path, *options, **environ) as screen:
        screen.cpu_until("Usage" if "--help" in options else "connected")
        assert "securechat …" not in screen.shown.decode()


def test_a_terminal_that_knows_no_dots_is_shown_none(tmp_path: Path) -> None:
    with started(tmp_path, "--line", PYTHONIOENCODING="latin-1", PYTHONUTF8="0") as screen:
        screen.cpu_until("connected")
        assert screen.shown.startswith(b"securechat\r")


def test_who_looks_elsewhere_is_shown_a_notice_by_the_terminal(
    tmp_path: Path,
) -> None:
    notice = "\x1b]777;notify;carol in #lobby;bob: come here\x1b\\"
    bell = tmp_path / "bell"
    os.mkfifo(bell)
    with started(tmp_path, BELL=str(bell), TERM="foot") as screen:
        screen.cpu_until("connected to scripted")
        screen.type(b"\x1b[O")  # the terminal loses the keyboard (DEC mode 1004)
        for _ in range(4):  # the first call may be quicker than the word of the terminal
            bell.write_text("")
            if screen.shows(f"\a{notice}", PAUSE.total_seconds()):
                return
    pytest.fail("no notice came")
