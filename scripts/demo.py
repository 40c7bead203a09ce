"""Play the README's scene in one terminal: two people, and a server that goes and comes back.

    python scripts/demo.py

Starts a private server in a temporary folder, lets alice and bob talk through pipes, stops the
server between two lines and starts it again. Ends everything it started.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SECURECHAT = [sys.executable, "-m", "securechat"]
COLORS = {"server": "\033[2m", "alice": "\033[36m", "bob": "\033[33m"}


class Actor:
    """One process; what it prints is shown under its name."""

    def __init__(self, name: str, folder: str, *arguments: str) -> None:
        self.name = name
        self.heard: list[str] = []
        env = {**os.environ, "XDG_STATE_HOME": f"{folder}/{name}", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [*SECURECHAT, *arguments],
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.thread = threading.Thread(target=self._listen, name=name, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.append(line)
            color, plain = (COLORS[self.name], "\033[0m") if sys.stdout.isatty() else ("", "")
            print(f"{color}{self.name:>7} | {line.rstrip()}{plain}", flush=True)

    def say(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        print(f"{self.name:>7} > {line}", flush=True)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_for(self, text: str, patience: float = 30.0) -> None:
        """Wait until it printed `text`."""
        end = time.monotonic() + patience
        while not any(text in line for line in self.heard):
            if time.monotonic() > end or not self.thread.is_alive():
                sys.exit(f"{self.name} never heard {text!r}")
            time.sleep(0.05)

    def end(self) -> None:
        """Let it come to its end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.thread.join(5)


def main() -> None:
    """Play."""
    with tempfile.TemporaryDirectory(prefix="securechat-demo-") as folder:
        certs, data = f"{folder}/certs", f"{folder}/data"
        started: list[Actor] = []

        def start(name: str, *arguments: str) -> Actor:
            actor = Actor(name, folder, *arguments)
            started.append(actor)
            return actor

        def serve(port: str) -> Actor:
            where = ("--port", port, "--certs", certs, "--data", data)
            server = start("server", "serve", *where)
            server.wait_for("connect with")
            return server

        try:
            server = serve("0")
            listens = next(line for line in server.heard if "listens on" in line)
            port = listens.rsplit(":", 1)[1].strip()
            connect = ("connect", f"localhost:{port}", "--certs", certs, "--nick")
            alice = start("alice", *connect, "alice")
            alice.wait_for("you are in #lobby")
            bob = start("bob", *connect, "bob")
            alice.wait_for("bob joined")
            bob.say("hi alice")
            alice.wait_for("hi alice")
            server.process.terminate()
            server.process.wait(20)
            bob.wait_for("connection lost")
            bob.say("is anybody there?")
            serve(port)
            alice.wait_for("is anybody there?")
            alice.say("yes, and nothing was lost")
            bob.wait_for("nothing was lost")
            bob.end()
            alice.end()
        finally:
            for actor in reversed(started):
                actor.process.terminate()
                actor.process.wait(20)
        print(f"everything was in {Path(folder)}, which is gone now")


if __name__ == "__main__":
    main()
