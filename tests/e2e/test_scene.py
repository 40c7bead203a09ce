"""The three commands as a newcomer types them, in real terminals and through pipes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
SECURECHAT = [sys.executable, "-m", "securechat"]
PATIENCE = 20.0


class Home:
    """An empty home directory, in which everything is started."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        names = {"HOME": "", "XDG_STATE_HOME": "state", "XDG_DATA_HOME": "data"}
        self.env = {
            **os.environ,
            **{name: str(path / folder) for name, folder in names.items()},
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TERM": "xterm",
        }
        self.server: subprocess.Popen[str] | None = None

    def run(
        self, *arguments: str, said: str = "", timeout: float = PATIENCE
    ) -> tuple[int, str, str]:
        """Run a command to its end: (exit code, standard output, standard error)."""
        done = subprocess.run(
            [*SECURECHAT, *arguments],
            cwd=self.path,
            env=self.env,
            input=said,
            text=True,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def serve(self, *options: str) -> str:
        """Start the server; what it says first."""
        self.server = subprocess.Popen(
            [*SECURECHAT, "serve", "--port", str(self.port), *options],
            cwd=self.path,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.server.stdout is not None
        return "".join(self.server.stdout.readline() for _ in range(3))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server; its exit code."""
        assert self.server is not None
        assert self.server.stdout is not None
        self.server.send_signal(number)
        code = self.server.wait(PATIENCE)
        self.server.stdout.close()
        self.server = None
        return code

    def connect(self, nick: str, said: str, *options: str) -> tuple[int, str, str]:
        """A client in a pipe."""
        return self.run("connect", f"localhost:{self.port}", "--nick", nick, *options, said=said)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home with certificates; its server is ended with the test."""
    home = Home(tmp_path)
    yield home
    if home.server is not None:
        home.stop(signal.SIGKILL)


def test_the_three_commands(home: Home) -> None:
    code, out, _ = home.run("gen-certs")
    assert code == 0
    assert "securechat serve" in out
    assert "securechat connect --nick bob" in out
    assert sorted(path.name for path in (home.path / "certs").iterdir()) == [
        "ca-key.pem",
        "ca.pem",
        "cert.pem",
        "key.pem",
    ]
    [fingerprint] = [line.strip() for line in out.splitlines() if " SHA256:" in line]
    introduction = home.serve()
    assert f"127.0.0.1:{home.port}" in introduction
    assert fingerprint in introduction
    code, out, _ = home.connect("bob", "hello\n/me waves\n//slash\n/time\n/joke\n/who\n")
    assert code == 0
    assert "<bob> hello" in out
    assert "* bob waves" in out
    assert "<bob> /slash" in out
    assert home.stop() == 0


def test_what_was_said_survives_a_kill(home: Home) -> None:
    home.run("gen-certs")
    home.serve()
    assert home.connect("bob", "remember me\n")[0] == 0
    assert home.stop(signal.SIGKILL) == -signal.SIGKILL
    home.serve()
    code, out, _ = home.connect("alice", "/history 5\n")
    assert code == 0
    assert "<bob> remember me" in out


def test_each_failure_has_its_exit_code_and_one_line(home: Home) -> None:
    home.run("gen-certs")
    code, _, errors = home.connect("bob", "hello\n")
    assert code == 3
    home.serve()
    other = home.path / "other"
    home.run("gen-certs", "--out", str(other))
    results = {
        4: home.connect("bob", "hello\n", "--certs", str(other)),
        5: home.connect("a b", "hello\n"),
        2: home.run("connect", "localhost:0", "--nick", "bob"),
        1: home.connect("bob", "/foo\n"),
    }
    for expected, (code, _, errors) in results.items():
        assert code == expected, errors
        assert "Traceback" not in errors
        assert errors.strip()


def test_a_second_server_on_the_same_data_is_refused(home: Home) -> None:
    home.run("gen-certs")
    home.serve()
    assert home.server is not None
    code, _, errors = home.run("serve", "--port", "0")
    assert code == 1
    assert str(home.server.pid) in errors
    assert len(errors.strip().splitlines()) == 1


# ------------------------------------------------------------------ real terminals


class Terminals:
    """Terminals of a tmux server of our own, in which `connect` runs with `options`."""

    def __init__(self, home: Home, *options: str, size: tuple[int, int] = (100, 40)) -> None:
        self._home = home
        self._options = options
        self._size = size
        self._name = self._some_name()

    @staticmethod
    def _some_name() -> str:
        return f"securechat-{uuid.uuid4().hex[:8]}"

    def _tmux(self, *arguments: str, check: bool = False) -> str:
        command = ["tmux", "-L", self._name, "-f", "/dev/null", *arguments]
        done = subprocess.run(
            command, env=self._home.env, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def open(self, nick: str, port: int | None = None) -> None:
        """A terminal in which a client runs; `port`: another way to the server."""
        target = f"localhost:{port or self._home.port}"
        command = " ".join([*SECURECHAT, "connect", target, "--nick", nick, *self._options])
        command += "; echo left with $?; sleep 60"
        size = ("-x", str(self._size[0]), "-y", str(self._size[1]))
        folder = str(self._home.path)
        self._tmux("new-session", "-d", "-s", nick, *size, "-c", folder, command, check=True)

    def resize(self, nick: str, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self._tmux("resize-window", "-t", nick, "-x", str(columns), "-y", str(rows))

    def type(self, nick: str, *keys: str) -> None:
        """Press keys."""
        self._tmux("send-keys", "-t", nick, *keys)

    def paste(self, nick: str, text: str, *, bracketed: bool = True) -> None:
        """Paste, as a terminal does where programs ask for brackets; else as so many keys."""
        file = self._home.path / "pasted"
        file.write_text(text)
        self._tmux("load-buffer", "-b", "pasted", str(file), check=True)
        how = ["-p"] if bracketed else []
        self._tmux("paste-buffer", *how, "-b", "pasted", "-t", nick, check=True)

    def screen(self, nick: str) -> str:
        """What the terminal shows."""
        return self._tmux("capture-pane", "-p", "-t", nick)

    def wait_for(self, nick: str, shows: str | Callable[[str], bool]) -> str:
        """The screen, once it shows something."""
        end = time.monotonic() + PATIENCE
        while True:
            screen = self.screen(nick)
            if shows in screen if isinstance(shows, str) else shows(screen):
                return screen
            if time.monotonic() > end:
                pytest.fail(f"{nick} never saw {shows!r}:\n{screen}")
            time.sleep(0.05)

    def close(self) -> None:
        """End them all; `open` begins anew, not with a tmux that is about to end."""
        self._tmux("kill-server")
        self._name = self._some_name()


@pytest.fixture
def terminals(home: Home) -> Iterator[Terminals]:
    """Terminals, where tmux is installed."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminals = Terminals(home, "--line")
    yield terminals
    terminals.close()


def test_the_scene_in_real_terminals(home: Home, terminals: Terminals) -> None:
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.wait_for("alice", "you are in #lobby")
    terminals.open("bob")
    terminals.wait_for("alice", "bob joined")
    terminals.type("alice", "half a sen")
    terminals.wait_for("bob", "[#lobby]")
    terminals.type("bob", "hi alice", "Enter")
    screen = terminals.wait_for("alice", "<bob> hi alice")
    assert screen.rstrip().endswith("half a sen")
    terminals.type("alice", "tence", "Enter")
    terminals.wait_for("bob", "<alice> half a sentence")
    for typed, shown in {
        "/help": "//TEXT",
        "/time": "server's time",
        "/who": "2 in #lobby",
        "/topic tea": "topic: tea",
        "/rooms": "#lobby, 2 people",
        "/me waves": "* bob waves",
        "/msg alice psst": "psst",
        "/nick bobby": "you go by bobby",
        "/jion x": "Did you mean /join",
        "/join garden": "you are in #garden",
        "/leave": "left",
    }.items():
        terminals.type("bob", typed, "Enter")
        terminals.wait_for("bob", shown)
    terminals.wait_for("alice", "bob goes by bobby")

    assert home.stop() == 0
    terminals.wait_for("alice", "connection lost")
    terminals.wait_for("bob", "connection lost")
    terminals.type("bob", "/room lobby", "Enter")
    terminals.type("bob", "typed while away", "Enter")
    terminals.wait_for("bob", "waiting for the connection")
    home.serve()
    screen = terminals.wait_for("alice", "<bobby> typed while away")
    assert screen.count("typed while away") == 1
    terminals.wait_for("bob", "1 sent")
    terminals.type("alice", "/quit", "Enter")
    terminals.wait_for("bob", "alice left")
