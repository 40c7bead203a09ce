"""An invite as it is meant: made on the server, passed on as one line, which is all one needs.

The newcomer sits at another machine: a home of their own, empty, with no certificate and no
fingerprint; on a terminal, and in a pipe.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_scene import SECURECHAT, Home, Terminals

pytestmark = pytest.mark.slow


class Machine(Home):
    """A home of its own; `connect` goes to `target`, which may be an invite."""

    def __init__(self, path: Path, server: Home, target: str = "") -> None:
        super().__init__(path)
        self.path.mkdir()
        self.port = server.port
        self.target = target

    def come(self, said: str, *options: str) -> tuple[int, str, str]:
        """A client in a pipe."""
        return self.run("connect", self.target, *options, said=said)

    def kept(self) -> bytes:
        """Everything that there is on this machine."""
        return b"".join(path.read_bytes() for path in self.path.rglob("*") if path.is_file())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "server")
    home.path.mkdir()
    home.serve()
    yield home
    if home.server is not None:
        home.stop(signal.SIGKILL)


def invite(server: Home, *arguments: str) -> str:
    """What `securechat invite` prints: one line, in a pipe."""
    code, out, errors = server.run("invite", *arguments)
    assert code == 0, errors
    [line] = out.splitlines()
    assert line.startswith(f"securechat://127.0.0.1:{server.port}/#")
    return line


class OnATerminal(Terminals):
    """Terminals of a machine that was invited."""

    def open(self, nick: str, port: int | None = None) -> None:
        assert port is None
        home = self._home
        assert isinstance(home, Machine)
        self.run_in(nick, "connect", f"'{home.target}'", *self._options)

    def run_in(self, name: str, *words: str) -> None:
        """A terminal in which a command runs."""
        command = " ".join([*SECURECHAT, *words])
        command += "; echo left with $?; sleep 60"
        size = ("-x", str(self._size[0]), "-y", str(self._size[1]))
        self._tmux("new-session", "-d", "-s", name, *size, "-c", str(self._home.path), command)


@pytest.mark.parametrize("options", [("--line",), ()])
def test_a_newcomer_needs_one_line(server: Home, tmp_path: Path, options: tuple[str, ...]) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    line = invite(server, "carol", "--room", "ops")
    elsewhere = Machine(tmp_path / "elsewhere", server, line)
    terminals = OnATerminal(elsewhere, *options)
    try:
        terminals.open("carol")
        screen = terminals.wait_for("carol", "you are in #ops")
        assert "Is it the same?" not in screen
        assert "connected to securechat as carol" in screen
        terminals.type("carol", "hello from afar", "Enter")
        terminals.wait_for("carol", "<carol> hello from afar")
        terminals.type("carol", "/who", "Enter")
        terminals.wait_for("carol", "1 in #ops: carol")
        # A password for other devices: typed, and shown nowhere.
        terminals.type("carol", "/passwd", "Enter")
        terminals.wait_for("carol", "Present password")
        terminals.type("carol", "Enter")
        terminals.wait_for("carol", "New password")
        terminals.type("carol", "tulips in the rain", "Enter")
        terminals.wait_for("carol", "once more")
        terminals.type("carol", "tulips in the rain", "Enter")
        screen = terminals.wait_for("carol", "your account is carol")
        assert "tulips" not in screen
        terminals.type("carol", "/quit", "Enter")
        terminals.wait_for("carol", "left with 0")
        # The same line again finds the session that was kept.
        terminals.type("carol", "", "Enter")
    finally:
        terminals.close()
    code, out, errors = elsewhere.come("back again\n")
    assert (code, "<carol> back again" in out) == (0, True), errors
    assert b"tulips" not in elsewhere.kept()
    # Another device, without the session: the password lets in, typed on the terminal.
    device = Machine(tmp_path / "device", server)
    fingerprint = elsewhere.run("trust", "list")[1].split()[1]
    terminals = OnATerminal(device)
    try:
        where = f"127.0.0.1:{server.port}"
        terminals.run_in(
            "carol", "connect", where, "--nick", "carol", "--line", "--fingerprint", fingerprint
        )
        terminals.wait_for("carol", "Password of carol:")
        terminals.type("carol", "tulips in the rain", "Enter")
        screen = terminals.wait_for("carol", "you are in #lobby")
        assert "tulips" not in screen
    finally:
        terminals.close()
    assert b"tulips" not in device.kept()
    out = server.run("admin", "accounts")[1]
    assert out.splitlines()[1].split()[:4] == ["carol", "member", "carol", "yes"]


def test_an_invite_leads_into_a_private_room(server: Home, tmp_path: Path) -> None:
    """Its owner need not be there to let the newcomer in: whoever runs the server has done so."""
    code, _, errors = server.connect("olaf", "/join den\n/rules private\nours alone\n/rules\n")
    assert code == 0, errors
    stranger = Machine(tmp_path / "stranger", server, invite(server, "eve"))
    code, _, errors = stranger.come("hi\n", "--room", "den")
    assert (code, "may not enter that room" in errors) == (1, True), errors
    guest = Machine(tmp_path / "guest", server, invite(server, "carol", "--room", "den"))
    code, out, errors = guest.come("here I am\n/history 9\n")
    assert (code, "<carol> here I am" in out, "<olaf> ours alone" in out) == (0, True, True), errors
    guest.target = f"127.0.0.1:{server.port}"
    code, out, errors = guest.come("again\n", "--nick", "carol", "--room", "den")
    assert (code, "<carol> again" in out) == (0, True), errors
    audited = server.run("audit")[1]
    assert "server admit carol in #den (came by an invite)" in audited


def test_an_invite_is_spent_listed_and_revoked(server: Home, tmp_path: Path) -> None:
    line = invite(server, "--uses", "2", "--ttl", "1h", "--room", "lobby")
    first = Machine(tmp_path / "first", server, line)
    code, _, errors = first.come("hi\n")
    assert (code, "Give one with --nick" in errors) == (5, True)
    assert first.come("hi\n", "--nick", "ann")[0] == 0
    second = Machine(tmp_path / "second", server, line)
    assert second.come("hi\n", "--nick", "bob")[0] == 0
    third = Machine(tmp_path / "third", server, line)
    code, _, errors = third.come("hi\n", "--nick", "eve")
    assert (code, "Ask for a new one" in errors) == (5, True)
    assert len(errors.splitlines()) == 1

    revoked = invite(server, "dora")
    [row] = server.run("invite", "list")[1].splitlines()[1:]
    assert server.run("invite", "revoke", row.split()[0])[0] == 0
    assert server.run("invite", "list")[1] == ""
    third.target = revoked
    assert third.come("hi\n")[0] == 5


def test_somebody_in_between_hears_nothing_of_the_token(server: Home, tmp_path: Path) -> None:
    line = invite(server, "carol")
    impostor = Home(tmp_path / "impostor")
    impostor.path.mkdir()
    impostor.serve()
    try:
        elsewhere = Machine(tmp_path / "elsewhere", server)
        elsewhere.target = line.replace(f":{server.port}/", f":{impostor.port}/")
        code, _, errors = elsewhere.come("hi\n")
        assert (code, len(errors.splitlines())) == (4, 1)
        assert "--nick" not in errors
    finally:
        impostor.stop(signal.SIGKILL)
    elsewhere.target = line
    assert elsewhere.come("hi\n")[0] == 0, "it was not used up"


def test_what_is_no_whole_invite_is_a_usage_error(server: Home, tmp_path: Path) -> None:
    line = invite(server, "carol")
    elsewhere = Machine(tmp_path / "elsewhere", server, line.partition("#")[0])
    code, _, errors = elsewhere.come("hi\n")
    assert code == 2
    assert "single quotes" in " ".join(errors.split())
    token = line.partition("#")[2].partition(".")[0]
    elsewhere.target = line[:-1]
    assert token not in elsewhere.come("hi\n")[2]
