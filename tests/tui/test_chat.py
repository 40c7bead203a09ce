"""The full screen under somebody's hands, in Textual's Pilot, with a client that has no network."""

from __future__ import annotations

from pathlib import Path

import pytest

from securechat.client.events import Draft, DraftState
from securechat.client.unfinished import Unfinished
from securechat.errors import SettingsError
from securechat.protocol import envelopes as wire
from securechat.tui.chat import Chat
from securechat.tui.choosing import Choosing
from securechat.tui.composer import Composer
from securechat.tui.keymap import keymap
from securechat.tui.keys import CHAT, CHOSEN, COMPOSER
from securechat.tui.overlays import Help
from securechat.tui.setup import Joins, Setup

from .person import Person, _name, play

# ------------------------------------------------------------------ states


def test_each_own_message_shows_its_state() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("hello\n")
        await bob.sees("✓<bob> hello")
        await bob.type("lag this\n")
        await bob.sees("…<bob> lag this (sending)")
        await bob.type("refuse it\n")
        await bob.sees("✗<bob> refuse it")
        await bob.sees("not sent (I refuse.) Alt-R sends it again")
        await bob.sees_side("status", "1 not sent: Alt-R")
        await bob.press("alt+r")
        assert [text for _, text, _ in bob.client.said].count("refuse it") == 2
        await bob.sees("✗<bob> refuse it")
        await bob.press("alt+x")
        assert "refuse it" not in bob.messages.text

    play(scene)


def test_what_is_refused_elsewhere_is_told_where_one_looks_and_leaves_nothing_behind() -> None:
    async def scene(bob: Person) -> None:
        why = "Nobody goes by that nick. `who` lists who is online."
        bob.client.events.put(
            Draft("d9", "@nobody", "hi", DraftState.REFUSED, reason=why, code="no_such_user")
        )
        await bob.sees("!! not sent to @nobody: Nobody goes by that nick.")
        await bob.sees_side("status", "1 not sent in @nobody")
        await bob.press("alt+2")
        await bob.sees("✗<bob> hi")
        await bob.sees_side("status", "1 not sent: Alt-R")
        await bob.press("alt+x")
        await bob.sees("not sent to @nobody")
        await bob.sees_side("title", "#lobby")
        assert "@nobody" not in bob.panel("rooms")

    play(scene)


def test_the_connection_is_always_in_sight_and_what_was_missed_is_marked() -> None:
    async def scene(bob: Person) -> None:
        await bob.sees_side("status", "│ connected │ TLS 1.3")
        bob.client.post("carol", "seen")
        await bob.sees("seen")
        bob.client.drop()
        await bob.sees_side("status", "│ reconnecting in 2 s")
        await bob.type("later\n")
        await bob.sees("…<bob> later (waits for the connection)")
        await bob.sees_side("status", "│ offline, 1 unsent │ reconnecting in")
        bob.client.come_back()
        bob.client.post("carol", "missed", missed=True)
        await bob.sees("── new messages ─")
        await bob.sees_side("status", "connected")

    play(scene)


def test_a_message_can_be_chosen_to_say_it_again_or_drop_it() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("refuse it\n")
        await bob.sees("✗<bob> refuse it")
        await bob.type("half a sen")
        await bob.press("ctrl+up")
        await bob.sees_side("status", "r sends again, x drops, y copies, Esc: back")
        bob.client.post("carol", "something new")  # moves the draft, not what is chosen
        await bob.sees("something new")
        await bob.press("r")
        await bob.pilot.pause()
        assert [text for _, text, _ in bob.client.said] == ["refuse it"] * 2
        await bob.sees("✗<bob> refuse it")
        await bob.press("ctrl+up", "x")
        await bob.pilot.pause()
        assert "refuse it" not in bob.messages.text
        await bob.type("tence")
        assert bob.composer.text == "half a sentence"

    play(scene)


