"""Options that are not typed come from the environment, the file, or what is built in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from scripts.command_tree import commands
from securechat.cli import trusting
from securechat.cli.app import app as securechat
from securechat.cli.configuring import (
    ConfigOption,
    EarlyConfigOption,
    ProfileOption,
    settings_of,
)
from securechat.cli.connect import check_server_or_invite
from securechat.cli.options import HostOption, NickOption
from securechat.settings import Connect, Serve

KEY = f"SHA256:{'A' * 43}"

app = typer.Typer()


@app.callback()
def root(_config: EarlyConfigOption = None) -> None:
    """Before the command."""


@app.command()
def connect(
    context: typer.Context,
    server: Annotated[str, typer.Argument(callback=check_server_or_invite)] = "localhost",
    *,
    nick: NickOption,
    room: Annotated[list[str] | None, typer.Option()] = None,
    ca: trusting.CaFile = None,
    fingerprint: trusting.Fingerprint = None,
    accept_new: trusting.AcceptNew = False,
    by_line: Annotated[bool, typer.Option("--line/--no-line")] = False,
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
) -> None:
    """All that `securechat connect` can be told, told back."""
    told = {"server": server, "nick": nick, "room": room, "ca": ca and str(ca), "line": by_line}
    bell = settings_of(context).ui.bell
    print(json.dumps({**told, "key": fingerprint, "new": accept_new, "bell": bell}))


@app.command()
def tail(
    room: Annotated[str, typer.Argument()],
    *,
    nick: NickOption,
    host: HostOption = "localhost",
    _config: ConfigOption = None,
    _profile: ProfileOption = None,
) -> None:
    """A command whose argument has the name of a key."""
    print(json.dumps({"room": room, "nick": nick, "host": host}))


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(max=65535)] = 55555,
    data: Annotated[Path | None, typer.Option()] = None,
    rate: Annotated[float, typer.Option(min=0)] = 20.0,
    _config: ConfigOption = None,
) -> None:
    """A command of who runs a server."""
    print(json.dumps([host, port, data and str(data), rate]))


FILE = f"""
[connect]
server = "home.example"
nick = "bob"
room = ["ops", "dev"]
fingerprint = "{KEY}"
[profiles.work]
server = "work.example:7000"
nick = "smith"
line = true
ca = "ca.pem"
[ui]
bell = "all"
[serve]
host = "::"
port = 7
data = "db"
rate = 5
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def told(*words: str | Path, **environ: str) -> Any:
    done = CliRunner().invoke(app, [str(word) for word in words], env=environ)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


HOME = {
    "server": "home.example",
    "nick": "bob",
    "room": ["ops", "dev"],
    "ca": None,
    "line": False,
    "key": KEY,
    "new": False,
    "bell": "all",
}
WORK = {**HOME, "server": "work.example:7000", "nick": "smith", "line": True, "key": None}


def invite(place: str) -> str:
    return f"securechat://{place}/#token.{'A' * 43}"


def test_an_invite_is_for_its_own_server_and_not_for_the_one_that_is_set(config: Path) -> None:
    there = invite("[2001:db8::1]:7")
    elsewhere = {**HOME, "server": there, "key": None}
    assert told("connect", there, "--config", config) == elsewhere
    environ = {"SECURECHAT_SERVER": "127.0.0.1:7", "SECURECHAT_ACCEPT_NEW": "yes"}
    assert told("connect", there, "--config", config, **environ) == elsewhere
    work = {**elsewhere, "nick": "smith", "line": True}
    assert told("connect", there, "--profile", "work", "--config", config) == work
    here = invite("home.example")  # what is trusted there holds beside it
    assert told("connect", here, "--config", config) == {**HOME, "server": here}


def test_the_file_gives_defaults(config: Path) -> None:
    assert told("connect", "--config", config) == HOME
    assert told("--config", config, "connect") == HOME
    assert told("connect", SECURECHAT_CONFIG=str(config)) == HOME
    assert told("tail", "x", "--config", config) == {
        "room": "x",
        "nick": "bob",
        "host": "home.example",
    }
    where = str(config.parent / "db")
    assert told("serve", "--config", config) == ["::", 7, where, 5.0]


