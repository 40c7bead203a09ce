"""The whole `connect` on a terminal of its own, with a scripted client in the place of the network.

The terminal is a pty that answers what terminals answer and keeps what was written; what it looks
like is the business of test_screen. Nothing waits for time: each step waits for what it brings.
"""

from __future__ import annotations

import re
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from securechat.cli import screen

from .line_terminal import (
    CTRL_C,
    CTRL_D,
    CTRL_Z,
    ENTER,
    HOME,
    LEFT,
    TAB,
    UP,
    Terminal,
)

pytest.importorskip("readline")


@pytest.fixture
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """Bob's terminal, with `terminal` marks as its keywords, when he is in the room."""
    keywords = getattr(request, "param", {})
    started = Terminal(tmp_path, *keywords.pop("arguments", ()), **keywords)
    started.wait("3 in #lobby: bob, carol, dave")
    yield started
    started.close()


def ready(terminal: Terminal) -> None:
    """Wait for the prompt of the lobby."""
    terminal.wait("[#lobby] ")


# ------------------------------------------------------------------ saying


def test_what_is_typed_is_said_and_comes_back(terminal: Terminal) -> None:
    terminal.type("hello", ENTER)
    terminal.wait("12:00 <bob> hello")
    terminal.type("//slash", ENTER, "/me waves", ENTER, CTRL_D)
    assert terminal.end() == 0
    assert terminal.said() == ["hello", "/slash", "waves"]
    assert terminal.record()["closed"]


def typed_amid_a_flood(folder: Path, *, answers: bool) -> Terminal:
    """A terminal that has ended, where a sentence was typed while 2,000 messages came."""
    terminal = Terminal(folder, columns=40, answers=answers)
    try:
        ready(terminal)
        terminal.type("/msg dave flood 2000", ENTER)
        terminal.wait("message 0 of 2000")
        terminal.type("The quick brown fox jumps over the lazy dog, and on: \u65e5\u672c\u8a9e.")
        terminal.type(*[LEFT] * 5, "HERE ", HOME, "START ", "\x1bf", " MID")
        terminal.type(ENTER)
        terminal.wait("message 1999 of 2000")
        terminal.type(CTRL_D)
        assert terminal.end() == 0
    finally:
        terminal.close()
    return terminal


@pytest.mark.parametrize("answers", [True, False])
def test_what_arrives_never_disturbs_what_is_typed(tmp_path: Path, answers: bool) -> None:
    terminal = typed_amid_a_flood(tmp_path, answers=answers)
    [said] = terminal.said()[1:]
    assert said == (
        "START The MID quick brown fox jumps over the lazy dog, and on:HERE  \u65e5\u672c\u8a9e."
    )
    assert "^[" not in terminal.raw  # the system's own echo of what was typed before the prompt
    shown = re.findall(r"message (\d+) of 2000", terminal.bare)
    assert [int(number) for number in shown] == [*range(2000)]


@pytest.mark.parametrize("answers", [True, False])
def test_rows_wait_until_the_place_of_the_cursor_is_known(tmp_path: Path, answers: bool) -> None:
    terminal = Terminal(tmp_path, columns=40, answers=answers)
    try:
        ready(terminal)
        terminal.type("x" * 60, LEFT, "y")
        terminal.wait("xy")
        terminal.ring()
        if answers:
            terminal.wait("<carol> bob: come here")
        else:
            terminal.wait_until(lambda: screen.ASK in terminal.raw, "the question")
        terminal.type(ENTER)
        terminal.wait("<bob> xxx" if answers else "<carol> bob: come here")
        terminal.type(CTRL_D)
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert terminal.said() == ["x" * 59 + "yx"]
    assert terminal.raw.count("come here") == 1


def test_a_paste_of_several_lines_is_one_text_and_no_command(terminal: Terminal) -> None:
    terminal.type("\x1b[200~/quit\rnow\r\x1b[201~", ENTER)
    terminal.wait("<bob> /quit")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert terminal.said() == ["/quit\nnow"]