def test_a_message_can_be_chosen_to_copy_or_answer_it() -> None:
    async def scene(bob: Person) -> None:
        bob.client.post("carol", "one *two*\nthree")
        bob.client.post("dave", "four")
        await bob.sees("four")
        await bob.press("ctrl+up", "up", "y")
        assert bob.app.clipboard == "one *two*\nthree"
        await bob.sees_side("status", "copied: 15 characters")
        await bob.press("ctrl+up", "r")
        await bob.type("yes")
        assert bob.composer.text == "dave: yes"
        await bob.press("ctrl+up", "up", "k")  # no further than the first
        await bob.type(" and k")  # the last is a key for choosing, too
        assert bob.composer.text == "dave: yes and k"
        await bob.press("ctrl+up", "down", "backspace")  # there is none below
        await bob.type("k")
        assert bob.composer.text == "dave: yes and k"
        await bob.press("ctrl+up", "escape", "x")
        assert bob.composer.text == "dave: yes and kx"
        await bob.press("ctrl+up")
        await bob.paste("!")
        assert bob.composer.text == "dave: yes and kx!"
        assert bob.client.said == []

    play(scene)


# ------------------------------------------------------------------ conversations


def test_rooms_count_what_is_new_and_keep_their_drafts() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.type("for the garden")
        bob.client.post("carol", "old news")
        bob.client.post("carol", "bob: come")
        bob.client.post("carol", "psst", "@carol")
        await bob.sees_side("rooms", "1 #lobby")
        await bob.sees_side("rooms", "2!1")
        await bob.press("alt+a")
        await bob.sees_side("rooms", "▸3 @carol")
        assert bob.composer.text == ""
        await bob.press("alt+a")
        await bob.sees("new messages")
        assert "▸1 #lobby" in bob.panel("rooms")
        assert "2!1" not in bob.panel("rooms")
        await bob.type("for the lobby")
        await bob.press("ctrl+n")
        assert bob.composer.text == "for the garden"
        await bob.press("ctrl+p")
        assert bob.composer.text == "for the lobby"
        assert "new messages" not in bob.messages.text
        await bob.press("alt+9", "alt+3")
        assert "▸3 @carol" in bob.panel("rooms")

    play(scene)


