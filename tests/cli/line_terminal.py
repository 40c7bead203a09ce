"""`securechat connect --line` on a pty, with a scripted client in the place of the network.

The terminal answers what terminals answer and keeps what was written. Nothing waits for time: each
step waits for what it brings.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from securechat.cli import screen

ROOT = Path(__file__).parents[2]
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[0-9A-Za-z])|[\x00-\x08\x0e-\x1a]")
PATIENCE = 20.0

LEFT, HOME, UP = "\x1b[D", "\x01", "\x1b[A"
CTRL_C, CTRL_D, CTRL_Z, TAB, ENTER = "\x03", "\x04", "\x1a", "\t", "\r"


class Terminal:
    """`securechat connect` on a terminal of `columns`; `answers`: it says that it is well."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        columns: int = 100,
        term: str = "xterm",
        answers: bool = True,
        **environ: str,
    ) -> None:
        (folder / "ca.pem").write_text("not looked at")
        self._record = folder / "record.json"
        self._bell = folder / "bell"
        os.mkfifo(self._bell)
        self._answers = answers
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        clean = {key: os.environ[key] for key in os.environ if key not in ("NO_COLOR", "INPUTRC")}
        command = [sys.executable, "-m", "tests.cli.scripted", "connect", "--line", "--nick", "bob"]
        self.process = subprocess.Popen(
            [*command, "--certs", str(folder), *arguments],
            cwd=ROOT,
            env={
                **clean,
                "TERM": term,
                "TZ": "UTC",
                "INPUTRC": os.devnull,
                "PYTHONIOENCODING": "utf-8",
                "PYTHONUTF8": "1",
                "PYTHONUNBUFFERED": "1",  # as in many containers; then writes may be cut short
                "RECORD": str(self._record),
                "BELL": str(self._bell),
                **environ,
            },
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.modes = termios.tcgetattr(slave)  # as they were before
        os.close(slave)
        self.raw = ""
        self._seen = 0

    def type(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            os.write(self.master, key.encode())

    def ring(self) -> None:
        """Have somebody call bob."""
        self._bell.write_text("")

    def wait(self, text: str) -> str:
        """Wait until `text` comes behind what was waited for before; all from there to its end.

        Colours and the like are left out.
        """
        start = self._seen
        self.wait_until(lambda: text in self.bare[start:], text)
        self._seen = self.bare.index(text, start) + len(text)
        return self.bare[start : self._seen]

    def wait_until(self, happens: Callable[[], bool], what: str) -> None:
        """Wait for something that what comes brings about."""
        deadline = time.monotonic() + PATIENCE
        while not happens():
            assert time.monotonic() < deadline, (
                f"{what!r} did not come: {self.bare[self._seen :]!r}"
            )
            assert self._receive(), f"{what!r} did not come: {self.bare[self._seen :]!r}"

    @property
    def bare(self) -> str:
        """All that has come, without colours and the like."""
        return ESCAPES.sub("", self.raw)

    def end(self) -> int:
        """Wait for the end of it; the exit code."""
        while self._receive():
            pass
        return self.process.wait(timeout=PATIENCE)

    def _receive(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], 0.1)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # the other side is closed
            return False
        text = data.decode("utf-8", "replace")
        self.raw += text
        if self._answers and screen.ASK in text:
            os.write(self.master, screen.WELL.encode())
        return bool(data)

    def close(self) -> None:
        """End it by force, if need be."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def record(self) -> dict[str, Any]:
        """What the client was asked for."""
        record: dict[str, Any] = json.loads(self._record.read_text("utf-8"))
        return record

    def said(self) -> list[str]:
        """Every text that was said."""
        return [text for _, text, _ in self.record()["said"]]
