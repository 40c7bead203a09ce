"""TOML text: where its keys stand, and changes that leave all else as it is."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.settings.document import Document, NotEditable

FILE = """\
# mine
ui.joins = "show"  # all of them

[connect]
nick = "bob"
room = [
  "ops",  # first
  "dev",
]

[profiles.work]
server = "w.example"

[keys]
"a b" = "ctrl+b"
send = '''
x'''
last = "y"
"""


@pytest.mark.parametrize(
    ("way", "line"),
    [
        (("ui", "joins"), 2),
        (("connect",), 4),
        (("connect", "nick"), 5),
        (("connect", "room"), 6),
        (("profiles", "work", "server"), 12),
        (("profiles", "work"), 11),
        (("keys", "a b"), 15),
        (("keys", "send"), 16),
        (("keys", "last"), 18),
        (("keys", "not there"), 14),
        (("nothing",), 1),
    ],
)
def test_where_a_key_stands(way: tuple[str, ...], line: int) -> None:
    assert Document.parse(FILE).line_of(way) == line


def changed(text: str, way: tuple[str, ...], value: object) -> str:
    return Document.parse(text).with_value(way, value).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[ui]\nbell = "all"\n'),
        ("# mine\n", '# mine\n\n[ui]\nbell = "all"\n'),
        ("# no end", '# no end\n\n[ui]\nbell = "all"\n'),
        ('[ui]\nbell = "off"\n', '[ui]\nbell = "all"\n'),
        ('[ui]\nbell="off"   # quiet\n', '[ui]\nbell = "all"   # quiet\n'),
        ('[ui]\nbell = "o#f" # a#b\n', '[ui]\nbell = "all" # a#b\n'),
        ('[ui]\n  bell = "off"\n', '[ui]\n  bell = "all"\n'),
        ("[ui]\n\n\n[keys]\n", '[ui]\nbell = "all"\n\n\n[keys]\n'),
        ("[ui]\nfont_size = 9\n# x\n", '[ui]\nfont_size = 9\nbell = "all"\n# x\n'),
        ("[ui]", '[ui]\nbell = "all"\n'),
        ("ui.font_size = 9\n[keys]\n", 'ui.font_size = 9\nui.bell = "all"\n[keys]\n'),
        ('ui.bell = "off"\n', 'ui.bell = "all"\n'),
        ('[ui]\nbell = """\noff"""\n[keys]', '[ui]\nbell = "all"\n[keys]'),
        ('[ui]\r\nbell = "off" # x\r\n', '[ui]\r\nbell = "all" # x\r\n'),
        ("[keys]\r\n", '[keys]\r\n\r\n[ui]\r\nbell = "all"\r\n'),
        ('\ufeff[ui]\nbell = "off"\n', '[ui]\nbell = "all"\n'),
    ],
)
def test_one_key_is_set_and_all_else_stays(before: str, after: str) -> None:
    assert changed(before, ("ui", "bell"), "all") == after


@pytest.mark.parametrize("text", ['ui = {bell = "off"}\n', "\n\nui = {font_size = 9, joins = 1}\n"])
def test_what_cannot_be_edited_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(NotEditable) as refused:
        changed(text, ("ui", "bell"), "all")
    assert refused.value.line == text.index("ui") + 1


@pytest.mark.parametrize(
    "value",
    ["", 'a"b\\c', "\x7f\x00\n\t", "ä€😀", True, False, 0, -7, 2.5, ["a", "b"], []],
)
def test_every_value_comes_back(value: object) -> None:
    text = changed(FILE, ("ui", "bell"), value)
    assert tomllib.loads(text)["ui"] == {"joins": "show", "bell": value}


_KEYS = st.sampled_from(["bell", "theme", "a b", ""])
_VALUES = st.one_of(st.text(), st.booleans(), st.integers(0, 99), st.lists(st.text(max_size=3)))


@given(st.lists(st.tuples(st.sampled_from(["ui", "keys"]), _KEYS, _VALUES), max_size=8))
def test_any_changes_say_what_they_should_and_keep_the_comments(
    changes: list[tuple[str, str, object]],
) -> None:
    document = Document.parse(FILE)
    wanted = tomllib.loads(FILE)
    for section, key, value in changes:
        document = document.with_value((section, key), value)
        wanted[section][key] = value
    assert tomllib.loads(document.text) == wanted
    for comment in ("# mine", "# all of them", "# first"):
        assert comment in document.text


def test_what_is_no_setting_is_not_written() -> None:
    with pytest.raises(TypeError):
        changed("", ("ui", "bell"), object())
