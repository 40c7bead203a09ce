"""Nothing that others send drives the terminal: each code point in each field, and what is known
to have worked on others, shown on a terminal of pyte's.

In both front ends. A row may hold what is printed, and the colours that the renderer adds; on the
terminal everything stays where it was: what stood above, the title, the modes, the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import pytest

from securechat.cli.render import Look, plain, record, rows
from securechat.client.entries import Entry, Kind
from securechat.client.events import Draft, DraftState
from securechat.tui.drawing import Line, rows_of_draft, rows_of_item
from tests.gauntlet import scale

pyte = pytest.importorskip("pyte", reason="pyte is not installed")

pytestmark = scale.MARKS

NOON: Final = datetime(2026, 11, 27, 12, tzinfo=UTC)
LOOK: Final = Look(colour=True, many_colours=True, width=80, zone=UTC)
#: What the renderer itself may say to a terminal: colours.
SGR: Final = re.compile(r"\x1b\[[0-9;]*m")
#: What moves, clears, names or switches something, or turns the direction of text.
DRIVES: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
#: What the full screen shows as entries; what was not sent are drafts there.
_FULL_SCREEN: Final = tuple(kind for kind in Kind if kind not in (Kind.UNSENT, Kind.REFUSED))
#: Code points in one text.
_PER_TEXT: Final = 256


def entry(**keys: Any) -> Entry:
    values: dict[str, Any] = {"kind": Kind.MESSAGE, "at": NOON, "nick": "eve", "text": "hi"}
    return Entry(**values | keys)


def line_mode(it: Entry) -> Iterator[str]:
    """What the line mode prints, with colours, and the pipe mode."""
    for row in rows(it, LOOK, None):
        yield SGR.sub("", row)
    yield record(it, "utf-8")


def full_screen(lines: Iterable[Line]) -> Iterator[str]:
    """The same on the full screen: each span is drawn by itself."""
    return ("".join(span.text for span in line) for line in lines)


def fields() -> dict[str, Callable[[str], Iterable[str]]]:
    """Where a text of others comes to the screen, and how it is drawn there."""
    table: dict[str, Callable[[str], Iterable[str]]] = {}
    for kind in Kind:
        for field in ("text", "nick", "conversation", "note"):
            name = f"{kind.name.lower()}, {field}"

            def draw(text: str, kind: Kind = kind, field: str = field) -> Iterator[str]:
                yield from line_mode(entry(kind=kind, **{field: text}))

            def draw_full(text: str, kind: Kind = kind, field: str = field) -> Iterator[str]:
                it = entry(kind=kind, **{field: text})
                yield from full_screen(rows_of_item(it, 80, UTC, folded=False))

            table[f"line mode, {name}"] = draw
            if kind in _FULL_SCREEN:
                table[f"full screen, {name}"] = draw_full
    table["line mode, plain"] = lambda text: [plain(text, "utf-8")]
    refused = Draft(id="x", conversation="#a", text="hi", state=DraftState.REFUSED)
    table["full screen, why a draft was refused"] = lambda text: full_screen(
        rows_of_draft(replace(refused, reason=text), "eve", 80, "Alt-R sends it again")
    )
    return table


FIELDS: Final = fields()


def code_points() -> list[str]:
    """All there are in the gauntlet; else those that do something, and some of the others."""
    if scale.GAUNTLET:
        return list(map(chr, range(0x110000)))
    blocks = (range(0x700), range(0x2000, 0x2100), range(0xD800, 0xD810), range(0xFE00, 0x10000))
    some = Random(scale.first_seed()).sample(range(0x110000), 1_000)
    return [chr(code) for block in (*blocks, some) for code in block]


def drives(shown: Iterable[str]) -> str:
    """What in `shown` would drive a terminal; "" is right."""
    return "".join(found for row in shown if (found := "".join(DRIVES.findall(row))))


def test_no_code_point_in_any_field_drives_a_terminal(
    record_property: scale.RecordProperty,
) -> None:
    points = code_points()
    for name, draw in FIELDS.items():
        for start in range(0, len(points), _PER_TEXT):
            text = "a".join(points[start : start + _PER_TEXT])
            assert drives(draw(text)) == "", (name, ascii(text[:80]))
    scale.tell(record_property, f"terminal: {len(points):,} code points in {len(FIELDS)} fields")


def test_what_is_not_made_harmless_would_be_found() -> None:
    """The negative control, for each of those that drive."""
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2028, 0xE0041):
        assert drives([f"a{chr(code)}b"]) == chr(code)


# ------------------------------------------------------------------ on a terminal

_ESC, _BEL, _CSI = "\x1b", "\x07", "\x1b["
CORPUS: Final = (
    *(f"{_CSI}2J", f"{_CSI}H", f"{_CSI}10A", f"{_CSI}5;5Hhere", f"{_CSI}s{_CSI}u", f"{_CSI}?1049h"),
    *(f"{_CSI}?25l", f"{_CSI}?2004h", f"{_CSI}4h", f"{_CSI}2;5r", f"{_CSI}3L", f"{_CSI}3M"),
    *(f"{_CSI}6n", f"{_CSI}c", f"{_CSI}21t", f"{_CSI}8;5;5t", f"{_ESC}c", f"{_ESC}7{_ESC}8"),
    *(f"{_ESC}]0;title{_BEL}", f"{_ESC}]2;title{_ESC}\\", f"{_ESC}]52;c;Y2F0Cg=={_BEL}"),
    *(f"{_ESC}]8;;file:///etc/passwd{_BEL}link{_ESC}]8;;{_BEL}", f"{_ESC}]1337;File=:x{_BEL}"),
    *(f"{_ESC}P+q544e{_ESC}\\", f"{_ESC}_Gf=24;x{_ESC}\\", f"{_ESC}^pm{_ESC}\\", f"{_ESC}#8"),
    *("\x9b2J", "\x9d0;title\x9c", "\x90q\x9c", "\x84\x85\x8d", "\x0e\x0f", "\x08" * 40 + "gone"),
    *("\r12:00 <bob> forged", "\n\n\n12:00 <bob> forged", "\x0b\x0c", "a\tb" * 30, "\x00" * 9),
    *("\u202eevil\u202c", "\u2066x\u2069", "\u2028\u2029", "e" + "\u0301" * 300, "x" * 10_000),
    *("\U000e0041\U000e007f", "[bold]x[/bold]", "[link=file:///etc/passwd]x[/link]", "%s%n{0}"),
    *("漢" * 200, "👩‍👩‍👧‍👦" * 50, "\ufeff\ufff9\ufffb", f"{_CSI}31mred", f"{_CSI}0;8mhidden"),
)
_ABOVE: Final = [f"stands above {number}" for number in range(3)]


class Terminal:
    """A terminal of 80 × 60 that has shown something, and what it was before."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(80, 60)
        self.stream = pyte.Stream(self.screen)
        self.answers: list[str] = []
        self.screen.write_process_input = self.answers.append
        self.stream.feed("".join(f"{line}\r\n" for line in _ABOVE))
        self.modes = set(self.screen.mode)

    def show(self, printed: list[str]) -> list[str]:
        """Print rows; returns what is wrong with the terminal then."""
        before = self.screen.cursor.y
        self.stream.feed("".join(f"{row}\r\n" for row in printed))
        screen, wrong = self.screen, []
        if [line.rstrip() for line in screen.display[:3]] != _ABOVE:
            wrong.append("what stood above has changed")
        if screen.title or screen.icon_name:
            wrong.append("the title was set")
        if set(screen.mode) != self.modes or screen.margins or screen.cursor.hidden:
            wrong.append("a mode was switched")
        if self.answers:
            wrong.append("the terminal was made to answer")
        wrapped = sum(max(1, -(-pyte_width(SGR.sub("", row)) // 80)) for row in printed)
        if screen.cursor.x or not before < screen.cursor.y <= before + wrapped + 1:
            wrong.append(f"the cursor is at {screen.cursor.y}, {screen.cursor.x}")
        return wrong


def pyte_width(text: str) -> int:
    """Cells that pyte takes for it, at most."""
    return 2 * len(text)


@pytest.mark.parametrize("kind", _FULL_SCREEN if scale.GAUNTLET else (Kind.MESSAGE, Kind.ERROR))
def test_the_corpus_moves_nothing_outside_its_own_rows(kind: Kind) -> None:
    for text in CORPUS:
        evil = text[:300]
        it = entry(kind=kind, text=evil, nick=evil[:40], note=evil, conversation=evil[:40])
        assert Terminal().show(rows(it, LOOK, None)) == [], ascii(text[:60])
        lines = full_screen(rows_of_item(it, 80, UTC, folded=False))
        assert Terminal().show(list(lines)) == [], ascii(text[:60])


def test_a_terminal_that_is_driven_is_found_out() -> None:
    """The negative control: the same corpus, as it is."""
    driven = [text for text in CORPUS if Terminal().show([f"<eve> {text[:300]}"])]
    assert len(driven) >= 12
