"""Notices: what others say is text there, never an option, never markup, never an escape."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from securechat.gui.notices import Notices, command_of

from ..client.saying import message


def test_a_notice_names_who_and_where() -> None:
    *_, title, body = command_of(message("hello", nick="carol"))
    assert (title, body) == ("carol in #lobby", "hello")
    *_, title, _ = command_of(message("psst", nick="carol", conversation="@carol"))
    assert title == "carol"


def test_nothing_in_it_is_obeyed() -> None:
    command = command_of(message("--hint=x <b>&amp;\\n\x1b[1m\nmore", nick="-u critical"))
    assert command[command.index("--") + 1 :] == [
        "-u critical in #lobby",
        "--hint=x &lt;b&gt;&amp;amp;\\\\n\\\\x1b[1m more",
    ]
    assert len(command_of(message("x" * 5_000))[-1]) < 300


def test_the_command_is_run_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    script = tmp_path / "notify-send"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {log}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    notices = Notices()
    notices.show(message("one"))
    notices.show(message("two"))
    notices.close()
    end = time.monotonic() + 10
    while not log.exists() or "two" not in log.read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert log.read_text().splitlines()[-1] == "two"


def test_without_the_command_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", begun.append)
    monkeypatch.setenv("PATH", "")
    Notices().show(message("one"))
    assert begun == []


def test_the_window_is_not_loaded_by_looking_at_the_command_line() -> None:
    code = "import sys, securechat.cli.gui; print('tkinter' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout == "False\n", done.stderr
