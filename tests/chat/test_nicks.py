"""Nobody wears another's name, and everybody may have one of their own."""

from __future__ import annotations

import re
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from securechat.chat import nicks
from securechat.chat.nicks import MAX_LENGTH, MAX_MARKS, RESERVED, Nick, parse_nick, skeleton
from securechat.client.harmless import harmless_line
from securechat.errors import Rejected

TABLE = Path(nicks.__file__).with_name("confusables.txt")
EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1)]


def alike(one: Nick, other: Nick) -> bool:
    """What the hub asks before it lets two nicks stand side by side."""
    return one.key == other.key or not set(one.skeletons).isdisjoint(other.skeletons)


def refusal(text: str) -> str | None:
    try:
        parse_nick(text)
    except Rejected as no:
        return no.code
    return None


# --- the rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept", "key"),
    [
        ("bob", "bob", "bob"),
        ("Bob_the.2nd-", "Bob_the.2nd-", "bob_the.2nd-"),
        ("7", "7", "7"),
        ("x" * MAX_LENGTH, "x" * MAX_LENGTH, "x" * MAX_LENGTH),
        ("Zoë", "Zoë", "zoë"),
        ("Zoe\u0308", "Zoë", "zoë"),
        ("ＢＯＢ", "BOB", "bob"),
        ("Владимир", "Владимир", "владимир"),
        ("Ἀλέξανδρος", "Ἀλέξανδρος", "ἀλέξανδρος"),
        ("Straße", "Straße", "straße"),
        ("日本語", "日本語", "日本語"),
        ("שלום", "שלום", "שלום"),
        ("محمد", "محمد", "محمد"),
        ("क्‍ष", "क्‍ष", "क्‍ष"),
        ("e\u0301" * MAX_LENGTH, "é" * MAX_LENGTH, "é" * MAX_LENGTH),
    ],
)
def test_nicks_are_kept_as_typed_and_compared_without_case(typed: str, kept: str, key: str) -> None:
    nick = parse_nick(typed)
    assert (nick.text, nick.key) == (kept, key)
    assert parse_nick(nick.text) == nick


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "type one"),
        ("x" * (MAX_LENGTH + 1), "at most 32"),
        ("é" * (MAX_LENGTH + 1), "at most 32"),
        ("é" * 100_000, "at most 32"),
        ("a b", "spaces"),
        (" bob", "spaces"),
        ("bob\n", "spaces"),
        ("bob!", "signs"),
        ("é!", "signs"),
        ("ｂｏｂ！", "signs"),
        ("#lobby", "signs"),
        ("@bob", "signs"),
        ("<script>", "signs"),
        ("a\x1b[2J", "signs"),
        (".bob", "begins"),
        ("-é", "begins"),
        ("\u0301bob", "begins"),
        ("a" + "\u0310" * (MAX_MARKS + 1), "marks"),
        ("क\u093c\u0941\u0902\u094d\u200d\u0941", "marks"),  # a joiner in between does not help
        ("😀", "emoji"),
        ("bob\u200b", "cannot be seen"),
        ("bob\u202e", "cannot be seen"),
        ("a\u200db", "cannot be seen"),
        ("\u3164", "cannot be seen"),
        ("ﬁn", "ligatures"),
        ("①", "symbols"),
        ("bo\ud800b", "leave out"),
        ("bo\ue000b", "leave out"),
        ("bo\u0378b", "Unicode"),
        ("\U000e0fffé", "Unicode"),
        ("אab", "direction"),
        ("abא", "direction"),
    ],
)
def test_a_refusal_says_which_rule_and_what_to_do(text: str, says: str) -> None:
    with pytest.raises(Rejected) as no:
        parse_nick(text)
    assert no.value.code == "bad_nick"
    assert says in no.value.message
    assert len(no.value.message.encode()) < 300


def test_every_ascii_character_is_judged_as_the_contract_says() -> None:
    inside = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    for char in map(chr, range(0x80)):
        assert (refusal(f"b{char}b") is None) == (char in inside)
        assert (refusal(f"é{char}b") is None) == (char in inside)
        assert (refusal(f"{char}b") is None) == (char in inside - set("._-"))


