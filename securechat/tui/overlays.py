"""What lies over the chat for a moment: the help, and the jump to a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..client.harmless import harmless_line
from .drawing import Span, Tint, fitted
from .fuzzy import meant
from .panel import Panel

_MAX_FOUND: Final = 10


class Help(ModalScreen[None], inherit_bindings=False):
    """All keys and commands; any of a few keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter,ctrl+c", "dismiss", "close", show=False),
        Binding("up", "scroll(-1)", "up", show=False),
        Binding("down", "scroll(1)", "down", show=False),
        Binding("pageup", "scroll(-10)", "page up", show=False),
        Binding("pagedown,space", "scroll(10)", "page down", show=False),
    ]

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The lines, in a box that scrolls."""
        with VerticalScroll(id="help", can_focus=False):
            yield Static("\n".join(self._lines), markup=False)

    def on_mount(self) -> None:
        """Say how to get away."""
        box = self.query_one("#help")
        box.border_title = "keys and commands"
        box.border_subtitle = "PgDn more, Esc closes"

    def action_scroll(self, lines: int) -> None:
        """Scroll."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)


class Jump(ModalScreen[str | None], inherit_bindings=False):
    """A few letters find a conversation; the result is its name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss", "close", show=False),
        Binding("up,ctrl+p", "move(-1)", "up", show=False),
        Binding("down,ctrl+n,tab", "move(1)", "down", show=False),
    ]

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names
        self._found = list(names)
        self._at = 0

    def compose(self) -> ComposeResult:
        """An input and what it finds."""
        with Vertical(id="jump"):
            yield Input(placeholder="jump to", compact=True)
            yield Panel(id="found")

    def on_mount(self) -> None:
        """Offer all."""
        self.call_after_refresh(self._show)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what is meant."""
        self._found, self._at = meant(event.value, self._names), 0
        self._show()

    def on_input_submitted(self) -> None:
        """Take the one that is marked."""
        self.dismiss(self._found[self._at] if self._found else None)

    def action_move(self, step: int) -> None:
        """Mark another one."""
        if self._found:
            self._at = (self._at + step) % min(len(self._found), _MAX_FOUND)
            self._show()

    def _show(self) -> None:
        panel = self.query_one(Panel)
        panel.show(
            [
                [
                    Span("▸ " if at == self._at else "  "),
                    Span(
                        fitted(harmless_line(name), panel.size.width - 2),
                        Tint.STRONG if at == self._at else Tint.PLAIN,
                    ),
                ]
                for at, name in enumerate(self._found[:_MAX_FOUND])
            ]
        )


class _Unseen(Input):
    """An input that Enter itself empties: keys that come quickly are the next answer."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__(password=True, compact=True)
        self._take = take

    async def action_submit(self) -> None:
        """Hand over what was typed."""
        value, self.value = self.value, ""
        self._take(value)


class Secrets(ModalScreen[list[str] | None], inherit_bindings=False):
    """Asks one question after the other; what is typed is not shown, nor kept anywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+d", "dismiss", "close", show=False),
    ]

    def __init__(self, questions: Sequence[str]) -> None:
        super().__init__()
        self._questions = questions
        self._typed: list[str] = []

    def compose(self) -> ComposeResult:
        """A question and an input."""
        with Vertical(id="secrets"):
            yield Static(markup=False, id="question")
            yield _Unseen(self._take)

    def on_mount(self) -> None:
        """Begin with the first."""
        box = self.query_one("#secrets")
        box.border_title = "not shown while you type"
        box.border_subtitle = "Enter goes on, Esc leaves it"
        self._ask()

    def _take(self, secret: str) -> None:
        """Go on with the next question, or be done."""
        self._typed.append(secret)
        if len(self._typed) == len(self._questions):
            self.dismiss(self._typed)
        else:
            self._ask()

    def _ask(self) -> None:
        self.query_one("#question", Static).update(f"{self._questions[len(self._typed)]}:")
