"""What the suites against hostile peers share: a server as a process, and who comes to it.

The server is limited as on an open network (`--trust-loopback no`), for here all of the world is
this machine. In come options, out come figures from /proc and from the peers.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from .attack import frame, hello

ROOT: Final = Path(__file__).parents[2]


class Machine:
    """Starts and ends all processes of a test."""

    def __init__(self, folder: Path, certs: Path) -> None:
        self.folder = folder
        self.certs = certs
        self._stack = ExitStack()

    def close(self) -> None:
        """End what was started."""
        self._stack.close()

    def python(self, *arguments: object, descriptors: int = 0, log: Path | None = None) -> Process:
        """A Python of ours; `descriptors` limits it, `log` takes its stderr."""
        command = [sys.executable, *map(str, arguments)]
        limit = (
            (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)))
            if descriptors
            else None
        )
        stderr = self._stack.enter_context(log.open("wb")) if log else None
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            preexec_fn=limit,
        )
        self._stack.callback(_end, process)
        return Process(process)

    def serve(self, *options: str, descriptors: int = 0, module: str = "securechat") -> Served:
        """A server that has begun to serve; `module` may be one that weakens it."""
        number = len(list(self.folder.glob("server-*.log")))
        log = self.folder / f"server-{number}.log"
        process = self.python(
            *("-m", module, "serve", "--port", "0", "--certs", self.certs),
            *("--data", ":memory:", *options),
            descriptors=descriptors,
            log=log,
        )
        first = process.line()
        process.line(), process.line()
        return Served(process.popen, int(first.rsplit(":", 1)[1]), log)


class Process:
    """One that is spoken to by lines."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen

    def line(self) -> str:
        """The next line that it prints."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        assert line, f"it ended with {self.popen.wait(10)}"
        return line.rstrip("\n")

    def tell(self, line: object) -> None:
        """Say a line to it."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{line}\n")
        self.popen.stdin.flush()

    def report(self) -> dict[str, Any]:
        """The next line, which is JSON."""
        report: dict[str, Any] = json.loads(self.line())
        return report


class Served(Process):
    """A server, and what it uses."""

    def __init__(self, popen: subprocess.Popen[str], port: int, log: Path) -> None:
        super().__init__(popen)
        self.port = port
        self.log = log

    @property
    def usage(self) -> tuple[int, int]:
        """Descriptors and threads."""
        home = Path("/proc") / str(self.popen.pid)
        return len(os.listdir(home / "fd")), len(os.listdir(home / "task"))  # noqa: PTH208

    @property
    def megabytes(self) -> float:
        """Memory that is resident."""
        status = (Path("/proc") / str(self.popen.pid) / "status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def cpu_seconds(self) -> float:
        """CPU used so far."""
        fields = (
            (Path("/proc") / str(self.popen.pid) / "stat").read_text().rsplit(")", 1)[1].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _end(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def register(port: int, nick: str, password: str, source: str) -> None:
    """Make an account."""
    with _greeted(port, nick, source, 20.0) as sock:
        sock.sendall(frame(type="command", id="r", name="register", password=password))
        answer = _read_frame(sock)
        assert answer.get("account") == nick, answer


def get_in(port: int, nick: str, source: str, timeout: float = 20.0, **keys: Any) -> float:
    """Seconds that it takes somebody from `source` to be welcomed; raises when it cannot be."""
    began = time.monotonic()
    with _greeted(port, nick, source, timeout, **keys) as sock:
        took = time.monotonic() - began
        sock.sendall(frame(type="command", id="q", name="quit"))
    return took


@contextmanager
def _greeted(
    port: int, nick: str, source: str, timeout: float, **keys: Any
) -> Iterator[ssl.SSLSocket]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout, (source, 0)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as sock,
    ):
        sock.sendall(hello(nick, **keys))
        answer = _read_frame(sock)
        assert answer["event"] == "welcome", answer
        yield sock


def _read_frame(sock: ssl.SSLSocket) -> dict[str, Any]:
    size, data = 4, b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        assert more, "it was ended"
        data += more
        if size == 4 and len(data) == 4:
            size += int.from_bytes(data, "big")
    answer: dict[str, Any] = json.loads(data[4:])
    return answer


def wait_until_idle(server: Served, usage: tuple[int, int], seconds: float) -> tuple[int, int]:
    """What the server uses, as soon as it is no more than `usage`, or after so many seconds."""
    end = time.monotonic() + seconds
    while (now := server.usage) > usage and time.monotonic() < end:
        time.sleep(0.2)
    return now
