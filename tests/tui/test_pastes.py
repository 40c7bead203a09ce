"""What a terminal sends around and within a paste, in pieces of any size."""

from __future__ import annotations

import pytest
from textual import events
from textual._xterm_parser import XTermParser

from securechat.tui.pastes import END, START, Pastes
from securechat.tui.sequences import keys_of

NASTY = "one\x1b[31m red\ttab\r/quit\r\x1bOP\x1b[200~\x03\x1b"
SHOWN = "one\\x1b[31m red\ttab\r/quit\r\\x1bOP\\x1b[200~\\x03\\x1b"


def taken(text: str, size: int) -> str:
    pastes = Pastes()
    return "".join(pastes.take(text[at : at + size]) for at in range(0, len(text), size))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 4096])
def test_nothing_in_a_paste_is_a_key(size: int) -> None:
    sent = f"a\x1b[A{START}{NASTY}{END}\x03{START}{NASTY}{END}\x1b[Bz"
    assert taken(sent, size) == f"a\x1b[A{START}{SHOWN}{END}\x03{START}{SHOWN}{END}\x1b[Bz"


def test_outside_a_paste_nothing_is_held_back() -> None:
    pastes = Pastes()
    assert [pastes.take(piece) for piece in ("\x1b", "[200", "~\x1b", "x")] == [
        "\x1b",
        "[200",
        "~",
        "\\x1bx",
    ]


def test_the_parser_makes_one_paste_of_it() -> None:
    parsed = list(XTermParser().feed(taken(f"{START}{NASTY}{END}q", 4096)))
    assert [type(event) for event in parsed] == [events.Paste, events.Key]
    assert isinstance(parsed[0], events.Paste)
    assert parsed[0].text == SHOWN


def test_the_same_holds_before_the_screen_is_there() -> None:
    [paste] = keys_of(f"{START}{NASTY}{END}")
    assert isinstance(paste, events.Paste)
    assert paste.text == SHOWN
