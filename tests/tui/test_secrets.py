"""Passwords on the full screen are typed where nobody sees them."""

from __future__ import annotations

from textual.widgets import Input

from securechat.tui.overlays import Secrets

from .person import Person, play


async def _asked(bob: Person, question: str) -> None:
    """Wait until a question stands there."""

    def look() -> str:
        screen = bob.app.screen
        if not isinstance(screen, Secrets):
            return ""
        return str(screen.query_one("#question").render())

    await bob.sees(question, look)


def test_a_password_is_typed_where_nobody_sees_it() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/register\n")
        await _asked(bob, "New password:")
        await bob.press(*"redtulips")
        field = bob.app.screen.query_one(Input)
        assert field.password
        assert "redtulips" not in str(field.render())
        await bob.press("enter")
        await _asked(bob, "The same once more:")
        await bob.press(*"redtulips", "enter")
        await bob.pilot.pause()
        assert bob.client.commands[-1] == ("register", {"password": "redtulips"})
        assert bob.app.screen is bob.chat
        await bob.press("up")
        assert bob.composer.text == "/register"

    play(scene)


def test_a_password_may_be_left_unsaid_or_mistyped() -> None:
    async def scene(bob: Person) -> None:
        commands = list(bob.client.commands)
        await bob.type("/login carol\n")
        await _asked(bob, "Password:")
        await bob.press(*"tul", "escape")
        await bob.pilot.pause()
        assert bob.app.screen is bob.chat
        await bob.type("/register\n")
        await _asked(bob, "New password:")
        await bob.press(*"redtulips", "enter", *"redtulip", "enter")
        await _asked(bob, "Those were two different passwords.\nNew password:")
        await bob.press("escape")
        await bob.pilot.pause()
        assert bob.client.commands == commands

    play(scene)


def test_a_password_is_judged_when_it_is_typed_and_asked_for_again_unseen() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/register\n")
        await _asked(bob, "New password:")
        for typed, told in {"tulip": "at least 8 characters", "": "Nothing was typed."}.items():
            await bob.press(*typed, "enter")
            await _asked(bob, told)
            await _asked(bob, "\nNew password:")
        await bob.press(*"password", "enter", *"redtulips", "enter", *"redtulips", "enter")
        await bob.pilot.pause()
        assert bob.client.commands[-1] == ("register", {"password": "redtulips"})
        assert (bob.client.said, bob.composer.text) == ([], "")

    play(scene)


def test_a_password_in_the_line_is_thrown_away() -> None:
    async def scene(bob: Person) -> None:
        await bob.type("/login carol tulips\n")
        await bob.sees("The password is asked for by itself")
        assert bob.composer.text == ""
        await bob.press("up")
        assert bob.composer.text == ""
        assert "tulips" not in bob.messages.text

    play(scene)
