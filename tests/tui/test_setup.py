"""What `config.toml` says of the full screen, and what is written back."""

from __future__ import annotations

from pathlib import Path

import pytest

from securechat.client.bell import BellLevel
from securechat.client.trust import SYSTEM, ByAuthority, ByKey
from securechat.errors import SettingsError
from securechat.settings import load
from securechat.tui.setup import Joins, Setup, setup_of, theme_of_terminal, trust_in_short

CONFIG = """
[ui]
bell = "all"  # loud
notices = false
theme = "high-contrast"
joins = "hide"
words = ["robert", "the backup"]

[keys]
next-active = ["Alt-N", "f2"]
"""


def setup(folder: Path, text: str) -> Setup:
    (folder / "config.toml").write_text(text)
    return setup_of(load(folder / "config.toml", {}), SYSTEM, {"TERM": "foot"})


def test_all_that_can_be_set_is_obeyed(tmp_path: Path) -> None:
    made = setup(tmp_path, CONFIG)
    assert (made.bell, made.notices, made.joins) == (BellLevel.ALL, False, Joins.HIDE)
    assert made.theme == "high-contrast"
    assert made.words == ("robert", "the backup")
    assert made.keys.label("next-active") == "Alt-N"
    assert made.trust == "public CA"


def test_the_defaults_of_the_file_are_ours(tmp_path: Path) -> None:
    made = setup(tmp_path, "")
    assert (made.bell, made.notices, made.theme) == (BellLevel.MENTIONS, True, "dark")
    assert made.joins is Joins.FOLD


def test_a_key_that_cannot_be_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"config\.toml:3: keys\.next-activ: .*next-active\?$"):
        setup(tmp_path, '\n[keys]\nnext-activ = "f2"\n')
    with pytest.raises(SettingsError, match=r"config\.toml:2: keys\.help: 'x' is typed; take"):
        setup(tmp_path, '[keys]\nhelp = ["f1", "x"]\n')


def test_what_is_changed_is_written_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    made = setup(tmp_path, CONFIG)
    made.remember("bell", "off")
    assert (tmp_path / "config.toml").read_text() == CONFIG.replace('"all"', '"off"')


def test_a_terminal_may_say_that_it_is_light() -> None:
    assert theme_of_terminal({"COLORFGBG": "0;15"}) == "light"
    assert theme_of_terminal({"COLORFGBG": "15;default;0"}) == "dark"
    assert theme_of_terminal({}) == "dark"
    with pytest.raises(ValueError, match="there are dark, light, high-contrast"):
        Setup(theme="pink")


def test_how_a_server_is_known() -> None:
    assert trust_in_short(ByKey("SHA256:" + "A" * 43)) == "known key"
    assert trust_in_short(ByAuthority(Path("ca.pem"))) == "your CA"