def test_what_is_half_typed_survives_the_end_of_the_program(tmp_path: Path) -> None:
    async def first(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.type("for the garden")
        await bob.press("ctrl+p")
        await bob.paste("half a\nsentence")
        bob.app.exit(0)

    async def second(bob: Person) -> None:
        assert bob.composer.text == "half a\nsentence"
        await bob.type(" more")
        assert bob.composer.text == "half a\nsentence more"
        await bob.press("enter")
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        assert bob.composer.text == "for the garden"
        await bob.press("ctrl+u")
        bob.app.exit(0)

    for scene in (first, second):
        kept = Unfinished(tmp_path, "localhost", 1, "bob")
        play(scene, setup=Setup(unfinished=kept))
        kept.close(5.0)
    assert not kept.path.exists()


def test_a_few_letters_jump_to_a_conversation() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.press("ctrl+k")
        await bob.pilot.pause()
        await bob.press("l", "b", "y", "enter")
        await bob.sees_side("rooms", "▸1 #lobby")
        await bob.press("ctrl+k")
        await bob.pilot.pause()
        await bob.press("z", "z", "enter")
        assert "▸1 #lobby" in bob.panel("rooms")
        await bob.press("ctrl+k")
        await bob.pilot.pause()
        await bob.press("down", "enter")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.press("ctrl+k")
        await bob.press("escape")
        assert isinstance(bob.app.screen, Chat)

    play(scene)


def test_both_sides_fold_and_go_when_there_is_no_room() -> None:
    async def scene(bob: Person) -> None:
        await bob.sees_side("people", "carol")
        rooms, people = bob.chat.query_one("#rooms"), bob.chat.query_one("#people")
        for key, shown in (
            ("f7", (False, True)),
            ("f8", (False, False)),
            ("f7", (True, False)),
            ("alt+l", (False, False)),
            ("alt+l", (True, True)),
        ):
            await bob.press(key)
            assert (rooms.display, people.display) == shown
        await bob.pilot.resize_terminal(60, 20)
        await bob.pilot.pause()
        assert (rooms.display, people.display) == (True, False)
        await bob.pilot.resize_terminal(40, 20)
        await bob.pilot.pause()
        assert (rooms.display, people.display) == (False, False)

    play(scene)


# ------------------------------------------------------------------ all around


def test_the_help_is_made_of_the_table_that_is_obeyed() -> None:
    for rows, does in ((COMPOSER, Composer), (CHAT, Chat), (CHOSEN, Choosing)):
        for row in rows:
            assert callable(getattr(does, f"action_{row.action}")), row

    async def scene(bob: Person) -> None:
        await bob.press("f1")
        await bob.pilot.pause()
        assert isinstance(bob.app.screen, Help)
        await bob.press("pagedown", "down", "escape")
        assert isinstance(bob.app.screen, Chat)
        await bob.type("x")
        assert bob.composer.text == "x"

    play(scene)


def test_keys_can_be_changed_and_are_told_so() -> None:
    changed = keymap({"send-again": ["Ctrl-G"], "kill-word-left": ["f5"], "next": ["ctrl-w"]})

    async def scene(bob: Person) -> None:
        await bob.type("/join garden\n")
        await bob.sees_side("rooms", "▸2 #garden")
        await bob.press("ctrl+w")
        await bob.sees_side("rooms", "▸1 #lobby")
        await bob.type("refuse it")
        await bob.press("f5")
        assert bob.composer.text == "refuse "
        await bob.type("that\n")
        await bob.sees("not sent (I refuse.) Ctrl-G sends it again")
        await bob.sees_side("status", "1 not sent: Ctrl-G")
        await bob.press("ctrl+g")
        assert [text for _, text, _ in bob.client.said] == ["refuse that"] * 2

    play(scene, setup=Setup(keys=changed))


def test_what_is_changed_is_kept_for_the_next_start_or_told() -> None:
    kept: list[tuple[str, str]] = []

    def remember(key: str, value: str) -> None:
        kept.append((key, value))
        if key == "theme":
            raise SettingsError("config.toml could not be written: no room.")

    async def scene(bob: Person) -> None:
        await bob.type("/bell off\n/bell\n")
        await bob.press("alt+j", "alt+j", "f9")
        await bob.sees("!! config.toml could not be written: no room.")
        assert bob.app.theme == "textual-light"

    play(scene, setup=Setup(remember=remember))
    assert kept == [("bell", "off"), ("joins", "show"), ("joins", "fold"), ("theme", "light")]


def test_comings_and_goings_can_be_hidden_for_good() -> None:
    async def scene(bob: Person) -> None:
        bob.client.hear(wire.Joined(room="#lobby", nick="erin"))
        bob.client.post("erin", "hello")
        await bob.sees("<erin> hello")
        assert "erin joined" not in bob.messages.text
        assert "erin" in bob.panel("people")

    play(scene, setup=Setup(joins=Joins.HIDE))


def test_every_theme_shows_the_same_text() -> None:
    async def scene(bob: Person) -> None:
        bob.client.post("carol", "bob: so *bold* `x`")
        await bob.sees("bold")
        seen = bob.messages.text
        for _ in range(3):
            await bob.press("f9")
            await bob.pilot.pause()
            assert bob.messages.text == seen
        await bob.press("ctrl+l")
        assert bob.messages.text == seen

    play(scene)


def test_no_color_takes_all_colours_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scene(bob: Person) -> None:
        bob.client.post("carol", "hello")
        await bob.sees("hello")
        for strips in bob.app.screen._compositor.render_strips():
            for _, style, _ in strips.apply_filter(
                bob.app._filters[-1], bob.app.background_colors[0]
            ):
                colours = (style.color, style.bgcolor) if style else ()
                assert all(colour is None or colour.is_default for colour in colours)

    play(scene)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (["ctrl+d"], 0),
        (["ctrl+c", "ctrl+c"], 130),
        (["x", "ctrl+c", "ctrl+c"], 130),
        ([*"/quit", "enter"], 0),
    ],
)
def test_ways_out(keys: list[str], code: int) -> None:
    async def scene(bob: Person) -> None:
        await bob.press(*[_name(key) for key in keys])
        await bob.pilot.pause()
        assert bob.app.return_value == code

    play(scene)


def test_a_lonely_interrupt_only_clears(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(bob: Person) -> None:
        await bob.press("ctrl+c")
        await bob.sees_side("status", "Ctrl-C again quits")
        monkeypatch.setattr("securechat.tui.composer._TWICE", -1.0)  # too late
        await bob.press("ctrl+c")
        assert bob.app.return_value is None
        assert bob.app.is_running

    play(scene)


def test_the_end_of_the_client_ends_the_screen() -> None:
    async def scene(bob: Person) -> None:
        bob.client.give_up()
        for _ in range(200):
            await bob.pilot.pause(0.01)
            if not bob.app.is_running:
                break
        assert bob.app.return_value is None

    play(scene)
