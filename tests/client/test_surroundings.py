"""What a client keeps on this machine, and who may read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from securechat.client.surroundings import examine_settings, examine_state
from securechat.findings import Mark


def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert examine_settings(None).mark is Mark.OK
    path = tmp_path / "c.toml"
    path.write_text("[profiles.work]\n")
    path.chmod(0o644)
    found = examine_settings(path)
    assert (found.mark, found.text) == (Mark.OK, f"{path}, profiles work")
    path.chmod(0o662)
    found = examine_settings(path)
    assert (found.mark, found.cure) == (Mark.WARN, f"chmod go-w {path}")
    path.write_text("[ui]\nbel = 1\n")
    found = examine_settings(path)
    assert found.mark is Mark.FAIL
    assert found.text == f'{path}:2: [ui] has no key "bel"; did you mean "bell"?'
    assert found.cure == f"${{EDITOR:-vi}} {path}"


def marks(folder: Path) -> list[tuple[str, str, str]]:
    return [(one.topic, one.mark.value, one.cure) for one in examine_state(folder)]


def test_state(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert marks(folder) == [("state", "ok", "")]
    folder.mkdir(0o700)
    assert marks(folder) == [("state", "ok", ""), ("servers", "ok", "")]
    folder.chmod(0o755)
    (folder / "session-1.json").touch(0o600)
    (folder / "session-2.json").touch(0o644)
    (folder / "known_servers").write_text("nonsense\n")
    (folder / "known_servers").chmod(0o600)
    assert marks(folder) == [
        ("state", "warn", f"chmod 700 {folder}"),
        ("state", "warn", f"chmod 600 {folder}/session-2.json"),
        ("servers", "fail", f"mv {folder}/known_servers {folder}/known_servers.old"),
    ]


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.touch()
    assert marks(path) == [("state", "fail", f"mv {path} {path}.old")]
