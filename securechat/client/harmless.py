"""Foreign text made fit for a terminal: texts, nicks, rooms, topics, errors, names of servers.

In comes any `str` at all, lone surrogates too; out goes text that shows itself and does nothing
else. Nothing is raised and nothing is dropped unseen: what may not pass is shown as `\\x1b` or
`\\u{202e}`. Letters, digits, signs, spaces and emoji of every language come out as they went in.

May not pass:

- controls (Cc: escape sequences, C1, CR, BS, BEL, DEL), and what Unicode calls format characters
  (Cf), line and paragraph separators, surrogates, private use, and what is not assigned;
- with them every bidi control, so a line cannot be shown in another order than it has. Letters that
  run from right to left are left alone, and for the same reason not wrapped in isolates: put
  foreign text last on its line;
- invisible letters and marks, in which one message could hide another;
- more than `MAX_MARKS` marks on one letter (they would paint over the lines above), and marks with
  no letter of their own (they would change ours).

The invisible characters that writing needs pass where it needs them, and only there: joiners
between letters of scripts that join (Persian, Hindi) and in emoji sequences, variation selectors
behind what varies.

Markup of a front end is not our business: `[bold]` stays `[bold]`, so print with markup off.
"""

from __future__ import annotations

from typing import Final
from unicodedata import category, combining

MAX_MARKS: Final = 4
"""Marks on one letter that pass; no language needs more."""

NEWLINE: Final = "⏎"
"""What stands for a line break where there is only one line."""

_TAB_WIDTH: Final = 4

#: General categories that never show themselves: all of Other, and what breaks lines.
_BANNED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_MARKS: Final = frozenset({"Mn", "Mc", "Me"})

#: Default_Ignorable_Code_Point (DerivedCoreProperties.txt) as far as `_BANNED` leaves it over.
_INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)

_JOINERS: Final = "\u200c\u200d"  # ZWNJ, ZWJ

#: What passes in the right place.
_CONTEXTUAL: Final = _INVISIBLE.union(_JOINERS)

_NO_LETTER: Final = -1
_VIRAMA: Final = 9  # the canonical combining class of that sign in every script
_ZWJ: Final = "\u200d"
_TEXT_STYLE: Final = "\ufe0e"
_EMOJI_STYLE: Final = "\ufe0f"
_MATHEMATICAL: Final = 0xFE00
_KEYCAP: Final = "\u20e3"
_KEYS: Final = "0123456789#*"
_SKIN_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_EMOJI_ARROWS: Final = "↔↕"  # the heads that shake and nod are joined to them
_VARYING_SIGNS: Final = "‼⁉ℹ〰"  # have an emoji form without being symbols

#: Scripts whose letters join or stack, so that a joiner changes what is seen: first and last.
_JOINING_SCRIPTS: Final = (
    (0x0600, 0x0DFF),  # Arabic, Syriac, N'Ko, Mandaic, and those of India and Sri Lanka
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0xA840, 0xA8FF),  # Phags-pa, Saurashtra, Devanagari again
    (0xA980, 0xA9DF),  # Javanese
    (0x10A00, 0x11FFF),  # Kharoshthi, Manichaean, Rohingya, Sogdian, more of India
    (0x1E900, 0x1E95F),  # Adlam
)

_MONGOLIAN: Final = ((0x1820, 0x18AA),)
_MYANMAR: Final = ((0x1000, 0x109F),)
_HAN: Final = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))

#: Variation selectors, first and last, with the letters they may follow (StandardizedVariants.txt,
#: and the Ideographic Variation Database for the last row).
_LETTER_VARIANTS: Final = (
    (0x180B, 0x180F, _MONGOLIAN),
    (0xFE00, 0xFE00, _MYANMAR),
    (0xFE00, 0xFE02, _HAN),
    (0xE0100, 0xE01EF, _HAN),
)

#: What can stand in where an encoding lacks the character itself.
_STAND_INS: Final = {
    NEWLINE: "\\n",
    "\xa0": " ",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "–": "-",
    "—": "--",
    "…": "...",
    "•": "*",
}


