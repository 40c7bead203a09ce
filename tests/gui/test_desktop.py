"""The entry in the menu of the desktop."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from securechat.errors import SecureChatError
from securechat.gui import desktop


def words_of(entry: str) -> list[str]:
    """The command of an entry, read as the specification has it: escapes, quotes, %%."""
    [line] = [one for one in entry.splitlines() if one.startswith("Exec=")]
    value = line.removeprefix("Exec=").replace("\\\\", "\\")
    words = re.findall(r'"((?:\\.|[^"\\])*)"|(\S+)', value)
    return [re.sub(r"\\(.)", r"\1", quoted or plain).replace("%%", "%") for quoted, plain in words]


@pytest.mark.parametrize(
    "program",
    ["/usr/bin/securechat", "/home/bob smith/bin/securechat", '/odd/$HOME`"\\100%/securechat'],
)
def test_the_program_is_started_whatever_its_path(program: str) -> None:
    assert words_of(desktop.entry_of([program])) == [program, "gui", "--fill-in", "%u"]


def test_the_entry_is_valid(tmp_path: Path) -> None:
    if shutil.which("desktop-file-validate") is None:
        pytest.skip("desktop-file-validate is not installed: apt install desktop-file-utils")
    path = tmp_path / "securechat.desktop"
    path.write_text(desktop.entry_of(["/a b/securechat"]))
    done = subprocess.run(
        ["desktop-file-validate", path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_it_is_written_and_the_desktop_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    for name in ("update-desktop-database", "xdg-mime"):
        script = tmp_path / name
        script.write_text(f'#!/bin/sh\necho "$0 $@" >> {told}\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    entry = desktop.add_to_menu()
    assert words_of(entry.read_text())[:3] == [sys.executable, "-m", "securechat"]
    assert (tmp_path / "share/icons/hicolor/scalable/apps/securechat.svg").exists()
    assert told.read_text().splitlines() == [
        f"{tmp_path}/update-desktop-database {entry.parent}",
        f"{tmp_path}/xdg-mime default securechat.desktop x-scheme-handler/securechat",
    ]
    program = tmp_path / "securechat"
    program.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert words_of(desktop.add_to_menu().read_text())[0] == str(program)


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(SecureChatError, match="cannot be written"):
        desktop.add_to_menu()
