"""Hands at the keyboard and at the mouse: choosing, writing from anywhere, cutting and pasting."""

from __future__ import annotations

import pytest

pytest.importorskip("tkinter", reason="this Python has no tkinter: install python3-tk")

from securechat.gui import fields, menus

from .person import Person


def test_messages_are_chosen_by_keyboard_and_have_their_menu(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[menus.Rows] = []
    monkeypatch.setattr(menus.PopUp, "show", lambda _, rows, _x, _y: shown.append(rows))
    for said in ("first", "second", "third\nof two lines"):
        bob.client.post("carol", said)
    bob.sees("of two lines")
    text = bob.chat.messages.text
    bob.chat.next_pane()
    bob.press("<Up>", text)
    assert text.get(*text.tag_ranges("chosen")).strip().endswith("third\nof two lines")
    bob.press("<Up>", text)
    assert text.get(*text.tag_ranges("chosen")).strip().endswith("second")
    bob.press("<Return>", text)
    [rows] = shown
    labels = {row.label: row.do for row in rows if row is not None}
    labels["Quote"]()
    assert bob.typed == "> carol: second\n"
    bob.root.update()
    assert not text.tag_ranges("chosen")  # the keyboard is elsewhere
    bob.press("<Up>", text)
    for _ in range(3):
        bob.press("<Down>", text)
    assert bob.chat.messages.follows


def test_the_chosen_message_stays_so_while_others_come(bob: Person) -> None:
    bob.client.flood("300")
    bob.sees("message 299")
    text = bob.chat.messages.text
    bob.chat.next_pane()
    for _ in range(250):
        bob.press("<Up>", text)
    chosen = text.get(*text.tag_ranges("chosen"))
    assert "message 50 " in chosen
    bob.client.flood("700")
    bob.settle()
    assert text.get(*text.tag_ranges("chosen")) == chosen
    assert text.bbox(str(text.tag_ranges("chosen")[0])) is not None


def test_who_types_elsewhere_writes(bob: Person) -> None:
    for widget in (
        bob.chat.messages.text,
        bob.chat.frame.people.tree,
        bob.chat.frame.rooms.tree,
    ):
        widget.focus_force()
        bob.press("<Key-h>", widget)
        bob.press("<Key-i>")
        bob.press("<Control-Key-x>", widget)
        assert bob.root.focus_get() is bob.chat.composer.text
        assert bob.typed == "hi"
        bob.chat.composer.text.delete("1.0", "end")
    bob.chat.messages.text.focus_force()
    bob.press("<Return>", bob.chat.messages.text)
    assert bob.root.focus_get() is bob.chat.composer.text


def test_the_list_that_has_the_keyboard_shows_where_it_is(bob: Person) -> None:
    people = bob.chat.frame.people
    assert people.tree.selection() == ()
    bob.chat.previous_pane()
    bob.chat.previous_pane()
    bob.root.update()
    assert bob.root.focus_get() is people.tree
    assert people.chosen == "bob"
    bob.chat.escape()
    bob.root.update()
    assert people.tree.selection() == ()


def test_panes_are_walked_through_by_keyboard(bob: Person) -> None:
    seen = []
    for _ in range(4):
        bob.chat.next_pane()
        bob.root.update()
        seen.append(bob.root.focus_get())
    assert len(set(map(str, seen))) == 4
    assert seen[-1] is bob.chat.composer.text


def test_the_mouse_pastes_and_cuts(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[menus.Rows] = []
    monkeypatch.setattr(menus.PopUp, "show", lambda _, rows, _x, _y: shown.append(rows))
    fields.bind_fields(bob.root)
    bob.root.clipboard_clear()
    bob.root.clipboard_append("from elsewhere")
    bob.press("<Button-3>")
    rows = {row.label: row.do for row in shown[-1] if row is not None}
    assert list(rows) == ["Cut", "Copy", "Paste", "Select all"]
    rows["Paste"]()
    assert bob.typed == "from elsewhere"
    rows["Select all"]()
    rows["Cut"]()
    assert bob.typed == ""
    assert bob.root.clipboard_get() == "from elsewhere"
