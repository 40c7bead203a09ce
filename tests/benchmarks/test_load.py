"""The load generator against our server, and against servers that do what none may do."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare import CannotMeasure, build

from .conftest import await_port


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    try:
        return build(tmp_path_factory.mktemp("programs"))
    except CannotMeasure as error:
        if "openssl/" in str(error):
            pytest.skip("the headers of OpenSSL are not installed")
        raise


@pytest.fixture(scope="module")
def load(programs: tuple[Path, Path]) -> Path:
    return programs[0]


def run(load: Path, port: int, *more: object) -> tuple[int, dict[str, Any]]:
    command = [str(load), "--wire", "securechat", "--port", str(port), "--pid", str(os.getpid())]
    done = subprocess.run(
        [*command, *map(str, more)], capture_output=True, text=True, timeout=50, check=False
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, result


def test_our_server_delivers_everything_once_and_in_order(
    load: Path, make_world: Callable[..., Any]
) -> None:
    world = make_world(rate=0)
    work = ("-n", 12, "-r", 3, "-s", 6, "-w", 2, "--seconds", 0.3, "--warm-up", 0.1)
    code, result = run(load, world.port, *work)
    assert code == 0
    assert result["connected"] == 12
    assert result["deliveries"] > 100
    assert result["cpu_us_per_delivery"] > 0
    assert 0 < result["p50_us"] <= result["p99_us"] <= result["max_us"] * 1.02
    faults = ("dead", "refused", "lost", "twice", "out_of_order", "misnumbered")
    assert {fault: result[fault] for fault in faults} == dict.fromkeys(faults, 0)


def test_a_rate_is_kept(load: Path, make_world: Callable[..., Any]) -> None:
    world = make_world(rate=0)
    code, result = run(
        load, world.port, "-n", 4, "-s", 2, "--rate", 100, "--seconds", 0.5, "--warm-up", 0
    )
    assert code == 0
    assert result["deliveries"] == pytest.approx(0.5 * 100 * 4, rel=0.2)


def test_the_floor_serves_the_same_load(
    programs: tuple[Path, Path], certificates: Any, free_port: int
) -> None:
    load, floor = programs
    folder = certificates.directory
    command = [floor, str(free_port), folder / "cert.pem", folder / "key.pem"]
    process = subprocess.Popen(command)
    try:
        await_port(free_port)
        code, result = run(load, free_port, "-n", 6, "-s", 3, "--seconds", 0.2, "--warm-up", 0)
    finally:
        process.kill()
        process.wait()
    assert code == 0
    assert result["deliveries"] > 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "1"],
        ["--wire", "gopher", "--port", "1"],
        ["--wire", "irc"],
        ["--wire", "irc", "--port", "1", "--clients", "0"],
        ["--wire", "irc", "--port", "1", "--rooms", "80"],
        ["--wire", "irc", "--port", "1", "--pid", "0"],
        ["--wire", "irc", "--port", "1", "more"],
    ],
)
def test_a_wrong_command_line_is_refused(load: Path, arguments: list[str]) -> None:
    done = subprocess.run([load, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "load --wire securechat" in done.stderr
    assert done.stdout == ""


# ------------------------------------------------------------------ servers that may not be


def frame(**envelope: Any) -> bytes:
    payload = json.dumps(envelope, separators=(",", ":")).encode()
    return struct.pack("!I", len(payload)) + payload


def chat(number: int, seq: int | None = None) -> bytes:
    """Message `number` of client 0, as both its members are told."""
    text = f"B 0 {number} 1 xxx"
    return frame(type="chat", id="x", to="#bench0", sender="b0", seq=seq or number, text=text)


class Faulty:
    """A server for two clients; `say` tells what each hears when client 0 says message n."""

    def __init__(self, certs: Path, say: Callable[[int], tuple[list[bytes], list[bytes]]]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs / "cert.pem", certs / "key.pem")
        self._context = context
        self._say = say
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="faulty")
        self._thread.start()

    def _serve(self) -> None:
        links = []
        for _ in range(2):
            raw, _ = self._listener.accept()
            link = self._context.wrap_socket(raw, server_side=True)
            links.append(link)
        by_nick = {}
        for link in links:
            nick = self._read(link)["nick"]
            by_nick[nick] = link
            link.sendall(frame(type="system", re="h", event="welcome"))
            assert self._read(link)["name"] == "join"
            link.sendall(frame(type="system", re="j", event="joined"))
        number = 0
        try:
            while True:
                self._read(by_nick["b0"])
                number += 1
                for nick, frames in zip(("b0", "b1"), self._say(number), strict=True):
                    by_nick[nick].sendall(b"".join(frames))
        except (OSError, EOFError):
            pass  # the load is over
        for link in links:
            link.close()

    def _read(self, link: ssl.SSLSocket) -> dict[str, Any]:
        data = b""
        while len(data) < 4 or len(data) < 4 + struct.unpack_from("!I", data)[0]:
            more = link.recv(
                1 if len(data) < 4 else struct.unpack_from("!I", data)[0] + 4 - len(data)
            )
            if not more:
                raise EOFError
            data += more
        envelope: dict[str, Any] = json.loads(data[4:])
        return envelope

    def close(self) -> None:
        self._listener.close()
        self._thread.join()


@pytest.fixture
def faulty(certificates: Any) -> Iterator[Callable[..., Faulty]]:
    made: list[Faulty] = []

    def make(say: Callable[[int], tuple[list[bytes], list[bytes]]]) -> Faulty:
        made.append(Faulty(certificates.directory, say))
        return made[-1]

    yield make
    for server in made:
        server.close()


def good(number: int) -> list[bytes]:
    return [chat(number)]


def twice(number: int) -> list[bytes]:
    return [chat(number), *([chat(number)] if number == 3 else [])]


def swapped(number: int) -> list[bytes]:
    """3 comes behind 4; client 0 says 4 because it was told 3 itself."""
    order = {3: [], 4: [chat(4), chat(3)]}
    return order.get(number, [chat(number)])


def dropped(number: int) -> list[bytes]:
    return [] if number == 3 else [chat(number)]


def renumbered(number: int) -> list[bytes]:
    return [chat(number, seq=number + (number > 3))]


def refused(number: int) -> list[bytes]:
    error = frame(type="system", re="x", event="error", code="storage", message="no", fatal=False)
    return [chat(number), *([error] if number == 3 else [])]


@pytest.mark.parametrize(
    ("hears", "faults"),
    [
        (good, {}),
        (twice, {"twice": 1, "misnumbered": 1}),
        (swapped, {"out_of_order": 1, "misnumbered": 3}),
        (dropped, {"lost": 1, "misnumbered": 1}),
        (renumbered, {"misnumbered": 1}),
        (refused, {"refused": 1}),
    ],
)
def test_what_may_not_happen_is_counted(
    load: Path,
    faulty: Callable[..., Faulty],
    hears: Callable[[int], list[bytes]],
    faults: dict[str, int],
) -> None:
    server = faulty(lambda number: (hears(number), good(number)))
    work = ("-n", 2, "-s", 1, "--rate", 50, "--seconds", 0.2, "--warm-up", 0, "--patience", 0.5)
    code, result = run(load, server.port, *work)
    names = ("dead", "refused", "lost", "twice", "out_of_order", "misnumbered")
    assert {name: result[name] for name in names if result[name]} == faults
    assert code == (1 if faults else 0)
