"""The arithmetic of a terminal, checked on one: a small VT100 that knows what we send."""

from __future__ import annotations

import re

import pytest

from securechat.cli import screen
from securechat.cli.screen import Place, drawn, place_after
from securechat.client.cells import cells


class Terminal:
    """A screen of `width` x `height` with what has scrolled off above it; cells hold one letter.

    The second cell of a wide letter is empty. Like all of its kind it waits with the next row
    until a letter comes behind a full one.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.gone: list[str] = []
        self.rows = [[" "] * width for _ in range(height)]
        self.row = self.column = 0
        self.pending = False
        self.saved = (0, 0)

    def write(self, text: str) -> None:
        for escape, parameter, final, plain in re.findall(
            r"(\x1b)(?:\[([0-9;]*))?([A-Za-z0-9])|([^\x1b])", text, re.DOTALL
        ):
            if escape:
                self._obey(final, int(parameter or 1) if final not in "mJ" else 0)
            elif plain == "\r":
                self.column, self.pending = 0, False
            elif plain == "\n":
                self._down()
            else:
                self._put(plain)

    def _obey(self, final: str, count: int) -> None:
        if final != "m":
            self.pending = False
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "B":
            self.row = min(self.height - 1, self.row + count)
        elif final == "C":
            self.column = min(self.width - 1, self.column + count)
        elif final == "D":
            self._down()
        elif final == "J":
            self.rows[self.row][self.column :] = [" "] * (self.width - self.column)
            for row in range(self.row + 1, self.height):
                self.rows[row] = [" "] * self.width
        elif final == "L":
            for _ in range(count):
                self.rows.insert(self.row, [" "] * self.width)
                assert set(self.rows.pop()) == {" "}, "something fell off the bottom"
        elif final == "7":
            self.saved = (self.row, self.column)
        elif final == "8":
            self.row, self.column = self.saved
        else:
            assert final == "m", f"what is {final!r}?"

    def _down(self) -> None:
        self.pending = False
        if self.row < self.height - 1:
            self.row += 1
        else:
            self.gone.append(self._text(self.rows.pop(0)))
            self.rows.append([" "] * self.width)

    def _put(self, letter: str) -> None:
        size = cells(letter)
        if self.pending or self.column + size > self.width:
            self.column = 0
            self._down()
        self.rows[self.row][self.column : self.column + size] = [letter] + [""] * (size - 1)
        self.column += size
        if self.column == self.width:
            self.column, self.pending = self.width - 1, True

    @staticmethod
    def _text(row: list[str]) -> str:
        return "".join(row).rstrip()

    def everything(self) -> list[str]:
        shown = [self._text(row) for row in self.rows]
        while shown and not shown[-1]:
            shown.pop()
        return self.gone + shown


def draw(terminal: Terminal, prompt: str, typed: str, point: int) -> None:
    """Draw as readline does: into the next row as soon as one is full; cursor at `point`."""
    shown = drawn(prompt, typed, terminal.width)
    terminal.write(prompt + "".join(shown).replace("\n", "\r\n"))
    end = place_after(prompt + "".join(shown), terminal.width)
    if end.column == 0 and end.row and not typed.endswith("\n"):
        terminal.write("\r\n")
    cursor = place_after(prompt + "".join(shown[:point]), terminal.width)
    up, right = end.row - cursor.row, cursor.column
    terminal.write((f"\x1b[{up}A" if up else "") + "\r" + (f"\x1b[{right}C" if right else ""))


# ------------------------------------------------------------------ places


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (0, 0)),
        ("123456789", (0, 9)),
        ("1234567890", (1, 0)),
        ("1234567890x", (1, 1)),
        ("12345678 日", (1, 2)),  # not cut in two
        ("12345678日", (1, 0)),
        ("ab\ncd", (1, 2)),
        ("ab\n", (1, 0)),
        ("123456789^A", (1, 1)),  # but a control character may be
    ],
)
def test_where_readline_has_its_cursor(text: str, place: tuple[int, int]) -> None:
    assert place_after(text, 10) == Place(*place)


# ------------------------------------------------------------------ above one row


@pytest.mark.parametrize("height", [2, 3, 8])
@pytest.mark.parametrize("start", [0, 1, 7])
@pytest.mark.parametrize("column", [0, 3, 11])
@pytest.mark.parametrize("count", [1, 2, 9, 20])
def test_rows_get_above_the_typed_row(height: int, start: int, column: int, count: int) -> None:
    terminal = Terminal(20, height)
    before = [f"line {number}" for number in range(start)]
    for row in before:
        terminal.write(f"{row}\r\n")
    terminal.write(f"> typed text\r\x1b[{column}C" if column else "> typed text\r")
    rows = [f"\x1b[2mrow {number}\x1b[0m" for number in range(count)]
    terminal.write(screen.insert_above(rows, 20, height))
    shown = [f"row {number}" for number in range(count)]
    assert terminal.everything() == [*before, *shown, "> typed text"]
    assert terminal.column == column
    assert terminal._text(terminal.rows[terminal.row]) == "> typed text"


def test_no_rows_are_no_output() -> None:
    assert screen.insert_above([], 80, 24) == ""


@pytest.mark.parametrize("start", [0, 1, 7])
@pytest.mark.parametrize("size", [21, 40, 41, 59, 60])
def test_a_row_wider_than_the_terminal_goes_on_below_and_pushes_nothing(
    start: int, size: int
) -> None:
    terminal = Terminal(20, 8)
    for number in range(start):
        terminal.write(f"line {number}\r\n")
    terminal.write("> typed text\r\x1b[3C")
    link = "".join(chr(97 + number % 26) for number in range(size))
    terminal.write(screen.insert_above(["one", f"\x1b[2m{link}\x1b[0m", "two", "three"], 20, 8))
    broken = [link[at : at + 20] for at in range(0, size, 20)]
    assert terminal.everything() == [
        *(f"line {number}" for number in range(start)),
        *("one", *broken, "two", "three", "> typed text"),
    ]
    assert terminal.column == 3


# ------------------------------------------------------------------ above several rows


TYPED = [
    "x" * 25,
    "x" * 38,  # fills two rows with the prompt: the cursor is on a third
    "x" * 18,
    "日" * 15,
    "one\ntwo\nthree",
    "one\n",
    "a\x01b" * 8,
    "tab\tand\ttab and\ttab",
    "words and 日本語 and more words, e\u0301",
]


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("height", [6, 12])
@pytest.mark.parametrize("start", [0, 4, 11])
def test_text_of_several_rows_is_drawn_anew_below(typed: str, height: int, start: int) -> None:
    for point in range(len(typed) + 1):
        terminal, wanted = Terminal(20, height), Terminal(20, height)
        for number in range(start):
            terminal.write(f"line {number}\r\n")
            wanted.write(f"line {number}\r\n")
        wanted.write("new 1\r\nnew 2\r\n")
        draw(terminal, "> ", typed, point)
        draw(wanted, "> ", typed, point)
        terminal.write(
            screen.redraw_below(["new 1", "new 2"], "\x1b[1m> \x1b[0m", typed, point, 20)
        )
        assert terminal.everything() == wanted.everything()
        assert (terminal.row, terminal.column) == (wanted.row, wanted.column)


@pytest.mark.parametrize("typed", ["", "short", *TYPED])
def test_an_entered_line_is_taken_off(typed: str) -> None:
    terminal = Terminal(20, 12)
    terminal.write("before\r\n")
    terminal.write("> " + "".join(drawn("> ", typed, 20)).replace("\n", "\r\n"))
    if not typed.endswith("\n") or not typed:
        terminal.write("\r\n")  # as Enter does: no second one behind an empty row
    terminal.write(screen.erase("\x1b[1m> \x1b[0m", typed, 20))
    assert terminal.everything() == ["before"]
    assert (terminal.row, terminal.column) == (1, 0)


def test_what_readline_shows_in_place_of_tabs_and_controls() -> None:
    assert drawn("\x1b[1m> \x1b[0m", "a\té\tc", 20) == ["a", " " * 5, "é", " " * 7, "c"]
    assert drawn("> ", "x" * 16 + "\tb\t", 20)[16:] == [" " * 6, "b", " " * 3]
    assert drawn("> ", "\x01\x7f\n", 20) == ["^A", "^?", "\n"]


def test_one_row_is_one_row_only_with_its_cursor() -> None:
    assert screen.fits_one_row("\x1b[1m> \x1b[0m", "x" * 17, 20)
    assert not screen.fits_one_row("> ", "x" * 18, 20)
    assert not screen.fits_one_row("> ", "a\nb", 20)


def test_readline_is_told_which_part_of_a_prompt_takes_no_room() -> None:
    assert screen.hide_colours("\x1b[1m> \x1b[0m") == "\x01\x1b[1m\x02> \x01\x1b[0m\x02"
