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
        await bob.press(*"tulips")
        field = bob.app.screen.query_one(Input)
        assert field.password
        assert "tulips" not in str(field.render())
        await bob.press("enter")
        await _asked(bob, "The same once more:")
        await bob.press(*"tulips", "enter")
        await bob.pilot.pause()
        assert bob.client.commands[-1] == ("register", {"password": "tulips"})
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
        await bob.press(*"tulips", "enter", *"tulip", "enter")
        await bob.sees("two different passwords")
        await bob.sees("Type /register to be asked again.")
        assert bob.client.commands == commands

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
