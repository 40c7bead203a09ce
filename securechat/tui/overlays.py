"""What lies over the chat for a moment: the help, and the jump to a conversation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..client.actions import Question
from ..client.fuzzy import meant
from ..client.harmless import harmless_line
from .drawing import Span, Tint, fitted
from .field import After, Field, KeyOrPaste
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


class Dialog(ModalScreen[None], inherit_bindings=False):
    """Something with a line to type into; none of what is typed is for anybody else.

    `take` gets what others got when this was there already; what comes when it no longer is goes to
    `after`. The methods are those of whoever asks: what they bring about is so before the next key.
    """

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._field = field
        field.obeyed = {"enter": self.enter, **dict.fromkeys(("escape", "ctrl+c"), self.leave)}

    def on_mount(self) -> None:
        """Have the keys."""
        self.set_focus(self._field)

    def take(self, typed: KeyOrPaste) -> None:
        """Have it as if it had been typed here."""
        self._field.take(typed)

    def on_key(self, event: events.Key) -> None:
        """A letter that came before the line had the focus."""
        if event.is_printable or event.key in self._field.obeyed:
            event.stop()
            self.take(event)

    def on_paste(self, event: events.Paste) -> None:
        """The same of a paste."""
        event.stop()
        self.take(event)

    @abstractmethod
    def enter(self) -> None:
        """Do what the line says; each kind of dialog has its own."""

    def leave(self) -> None:
        """Do nothing, and be gone."""
        self._close()

    def _close(self) -> None:
        self._field.is_wanted = False
        self.dismiss()


class Jump(Dialog):
    """A few letters find a conversation; `go` gets its name."""

    def __init__(self, names: Sequence[str], go: Callable[[str], None], after: After) -> None:
        super().__init__(Field(after, placeholder="jump to", compact=True))
        self._field.obeyed |= dict.fromkeys(("up", "ctrl+p"), partial(self._move, -1))
        self._field.obeyed |= dict.fromkeys(("down", "ctrl+n", "tab"), partial(self._move, 1))
        self._panel = Panel(id="found")
        self._names = names
        self._found = list(names)
        self._go = go
        self._at = 0

    def compose(self) -> ComposeResult:
        """An input and what it finds."""
        with Vertical(id="jump"):
            yield self._field
            yield self._panel

    def on_mount(self) -> None:
        """Offer all."""
        self.call_after_refresh(self._show)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Offer what is meant."""
        self._find(event.value)
        self._show()

    def enter(self) -> None:
        """Take the one that is marked."""
        self._find(self._field.value)
        if self._found:
            self._go(self._found[self._at])
        self._close()

    def _move(self, step: int) -> None:
        self._find(self._field.value)
        if self._found:
            self._at = (self._at + step) % min(len(self._found), _MAX_FOUND)
            self._show()

    def _find(self, letters: str) -> None:
        found = meant(letters, self._names)
        if found != self._found:
            self._found, self._at = found, 0

    def _show(self) -> None:
        self._panel.show(
            [
                [
                    Span("▸ " if at == self._at else "  "),
                    Span(
                        fitted(harmless_line(name), self._panel.size.width - 2),
                        Tint.STRONG if at == self._at else Tint.PLAIN,
                    ),
                ]
                for at, name in enumerate(self._found[:_MAX_FOUND])
            ]
        )


class Secrets(Dialog):
    """Asks one question after the other; what is typed is not shown, nor kept anywhere.

    `flaw` says what is wrong with the last of the answers so far, which is then asked for anew,
    with the one before if it was to be the same. `answer` gets all answers, or None if one would
    rather not say.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        flaw: Callable[[Sequence[str]], str | None],
        answer: Callable[[list[str] | None], None],
        after: After,
    ) -> None:
        super().__init__(Field(after, password=True, compact=True))
        self._field.obeyed |= {"ctrl+d": self.leave}
        self._question = Static(markup=False, id="question")
        self._questions = questions
        self._flaw = flaw
        self._answer = answer
        self._typed: list[str] = []
        self._ask()

    def compose(self) -> ComposeResult:
        """A question and an input."""
        with Vertical(id="secrets"):
            yield self._question
            yield self._field

    def on_mount(self) -> None:
        """Say how to go on; the first answers may be here by now."""
        box = self.query_one("#secrets")
        box.border_title = "not shown while you type"
        box.border_subtitle = "Enter goes on, Esc leaves it"

    def enter(self) -> None:
        """Go on with the next question, or be done."""
        self._typed.append(self._field.value)
        self._field.value = ""
        flaw = self._flaw(self._typed)
        if flaw is not None:
            is_repeated = not self._questions[len(self._typed) - 1].key
            del self._typed[-2 if is_repeated else -1 :]
            self._ask(flaw)
        elif len(self._typed) == len(self._questions):
            self._answer(self._typed)
            self._close()
        else:
            self._ask()

    def leave(self) -> None:
        """Say nothing."""
        self._answer(None)
        self._close()

    def _ask(self, flaw: str = "") -> None:
        question = f"{self._questions[len(self._typed)].text}:"
        self._question.update(f"{flaw}\n{question}" if flaw else question)
