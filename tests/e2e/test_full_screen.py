"""The full screen as a newcomer sees it: a real terminal, a real server, 80 x 24, and smaller."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator

import pytest

from .test_scene import Home, Terminals, home  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow


@pytest.fixture
def terminals(home: Home) -> Iterator[Terminals]:  # noqa: F811
    """Terminals of 80 x 24, where tmux is installed."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminals = Terminals(home, size=(80, 24))
    yield terminals
    terminals.close()


def test_the_scene_on_the_full_screen(home: Home, terminals: Terminals) -> None:  # noqa: F811
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.wait_for("alice", "│ connected │ TLS 1.3, your CA")
    terminals.wait_for("alice", "you are in #lobby")
    terminals.type("alice", "half a sen")
    assert home.connect("bob", "hi alice, how are you today?\n/me waves\n/msg alice psst\n")[0] == 0
    terminals.wait_for("alice", "!<bob> hi alice")
    terminals.wait_for("alice", "2 @bob")
    terminals.type("alice", "tence", "Enter", "M-2")
    terminals.wait_for("alice", "▸2 @bob")
    terminals.wait_for("alice", "!<bob> psst")
    terminals.type("alice", "M-1")
    terminals.wait_for("alice", "✓<alice> half a sentence")

    terminals.resize("alice", 40, 12)
    terminals.wait_for("alice", lambda screen: "@bob" not in screen and "half a sentence" in screen)
    terminals.resize("alice", 100, 30)
    terminals.wait_for("alice", "▸1 #lobby")
    terminals.type("alice", "F1")
    terminals.wait_for("alice", "keys and commands")
    terminals.type("alice", "F1")

    home.stop(signal.SIGKILL)
    terminals.wait_for("alice", "reconnecting in")
    terminals.type("alice", "typed while away", "Enter")
    terminals.wait_for("alice", "waits for the connection")
    home.serve()
    screen = terminals.wait_for("alice", "✓<alice> typed while away")
    assert screen.count("typed while away") == 1
    terminals.type("alice", "/quit", "Enter")
    terminals.wait_for("alice", "left with 0")


def test_what_is_typed_before_the_screen_is_there_is_typed_all_the_same(
    home: Home,  # noqa: F811
    terminals: Terminals,
) -> None:
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.type("alice", "two words", "Enter", "C-k", "lob", "Enter", "half a sen")
    terminals.wait_for("alice", "✓<alice> two words")
    assert terminals.screen("alice").rstrip().endswith("half a sen")


def test_a_paste_is_text_whatever_is_in_it(home: Home, terminals: Terminals) -> None:  # noqa: F811
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.wait_for("alice", "you are in #lobby")
    terminals.paste("alice", "a line with /quit and \x1b[31m red \t tab\n" * 300 + "end")
    terminals.wait_for("alice", lambda screen: screen.rstrip().endswith("end"))
    terminals.type("alice", "Enter")
    screen = terminals.wait_for("alice", "301 lines: Enter again sends them")
    assert r"a line with /quit and \x1b[31m red" in screen
    assert "<alice>" not in screen


def test_behind_many_pasted_keys_the_screen_lives_and_ctrl_c_stops(
    home: Home,  # noqa: F811
    terminals: Terminals,
) -> None:
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.wait_for("alice", "you are in #lobby")
    terminals.paste("alice", "".join(f"line {it}\n" for it in range(900)), bracketed=False)
    terminals.wait_for("alice", "✓<alice> line 9")
    terminals.type("alice", "C-c")
    terminals.wait_for("alice", "Ctrl-C again quits")
    terminals.type("alice", "and now", "Enter")
    screen = terminals.wait_for("alice", "✓<alice> and now")
    assert "line 899" not in screen


def test_the_next_start_begins_where_one_was(home: Home, terminals: Terminals) -> None:  # noqa: F811
    home.run("gen-certs")
    home.serve()
    terminals.open("alice")
    terminals.wait_for("alice", "you are in #lobby")
    terminals.type("alice", "/join garden", "Enter")
    terminals.wait_for("alice", "you are in #garden")
    terminals.type("alice", "/leave lobby", "Enter", "/quit", "Enter")
    terminals.wait_for("alice", "left with 0")
    terminals.close()
    terminals.open("alice")
    screen = terminals.wait_for("alice", "you are in #garden")
    assert "#lobby" not in screen
