"""A server and a nick that stand in `config.toml`, and are not typed any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .shell import Finished, Shell, texts

pytestmark = pytest.mark.slow


def securechat(shell: Shell, config: Path, *words: str, **environ: str) -> Finished:
    return subprocess.run(
        [sys.executable, "-m", "securechat", *words],
        env=shell.environ(SECURECHAT_CONFIG=str(config), **environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )


def test_who_has_a_file_types_little(shell: Shell, certificates: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    folder = certificates.directory
    config.write_text(
        f"""
        [connect]
        nick = "zoe"
        [profiles.here]
        server = "localhost:{shell.world.port}"
        certs = "{folder}"
        """
    )
    wire = shell.world.join("watcher", "#lobby")
    for words in (
        ("send", "lobby", "hi", "--host", "here"),
        ("send", "lobby", "hi", "--profile", "here"),
    ):
        done = securechat(shell, config, *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert texts(wire) == ["hi"]
    done = securechat(shell, config, "send", "lobby", "ho", SECURECHAT_PROFILE="here")
    assert (done.returncode, texts(wire)) == (0, ["ho"])
    done = securechat(shell, config, "connect", "here", SECURECHAT_NICK="yan")
    assert done.returncode == 0
    assert "yan" in done.stderr + done.stdout
