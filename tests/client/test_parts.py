"""Long texts as messages: nothing lost, nothing too long, nothing that breaks out of its block."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.parts import BadText, Form, fence_of, last_lines, readable, split

LINES = st.lists(st.text(st.sampled_from("ab `\tä"), max_size=30), min_size=1, max_size=20)


def test_what_fits_is_one_message() -> None:
    assert split("hello\r\nworld\n", 20) == ["hello\nworld"]
    assert split("  indented\n", 20) == ["  indented"]


def test_a_long_text_is_cut_at_lines() -> None:
    assert split("one\ntwo\nthree\nfour", 9) == ["one\ntwo", "three", "four"]


def test_a_line_that_is_too_long_is_cut() -> None:
    assert split("short\n" + "x" * 25, 10) == ["short", "x" * 10, "x" * 10, "x" * 5]


def test_blank_lines_around_a_message_are_not_sent() -> None:
    assert split("\n\nfirst\n" + "\n" * 40 + "second\n\n", 10) == ["first", "second"]


@given(LINES, st.integers(8, 60))
def test_every_part_may_be_sent_and_no_letter_is_lost(lines: list[str], most: int) -> None:
    text = "\n".join(lines)
    if not text.strip():
        return
    parts = split(text, most)
    assert all(0 < len(part) <= most and not part.isspace() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(LINES, st.integers(60, 100), st.sampled_from(["", "notes.txt"]))
def test_every_part_of_a_block_is_a_block(lines: list[str], most: int, name: str) -> None:
    text = "\n".join(lines)
    if not text.strip():
        return
    fence = fence_of(text)
    inside = []
    parts = split(text, most, Form(code=True, name=name))
    for number, part in enumerate(parts, 1):
        assert len(part) <= most
        head, opening, rest = part.partition(fence + "\n")
        assert opening
        assert head == ("" if not name else f"{name}\n" if len(parts) == 1 else
                        f"{name} ({number}/{len(parts)})\n")  # fmt: skip
        assert rest.endswith("\n" + fence)
        inside.append(rest.removesuffix("\n" + fence))
        assert fence not in inside[-1]
    assert "".join(inside).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing in it"),
        (" \n\t\n", "nothing in it"),
        ("ok\n\x1b[31mred", r"line 2 holds the control character \\x1b"),
        ("a\rb", r"\\x0d"),
        ("a\udce9", "bytes that are no text"),
    ],
)
def test_what_no_message_may_hold_is_told_before_anything_is_sent(text: str, why: str) -> None:
    with pytest.raises(BadText, match=why):
        split(text, 100)


def test_a_block_without_room_for_a_letter_is_told() -> None:
    with pytest.raises(BadText, match="no room"):
        split("x", 30, Form(code=True, name="a" * 30))


# ------------------------------------------------------------------ what a command wrote


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("plain\r", "plain"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("10 %\r50 %\r100 %", "100 %"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Ba\tb\x08\x00", "a\tb"),
        ("\x1b[12", "12"),
    ],
)
def test_what_was_written_for_a_terminal_can_be_said(line: str, seen: str) -> None:
    assert readable(line) == seen


@given(st.text())
def test_no_line_of_a_command_is_refused(line: str) -> None:
    seen = readable(line.replace("\n", ""))
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]", seen)


def test_the_last_lines_stand_below_the_head() -> None:
    assert last_lines(["a", "b"], 100, "exit 0") == "exit 0\n```\na\nb\n```"
    assert last_lines(["```"], 100, "exit 0") == "exit 0\n````\n```\n````"
    assert last_lines([], 100, "exit 0") == last_lines(["", " "], 100, "exit 0") == "exit 0"


def test_of_too_many_last_lines_the_last_are_kept() -> None:
    told = last_lines([f"line {number}" for number in range(100)], 60, "exit 0")
    assert len(told) <= 60
    assert told.endswith("line 98\nline 99\n```")
