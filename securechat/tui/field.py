"""One line to type into for a moment, which obeys its keys in their order, however fast they come.

Textual's own input leaves Enter, and all that edits, to bindings, which are looked up when a key
has gone up to the top: what is typed behind it is in the line by then. And it gets its focus some
time after the key that wanted it: what is typed in between is handed over by whoever got it
(`take`), and what comes too late, by this one (`after`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from textual import events
from textual.binding import Binding
from textual.widgets import Input

#: What a terminal can hand over.
KeyOrPaste: TypeAlias = events.Key | events.Paste
#: Gets what was typed when the line was no longer wanted.
After: TypeAlias = Callable[[KeyOrPaste], Awaitable[None]]

_EDITS: Final = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding) and binding.action != "submit"
    for key in binding.key.split(",")
    if key != "ctrl+k"  # is for jumping
}


class Field(Input):
    """An input that knows whether it `is_wanted`; keys in `obeyed` are its owner's."""

    def __init__(
        self,
        after: After,
        *,
        id: str | None = None,
        placeholder: str = "",
        password: bool = False,
        compact: bool = False,
    ) -> None:
        super().__init__(id=id, placeholder=placeholder, password=password, compact=compact)
        self.obeyed: dict[str, Callable[[], None]] = {}
        self.is_wanted = True
        self._after = after

    def take(self, typed: KeyOrPaste) -> None:
        """Have it as if it had been typed here, behind all that was."""
        self.post_message(copy_of(typed))

    async def _on_key(self, event: events.Key) -> None:
        obey = self.obeyed.get(event.key)
        if not self.is_wanted:
            await self._after(event)
        elif obey is not None:
            obey()
        elif event.key in _EDITS:
            await self.run_action(_EDITS[event.key])
        else:
            await super()._on_key(event)
            return
        event.prevent_default()
        event.stop()

    async def on_paste(self, event: events.Paste) -> None:
        """Too late; else Textual's own input, whose turn is next, takes it."""
        if not self.is_wanted:
            event.prevent_default()
            event.stop()
            await self._after(event)


def copy_of(typed: KeyOrPaste) -> KeyOrPaste:
    """The same once more, for somebody else; Textual's queues mark what they have handled."""
    if isinstance(typed, events.Key):
        return events.Key(typed.key, typed.character)
    return events.Paste(typed.text)
