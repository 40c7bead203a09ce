"""The table of keys, what may be changed in it, and the help that is made of it."""

from __future__ import annotations

import pytest

from securechat.tui.keymap import DEFAULT, BadKey, by_key, keymap, label
from securechat.tui.keys import CHAT, CHOSEN, COMPOSER


def test_names_are_there_once_and_keys_do_one_thing() -> None:
    names = [row.name for row in (*COMPOSER, *CHAT, *CHOSEN)]
    assert len(set(names)) == len(names)
    keys = [key for row in (*COMPOSER, *CHAT) for key in row.keys]
    assert {key for key in keys if keys.count(key) > 1} == {"ctrl+k"}  # jumps with nothing to cut
    chosen = [key for row in CHOSEN for key in row.keys]
    assert len(set(chosen)) == len(chosen)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Alt-N", "alt+n"),
        ("alt+n", "alt+n"),
        ("Ctrl-Shift-Up", "ctrl+shift+up"),
        ("shift-ctrl-up", "ctrl+shift+up"),
        ("F5", "f5"),
        ("Meta-PgUp", "alt+pageup"),
        ("Ctrl--", "ctrl+minus"),
        ("Ctrl-_", "ctrl+underscore"),
        ("Alt-é", "alt+é"),
    ],
)
def test_keys_are_read_as_people_write_them(written: str, key: str) -> None:
    [row] = [row for row in keymap({"help": [written]}).chat if row.name == "help"]
    assert row.keys == (key,)


def test_a_changed_key_is_taken_from_who_had_it() -> None:
    changed = keymap({"next-active": ["ctrl-w", "f2"], "page-up": [], "chosen-copy": ["c"]})
    chat, composer = by_key(changed.chat), by_key(changed.composer)
    assert chat["ctrl+w"].name == chat["f2"].name == "next-active"
    assert "alt+a" not in chat
    assert "ctrl+w" not in composer
    assert composer["alt+backspace"].name == "kill-word-left"
    assert "pageup" not in chat
    assert "y" not in by_key(changed.chosen)
    assert changed.label("next-active") == "Ctrl-W"
    assert changed.label("page-up") == ""
    assert keymap({}) == DEFAULT


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"next-activ": ["f2"]}, "did you mean next-active?"),
        ({"zzz": ["f2"]}, "F1 lists all names"),
        ({"help": ["Hyper-X"]}, "'Hyper-X' is no key; keys are like Alt-A"),
        ({"help": ["Alt-"]}, "is no key"),
        ({"help": [""]}, "is no key"),
        ({"help": ["x"]}, "'x' is typed; take it together with Alt"),
        ({"help": ["shift-x"]}, "is typed"),
        ({"help": ["space"]}, "is typed"),
        ({"help": ["f2"], "search": ["F2"]}, "F2 is given to help, too"),
        ({"enter": []}, "enter needs a key"),
    ],
)
def test_what_cannot_be_is_said_with_its_name(changes: dict[str, list[str]], why: str) -> None:
    with pytest.raises(BadKey) as caught:
        keymap(changes)
    assert why in str(caught.value)
    assert caught.value.name in changes


def test_the_help_tells_the_keys_that_are_obeyed() -> None:
    told = "\n".join(DEFAULT.help_lines())
    for row in (*COMPOSER, *CHAT, *CHOSEN):
        assert row.summary in told
        assert f" {row.name}" in told
    assert "PgUp, PgDn " in told
    assert "Alt-1 … Alt-9 " in told
    assert "/msg NICK TEXT" in told
    changed = "\n".join(keymap({"next-active": ["f2"], "drop": []}).help_lines())
    assert "F2  " in changed
    assert "Alt-A" not in changed
    assert "Alt-R  " in changed
    assert all(len(line) <= 74 for line in DEFAULT.help_lines())


def test_labels_are_what_is_printed_on_keys() -> None:
    assert [label(key) for key in ("alt+a", "ctrl+home", "pageup", "f10")] == [
        "Alt-A",
        "Ctrl-Home",
        "PgUp",
        "F10",
    ]
