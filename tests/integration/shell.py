"""Commands as a script runs them: real pipes, a state folder of their own, a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

Finished = subprocess.CompletedProcess[str]


class Shell:
    """Runs `securechat COMMAND …` against the server of `world`, as one user."""

    def __init__(self, world: Any, certs: Path, home: Path) -> None:
        self.world = world
        self.home = home
        self._port = world.port
        self._certs = certs

    def command(self, name: str, *arguments: str, nick: str = "zoe") -> list[str]:
        """The words of a command line."""
        where = ["--host", f"localhost:{self._port}", "--certs", str(self._certs)]
        return [sys.executable, "-m", "securechat", name, "--nick", nick, *where, *arguments]

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a command."""
        return {**os.environ, "XDG_STATE_HOME": str(self.home), **more}

    def run(
        self, name: str, *arguments: str, input: str = "", nick: str = "zoe", **environ: str
    ) -> Finished:
        """Run a command to its end."""
        return subprocess.run(
            self.command(name, *arguments, nick=nick),
            env=self.environ(**environ),
            input=input,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=30,
        )

    def sh(self, script: str, name: str, *arguments: str) -> Finished:
        """Run a shell script in which `"$@"` is a command."""
        return subprocess.run(
            ["sh", "-c", script, "sh", *self.command(name, *arguments)],
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=30,
        )

    def stop_server(self) -> None:
        """Leave nobody at the address."""
        self.world.config = replace(self.world.config, port=self._port)
        self.world.server.stop()

    def start_server(self) -> None:
        """Have the same server at the same address again."""
        self.world.restart()


def texts(wire: Any) -> list[str]:
    """What was said to a client since the last time."""
    return [one["text"] for one in wire.roundtrip() if one["type"] == "chat"]
