"""A part of the screen that shows lines of spans, and is told all of them each time."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from .drawing import Lines
from .palette import strip_of


class Panel(Widget):
    """Lines from the top; what is below the last is blank."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: Lines = []

    @property
    def text(self) -> str:
        """What is shown, as text."""
        return "\n".join("".join(span.text for span in line) for line in self._lines)

    def show(self, lines: Lines) -> None:
        """Show these lines; nothing is drawn when they are the same."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line API of Textual."""
        line = self._lines[y] if y < len(self._lines) else []
        return strip_of(line, self.size.width, self.rich_style, self.app.theme)