def test_no_character_of_unicode_makes_anything_but_a_nick_or_a_refusal() -> None:
    """Nor does one that this Python's Unicode does not know yet."""
    for char in EVERY_CHARACTER[:0x3400] + EVERY_CHARACTER[0xA000:0xAC00]:
        may_start = unicodedata.category(char) in ("Ll", "Lu", "Lt", "Lm", "Lo", "Nd")
        assert may_start or refusal(char) == "bad_nick", ascii(char)
    for char in EVERY_CHARACTER[0xD700:0x20000:3]:
        known = unicodedata.category(char)[0] != "C"
        assert known or refusal("b" + char) == "bad_nick", ascii(char)


ANY_TEXT = st.text(st.characters(exclude_categories=()))
LIKELY = st.text(
    st.characters(categories=["L", "Mn", "Mc", "Nd"], include_characters="\u200c\u200d._-"),
    max_size=MAX_LENGTH + 2,
)


@given(ANY_TEXT | LIKELY)
@example("İ")
@example("ΝΊΚΟΣ")
def test_any_text_is_a_nick_or_is_refused_and_a_nick_stays_what_it_is(text: str) -> None:
    if refusal(text) is None:
        nick = parse_nick(text)
        assert 1 <= len(nick.text) <= MAX_LENGTH
        assert parse_nick(nick.text) == nick
        assert 1 <= len(nick.skeletons) <= 3
        assert len(set(nick.skeletons)) == len(nick.skeletons)


@given(st.text(st.characters(categories=["L", "Mn", "Mc", "Nd"]), min_size=1, max_size=8))
def test_a_nick_is_shown_as_it_is(text: str) -> None:
    if refusal(text) is None:
        nick = parse_nick(text).text
        assert harmless_line(nick) == nick


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", fullmatch=True))
@example("AIice")
@example("DAMlN")
@example("b0b.1l")
@example("10")
def test_plain_nicks_fare_as_through_precis_and_the_table(text: str) -> None:
    nick = parse_nick(text)
    rare = nicks._parse_rare("\uff41" + text[1:])  # a full-width letter opens the other door
    plain = parse_nick("a" + text[1:])
    assert rare == plain
    assert nick == Nick(text, text.lower())
    assert nick.skeletons == nicks._skeletons(text, text.lower())


def test_equal_strings_are_kept_once() -> None:
    for typed in ("".join(["a", "l", "i", "ce"]), "лена", "日本"):
        nick = parse_nick(typed)
        assert nick.key is nick.text
    assert parse_nick("alice").skeletons[0] == "alice"
    nick = parse_nick("Nelly")
    assert nick.skeletons == ("nelly",)
    assert nick.skeletons[0] is nick.key
    assert len(parse_nick("احمد").skeletons) == 1  # without case, so without capitals


def test_a_nick_does_not_change_and_has_no_dict() -> None:
    nick = parse_nick("bob")
    with pytest.raises(AttributeError):
        nick.text = "eve"  # type: ignore[misc]
    assert not hasattr(nick, "__dict__")


# --- look-alikes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("damin", "dаmin"),  # Cyrillic a
        ("damin", "darnin"),
        ("damin", "DAMIN"),
        ("damin", "ｄａｍｉｎ"),
        ("damin", "DAMlN"),
        ("damin", "DAM1N"),
        ("damin", "dAМin"),  # Cyrillic capital M
        ("damin", "ԁаmіո"),  # Cyrillic and Armenian
        ("alice", "AIice"),
        ("alice", "ɑӀісе"),  # Latin alpha, palochka, Cyrillic
        ("alice", "ΑLΙCΕ"),  # Greek capitals
        ("alice", "alΙcΕ"),
        ("ALICE", "АLІСЕ"),  # Cyrillic capitals
        ("bob", "b0b"),
        ("bob", "bоb"),  # Cyrillic o
        ("bob", "boƅ"),
        ("Ian", "lan"),
        ("user1", "userl"),
        ("Zoë", "zoë"),
        ("νικος", "νικοσ"),
        ("evan", "еvan"),
        ("paypal", "раураl"),
        ("क्‍ष", "क्ष"),  # with and without a joiner
    ],
)
def test_these_must_not_stand_side_by_side(one: str, other: str) -> None:
    assert alike(parse_nick(one), parse_nick(other))
    assert alike(parse_nick(other), parse_nick(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "bob"),
        ("mail", "mall"),
        ("ali", "all"),
        ("user1", "user2"),
        ("user10", "user11"),
        ("10", "io"),
        ("Anna", "Hanna"),
        ("Zoe", "Zoë"),
        ("анна", "анка"),
        ("Петр", "Пётр"),
        ("日本", "日木"),
    ],
)
def test_these_may_stand_side_by_side(one: str, other: str) -> None:
    assert not alike(parse_nick(one), parse_nick(other))


