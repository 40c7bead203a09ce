"""The chat in a real window, with a client that has no network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("tkinter", reason="this Python has no tkinter: install python3-tk")
import tkinter as tk

from securechat.gui import menus
from securechat.gui.dialogs import Ask, Help, Jump, Secrets
from securechat.gui.found import Hits
from securechat.gui.keys import WINDOW
from securechat.gui.look import ThemeName
from securechat.gui.page import MAX_SHOWN
from securechat.gui.window import Window
from securechat.protocol import envelopes as wire

from .person import BEFORE, OLDEST, Person, dialog

# ------------------------------------------------------------------ typing


def test_what_arrives_never_disturbs_what_is_typed(bob: Person) -> None:
    sentence = "the quick brown fox"
    for number, char in enumerate(sentence):
        for _ in range(25):
            bob.client.post("carol", f"bob: message {number}")
        bob.type(char)
    assert bob.typed == sentence
    bob.sees(f"bob: message {len(sentence) - 1}")
    bob.type("\n")
    assert bob.client.said == [("#lobby", sentence, False)]
    bob.sees(f"{sentence} ✓")


def test_several_lines_grow_and_are_one_message(bob: Person) -> None:
    bob.type("one")
    bob.press("<Shift-Return>")
    bob.type("two")
    bob.root.update()
    assert int(bob.chat.composer.text.cget("height")) == 2
    bob.type("\n")
    assert bob.client.said == [("#lobby", "one\ntwo", False)]
    assert bob.typed == ""


def test_a_paste_is_text_whatever_is_in_it(bob: Person) -> None:
    bob.root.clipboard_clear()
    bob.root.clipboard_append("/quit\n\x1b[2J\r\nlast\n")
    bob.press("<<Paste>>")
    assert bob.typed == "/quit\n\\x1b[2J\nlast\n"
    assert bob.client.said == []


def test_up_brings_back_what_was_typed_and_down_the_draft(bob: Person) -> None:
    bob.type("first\nhalf")
    bob.press("<Up>")
    assert bob.typed == "first"
    bob.press("<Down>")
    assert bob.typed == "half"


def test_tab_completes_or_goes_on(bob: Person) -> None:
    bob.client.post("carol", "hello")
    bob.sees("hello")
    bob.type("ca")
    bob.press("<Tab>")
    assert bob.typed == "carol: "
    bob.chat.composer.show(bob.chat.model.desk.typed, "")
    bob.chat.composer.text.delete("1.0", "end")
    bob.press("<Tab>")
    assert bob.root.focus_get() is not bob.chat.composer.text


def test_what_cannot_be_done_is_told_and_stays_to_be_mended(bob: Person) -> None:
    bob.type("/jion garden\n")
    bob.sees("Did you mean /join?")
    assert bob.typed == "/jion garden"
    assert bob.client.said == []


def test_what_is_half_typed_is_there_again_at_the_next_start(tcl: str, tmp_path: Path) -> None:
    bob = Person(tk.Tk(tcl), tmp_path)
    bob.type("half a sen")
    bob.chat.enter("/query carol")
    bob.type("for you al")
    bob.leave()
    bob = Person(tk.Tk(tcl), tmp_path)
    assert bob.typed == "half a sen"
    bob.chat.next_conversation()
    assert bob.typed == "for you al"
    bob.leave()


# ------------------------------------------------------------------ messages


def test_each_own_message_shows_its_state(bob: Person) -> None:
    bob.type("lag this\n")
    bob.sees("lag this  sending …")
    bob.type("refuse this\n")
    bob.sees("not sent: I refuse.   Send again   Drop")
    bob.type("drop\n")
    bob.sees("connection lost")
    assert "offline" in bob.title
    bob.type("while away\n")
    bob.sees("while away  waits for the connection …")
    bob.chat.drop()
    assert "not sent" not in bob.shown


def test_what_was_not_sent_can_be_clicked(bob: Person) -> None:
    bob.type("refuse this\n")
    bob.sees("Send again")
    text = bob.chat.messages.text
    for word, said in (("Send again", 2), ("Drop", 2)):
        at = text.search(word, "1.0")
        text.see(at)
        bob.root.update()
        box = text.bbox(at)
        assert box is not None
        text.event_generate("<Button-1>", x=box[0] + 3, y=box[1] + 3)
        text.event_generate("<ButtonRelease-1>", x=box[0] + 3, y=box[1] + 3)
        bob.settle()
        assert len(bob.client.said) == said
    bob.settle()
    assert "not sent" not in bob.shown


def test_rooms_count_what_is_new_and_keep_their_drafts(bob: Person) -> None:
    bob.type("half a sen")
    bob.client.post("carol", "psst", "@carol")
    bob.wait(lambda: "@carol" in _rows(bob), "carol is not in the list")
    assert "(1!)" in bob.title
    bob.chat.next_conversation()
    bob.sees("psst")
    assert bob.typed == ""
    assert "(1" not in bob.title
    bob.chat.previous_conversation()
    assert bob.typed == "half a sen"


def _rows(bob: Person) -> str:
    tree = bob.chat.frame.rooms.tree
    return " ".join(tree.item(row, "text") for row in tree.get_children())


def test_a_removed_message_leaves_nothing_of_its_text(bob: Person) -> None:
    bob.client.post("carol", "the password is tulip")
    bob.sees("tulip")
    seq = bob.chat.model.desk.log.oldest_seq + 1
    bob.client.hear(wire.Removed(to="#lobby", seq=seq, nick="carol"))
    bob.sees("(removed)")
    assert "tulip" not in bob.shown


def test_the_menu_of_a_person_types_what_it_says(bob: Person) -> None:
    features = frozenset({"moderation"})
    mute = next(one for one in menus.of_person("carol", features) if "10 minutes" in one.label)
    bob.chat._offers.choose(mute)
    assert bob.client.commands[-1][0] == "mute"
    kick = next(one for one in menus.of_person("carol", features) if one.line.startswith("/kick"))
    bob.chat._offers.choose(kick)
    ask = dialog(bob)
    assert isinstance(ask, Ask)
    ask._entry.insert(0, "enough")
    ask._accept()
    name, keys = bob.client.commands[-1]
    assert (name, keys["nick"], keys["reason"]) == ("kick", "carol", "enough")


def test_who_has_scrolled_up_stays_there_and_history_comes(bob: Person) -> None:
    bob.client.flood("600")
    bob.sees("message 599")
    bob.chat.to_top()
    bob.root.update()
    first = bob.chat.messages.text.get("@0,0", "@0,0 lineend")
    for number in range(50):
        bob.client.post("carol", f"later {number}")
    bob.settle()
    assert bob.chat.messages.text.get("@0,0", "@0,0 lineend") == first
    assert not bob.chat.messages.follows
    assert "history" in [name for name, _ in bob.client.commands]
    bob.chat.to_end()
    bob.sees("later 49")
    assert bob.chat.messages.follows


def test_older_messages_come_in_front_and_move_nothing(bob: Person) -> None:
    bob.client.flood("100")
    bob.sees("message 99")
    text = bob.chat.messages.text
    bob.chat.to_top()
    before = text.get("@0,0", "@0,0 lineend"), text.dlineinfo("@0,0")
    bob.sees("old 4999")
    assert (text.get("@0,0", "@0,0 lineend"), text.dlineinfo("@0,0")) == before
    for _ in range(20):
        bob.chat.to_top()
        bob.settle()
    assert f"old {OLDEST}" in bob.shown
    asked = [keys["before"] for name, keys in bob.client.commands if name == "history"]
    assert asked == [BEFORE + 1, 4_901, 4_801]


def test_the_view_moves_when_the_end_is_shown(bob: Person) -> None:
    bob.client.flood("200")
    bob.sees("message 199")
    bob.root.update()
    text = bob.chat.messages.text
    assert text.dlineinfo("end-1c") is not None
    bob.root.geometry("700x400")
    bob.root.update()
    assert text.dlineinfo("end-1c") is not None


def test_searching_in_what_was_said(bob: Person) -> None:
    bob.client.flood("300")
    bob.sees("message 299")
    bob.chat.find()
    bob.chat.finder.entry.insert(0, "message 7 ")
    bob.chat.finder.older()
    bob.root.update()
    text = bob.chat.messages.text
    assert "message 7 of" in text.get(*text.tag_ranges("hit"))
    bob.chat.finder.older()
    bob.chat.escape()
    assert not text.tag_ranges("hit")
    assert not bob.chat.finder.winfo_ismapped()


def test_the_server_searches_in_all_that_was_said(bob: Person) -> None:
    bob.chat.model.features = frozenset({"search"})
    bob.chat.find()
    bob.root.update()
    assert bob.chat.finder._far.winfo_ismapped()
    bob.chat.finder.entry.insert(0, "old")
    bob.chat.finder._far.invoke()
    bob.settle()
    hits = dialog(bob)
    assert isinstance(hits, Hits)
    assert ("search", {"query": "old", "limit": 20}) in bob.client.commands
    assert "eve: old 4950" in str(hits._list.get(1))
    hits._list.selection_clear(0, "end")
    hits._list.selection_set(1)
    hits._open()  # it is not held here: what was said around it comes
    bob.wait(lambda: "old 4950" in hits._around.get("1.0", "end"), "nothing came")
    text = hits._around
    assert text.get(*text.tag_ranges("hit")).strip().endswith("old 4950")
    hits._fetch()
    assert hits._said.cget("text") == "There are no older ones."
    hits._list.selection_clear(0, "end")
    hits._list.selection_set(0)
    hits._open()  # this one is: it is shown where it was said
    bob.root.update()
    assert not hits.winfo_exists()
    text = bob.chat.messages.text
    assert "earlier" in text.get(*text.tag_ranges("hit"))


def test_who_is_away_is_seen_to_be(bob: Person) -> None:
    members = (wire.Member(nick="carol", away="lunch"),)
    bob.client.hear(wire.Members(room="#lobby", members=members))
    tree = bob.chat.frame.people.tree
    bob.wait(
        lambda: [tree.item(row, "text") for row in tree.get_children()] == ["carol (away)"],
        "carol is not away",
    )


# ------------------------------------------------------------------ dialogs and menus


def test_a_dialog_asks_for_a_nick_and_says_what_is_wrong(bob: Person) -> None:
    bob.chat.change_nick()
    ask = dialog(bob)
    assert isinstance(ask, Ask)
    ask._entry.delete(0, "end")
    ask._entry.insert(0, "two words")
    ask._accept()
    assert "A nick is one word" in ask._wrong.cget("text")
    ask._entry.delete(0, "end")
    ask._entry.insert(0, "robert")
    ask._accept()
    assert ("nick", {"nick": "robert"}) in bob.client.commands
    assert not ask.winfo_exists()


def test_a_password_is_typed_unseen_and_kept_nowhere(bob: Person) -> None:
    bob.chat.enter("/register")
    secrets = dialog(bob)
    assert isinstance(secrets, Secrets)
    assert {entry.cget("show") for entry in secrets._entries} == {"•"}
    for entry in secrets._entries:
        entry.insert(0, "correct horse")
    secrets._accept()
    assert ("register", {"password": "correct horse"}) in bob.client.commands
    bob.chat.enter("/passwd")
    dialog(bob).close()
    assert [name for name, _ in bob.client.commands][-1] == "register"
    bob.chat.enter("/login bob my secret")
    bob.chat.composer.text.insert("1.0", "/login bob my secret")
    bob.chat.composer.leave()
    assert bob.chat.model.desks.unfinished() == {}
    assert bob.chat.model.desk.typed.older("") == "/passwd"


def test_a_cleared_window_is_empty_until_something_is_said(bob: Person) -> None:
    bob.client.post("carol", "before")
    bob.sees("before")
    bob.chat.enter("/clear")
    assert "before" not in bob.shown
    bob.client.post("carol", "behind")
    bob.sees("behind")
    assert "before" not in bob.shown


def test_a_few_letters_jump_to_a_conversation(bob: Person) -> None:
    bob.client.post("carol", "psst", "@carol")
    bob.settle()
    bob.chat.frame.rooms.tree.focus_force()
    bob.chat.jump()
    jump = dialog(bob)
    assert isinstance(jump, Jump)
    jump._entry.insert(0, "car")
    jump._look()
    jump._accept()
    bob.sees("psst")
    assert bob.root.focus_get() is bob.chat.composer.text


def test_the_help_has_every_key(bob: Person) -> None:
    bob.chat.help()
    help_dialog = dialog(bob)
    assert isinstance(help_dialog, Help)
    text = next(one for one in _all(help_dialog) if isinstance(one, tk.Text)).get("1.0", "end")
    assert all(key.shown in text and key.does in text for key in WINDOW)
    help_dialog.close()


def _all(widget: object) -> Iterator[object]:
    for child in widget.winfo_children():  # type: ignore[attr-defined]
        yield child
        yield from _all(child)


def test_every_key_has_its_method() -> None:
    from securechat.gui.chat import Chat

    for key in WINDOW:
        assert hasattr(Window, key.method) or hasattr(Chat, key.method), key


@pytest.mark.parametrize("theme", ["light", "dark", "high-contrast"])
def test_every_theme_and_size_shows_the_same_text(bob: Person, theme: ThemeName) -> None:
    bob.client.call()
    bob.sees("come here")
    before = bob.shown
    for size in (8, 10, 30):
        bob.theme.dress(theme, size)
        bob.chat.frame.dress(bob.theme.palette, bob.theme.unit)
        bob.root.update()
        assert bob.shown == before


@pytest.mark.parametrize("theme", ["light", "high-contrast"])
def test_the_search_has_room_in_every_theme_and_size(bob: Person, theme: ThemeName) -> None:
    bob.chat.find()
    field = bob.chat.finder.entry
    for size in (8, 30, 10):  # while it is open
        bob.theme.dress(theme, size)
        bob.chat.frame.dress(bob.theme.palette, bob.theme.unit)
        bob.root.update()
        assert field.winfo_width() > 8 * bob.theme.unit
        assert 1.2 * bob.theme.unit < field.winfo_height() < 4 * bob.theme.unit


def test_it_does_without_sun_valley(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bob.theme, "_has_sun_valley", False)
    for theme in ("dark", "light"):
        bob.theme.dress(theme, 12)
        bob.root.update()
        assert bob.theme._styles.theme_use() == "clam"


def test_a_narrow_window_shows_the_messages(bob: Person) -> None:
    assert bob.chat.frame.panes.right.winfo_ismapped()
    bob.root.geometry("400x400")
    bob.wait(lambda: not bob.chat.frame.panes.right.winfo_ismapped(), "people are still there")
    bob.root.geometry("1100x400")
    bob.wait(lambda: bool(bob.chat.frame.panes.right.winfo_ismapped()), "people did not come back")


# ------------------------------------------------------------------ how quickly it answers


def longest_silence(bob: Person, during: Callable[[], None], end: int) -> float:
    """Seconds for which the main loop did not come back until the log had `end` items."""
    gaps, last = [0.0], [time.monotonic()]

    def beat() -> None:
        now = time.monotonic()
        gaps.append(now - last[0])
        last[0] = now
        if bob.chat.model.desk.log.end >= end:
            bob.root.quit()
        else:
            bob.root.after(1, beat)

    bob.root.after(1, beat)
    bob.root.after(20, during)
    bob.root.mainloop()
    return max(gaps)


def test_a_burst_keeps_no_key_waiting(bob: Person) -> None:
    bob.client.flood("10000")
    bob.wait(lambda: "message 9999" in bob.shown, "the flood never ended")
    assert bob.chat.model.desk.log.end >= 10_000
    silences = []
    for attempt in range(3):  # this machine may do other things too
        bob.pump.longest = 0.0
        end = bob.chat.model.desk.log.end + 2_000
        silence = longest_silence(bob, lambda: bob.client.flood("2000"), end)
        silences.append((silence, bob.pump.longest, attempt))
        if silence < 0.1:
            break
    print(f"longest silence {silence * 1000:.0f} ms, longest hold {bob.pump.longest * 1000:.0f} ms")
    assert min(silences)[0] < 0.1, silences
    lines = int(bob.chat.messages.text.index("end").partition(".")[0])
    assert lines < 3 * MAX_SHOWN
