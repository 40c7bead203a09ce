"""Where the server's data is: what was typed, else the environment, the file, what is built in."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.command_tree import commands
from securechat.cli.app import app
from securechat.store.migrations import create

#: Each command that looks into the folder by itself, and what else it wants to be told.
COMMANDS = {
    ("admin", "accounts"): (),
    ("admin", "status"): (),
    ("admin", "owner"): ("bob", "--password-file", "{file}"),
    ("admin", "add"): ("bob", "--password-file", "{file}"),
    ("admin", "role"): ("bob", "admin"),
    ("admin", "passwd"): ("bob", "--password-file", "{file}"),
    ("admin", "sessions"): ("bob",),
    ("admin", "connections"): (),
    ("admin", "cut"): ("bob",),
    ("invite", "make"): ("bob",),
    ("invite", "list"): (),
    ("invite", "revoke"): ("6b3f09c2a1d4",),
    ("audit",): (),
    ("db", "check"): (),
    ("db", "backup"): ("{file}.copy",),
    ("db", "restore"): ("{database}",),
    ("db", "stats"): (),
    ("reload",): (),
}
PLACES = ("typed", "environ", "file", "built-in")


def test_no_command_that_takes_a_data_folder_is_left_out() -> None:
    taking = {one.path for one in commands() if any("--data" in it.names for it in one.parameters)}
    assert taking == COMMANDS.keys() | {("serve",), ("doctor",)}, "those have tests of their own"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_nearest_word_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], place: str
) -> None:
    """Nowhere is any data, and each command tells in which folder it looked for it."""
    known = PLACES[PLACES.index(place) :]  # what is said here, and all that stands behind it
    secret, config = tmp_path / "secret", tmp_path / "config.toml"
    secret.write_text("tulips in the rain\n")
    secret.chmod(0o600)
    backup = tmp_path / "backup"
    create(backup)
    config.write_text(f'[serve]\ndata = "{tmp_path}/file"\n' if "file" in known else "")
    environ = {"SECURECHAT_CONFIG": str(config)}
    if "environ" in known:
        environ["SECURECHAT_SERVE_DATA"] = str(tmp_path / "environ")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **_keys: tmp_path / "built-in")
    words = [*path, *(word.format(file=secret, database=backup) for word in COMMANDS[path])]
    if "typed" in known:
        words += ["--data", str(tmp_path / "typed")]
    done = CliRunner().invoke(app, words, env=environ)
    assert done.exit_code == (0 if path == ("db", "restore") else 1)
    assert f"{tmp_path / place}" in done.output
