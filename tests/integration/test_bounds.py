"""A server at the ends of what its numbers may be: it starts, lets people in, keeps, and ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from securechat.config import BOUNDS, MOST, name_figures

#: What is no limit of the chat, or has its own test.
_ELSEWHERE: Final = ("port", "io_threads", "wait")


def at_most() -> list[str]:
    """Every number of `serve` at its largest."""
    options = [
        word
        for key, bounds in BOUNDS.items()
        if key not in _ELSEWHERE
        for word in (f"--{key.replace('_', '-')}", str(bounds.most))
    ]
    free = [it.name for it in name_figures().values() if not it.option]
    limits = [word for name in free for word in ("--limit", f"{name}={MOST}")]
    return [*options, *limits, "--keep-room", f"lobby={MOST},{MOST}"]


def at_none() -> list[str]:
    """Every number of which 0 means that there is no limit, or no delay, at 0."""
    found = [key for key, bounds in BOUNDS.items() if not bounds.least and not bounds.zero]
    return [
        word
        for key in found
        if key not in _ELSEWHERE
        for word in (f"--{key.replace('_', '-')}", "0")
    ]


def _is(said: str, envelope: Mapping[str, object]) -> bool:
    return envelope.get("id") == said


@pytest.mark.parametrize("options", [at_most(), at_none()], ids=["most", "none"])
def test_people_talk_and_the_server_ends_in_order(
    certificates: Any, new_wire: Any, tmp_path: Path, options: list[str]
) -> None:
    command = [sys.executable, "-m", "securechat", "serve", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--certs", str(certificates.directory), "--trust-loopback", "no", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rsplit(":", 1)[1])
            for nick in ("ann", "bob"):
                wire = new_wire(port)
                wire.hello(nick)
                wire.answer("join", room="#lobby")
                said = wire.say("#lobby", "hi")
                assert wire.receive_until(partial(_is, said))[-1]["text"] == "hi"
                wire.close()
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in log