def test_up_brings_back_and_tab_completes(terminal: Terminal) -> None:
    terminal.type("one", ENTER)
    terminal.wait("<bob> one")
    terminal.type(UP, " more", ENTER)
    terminal.wait("<bob> one more")
    terminal.type("ca", TAB, "hi", ENTER)
    terminal.wait("<bob> carol: hi")
    terminal.type("/jok", TAB, ENTER)
    terminal.wait("the answer to joke")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert terminal.said() == ["one", "one more", "carol: hi"]


# ------------------------------------------------------------------ commands


def test_the_prompt_follows_where_one_is(terminal: Terminal) -> None:
    terminal.type("/join garden", ENTER)
    terminal.wait("[#garden] ")
    terminal.type("hello", ENTER)
    terminal.wait("<bob> hello")
    terminal.type("/leave", ENTER)
    ready(terminal)
    terminal.type("drop", ENTER)
    terminal.wait("[#lobby, offline] ")
    terminal.type("patience", ENTER)
    seen = terminal.wait("(waiting) <bob> patience")
    assert "waiting for the connection" in seen
    terminal.type("back", ENTER)
    terminal.wait("back: 3 missed, 1 sent")
    terminal.wait_until(lambda: "[#lobby] " in terminal.bare.rpartition("offline")[2], "prompt")
    terminal.type(CTRL_D)
    terminal.end()
    assert terminal.record()["said"][0][:2] == ["#garden", "hello"]


def test_mistakes_are_told_and_never_sent(terminal: Terminal) -> None:
    terminal.type("/jion garden", ENTER)
    terminal.wait("Did you mean")
    terminal.type("refuse this", ENTER)
    terminal.wait("!! not sent (I refuse.): refuse this")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert terminal.said() == ["refuse this"]


def test_a_mention_rings_and_stands_out(terminal: Terminal) -> None:
    assert "\x07" not in terminal.raw
    terminal.type("half")
    terminal.wait("half")
    terminal.ring()
    terminal.wait("12:00!<carol> bob: come here")
    terminal.type(ENTER)
    terminal.wait("<bob> half")
    assert terminal.raw.count("\x07") == 1


def test_the_bell_can_be_stopped_and_the_screen_be_cleared(terminal: Terminal) -> None:
    terminal.type("/bell off", ENTER)
    terminal.wait("-- bell: off")
    terminal.ring()
    terminal.wait("come here")
    assert "\x07" not in terminal.raw
    assert screen.CLEAR_ALL not in terminal.raw
    terminal.type("/clear", ENTER, "after it", ENTER)
    terminal.wait("<bob> after it")
    assert screen.CLEAR_ALL in terminal.raw


# ------------------------------------------------------------------ leaving


def test_ctrl_c_clears_and_then_leaves(terminal: Terminal) -> None:
    terminal.type("never sent")
    terminal.wait("never sent")
    terminal.type(CTRL_C)
    terminal.wait("^C")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert terminal.said() == []


def test_quit_leaves_with_its_reason(terminal: Terminal) -> None:
    terminal.type("/quit good night", ENTER)
    assert terminal.end() == 0
    assert terminal.record()["closed"][0] == "good night"


def test_sigterm_leaves_in_order(terminal: Terminal) -> None:
    terminal.type("half a sen")
    terminal.wait("half a sen")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 143
    assert terminal.record()["closed"]


@pytest.mark.parametrize("way", ["eof", "interrupt", "sigterm", "error"])
def test_the_terminal_is_given_back_as_it_was(terminal: Terminal, way: str) -> None:
    assert termios.tcgetattr(terminal.master) != terminal.modes
    if way == "eof":
        terminal.type(CTRL_D)
    elif way == "interrupt":
        terminal.type(CTRL_C)
    elif way == "sigterm":
        terminal.process.send_signal(signal.SIGTERM)
    else:
        terminal.type("end", ENTER)
    terminal.end()
    assert termios.tcgetattr(terminal.master) == terminal.modes


def test_the_end_of_the_client_is_told(terminal: Terminal) -> None:
    terminal.type("end", ENTER)
    terminal.wait("securechat: The link was lost. Connect again.")
    assert terminal.end() == 7


def test_a_server_that_cannot_be_reached(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "unreachable")
    terminal.wait("securechat: No server answers there. Check the address.")
    assert terminal.end() == 3
    terminal.close()


