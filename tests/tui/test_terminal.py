"""What was typed ahead, and what Ctrl-C does to it; the driver itself is in e2e."""

from __future__ import annotations

import pytest

from securechat.tui.pastes import END, START
from securechat.tui.terminal import Ahead


def taken(ahead: Ahead) -> str:
    pieces = []
    while ahead:
        pieces.append(ahead.take())
    return "".join(pieces)


def test_all_comes_out_in_its_order() -> None:
    ahead, lines = Ahead(), [f"line {number}\r" * 20 for number in range(100)]
    out = []
    for line in lines:
        ahead.put(line)
        out.append(ahead.take())
    assert ahead
    assert "".join(out) + taken(ahead) == "".join(lines)


@pytest.mark.parametrize("interrupt", ["\x03", "\x1b[99;5u"])
def test_ctrl_c_forgets_what_is_far_ahead(interrupt: str) -> None:
    ahead = Ahead()
    ahead.put("a line\r" * 600)
    first = ahead.take()
    assert first.startswith("a line\r")
    ahead.put(f"{interrupt}more")
    assert taken(ahead) == f"{interrupt}more"


def test_ctrl_c_behind_a_few_keys_is_only_the_next_key() -> None:
    ahead = Ahead()
    ahead.put("hello\r")
    ahead.put("\x03")
    assert taken(ahead) == "hello\r\x03"


def test_ctrl_c_keeps_the_end_of_a_paste() -> None:
    ahead, paste = Ahead(), f"{START}{'text ' * 100}{END}"
    ahead.put(paste)
    ahead.take()
    ahead.put("keys " * 100 + "\x03")
    assert (START + taken(ahead)).endswith(f"{END}\x03")
