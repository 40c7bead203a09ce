"""Trusting a server as people do: in real terminals, through pipes, and when its key changes."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_scene import Home, Terminals

pytestmark = pytest.mark.slow


class Elsewhere(Home):
    """Another machine: its own home, and no folder `certs`."""

    def __init__(self, path: Path, server: Home) -> None:
        super().__init__(path)
        self.port = server.port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Home]:
    """A home in which a server runs."""
    home = Home(tmp_path / "server")
    home.path.mkdir()
    yield home
    if home.server is not None:
        home.stop(signal.SIGKILL)


@pytest.fixture
def elsewhere(server: Home, tmp_path: Path) -> Elsewhere:
    home = Elsewhere(tmp_path / "elsewhere", server)
    home.path.mkdir()
    return home


def fingerprint_in(text: str) -> str:
    [found] = {word for word in text.split() if word.startswith("SHA256:")}
    return found


def test_a_pipe_needs_to_be_told(server: Home, elsewhere: Elsewhere) -> None:
    shown = fingerprint_in(server.serve())
    code, out, errors = elsewhere.connect("bob", "hello\n")
    assert (code, out) == (4, "")
    assert len(errors.splitlines()) == 1
    assert f"--fingerprint {shown}" in errors
    assert elsewhere.connect("bob", "hello\n", "--fingerprint", "00" * 32)[0] == 4
    code, out, _ = elsewhere.connect("bob", "hello\n", "--fingerprint", shown)
    assert (code, "<bob> hello" in out) == (0, True)
    code, out, _ = elsewhere.connect("bob", "again\n")  # it is remembered
    assert (code, "<bob> again" in out) == (0, True)

    # A renewed certificate has the same key ...
    assert server.run("gen-certs", "--renew")[0] == 0
    assert server.stop() == 0
    assert fingerprint_in(server.serve()) == shown
    assert elsewhere.connect("bob", "renewed\n")[0] == 0
    # ... a new set has not, and nothing but `trust replace` accepts it.
    assert server.run("gen-certs", "--force")[0] == 0
    assert server.stop() == 0
    new = fingerprint_in(server.serve())
    options = ("--accept-new", "--certs", str(server.path / "certs"))
    code, out, errors = elsewhere.connect("bob", "changed\n", *options)
    assert (code, out) == (4, "")
    assert f"You trust {shown}, it shows {new}" in errors
    _, _, command = errors.strip().rpartition("securechat ")
    assert command == f"trust replace localhost:{server.port} {new}"
    assert elsewhere.run(*command.split())[0] == 0
    code, out, _ = elsewhere.connect("bob", "replaced\n")
    assert (code, "<bob> replaced" in out, "changed" in out) == (0, True, False)


def test_a_person_compares_in_a_terminal(server: Home, elsewhere: Elsewhere) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    shown = fingerprint_in(server.serve())
    terminals = Terminals(elsewhere)
    try:
        terminals.open("bob")
        screen = terminals.wait_for("bob", "Is it the same?")
        assert shown in screen
        terminals.type("bob", "yes", "Enter")
        terminals.wait_for("bob", "you are in #lobby")
        terminals.type("bob", "hello", "Enter")
        terminals.wait_for("bob", "<bob> hello")
        # Somebody else takes the port: the client that is coming back stops for good.
        assert server.run("gen-certs", "--force")[0] == 0
        assert server.stop() == 0
        server.serve()
        assert elsewhere.connect("alice", "hi\n")[0] == 4
        terminals.wait_for("bob", "left with 4")
    finally:
        terminals.close()
    assert shown in elsewhere.run("trust", "list")[1]
