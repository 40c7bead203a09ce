"""What the file and the environment say: every key known, every value fit, or one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from securechat.errors import SettingsError
from securechat.settings import Connect, Serve, Settings, Ui, load
from securechat.settings.model import TRUST, Section
from securechat.settings.reading import PREFIX, VARIABLES

KEY = f"SHA256:{'A' * 43}"


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return load(path, environ)


def test_all_sections(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        f"""
        [connect]
        nick = "bob"
        room = "ops"
        plain = true
        certs = "~/certs"
        [profiles.work]
        server = "w.example:7000"
        room = ["#a", "b"]
        ca = "ca.pem"
        fingerprint = "{KEY}"
        wait = 3
        [ui]
        bell = "all"
        notices = false
        theme = "light"
        font_size = 14
        joins = "hide"
        [keys]
        help = "f2"
        jump = ["ctrl+k", "alt+k"]
        [serve]
        host = "::"
        port = 0
        data = ":memory:"
        keep_days = 90.5
        keep_room = ["#ops=365", "a=,5"]
        json_log = true
        """,
    )
    assert settings.connect == Connect(
        nick="bob", room=("ops",), plain=True, certs=Path.home() / "certs"
    )
    assert settings.profiles == {
        "work": Connect(
            server="w.example:7000",
            room=("#a", "b"),
            ca=tmp_path / "ca.pem",
            fingerprint=KEY,
            wait=3.0,
        )
    }
    assert settings.ui == Ui("all", False, "light", 14, "hide")
    assert settings.keys == {"help": ("f2",), "jump": ("ctrl+k", "alt+k")}
    assert settings.serve == Serve(
        host="::",
        port=0,
        data=Path(":memory:"),
        keep_days=90.5,
        keep_room=("#ops=365", "a=,5"),
        json_log=True,
    )


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert settings == Settings(tmp_path / "config.toml")
    assert settings.connecting() == Connect(server="localhost")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[ui]\nbel = "off"', ':2: [ui] has no key "bel"; did you mean "bell"?'),
        ("[ui]\nzzz = 1", ':2: [ui] has no key "zzz".'),
        ("\n[profile.a]\n", ':2: there is no section [profile]; did you mean "profiles"?'),
        ('nick = "bob"', ":1: there is no section [nick]."),
        ("ui = 3", ":1: ui must be a table: [ui]."),
        ("[profiles]\nwork = 3", ":2: profiles.work must be a table: [profiles.work]."),
        ('[ui]\nbell = "loud"', ":2: ui.bell must be off, mentions, private or all."),
        ('[ui]\nnotices = "yes"', ":2: ui.notices must be true or false."),
        ("[ui]\nfont_size = 5", ":2: ui.font_size must be a whole number from 6 to 72."),
        ("[ui]\nfont_size = true", ":2: ui.font_size must be a whole number from 6 to 72."),
        ("[connect]\nwait = -1", ":2: connect.wait must be a number from 0 to 1,000,000,000."),
        ("[connect]\nwait = nan", ":2: connect.wait must be a number from 0 to 1,000,000,000."),
        ("[connect]\nwait = true", ":2: connect.wait must be a number from 0 to 1,000,000,000."),
        ('[connect]\nnick = ""', ":2: connect.nick must be a nick of 1 to 32 characters."),
        (
            '[connect]\nserver = "a:b"',
            ":2: connect.server must be the place of a server: expected HOST, HOST:PORT or"
            " [IPV6]:PORT, for example localhost:55555.",
        ),
        ("[connect]\nserver = 3", ":2: connect.server must be a string, HOST or HOST:PORT."),
        (
            '[connect]\nroom = ["a",\n "b c"]',
            ":2: connect.room must be a room: 1 to 32 of a-z, 0-9, _ and -.",
        ),
        ("[connect]\nca = 3", ":2: connect.ca must be a path, as a string."),
        (
            '[connect]\nca = "~nosuchuser/x"',
            ":2: connect.ca must be a path; there is no such home folder.",
        ),
        (
            '[profiles.w]\nfingerprint = "SHA256:x"',
            ":2: profiles.w.fingerprint must be a fingerprint, as `securechat serve` prints it.",
        ),
        (
            '[profiles."a b"]\n',
            ":1: the name of a profile must be a word, for example work.",
        ),
        ('[keys]\nhelp = ""', ":2: keys.help must be the name of a key, for example ctrl+k."),
        (
            "[ui\n",
            ": this is no TOML: Expected ']' at the end of a table declaration"
            " (at line 1, column 4).",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        read(tmp_path, text)
    assert str(wrong.value) == f"{tmp_path / 'config.toml'}{message}"


# ------------------------------------------------------------------ the environment


def test_the_environment_is_above_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        '[connect]\nnick = "bob"\nplain = true\n'
        '[ui]\nbell = "off"\nfont_size = 9\n'
        "[serve]\nport = 1",
        SECURECHAT_NICK="eve",
        SECURECHAT_PLAIN="0",
        SECURECHAT_ROOM="ops, dev",
        SECURECHAT_WAIT="",
        SECURECHAT_UI_BELL="all",
        SECURECHAT_SERVE_PORT="7000",
        SECURECHAT_SERVE_JSON_LOG="yes",
        SECURECHAT_SOMETHING="else",
    )
    assert settings.connecting() == Connect(
        server="localhost", nick="eve", plain=False, room=("ops", "dev")
    )
    assert (settings.ui.bell, settings.ui.font_size) == ("all", 9)
    assert (settings.serve.port, settings.serve.json_log) == (7000, True)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("SECURECHAT_PLAIN", "perhaps", "SECURECHAT_PLAIN must be 1 or 0."),
        ("SECURECHAT_UI_BELL", "x", "SECURECHAT_UI_BELL must be off, mentions, private or all."),
        ("SECURECHAT_WAIT", "x", "SECURECHAT_WAIT must be a number from 0 to 1,000,000,000."),
        (
            "SECURECHAT_SERVE_PORT",
            "x",
            "SECURECHAT_SERVE_PORT must be a whole number from 0 to 65,535.",
        ),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        read(tmp_path, "", **{name: text})
    assert str(wrong.value) == message


@pytest.mark.parametrize("section", [Connect, Ui, Serve])
def test_every_key_can_come_from_the_environment(section: type[Section]) -> None:
    prefix = next(prefix for prefix, one in VARIABLES.items() if one is section)
    for key, row in section.rows().items():
        assert row.about
        assert row.kind.shown, f"{PREFIX}{prefix}{key.upper()}"


# ------------------------------------------------------------------ which server


PROFILES = f"""
[connect]
server = "home.example"
nick = "bob"
fingerprint = "{KEY}"
[profiles.work]
server = "work.example:7000"
nick = "bob.smith"
ca = "/srv/ca.pem"
[profiles.shift]
nick = "night"
"""


def test_a_profile_is_above_connect(tmp_path: Path) -> None:
    settings = read(tmp_path, PROFILES)
    assert settings.connecting("work") == Connect(
        server="work.example:7000", nick="bob.smith", ca=Path("/srv/ca.pem")
    )
    assert settings.connecting("shift") == Connect(
        server="home.example", nick="night", fingerprint=KEY
    )
    with pytest.raises(KeyError):
        settings.connecting("wrk")


def test_the_environment_is_above_a_profile(tmp_path: Path) -> None:
    settings = read(tmp_path, PROFILES, SECURECHAT_NICK="eve")
    assert settings.connecting("work").nick == "eve"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (None, KEY),
        ("home.example", KEY),
        ("HOME.example.:55555", KEY),
        ("home.example:7000", None),
        ("other.example", None),
    ],
)
def test_a_key_is_for_the_server_beside_it_alone(
    tmp_path: Path, server: str | None, expected: str | None
) -> None:
    assert read(tmp_path, PROFILES).connecting(server=server).fingerprint == expected


def test_trust_beside_no_server_is_for_all(tmp_path: Path) -> None:
    settings = read(tmp_path, "[connect]\naccept_new = true\n[profiles.work]\nserver = 'w'\n")
    assert settings.connecting("work").accept_new is True
    assert settings.connecting(server="x").accept_new is True


def test_what_says_whom_to_trust_is_listed() -> None:
    assert Connect.rows().keys() >= TRUST


def test_a_front_end_can_name_the_line_of_what_it_alone_knows(tmp_path: Path) -> None:
    settings = read(tmp_path, '[keys]\n\nsnd = "f2"\n')
    wrong = settings.fault("keys", "snd", why='there is no action "snd"; did you mean "send"?')
    assert str(wrong) == (
        f'{tmp_path / "config.toml"}:3: there is no action "snd"; did you mean "send"?'
    )
    assert str(Settings(Path("c")).fault("keys", why="no")) == "c: no."


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings: Any = read(tmp_path, PROFILES)
    with pytest.raises(AttributeError):
        settings.ui.bell = "off"
    with pytest.raises(TypeError):
        settings.profiles["x"] = Connect()
