"""Half-typed text on the disk: for its owner alone, and never a reason not to start."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from securechat.gui.unfinished import Unfinished


def of(folder: Path, nick: str = "bob") -> Unfinished:
    return Unfinished(folder, "localhost", 55555, nick)


def test_it_is_kept_for_one_nick_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    kept = of(tmp_path)
    kept.keep({"#lobby": "half a\nsen\ud800", "@carol": "psst"})
    kept.close(10)
    [path] = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert of(tmp_path).load() == {"#lobby": "half a\nsen\ud800", "@carol": "psst"}
    assert of(tmp_path, "eve").load() == {}


def test_what_has_not_changed_is_not_written(tmp_path: Path) -> None:
    kept = of(tmp_path)
    kept.keep({})
    kept.close(10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"#lobby": 1}', b"\xff"])
def test_what_cannot_be_read_is_nothing(tmp_path: Path, content: bytes) -> None:
    kept = of(tmp_path)
    kept.keep({"#lobby": "x"})
    kept.close(10)
    [path] = tmp_path.iterdir()
    path.write_bytes(content)
    assert of(tmp_path).load() == {}
    path.chmod(0o644)
    assert of(tmp_path).load() == {}


def test_what_cannot_be_written_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    kept = of(tmp_path / "file")
    kept.keep({"#lobby": "x"})
    kept.close(10)
    assert "cannot be kept" in caplog.text