def test_flag_over_environment_over_file_over_default(config: Path) -> None:
    file = {"SECURECHAT_CONFIG": str(config)}
    both = {**file, "SECURECHAT_NICK": "eve", "SECURECHAT_SERVE_PORT": "8"}
    assert told("connect", "--nick", "carol", **both)["nick"] == "carol"
    assert told("connect", **both)["nick"] == "eve"
    assert told("connect", **file)["nick"] == "bob"
    assert told("serve", "--port", "9", **both)[1] == 9
    assert told("serve", **both)[1] == 8
    assert told("serve", SECURECHAT_CONFIG="")[1] == 55555
    assert told("connect", "--no-line", SECURECHAT_NICK="x", SECURECHAT_LINE="1")["line"] is False


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (("connect", "work"), {}),
        (("connect", "--profile", "work"), {}),
        (("connect",), {"SECURECHAT_PROFILE": "work"}),
        (("connect",), {"SECURECHAT_SERVER": "work"}),
        (("connect", "work"), {"SECURECHAT_SERVER": "other.example"}),
        (("connect", "--profile", "work"), {"SECURECHAT_SERVER": "other.example"}),
    ],
)
def test_a_profile_is_a_server_and_what_goes_with_it(
    config: Path, words: tuple[str, ...], environ: dict[str, str]
) -> None:
    expected = {**WORK, "ca": str(config.parent / "ca.pem")}
    assert told(*words, "--config", config, **environ) == expected
    assert told("--config", config, *words, **environ) == expected


def test_a_profile_serves_the_other_commands(config: Path) -> None:
    expected = {"room": "x", "nick": "smith", "host": "work.example:7000"}
    assert told("tail", "x", "--host", "work", "--config", config) == expected
    assert told("tail", "x", "--profile", "work", "--config", config) == expected


def test_what_is_typed_is_above_the_profile(config: Path) -> None:
    typed = told("connect", "work", "--nick", "eve", "--no-line", "--config", config)
    assert (typed["nick"], typed["line"], typed["server"]) == ("eve", False, "work.example:7000")
    other = told("connect", "else.example", "--profile", "work", "--config", config)
    assert (other["server"], other["nick"], other["ca"]) == ("else.example", "smith", None)


def test_another_server_is_not_trusted_by_the_key_of_this_one(config: Path) -> None:
    assert told("connect", "else.example", "--config", config)["key"] is None
    assert told("connect", "HOME.example:55555", "--config", config)["key"] == KEY


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("[ui]\nbel = 1\n", (), ':2: [ui] has no key "bel"; did you mean "bell"?'),
        ("[connect]\nnick = 3\n", (), ":2: connect.nick must be a nick of 1 to 32 characters."),
        (FILE, ("--profile", "wrk"), ' has no profile "wrk"; did you mean "work"?'),
        ("", ("--profile", "work"), ' has no profile "work".'),
    ],
)
def test_what_is_wrong_is_one_line_and_2(
    config: Path, text: str, words: tuple[str, ...], message: str
) -> None:
    config.write_text(text)
    done = CliRunner().invoke(app, ["connect", "--config", str(config), *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"securechat: {config}{message}\n"


def test_a_file_that_is_not_there_is_2(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["serve", "--config", str(tmp_path / "x.toml")])
    assert done.exit_code == 2
    assert (
        done.stderr == f"securechat: {tmp_path}/x.toml is not there; name another file, or none.\n"
    )


# ------------------------------------------------------------------ nothing is forgotten


def options_of(name: str) -> set[str]:
    """The keys that the options of a command would have."""
    command: Any = typer.main.get_command(securechat)
    params = command.commands[name].params
    names = [max(one.opts, key=len) for one in params]
    return {name.removeprefix("--").replace("-", "_") for name in names}


#: What nobody wants to have said for good.
ONLY_TYPED = {"json", "config", "profile", "help"}


def test_every_option_of_serve_is_a_key() -> None:
    assert options_of("serve") - ONLY_TYPED == Serve.rows().keys()


def test_every_option_of_connect_is_a_key() -> None:
    assert options_of("connect") - ONLY_TYPED <= Connect.rows().keys()
    assert Connect.rows().keys() - options_of("connect") == {"wait"}


def test_every_command_of_who_serves_knows_the_file() -> None:
    """Else `db backup` would look elsewhere than `serve`."""
    for command in commands():
        names = {name for one in command.parameters for name in one.names}
        assert "--config" in names or "--data" not in names, command.path


def test_every_command_that_reaches_a_server_has_profiles() -> None:
    for command in commands():
        names = {name for one in command.parameters for name in one.names}
        assert {"--config", "--profile"} <= names or "--fingerprint" not in names, command.path
