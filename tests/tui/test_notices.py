"""Which sequence asks a terminal for a desktop notice."""

from __future__ import annotations

import pytest

from securechat.tui.notices import MAX_BODY, Protocol, notice, protocol_of


@pytest.mark.parametrize(
    ("environ", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, Protocol.KITTY),
        ({"TERM": "tmux-256color", "TMUX": "x", "KITTY_WINDOW_ID": "1"}, Protocol.KITTY),
        ({"TERM": "foot-extra"}, Protocol.URXVT),
        ({"TERM": "rxvt-unicode-256color"}, Protocol.URXVT),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, Protocol.URXVT),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7402"}, Protocol.URXVT),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, Protocol.URXVT),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Protocol.ITERM),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, Protocol.ITERM),
        ({"TERM": "xterm", "TERM_PROGRAM": "mintty"}, Protocol.ITERM),
        ({"TERM": "xterm-256color"}, Protocol.NONE),
        ({"TERM": "linux"}, Protocol.NONE),
        ({"TERM": "screen", "STY": "1.x", "KITTY_WINDOW_ID": "1"}, Protocol.NONE),
        ({}, Protocol.NONE),
    ],
)
def test_terminals_are_known_by_their_environment(
    environ: dict[str, str], protocol: Protocol
) -> None:
    assert protocol_of(environ) is protocol


def test_each_protocol_in_its_own_words() -> None:
    assert notice({"TERM": "foot"}, "carol", "hi") == "\x1b]777;notify;carol;hi\x1b\\"
    assert notice({"TERM_PROGRAM": "iTerm.app"}, "carol", "hi") == "\x1b]9;carol: hi\x1b\\"
    assert notice({"TERM": "xterm-kitty"}, "carol", "hi") == (
        "\x1b]99;i=securechat:d=0:p=title;carol\x1b\\\x1b]99;i=securechat:d=1:p=body;hi\x1b\\"
    )
    assert notice({"TERM": "xterm"}, "carol", "hi") == ""


def test_it_is_wrapped_for_tmux() -> None:
    assert notice({"TERM": "foot", "TMUX": "/tmp/x,1,0"}, "carol", "hi") == (
        "\x1bPtmux;\x1b\x1b]777;notify;carol;hi\x1b\x1b\\\x1b\\"
    )


def test_nothing_that_others_wrote_ends_the_sequence_or_makes_it_long() -> None:
    told = notice({"TERM": "foot"}, "ca;r\x07ol", "hi\x1b\\\x9c\x07\n" + "x" * 1_000)
    assert told.startswith("\x1b]777;notify;ca,r")
    assert told.count("\x1b") == 2
    assert not set(told[1:-2]) & {"\x07", "\x9c", "\n"}
    assert len(told) < MAX_BODY + 60
