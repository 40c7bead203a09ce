"""Choosing one message with the keys, to copy it, to answer it, or to say it again.

The message list has the focus meanwhile; the first key that is none of `keys.CHOSEN` is typed, as
ever. The methods `action_…` are what the rows of that table do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from textual.screen import Screen

from ..client.controller import Controller
from ..client.entries import counted
from ..client.events import Draft
from ..errors import ClientError
from .composer import Composer
from .messages import Messages


class Choosing:
    """`tell` puts a hint into the status bar, and has the screen drawn anew."""

    def __init__(
        self,
        screen: Screen[None],
        controller: Controller,
        messages: Messages,
        composer: Composer,
        tell: Callable[[str], None],
    ) -> None:
        self._screen = screen
        self._controller = controller
        self._messages = messages
        self._composer = composer
        self._tell = tell
        #: Whether keys are for this; the focus follows later than the next key may come.
        self.is_going_on = False

    def end(self, hint: str = "") -> None:
        """Choose nothing, and type on."""
        self.is_going_on = False
        self._messages.choose_none()
        self._screen.set_focus(self._composer)
        self._tell(hint)

    def action_choose_step(self, step: int) -> None:
        """Choose the message above, or below; with 0 the newest. Below that one types on."""
        chosen = self._messages.choose(step)
        if chosen is None:
            self.end()
            return
        self.is_going_on = True
        self._screen.set_focus(self._messages)
        is_refused = isinstance(chosen, Draft) and chosen.id in self._controller.timeline.refused
        is_ours = isinstance(chosen, Draft) or chosen.own
        does = "r sends again, x drops, " if is_refused else "" if is_ours else "r answers, "
        self._tell(f"{does}y copies, Esc: back")

    def action_chosen_again(self) -> None:
        """Say again what was not sent, or answer somebody."""
        chosen = self._messages.chosen
        if isinstance(chosen, Draft):
            if chosen.id in self._controller.timeline.refused:
                with suppress(ClientError):  # `Ended` is on its way and says why
                    self._controller.send_again(chosen.id)
        elif chosen is not None and not chosen.own:
            self._composer.address(chosen.nick)
        self.end()

    def action_chosen_drop(self) -> None:
        """Forget what was not sent."""
        chosen = self._messages.chosen
        if isinstance(chosen, Draft):
            self._controller.forget(chosen.id)
            self.end()

    def action_chosen_copy(self) -> None:
        """Copy what was said, as it was written, to the clipboard that the terminal leads to."""
        chosen = self._messages.chosen
        if chosen is None:
            self.end()
            return
        self._screen.app.copy_to_clipboard(chosen.text)
        self.end(f"copied: {counted(len(chosen.text), 'character', 'characters')}")

    def action_chosen_done(self) -> None:
        """Back to the newest, and type on."""
        self._messages.to_end()
        self.end()
