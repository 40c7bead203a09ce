"""What peers send never makes a line of the log, breaks one, or puts a secret into one.

Each of them sends what it can choose, with control characters and a canary in it: nick, session,
name of the client, SNI, room, text, reason, and rubbish in place of each. Then the log is read.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .attack import frame, hello
from .siege import Machine, Served

CANARY = "canary5ecret"
LINE = "2026-01-01 00:00:00,000 INFO hub: forged"
EVIL = f"{CANARY}\r\n{LINE}\x1b]0;title\x07\x1b[2J\u2028\u202e\x9b31m"
FORGED = re.compile(r"INFO hub: forged")

_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_CONTEXT.check_hostname = False
_CONTEXT.verify_mode = ssl.CERT_NONE


def command(name: str, **keys: object) -> bytes:
    return frame(type="command", id="c", name=name, **keys)


GOOD = hello(f"{CANARY}", client=EVIL[:128])
#: What is said on connections of their own.
SPEECHES = {
    "nick": hello(EVIL),
    "session": hello("mallory", session=EVIL),
    "client": hello("mallory", client=EVIL[:128]),
    "unknown key": frame(
        type="command", id="h", name="hello", protocol=1, nick="eve", **{EVIL: EVIL}
    ),
    "unknown command": command(EVIL),
    "not JSON": len(EVIL).to_bytes(4, "big") + EVIL.encode("ascii", "replace"),
    "not a frame": EVIL.encode(),
    "room": GOOD + command("join", room=EVIL),
    "reason": hello("quitter", client="x") + command("quit", reason=EVIL[:200]),
    "text": hello("talker") + frame(type="chat", id="t", to="#lobby", text=EVIL),
    "topic": hello("setter") + command("topic", room="#lobby", text=EVIL),
    "rubbish": hello("rubbish") + b"\xff" * 64,
}


def say(server: Served, data: bytes, sni: str = "localhost") -> None:
    """Say it, and hear the server out."""
    with (
        socket.create_connection(("127.0.0.1", server.port), 10.0) as raw,
        _CONTEXT.wrap_socket(raw, server_hostname=sni) as sock,
    ):
        sock.settimeout(0.3)
        try:
            sock.sendall(data)
            while sock.recv(65_536):
                pass
        except OSError:
            pass


def plain_bytes(server: Served, data: bytes) -> None:
    """Say it without TLS."""
    with socket.create_connection(("127.0.0.1", server.port), 10.0) as raw:
        raw.settimeout(0.3)
        try:
            raw.sendall(data)
            while raw.recv(65_536):
                pass
        except OSError:
            pass


def lines_of(log: Path, most: float = 5.0) -> list[str]:
    """The log, when nothing is added to it any more."""
    end, size = time.monotonic() + most, -1
    while time.monotonic() < end and size != (size := log.stat().st_size):
        time.sleep(0.2)
    return log.read_bytes().decode("utf-8").split("\n")[:-1]


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--json-log",)], ids=["plain", "json"])
def test_the_log_is_one_line_each_and_tells_no_secret(
    machine: Machine, options: tuple[str, ...]
) -> None:
    server = machine.serve(*options)
    with ThreadPoolExecutor(len(SPEECHES)) as pool:
        list(pool.map(lambda speech: say(server, speech), SPEECHES.values()))
    say(server, GOOD, sni=f"{CANARY}.example.org")
    plain_bytes(server, f"GET /{EVIL} HTTP/1.1\r\nAuthorization: {CANARY}\r\n\r\n".encode())
    plain_bytes(server, EVIL.encode())
    lines = lines_of(server.log)
    assert len(lines) > len(SPEECHES) / 2, lines
    for line in lines:
        assert line.isprintable(), ascii(line)
        assert CANARY not in line
        assert not FORGED.search(line)
        if options:
            entry = json.loads(line)
            assert {"ts", "level", "thread", "logger", "message"} <= entry.keys()
        else:
            assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ \S+: ", line), line


def test_a_line_that_was_forged_would_be_found() -> None:
    """The negative control."""
    assert any(FORGED.search(line) for line in EVIL.split("\n"))
    assert not EVIL.isprintable()