def test_what_was_not_sent_is_told_on_leaving(terminal: Terminal) -> None:
    terminal.type("lag behind", ENTER)
    ready(terminal)
    terminal.type(CTRL_D)
    terminal.wait("1 message was not sent; the next start with this nick sends them.")
    assert terminal.end() == 1


def test_ctrl_z_stops_and_the_sentence_goes_on(terminal: Terminal) -> None:
    terminal.type("half a ")
    terminal.wait("half a ")
    terminal.type(CTRL_Z)  # stops nobody here: there is no shell that could have us go on
    terminal.wait("half a ")
    terminal.type("sentence", ENTER)
    terminal.wait("<bob> half a sentence")
    terminal.type(CTRL_D)
    assert terminal.end() == 0


# ------------------------------------------------------------------ looks


def test_colours_are_there_unless_unwanted(terminal: Terminal) -> None:
    terminal.type("hello", ENTER)
    terminal.wait("<bob> hello")
    assert "\x1b[2m" in terminal.raw


@pytest.mark.parametrize(
    "terminal", [{"arguments": ("--no-color",)}, {"NO_COLOR": "1"}], indirect=True
)
def test_without_colours(terminal: Terminal) -> None:
    terminal.type("hello", ENTER)
    terminal.wait("<bob> hello")
    assert re.search(r"\x1b\[[0-9;]+m", terminal.raw) is None


@pytest.mark.parametrize("terminal", [{"arguments": ("--plain",)}], indirect=True)
def test_plain_lines_are_never_cleared(terminal: Terminal) -> None:
    terminal.type("/clear", ENTER)
    terminal.wait("!! Plain lines are never cleared")
    assert screen.CLEAR_ALL not in terminal.raw


@pytest.mark.parametrize("terminal", [{"arguments": ("--plain",)}, {"term": "dumb"}], indirect=True)
def test_plain_writes_no_escape_and_waits_while_one_types(terminal: Terminal) -> None:
    terminal.type("hello", ENTER)
    terminal.wait("<bob> hello")
    terminal.type("/msg carol flood 3", ENTER)
    terminal.wait("message 2 of 3")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert screen.ASK not in terminal.raw
    assert "\x1b[" not in terminal.raw.replace("\x1b[?2004h", "").replace("\x1b[?2004l", "")
    assert "[#lobby]" not in terminal.raw


@pytest.mark.parametrize("terminal", [{"arguments": ("--plain",)}, {"term": "dumb"}], indirect=True)
def test_without_a_prompt_a_line_goes_where_one_was_told_to_be(terminal: Terminal) -> None:
    terminal.type("/join garden", ENTER)
    terminal.wait("-- you are in #garden, 1 person")
    terminal.wait("-- you write to #garden now")
    terminal.type("roses", ENTER)
    terminal.wait("<bob> roses")
    terminal.type("/rules", ENTER)
    terminal.wait("the answer to room")
    terminal.type("/leave", ENTER)
    terminal.wait("-- you left #garden")
    terminal.wait("-- you write to #lobby now")
    terminal.type("back", ENTER)
    terminal.wait("12:00 <bob> back")
    terminal.type("/leave", ENTER)
    terminal.wait("-- you are in no room now: /join one")
    terminal.type("lost", ENTER)
    terminal.wait("!! ")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    record = terminal.record()
    assert [[to, text] for to, text, _ in record["said"]] == [
        ["#garden", "roses"],
        ["#lobby", "back"],
    ]
    assert ["room", {"room": "#garden"}] in record["commands"]


@pytest.mark.parametrize("terminal", [{}, {"arguments": ("--plain",)}], indirect=True)
def test_a_new_password_is_judged_at_once_and_asked_for_again_unseen(terminal: Terminal) -> None:
    terminal.type("/register", ENTER)
    terminal.wait("New password: ")
    terminal.type("short", ENTER)
    terminal.wait("!! A password has at least 8 characters.")
    terminal.wait("New password: ")
    terminal.type("four quiet green hills", ENTER)
    terminal.wait("The same once more: ")
    terminal.type("four quiet green hills", ENTER)
    terminal.wait("the answer to register")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert "hills" not in terminal.raw
    assert "short" not in terminal.raw
    assert terminal.record()["said"] == []
