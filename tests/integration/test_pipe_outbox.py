"""What a client had not sent when it died is sent by its next start, once; in pipes too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def _connect(port: int, ca: Path, home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "securechat", "connect", f"localhost:{port}", "--nick", "zoe"]
    return subprocess.Popen(
        [*command, "--certs", str(ca.parent)],
        env={**os.environ, "XDG_STATE_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for(stream: Any, text: str) -> None:
    for line in stream:
        if text in line:
            return
    pytest.fail(f"it ended without saying {text!r}")


def _journals(home: Path) -> str:
    return "".join(path.read_text() for path in home.rglob("outbox-*"))


def test_a_killed_client_sends_its_lines_at_the_next_start(
    make_world: Any, certificates: Any, tmp_path: Path
) -> None:
    world = make_world(data=tmp_path / "data")
    watcher = world.join("watcher", "#lobby")
    zoe = _connect(world.port, certificates.ca, tmp_path)
    assert zoe.stdin is not None
    _wait_for(zoe.stdout, "you are in #lobby")
    config, port = world.config, world.port
    world.server.stop()
    _wait_for(zoe.stderr, "connection lost")
    zoe.stdin.write("typed in the dark\n")
    zoe.stdin.flush()
    end = time.monotonic() + 20
    while "typed in the dark" not in _journals(tmp_path):
        assert time.monotonic() < end, "the line never reached the journal"
        time.sleep(0.01)
    os.kill(zoe.pid, signal.SIGKILL)
    zoe.communicate()

    world.config = type(config)(
        port=port, certs=config.certs, data=config.data, limits=config.limits
    )
    world.restart()
    for _ in range(2):  # the second start has nothing left to send
        again = _connect(port, certificates.ca, tmp_path)
        out, errors = again.communicate("", timeout=30)
        assert again.returncode == 0, (out, errors)
    back = world.wire()
    back.hello("watcher", session=watcher.session)
    back.answer("join", room="#lobby", after=0)
    assert [heard["text"] for heard in back.roundtrip() if heard["type"] == "chat"] == [
        "typed in the dark"
    ]
