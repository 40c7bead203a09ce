"""config.toml on the disk: found, read, replaced whole, under its own mode, by one at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from securechat.errors import SettingsError
from securechat.settings import chosen_path, default_path, load, save

ROOT = Path(__file__).parents[2]


def test_which_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_path() == tmp_path / "securechat" / "config.toml"
    assert chosen_path(None, {}) == default_path()
    assert chosen_path(None, {"SECURECHAT_CONFIG": ""}) == default_path()
    assert chosen_path(None, {"SECURECHAT_CONFIG": "/e"}) == Path("/e")
    assert chosen_path(Path("/f"), {"SECURECHAT_CONFIG": "/e"}) == Path("/f")


def test_no_file_is_no_fault_unless_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load(None, {}).ui.bell == "mentions"
    absent = tmp_path / "x.toml"
    for named, environ in ((absent, {}), (None, {"SECURECHAT_CONFIG": str(absent)})):
        with pytest.raises(SettingsError, match=r"x\.toml is not there"):
            load(named, environ)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'[ui]\nbell = "\xff"\n', r"c\.toml:2: this is not UTF-8\."),
        (b"#" * 300_000, "is longer than 262,144 bytes"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(data)
    with pytest.raises(SettingsError, match=why):
        load(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: is a directory"):
        load(tmp_path)


# ------------------------------------------------------------------ saving


def test_saving_makes_folder_and_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.toml"
    save(path, "ui", bell="all", font_size=14)
    assert path.read_text() == '[ui]\nbell = "all"\nfont_size = 14\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (load(path).ui.bell, load(path).ui.font_size) == ("all", 14)
    assert list(path.parent.iterdir()) == [path]


def test_saving_keeps_comments_mode_and_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "chat.toml"
    real.parent.mkdir()
    real.write_text('# mine\n[ui]\nbell = "off"  # hush\n')
    real.chmod(0o644)
    path = tmp_path / "config.toml"
    path.symlink_to(real)
    save(path, "ui", bell="all")
    assert path.is_symlink()
    assert real.read_text() == '# mine\n[ui]\nbell = "all"  # hush\n'
    assert stat.S_IMODE(real.stat().st_mode) == 0o644


def test_saving_what_is_there_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[ui]\nbell = "off"\n')
    before = path.stat()
    save(path, "ui", bell="off")
    assert path.stat() == before


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ("[ui]\nbel = 1\n", {"bell": "all"}, ':2: [ui] has no key "bel"'),
        ("", {"bell": "loud"}, "ui.bell must be off, mentions, private or all"),
        ("", {"bel": "all"}, 'did you mean "bell"'),
        ('\nui = {bell = "off"}\n', {"bell": "all"}, ":2: not saved: it is written in a way"),
    ],
)
def test_nothing_is_written_that_cannot_be_read(
    tmp_path: Path, text: str, values: dict[str, object], why: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        save(path, "ui", **values)
    assert why in str(refused.value)
    assert path.read_text() == text


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="could not be written: "):
        save(tmp_path / "file" / "config.toml", "ui", bell="all")


def test_two_who_save_at_once_are_both_heard(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    with ThreadPoolExecutor(8) as pool:
        for number in range(6, 46):
            key, value = (("font_size", number), ("joins", "hide"))[number % 2]
            pool.submit(save, path, "ui", **{key: value})
    text = path.read_text()
    assert text.startswith("# mine\n")
    assert load(path).ui.joins == "hide"
    assert load(path).ui.font_size is not None
    assert list(tmp_path.iterdir()) == [path]


def test_reading_loads_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[ui]\nbell = "all"\n')
    code = (
        "import sys; from securechat.settings import load; load();"
        "print(sorted({'pydantic', 'ssl', 'typer', 'socket'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SECURECHAT_CONFIG": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