@pytest.mark.parametrize("name", [*sorted(RESERVED), "Server", "SYSTEM", "SecureChat"])
def test_names_of_the_server_are_kept(name: str) -> None:
    with pytest.raises(Rejected) as no:
        parse_nick(name)
    assert no.value.code == "nick_taken"
    assert "choose another" in no.value.message


@pytest.mark.parametrize(
    "name",
    [
        *("sеrver", "ЅУЅТЕМ", "systern", "ｓerver", "sеcurеchаt", "SYSTEМ"),
        *("аdmin", "adrnin", "ADMlN", "ADM1N", "аԁmіո", "AdМin"),
    ],
)
def test_so_are_their_look_alikes(name: str) -> None:
    assert refusal(name) == "nick_taken"


@pytest.mark.parametrize("name", ["root", "operator", "admins", "servers", "observer", "sys"])
def test_other_names_are_free(name: str) -> None:
    assert refusal(name) is None


@pytest.mark.parametrize("victim", ["admin", "server", "alice", "Admin", "SERVER", "ALICE"])
def test_no_confusable_character_makes_a_second_one(victim: str) -> None:
    """Every character of Unicode whose skeleton is that of a letter, put in its place."""
    there = nicks._skeletons(victim.lower(), victim.lower())
    prototypes = nicks.prototypes()
    tried = accepted = 0
    for at, letter in enumerate(victim):
        look = skeleton(letter)
        doubles = [chr(code) for code, shown in prototypes.items() if shown == look]
        for double in {*doubles, look} - {letter}:
            fake = victim[:at] + double + victim[at + 1 :]
            tried += 1
            try:
                nick = parse_nick(fake)
            except Rejected:
                continue
            accepted += 1
            assert not set(there).isdisjoint(nick.skeletons), ascii(fake)
    assert tried > 80
    assert accepted > 10 or victim.lower() in RESERVED


# --- the skeleton and its table -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("paypal", "paypal"),
        ("раураl", "paypal"),
        ("modern", "rnodern"),
        ("I1l|", "llll"),
        ("ℌ", "H"),
        ("a\u0308", "a\u0308"),
        ("ä", "a\u0308"),
        ("s\u200be\u00adt", "set"),
        ("ﷲ", "lللّٰo"),
        ('"%', "''º/₀"),
        ("", ""),
    ],
)
def test_skeletons_are_those_of_uts_39(text: str, look: str) -> None:
    assert skeleton(text) == unicodedata.normalize("NFD", look)


def test_the_ascii_part_of_the_table_is_the_one_in_the_code() -> None:
    ascii_part = {code: shown for code, shown in nicks.prototypes().items() if code < 0x80}
    assert ascii_part == nicks._ASCII_PROTOTYPES


def test_every_prototype_is_its_own_skeleton() -> None:
    prototypes = nicks.prototypes()
    for code, shown in prototypes.items():
        assert skeleton(shown) == shown, hex(code)
        assert skeleton(chr(code)) == shown, hex(code)


@given(ANY_TEXT)
def test_a_skeleton_is_its_own_skeleton(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


def test_two_rounds_of_folding_reach_the_end_for_every_character() -> None:
    prototypes = nicks.prototypes()
    for char in EVERY_CHARACTER:
        if ord(char) in prototypes or char.casefold() != char:
            look = nicks._folded(char)
            assert skeleton(look.casefold()) == look, ascii(char)


def test_the_table_says_what_it_is() -> None:
    text = TABLE.read_text(encoding="ascii")
    assert len(text) < 150_000
    assert nicks.unicode_version() == "16.0"
    mapped = re.search(r"^mapped: (\d+)$", text, re.MULTILINE)
    assert mapped is not None
    visible = sum(1 for shown in nicks.prototypes().values() if shown)
    assert visible == int(mapped[1]) == 5290
    assert len(nicks.prototypes()) - visible == 4174  # Default_Ignorable_Code_Point
    assert "UNICODE LICENSE V3" in TABLE.with_suffix(".LICENSE.txt").read_text(encoding="utf-8")


def test_the_table_has_an_order_and_no_line_twice() -> None:
    lines = [line for line in TABLE.read_text(encoding="ascii").splitlines() if line[0] != "#"]
    prototypes = [[int(code, 16) for code in line.split(":")[0].split()] for line in lines[3:]]
    assert all(one < other for one, other in pairwise(prototypes))
