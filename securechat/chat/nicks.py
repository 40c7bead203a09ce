"""What may be a nick, when two nicks are the same, and when one looks like another.

In comes what somebody typed, out goes a `Nick` with all that the hub compares, or `Rejected` is
raised with `bad_nick` (the rules below) or `nick_taken` (kept for the server, see `RESERVED`).
Whether a nick is in use is for the caller to know: two nicks must not stand side by side when they
have the same `key` or share one of their `skeletons`.

- *The rules* are those of PRECIS UsernameCasePreserved (RFC 8265, section 3.4), 1 to `MAX_LENGTH`
  characters, of ASCII only letters, digits and `. _ -`, a letter or digit in front, and not more
  than `MAX_MARKS` marks on one letter.
- *The same* are nicks with the same UsernameCaseMapped form (section 3.3), their `key`.
- *Alike* are nicks with the same skeleton (Unicode Technical Standard 39, section 4).

Nearly every nick is plain ASCII and is judged by one pattern in under a microsecond. The look-alike
table and `precis_i18n` are loaded when the first nick comes that needs them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from unicodedata import category, normalize

from ..errors import Rejected

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

MAX_LENGTH: Final = 32
"""Characters in a nick, counted after PRECIS has composed them."""

MAX_MARKS: Final = 4
"""Combining marks in a row: no language needs more, and higher piles cover other lines."""

RESERVED: Final = frozenset(
    {"server", "system", "securechat", "admin", "administrator", "moderator"}
)
"""Names that would let somebody speak for the server; their look-alikes are refused with them."""

_PLAIN: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_LENGTH - 1}}}").fullmatch
_BANNED_ASCII: Final = re.compile(r"[^A-Za-z0-9._\-\x80-\U0010ffff]").search
_LONGEST_DECOMPOSED: Final = 4 * MAX_LENGTH  # NFC makes one of at most four, as in U+1F82

#: The part of the look-alike table that plain nicks need (a test compares the two).
_ASCII_PROTOTYPES: Final = str.maketrans(
    {"0": "O", "1": "l", "I": "l", "m": "rn", '"': "''", "%": "º/₀", "`": "'", "|": "l"}
)

_TOO_LONG: Final = f"A nick has at most {MAX_LENGTH} characters; choose a shorter one."
_EMPTY: Final = f"A nick has 1 to {MAX_LENGTH} characters and this one has none; type one."
_BAD_ASCII: Final = (
    "A nick has no spaces and no signs but . _ - in it; use letters and digits of any language."
)
_BAD_START: Final = "A nick begins with a letter or a digit; put one in front."
_BAD_MARKS: Final = (
    f"A nick has at most {MAX_MARKS} accents or other marks on one letter; leave some out."
)
_BAD_CHARACTER: Final = (
    "A nick has only letters, digits and . _ - in it; leave out symbols, emoji, ligatures and "
    "characters that cannot be seen."
)
_KEPT: Final = "This nick, or one that looks like it, is kept for the server; choose another one."

#: What PRECIS gives as its reason -> what to tell; everything else is `_BAD_CHARACTER`.
_PRECIS_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DISALLOWED/unassigned": (
            "A nick has only characters that this server's Unicode tables know, and one of these "
            "is too new or does not exist; leave it out."
        ),
        "DISALLOWED/bidi_rule": (
            "A nick is written either from right to left or from left to right, and ends with a "
            "letter or digit if from right to left; choose one direction."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Nick:
    """A nick that obeys the rules.

    `text` is what people see, `key` what equal nicks share. `skeletons` are one to three strings
    that look-alikes share: of the key, of the text as typed, and of what its capitals may pass for;
    equal ones are left out. Tens of thousands are kept, so equal strings are one object.
    """

    text: str
    key: str

    @property
    def skeletons(self) -> tuple[str, ...]:
        """What look-alikes share; made anew each time, as it is asked for twice in a life."""
        if self.text.isascii():
            return _plain_skeletons(self.text, self.key)
        return _skeletons(self.text, self.key)


def parse_nick(text: str) -> Nick:
    """The nick that somebody typed.

    `parse_nick(nick.text)` gives an equal nick again. Raises `Rejected`: `bad_nick` when a rule is
    broken, `nick_taken` for `RESERVED` names and what looks like them. The message says what to do
    and repeats nothing of the input.
    """
    if _PLAIN(text):
        lower = text.lower()
        key = text if lower == text else lower
        nick = Nick(text, key)
    else:
        nick = _parse_rare(text)
    if not _RESERVED_SKELETONS.isdisjoint(nick.skeletons):
        raise Rejected("nick_taken", _KEPT)
    return nick


def skeleton(text: str) -> str:
    """The skeleton of `text` as UTS 39 defines it: texts that look alike have the same one.

    It is for comparing only, never for showing. It does not fold case, and it is its own skeleton.
    """
    if text.isascii():
        return text.translate(_ASCII_PROTOTYPES)
    return normalize("NFD", normalize("NFD", text).translate(prototypes()))


def prototypes() -> Mapping[int, str]:
    """Code point -> what stands for it in a skeleton; empty for what cannot be seen."""
    return _table()[1]


def unicode_version() -> str:
    """The Unicode version of the look-alike table: to be stored with skeletons that outlive us."""
    return _table()[0]


def _parse_rare(text: str) -> Nick:
    """A nick that is not plain ASCII, or not one at all."""
    if len(text) > _LONGEST_DECOMPOSED:
        raise Rejected("bad_nick", _TOO_LONG)
    if text.isascii():
        _check_shape(text)  # always raises: it says which part of the plain pattern was missed
    preserved, mapped = _profiles()
    try:
        kept = preserved.enforce(text)
        key = mapped.enforce(kept)
    except UnicodeEncodeError as error:  # the way in which precis_i18n says no
        message = _PRECIS_REASONS.get(error.reason, _BAD_CHARACTER)
        raise Rejected("bad_nick", message) from None
    _check_shape(kept)
    key = kept if key == kept else key
    return Nick(kept, key)


def _check_shape(text: str) -> None:
    """Raise `Rejected` where wire.md asks for more than PRECIS."""
    if not text:
        raise Rejected("bad_nick", _EMPTY)
    if len(text) > MAX_LENGTH:
        raise Rejected("bad_nick", _TOO_LONG)
    if _BANNED_ASCII(text):
        raise Rejected("bad_nick", _BAD_ASCII)
    kinds = [category(char) for char in text]
    if kinds[0][0] != "L" and kinds[0] != "Nd":
        raise Rejected("bad_nick", _BAD_START)
    marks = 0
    for kind in kinds:
        if kind == "Mn":
            marks += 1
        elif kind not in ("Mc", "Cf"):  # marks beside a letter and joiners start no new one
            marks = 0
        if marks > MAX_MARKS:
            raise Rejected("bad_nick", _BAD_MARKS)


# How nicks are compared. Case hides look-alikes from a plain skeleton in three ways, so a nick has
# up to three, all folded to one case:
#
#   key    Cyrillic "аdmin" beside "admin", "b0b" beside "bob"
#   typed  "AIice" beside "alice": a capital I is an l only as long as it is a capital
#   caps   Greek "ΑLΙCΕ" beside "alice": its small letters look otherwise, its capitals pass for
#          those of "alice"; and there an l or 1 is an I ("ADMlN")


def _skeletons(text: str, key: str) -> tuple[str, ...]:
    """The distinct looks of a nick, as the table above tells; `key` itself where one equals it."""
    looks = [_folded(key), _folded(text)]
    shown = skeleton(text)
    if text != key and _is_capitals(shown):
        looks.append(_folded(shown.replace("l", "i")))
    elif not text.isascii() and (upper := text.upper()) != text:
        looks.append(_folded(skeleton(upper).replace("l", "i")))
    return tuple(key if look == key else look for look in dict.fromkeys(looks))


def _plain_skeletons(text: str, key: str) -> tuple[str, ...]:
    """`_skeletons` for the many nicks that only need the one of their key."""
    if text is not key and ("I" in text or _is_capitals(text)):
        return _skeletons(text, key)
    return (key.replace("0", "o").replace("1", "l").replace("m", "rn"),)


def _is_capitals(text: str) -> bool:
    """Whether an l in `text` reads as a capital I, the other letters being capitals."""
    return text.replace("l", "").isupper()


def _folded(text: str) -> str:
    """The skeleton of `text` whatever its case; two rounds reach the end for every character."""
    once = skeleton(skeleton(text).casefold())
    return skeleton(once.casefold())


@cache
def _profiles() -> tuple[Profile, Profile]:
    """UsernameCasePreserved and UsernameCaseMapped."""
    from precis_i18n import get_profile

    return get_profile("UsernameCasePreserved"), get_profile("UsernameCaseMapped")


@cache
def _table() -> tuple[str, Mapping[int, str]]:
    """Unicode version and look-alike map, read from the file that scripts/make_confusables.py made.

    About 3 ms and 1 MB, spent when the first nick comes that is not plain.
    """
    lines = Path(__file__).with_name("confusables.txt").read_text(encoding="ascii").splitlines()
    rows = dict(line.split(": ") for line in lines if not line.startswith("#"))
    version, _mapped, ignored = (rows.pop(name) for name in ("unicode", "mapped", "ignored"))
    table = dict.fromkeys(_code_points(ignored), "")
    for prototype, sources in rows.items():
        shown = "".join(chr(int(code, 16)) for code in prototype.split())
        table.update(dict.fromkeys(_code_points(sources), shown))
    return version, MappingProxyType(table)


def _code_points(ranges: str) -> list[int]:
    """`41 61-63` -> 0x41, 0x61, 0x62, 0x63."""
    codes: list[int] = []
    for part in ranges.split():
        first, _, last = part.partition("-")
        codes.extend(range(int(first, 16), int(last or first, 16) + 1))
    return codes


_RESERVED_SKELETONS: Final = frozenset(_folded(name) for name in RESERVED)
