"""What durability costs here: rows a second, opening, and those who join far behind.

    python benchmarks/durable.py [--rows 1000000] [--behind 10] [--data DIR]

Fills the store of a server, as its hub does, with `--rows` messages in batches, each on disk when
the next begins, one large room and 19 others; opens it again; then serves it, takes the pulse of
somebody who talks in a small room (the echo of one message after the other), alone and while
`--behind` others read the whole large room from its first message on, and watches the memory of the
server meanwhile. Every message that is read must be the next one. The disk decides most figures:
name one with `--data`.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from multiprocessing import Queue, get_context
from pathlib import Path
from statistics import median, quantiles

from securechat.records import NewMessage, Record
from securechat.store.sqlite import open_store

LARGE = "#large"
OTHERS = [f"#room{number}" for number in range(19)]
SENDERS = 200
TEXT = "x" * 100
TS = "2026-01-01T00:00:00.000000Z"
ROWS_AT_ONCE = 500
#: Of ten messages, so many are said in the large room.
SHARE = 8
_processes = get_context("spawn")


# ------------------------------------------------------------------ the store, in this process


def messages(count: int) -> Iterator[Record]:
    """Drafts as the hub hands them on: growing ids of many senders, rooms in turn."""
    for number in range(count):
        sender = number % SENDERS + 1
        room = LARGE if number % 10 < SHARE else OTHERS[number % len(OTHERS)]
        id = f"{sender:016x}-{number // SENDERS}"
        yield NewMessage(room, sender, id, room, f"user{sender}", TEXT, None, False)


def fill(folder: Path, rows: int, batch: int) -> float:
    """Rows a second; each batch is on disk before the next begins."""
    store = open_store(folder)
    todo = messages(rows)
    began = time.monotonic()
    while records := list(islice(todo, batch)):
        store.commit(records, TS)
    took = time.monotonic() - began
    store.close()
    return rows / took


def measure_opening(folder: Path) -> float:
    """Seconds from nothing to a store that can be written to."""
    began = time.monotonic()
    store = open_store(folder)
    store.load()
    took = time.monotonic() - began
    store.close()
    return took


# ------------------------------------------------------------------ a server that holds it


class Visitor:
    """A connection that says hello and reads frames."""

    def __init__(self, port: int, context: ssl.SSLContext, nick: str) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.sock = context.wrap_socket(raw, server_hostname="localhost")
        self._buffer = b""
        self.ask("hello", protocol=1, nick=nick)

    def ask(self, name: str, **keys: object) -> dict[str, object]:
        """Say a command; its answer."""
        self.send(type="command", id=name, name=name, **keys)
        while True:
            said = self.read()
            if said.get("re") == name:
                return said

    def send(self, **envelope: object) -> None:
        """Say something."""
        payload = json.dumps(envelope).encode()
        self.sock.sendall(struct.pack("!I", len(payload)) + payload)

    def read(self) -> dict[str, object]:
        """The next envelope."""
        while True:
            if len(self._buffer) >= 4:
                end = 4 + struct.unpack_from("!I", self._buffer)[0]
                if len(self._buffer) >= end:
                    payload, self._buffer = self._buffer[4:end], self._buffer[end:]
                    said: dict[str, object] = json.loads(payload)
                    return said
            data = self.sock.recv(65_536)
            if not data:
                raise ConnectionError("the server hung up")
            self._buffer += data

    def read_room(self, upto: int) -> int:
        """Read messages up to the one numbered `upto`; returns how many were not the next one."""
        faults = expected = 0
        rest = b""
        while expected < upto:
            data = self.sock.recv(65_536)
            if not data:
                raise ConnectionError("the server hung up")
            # Numbers alone: taking everything apart would measure this reader, not the server.
            parts = (rest + data).split(b'"seq":')
            rest = parts[-1][-400:] if len(parts) == 1 else b'"seq":' + parts[-1]
            for part in parts[1:-1]:
                expected += 1
                faults += int(part.split(b",", 1)[0]) != expected
            if len(parts) > 1 and b"}" in parts[-1]:
                expected += 1
                faults += int(parts[-1].split(b",", 1)[0]) != expected
                rest = parts[-1][parts[-1].index(b"}") :]
        return faults


def measure_catching_up(folder: Path, head: int, behind: int, seconds: float) -> dict[str, float]:
    """The pulse of a talker, alone and beside those who read all; and the server's memory."""
    certs = folder / "certs"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "securechat", "serve", "--port", "0", "--rate", "0"),
            *("--certs", str(certs), "--data", str(folder)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        context = ssl.create_default_context(cafile=str(certs / "ca.pem"))
        talker = Visitor(port, context, "talker")
        talker.ask("join", room="#pulse")
        quiet = _take_pulse(talker, seconds, lambda: False)
        before = _memory(server.pid)
        results: Queue[tuple[int, float]] = _processes.Queue()
        readers = _processes.Process(target=read_all, args=(port, certs, head, behind, results))
        readers.start()
        began = time.monotonic()
        peak, pulse = before, list[float]()
        while readers.is_alive():
            pulse += _take_pulse(talker, 1.0, lambda: not readers.is_alive())
            peak = max(peak, _memory(server.pid))
            if time.monotonic() - began > 600:
                readers.kill()
                raise TimeoutError("those behind did not get through in ten minutes")
        if readers.exitcode:
            raise ConnectionError("those behind did not get through; see above")
        faults, took = results.get()
        return {
            "quiet echo, median, ms": median(quiet) * 1e3,
            "quiet echo, p99, ms": quantiles(quiet, n=100)[98] * 1e3,
            "echo beside them, median, ms": median(pulse) * 1e3,
            "echo beside them, p99, ms": quantiles(pulse, n=100)[98] * 1e3,
            "the server grew by, MB": (peak - before) / 1e6,
            "messages a second to those behind": behind * head / took,
            "not the next one": faults,
        }
    finally:
        server.terminate()
        server.wait()


def read_all(
    port: int, certs: Path, head: int, behind: int, results: Queue[tuple[int, float]]
) -> None:
    """Have so many read the whole large room at once; tells faults, and seconds that it took.

    In a process of its own: else whoever takes the pulse waits for the interpreter of the readers.
    """
    context = ssl.create_default_context(cafile=str(certs / "ca.pem"))

    def read(number: int) -> int:
        visitor = Visitor(port, context, f"reader{number}")
        visitor.ask("join", room=LARGE, after=0)
        faults = visitor.read_room(head)
        visitor.sock.close()
        return faults

    began = time.monotonic()
    with ThreadPoolExecutor(behind) as pool:
        faults = sum(pool.map(read, range(behind)))
    results.put((faults, time.monotonic() - began))


def _take_pulse(talker: Visitor, seconds: float, done: Callable[[], bool]) -> list[float]:
    """Seconds until the echo, one message after the other, until it is `done`."""
    times: list[float] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds and not (done() and times):
        said = time.monotonic()
        id = f"p-{time.monotonic_ns()}"
        talker.send(type="chat", id=id, to="#pulse", text=TEXT)
        while talker.read().get("id") != id:
            pass
        times.append(time.monotonic() - said)
        time.sleep(0.005)
    return times


def _memory(pid: int) -> int:
    """Bytes of a process's own pages."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=256, help="what a busy hub stores at once")
    parser.add_argument("--behind", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--data", type=Path, help="where; default: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.data) as name:
        folder = Path(name) / "data"
        print(f"{options.rows:,} rows, {options.batch} at once, {SENDERS} senders, 20 rooms:")
        print(f"  {'rows a second':38}{fill(folder, options.rows, options.batch):12,.0f}")
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"  {'bytes a row':38}{size / options.rows:12,.0f}")
        print(f"  {'seconds to open it':38}{measure_opening(folder):12.3f}")
        head = sum(1 for number in range(options.rows) if number % 10 < SHARE)
        print(f"{options.behind} who join {head:,} messages behind:")
        result = measure_catching_up(folder, head, options.behind, options.seconds)
        for figure, value in result.items():
            print(f"  {figure:38}{value:12,.2f}")
    if result["not the next one"]:
        sys.exit("somebody missed messages, or had them twice or out of order")


if __name__ == "__main__":
    main()
