"""Whatever others send shows itself on the terminal and does nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.client.harmless import MAX_MARKS, encodable, harmless_line, harmless_text

BANNED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
JOINERS = "\u200c\u200d"
INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0"
INVISIBLE_MARKS = {
    chr(code)
    for first, last in (
        (0x34F, 0x34F),
        (0x17B4, 0x17B5),
        (0x180B, 0x180D),
        (0x180F, 0x180F),
        (0xFE00, 0xFE0F),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
}
BLOCK = 0x1000


def escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def is_shown_escaped(char: str) -> bool:
    banned = unicodedata.category(char) in BANNED
    return banned or char in INVISIBLE_LETTERS or char in INVISIBLE_MARKS


def test_each_code_point_shows_itself_or_an_escape_alone_and_between_letters() -> None:
    """All 1,112,064 and the 2,048 surrogates; LF, CR and TAB have tests of their own."""
    for start in range(0, 0x110000, BLOCK):
        chars = [char for char in map(chr, range(start, start + BLOCK)) if char not in "\n\r\t"]
        shown = [escaped(char) if is_shown_escaped(char) else char for char in chars]
        between = harmless_text("\n".join([f"a{char}b" for char in chars]))
        assert between == [f"a{char}b" for char in shown]
        for at, char in enumerate(chars):
            if unicodedata.category(char)[0] == "M":  # it has no letter to sit on when alone
                shown[at] = escaped(char)
        assert harmless_text("\n".join(chars)) == shown


@pytest.mark.parametrize("before", ["م", "क्", "漢", "😀", "←", "ᠠ", "က", "1"])
@pytest.mark.parametrize("after", ["م", "क", "😀", "\u20e3", ""])
def test_what_passes_in_other_company_is_never_a_control(before: str, after: str) -> None:
    invisible = {*JOINERS, *INVISIBLE_MARKS}
    for code in (*range(0x3000), *range(0xD7F0, 0xE010), *range(0xF8F0, 0x10000), 0xE0001, 0xE0100):
        char = chr(code)
        text = before + char + after
        shown = harmless_line(text)
        banned = {c for c in shown if unicodedata.category(c) in BANNED}
        assert banned <= set(JOINERS), ascii(text)
        if shown == text and is_shown_escaped(char):
            assert char in invisible, ascii(text)


def test_all_ascii_goes_through_the_same_door() -> None:
    for char in map(chr, range(0x80)):
        special = {"\n": "⏎", "\t": " "}
        wanted = special.get(char) or (char if " " <= char <= "~" else escaped(char))
        assert harmless_line(char) == wanted
        assert harmless_line("é" + char) == "é" + wanted


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_at_all_becomes_harmless(text: str) -> None:
    for line in [harmless_line(text), *harmless_text(text)]:
        assert not set(line) & set(BIDI_CONTROLS)
        rest = {char for char in line if unicodedata.category(char) in BANNED}
        assert rest <= set(JOINERS)


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_harmless_is_not_changed_again(text: str) -> None:
    once = harmless_line(text)
    assert harmless_line(once) == once


ATTACKS = {
    "clear the screen": ("\x1b[2J\x1b[H", r"\x1b[2J\x1b[H"),
    "colour": ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    "hyperlink (OSC 8)": (
        "\x1b]8;;http://evil\x1b\\ok\x1b]8;;\x1b\\",
        r"\x1b]8;;http://evil\x1b\ok\x1b]8;;\x1b" + "\\",
    ),
    "clipboard (OSC 52)": ("\x1b]52;c;cm0gLXJm\x07", r"\x1b]52;c;cm0gLXJm\x07"),
    "window title": ("\x1b]0;root\x07", r"\x1b]0;root\x07"),
    "title report": ("\x1b[21t", r"\x1b[21t"),
    "device control (DCS)": ("\x1bP$q\x1b\\", r"\x1bP$q\x1b" + "\\"),
    "private message (APC)": ("\x1b_G\x1b\\", r"\x1b_G\x1b" + "\\"),
    "C1 CSI": ("\x9b31m", r"\x9b31m"),
    "C1 OSC": ("\x9d0;root\x9c", r"\x9d0;root\x9c"),
    "carriage return": ("hi\r<admin> yes", r"hi\x0d<admin> yes"),
    "backspace": ("ab\b\b", r"ab\x08\x08"),
    "bell": ("\a", r"\x07"),
    "delete": ("a\x7f", r"a\x7f"),
    "null": ("a\0b", r"a\x00b"),
    "form feed and vertical tab": ("a\fb\vc", r"a\x0cb\x0bc"),
    "next line": ("a\x85b", r"a\x85b"),
    "line and paragraph separator": ("a\u2028b\u2029c", r"a\u{2028}b\u{2029}c"),
    "bidi override": ("user\u202egpj.exe", r"user\u{202e}gpj.exe"),
    "bidi isolate": ("\u2067a\u2069", r"\u{2067}a\u{2069}"),
    "zero width": ("ad\u200bmin", r"ad\u{200b}min"),
    "joiner between Latin letters": ("ad\u200dmin", r"ad\u{200d}min"),
    "joiner between symbol and letter": ("😀\u200da\u200d😀", r"😀\u{200d}a\u{200d}😀"),
    "joiner behind a lone skin tone": ("\U0001f3fd\u200d😀", "\U0001f3fd" + r"\u{200d}😀"),
    "soft hyphen": ("ad\u00admin", r"ad\xadmin"),
    "byte order mark": ("\ufeffa", r"\u{feff}a"),
    "tags": ("a\U000e0061\U000e0062", r"a\u{e0061}\u{e0062}"),
    "hidden in variation selectors": ("😀\U000e0100\U000e0101", r"😀\u{e0100}\u{e0101}"),
    "selector behind what does not vary": ("a\ufe0f\ufe00", r"a\u{fe0f}\u{fe00}"),
    "selector behind a digit": ("1\ufe0f2", r"1\u{fe0f}2"),
    "blank nick": ("\u3164", r"\u{3164}"),
    "surrogate": ("\ud83d", r"\u{d83d}"),
    "private use": ("\ue000", r"\u{e000}"),
    "not a character": ("\uffff\U0010ffff", r"\u{ffff}\u{10ffff}"),
    "mark onto our own text": ("\u0338x", r"\u{338}x"),
    "mark onto an escape": ("a\u202e\u0338", r"a\u{202e}\u{338}"),
    "joiner behind an escape": ("\ue000\u200dक", r"\u{e000}\u{200d}क"),
    "joiner behind an escaped mark": ("\u094d\u200dक", r"\u{94d}\u{200d}क"),
    "Rich markup": ("[bold red]x[/]", "[bold red]x[/]"),
    "emoji markup": (":smile:", ":smile:"),
}


@pytest.mark.parametrize(("text", "shown"), ATTACKS.values(), ids=ATTACKS)
def test_attacks_are_shown_and_not_done(text: str, shown: str) -> None:
    assert harmless_line(text) == shown


UNTOUCHED = [
    "Grüße, naïve façade – “quoted”… 100 €",
    "Привет, как дела? Ёж",
    "שָׁלוֹם עולם",
    "مرحبا بالعالم",
    "می‌خواهم",  # ZWNJ, as Persian spells it
    "क्‍ष नमस्ते",  # ZWJ behind a virama
    "ശ്രീ നന്‍",  # and at the end of a word
    "สวัสดีชาวโลก",
    "ကြွေးကျွန်ုပ်",
    "བསྒྲུབས",
    "tiếng Việt",
    "日本語　葛󠄀城",  # ideographic space and variation
    "한국어",
    "ᠮᠣᠩᠭᠣᠯ",
    "👨‍👩‍👧‍👦 ❤️‍🔥 🏳️‍🌈 👩🏽‍🚀 🙂‍↔️ 1️⃣ ☎︎ ‼️ 🇳🇿",
    "∩︀ ∀x ∈ ℝ",
    "┌─┐ ⠿ ░▒▓",
    "a\u0301\u0302\u0303\u0304",
    r"C:\x1b \u{202e}",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_people_write_is_not_touched(text: str) -> None:
    assert harmless_line(text) == text


def test_plain_text_is_not_even_copied() -> None:
    text = "".join(["hello", " ", "world"])
    assert harmless_line(text) is text
    assert harmless_text(text)[0] is text


def test_a_pile_of_marks_is_cut_and_told() -> None:
    pile = "z" + "\u0301" * 1000 + "algo"
    assert harmless_line(pile) == "z" + "\u0301" * MAX_MARKS + r"\u{301}[+995]algo"
    assert harmless_line("\u0301" * 3) == r"\u{301}[+2]"
    assert harmless_line("a" + "\u0301" * (MAX_MARKS + 1)) == "a" + "\u0301" * 4 + r"\u{301}"


def test_marks_beside_a_letter_do_not_count_but_need_it_too() -> None:
    beside = "\u093e"  # DEVANAGARI VOWEL SIGN AA
    full = "क" + "\u0301" * MAX_MARKS
    assert harmless_line("क" + beside * 6) == "क" + beside * 6
    assert harmless_line(full + beside) == full + beside
    assert harmless_line(full + "\u0301" + beside) == full + r"\u{301}[+1]"
    assert harmless_line(beside) == r"\u{93e}"


def test_a_long_line_stays_one_line_of_the_same_length() -> None:
    assert harmless_line("W" * 10_000) == "W" * 10_000
    assert harmless_line("漢" * 10_000) == "漢" * 10_000


def test_line_breaks_and_tabs() -> None:
    assert harmless_line("a\nb\r\nc\td") == "a⏎b⏎c d"
    assert harmless_line("a\nb", newline=" / ") == "a / b"
    assert harmless_text("a\r\nb\n\n") == ["a", "b", "", ""]
    assert harmless_text("\tx\n1\tx") == ["    x", "1   x"]
    assert harmless_text("") == [""]
    assert harmless_line("") == ""


def test_an_escape_hides_no_line_break() -> None:
    assert harmless_text("a\rb\x85c\u2028d") == [r"a\x0db\x85c\u{2028}d"]


@pytest.mark.parametrize(
    ("text", "encoding", "carried"),
    [
        ("plain", "ascii", "plain"),
        ("é €", "latin-1", r"é \u{20ac}"),
        ("é 😀", "ascii", r"\xe9 \u{1f600}"),
        ("a⏎b", "ascii", r"a\nb"),
        ("‘it’s’ – “so”…", "ascii", "'it's' - \"so\"..."),
        ("é 😀 ⏎", "utf-8", "é 😀 ⏎"),
    ],
)
def test_what_the_terminal_cannot_encode_is_shown_otherwise(
    text: str, encoding: str, carried: str
) -> None:
    assert encodable(text, encoding) == carried


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["ascii", "cp1252", "utf-8"]))
def test_harmless_text_always_reaches_the_terminal(text: str, encoding: str) -> None:
    encodable(harmless_line(text), encoding).encode(encoding)


def test_an_unknown_encoding_is_told() -> None:
    with pytest.raises(LookupError):
        encodable("x", "no-such-encoding")
