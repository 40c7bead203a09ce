"""The line by which one searches back in what is held: each letter searches anew.

It is put away until it is wanted. The screen says when (`open_or_go_on`, `end`); what is found is
shown by the messages themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.widget import Widget
from textual.widgets import Input

from .field import After, Field
from .messages import Messages


class Seeking(Field):
    """`tell` puts a hint into the status bar, at first `how`; `back` gets the focus in the end.

    What is typed behind the end goes to `after`.
    """

    def __init__(
        self,
        messages: Messages,
        back: Widget,
        tell: Callable[[str], None],
        how: str,
        after: After,
        *,
        id: str,
    ) -> None:
        super().__init__(after, id=id)
        self.obeyed = {"enter": self.end}
        self.is_wanted = False
        self._how = how
        self._messages = messages
        self._back = back
        self._tell = tell
        self.display = False

    def open_or_go_on(self) -> None:
        """Begin to search, or search further back."""
        if self.display:
            self._seek(self.value, further=True)
        else:
            self.display = self.is_wanted = True
            self.value = ""
            self.screen.set_focus(self)
            self._tell(self._how)

    def end(self) -> None:
        """Stay where it was found, and type on."""
        self.display = self.is_wanted = False
        self.screen.set_focus(self._back)
        self._tell("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """From the newest, with each letter."""
        event.stop()
        if self.display:
            self._seek(event.value, further=False)

    def _seek(self, needle: str, *, further: bool) -> None:
        is_missing = bool(needle) and not self._messages.find(needle, further=further)
        self._tell(f"not found: {needle}" if is_missing else self._how)