def harmless_line(text: str, newline: str = NEWLINE) -> str:
    """`text` as one line: `newline` stands for each line break, a space for each tab.

    Returns the same object where there is nothing to do, which is usual.
    """
    if text.isascii() and text.isprintable():
        return text
    return newline.join(_safe(line) for line in _lines(text)).replace("\t", " ")


def harmless_text(text: str) -> list[str]:
    """`text` as its lines, one or more, tabs expanded; only LF and CR LF end a line."""
    if text.isascii() and text.isprintable():
        return [text]
    return [_safe(line).expandtabs(_TAB_WIDTH) for line in _lines(text)]


def encodable(text: str, encoding: str) -> str:
    """`text` with a stand-in or a visible escape for all that `encoding` cannot carry.

    For output that is not UTF-8, as with `LANG=C`. Raises `LookupError` for an unknown `encoding`.
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_carried(char, encoding) for char in text)
    return text


def _carried(char: str, encoding: str) -> str:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return _STAND_INS.get(char) or _escape(char)
    return char


def _lines(text: str) -> list[str]:
    # Not str.splitlines: it also splits at what a sender may use to fake a line (CR, NEL, U+2028).
    return text.replace("\r\n", "\n").split("\n")


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def _safe(line: str) -> str:
    """One line (without LF) made harmless; tabs are left for the caller."""
    out: list[str] = []
    room = _NO_LETTER  # marks that the letter before can still take
    surplus = 0  # marks in a row that it could not; the first is shown, the others are counted
    for index, char in enumerate(line):
        kind = category(char)
        if kind in _MARKS and char not in _INVISIBLE:
            if room > 0 or (room == 0 and kind == "Mc"):  # Mc has a place of its own beside it
                room -= kind != "Mc"
                out.append(char)
            else:
                room = _NO_LETTER
                surplus += 1
                if surplus == 1:
                    out.append(_escape(char))
            continue
        if surplus:
            out.append(_count(surplus))
            surplus = 0
        if char == "\t" or (kind not in _BANNED and char not in _INVISIBLE):
            room = MAX_MARKS
            out.append(char)
        elif char in _CONTEXTUAL and room != _NO_LETTER and _is_needed(line, index):
            out.append(char)
        else:
            room = _NO_LETTER
            out.append(_escape(char))
    out.append(_count(surplus))
    return "".join(out)


def _count(surplus: int) -> str:
    return f"[+{surplus - 1}]" if surplus > 1 else ""


def _is_needed(line: str, index: int) -> bool:
    """Whether the invisible character at `index`, behind a visible one, changes what is seen."""
    before, after = line[index - 1], line[index + 1 : index + 2]
    if line[index] not in _JOINERS:
        return _selects(ord(line[index]), before, after)
    if combining(before) == _VIRAMA:  # RFC 5892, A.1 and A.2: decides how two consonants combine
        return True
    if not after:
        return False
    return _joins_letters(line, index, after) or (
        line[index] == _ZWJ and _joins_emoji(line, index, after)
    )


def _joins_letters(line: str, index: int, after: str) -> bool:
    letter = index - 1
    while letter > 0 and category(line[letter]) in _MARKS:
        letter -= 1
    return all(
        category(char)[0] == "L" and _within(ord(char), _JOINING_SCRIPTS)
        for char in (line[letter], after)
    )


def _joins_emoji(line: str, index: int, after: str) -> bool:
    before = line[index - 1]
    if (before == _EMOJI_STYLE or before in _SKIN_TONES) and index > 1:
        before = line[index - 2]
    return category(before) == "So" and (category(after) == "So" or after in _EMOJI_ARROWS)


def _selects(selector: int, before: str, after: str) -> bool:
    """Whether `before` has another form that the variation selector asks for."""
    kind = category(before)
    if chr(selector) in (_TEXT_STYLE, _EMOJI_STYLE):
        is_key = after == _KEYCAP and before in _KEYS
        return is_key or kind in ("So", "Sm") or before in _VARYING_SIGNS
    if kind == "Sm":
        return selector == _MATHEMATICAL
    return kind[0] == "L" and any(
        first <= selector <= last and _within(ord(before), letters)
        for first, last, letters in _LETTER_VARIANTS
    )


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)
