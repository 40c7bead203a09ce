"""Desktop notices that a terminal shows for a program: which sequence this one understands.

Pure: the environment goes in. OSC 99 is kitty's protocol; OSC 777 is urxvt's, taken up by foot,
WezTerm, Ghostty and VTE; OSC 9 is iTerm2's, taken up by mintty. Others get none, for some print
what they do not know, and have the bell. Inside tmux the outer terminal is recognised by what it
left in the environment, and the sequence is wrapped (tmux(1), allow-passthrough); the bell, which
tmux passes on by itself, is rung in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from ..client.harmless import harmless_line

MAX_BODY: Final = 200

_ESC: Final = "\x1b"
_ST: Final = f"{_ESC}\\"


class Protocol(Enum):
    """How a terminal is asked for a notice; the value is the number of its OSC."""

    NONE = 0
    ITERM = 9
    KITTY = 99
    URXVT = 777


#: Variables of the environment, what they begin with, and what that tells. The first that fits.
_KNOWN: Final = (
    ("KITTY_WINDOW_ID", "", Protocol.KITTY),
    ("TERM", "xterm-kitty", Protocol.KITTY),
    ("GHOSTTY_RESOURCES_DIR", "", Protocol.URXVT),
    ("TERM", "xterm-ghostty", Protocol.URXVT),
    ("TERM_PROGRAM", "WezTerm", Protocol.URXVT),
    ("WEZTERM_PANE", "", Protocol.URXVT),
    ("TERM", "foot", Protocol.URXVT),
    ("TERM", "rxvt-unicode", Protocol.URXVT),
    ("VTE_VERSION", "", Protocol.URXVT),
    ("TERM_PROGRAM", "iTerm.app", Protocol.ITERM),
    ("LC_TERMINAL", "iTerm2", Protocol.ITERM),
    ("TERM_PROGRAM", "mintty", Protocol.ITERM),
)


def protocol_of(environ: Mapping[str, str]) -> Protocol:
    """What the terminal that `environ` describes understands."""
    if environ.get("STY"):  # screen passes none of it on
        return Protocol.NONE
    for name, start, protocol in _KNOWN:
        if environ.get(name, "").startswith(start) and name in environ:
            return protocol
    return Protocol.NONE


def notice(environ: Mapping[str, str], title: str, body: str) -> str:
    """What to write to the terminal for a notice; nothing, where it knows none."""
    protocol = protocol_of(environ)
    title = harmless_line(title).replace(";", ",")
    body = harmless_line(body)[:MAX_BODY]
    if protocol is Protocol.NONE:
        return ""
    if protocol is Protocol.KITTY:
        sequences = [
            f"{_ESC}]99;i=securechat:d=0:p=title;{title}{_ST}",
            f"{_ESC}]99;i=securechat:d=1:p=body;{body}{_ST}",
        ]
    elif protocol is Protocol.URXVT:
        sequences = [f"{_ESC}]777;notify;{title};{body}{_ST}"]
    else:
        sequences = [f"{_ESC}]9;{title}: {body}{_ST}"]
    if environ.get("TMUX"):
        sequences = [_through_tmux(one) for one in sequences]
    return "".join(sequences)


def _through_tmux(sequence: str) -> str:
    return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC * 2)}{_ST}"
