"""Where one types: several lines, readline's keys, and pastes that land whole and are only text.

What is entered goes to `enter`, at once: a message would let the next letters in before it. It says
whether that was accepted, and what was not stays to be mended. The rest are messages to the screen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from ..client.complete import Completer
from ..client.harmless import harmless_text
from ..client.slash import has_secret
from ..client.typed import Typed
from .field import KeyOrPaste
from .keymap import Rows, obey

#: So many lines are sent only after a second word: a paste is seldom meant as it is.
MANY_LINES: Final = 10

#: Seconds in which a second Ctrl-C means it.
_TWICE: Final = 2.0

_WORD_BEHIND: Final = re.compile(r"\W*\w*")


class Composer(TextArea, inherit_bindings=False):
    """The editor at the bottom of the screen.

    `enter`: see above. `divert` gets each key and paste first, and says whether it was for what is
    over this one by now; then `before` gets each key, and `press` each that is none of `rows`,
    which are the composer's own; both say whether it was the screen's. `jump` is for Ctrl-K where
    there is nothing to cut.
    """

    class QuitWanted(Message):
        """Ctrl-D, or `interrupted` by Ctrl-C, with nothing typed."""

        def __init__(self, *, interrupted: bool) -> None:
            super().__init__()
            self.interrupted = interrupted

    class EndWanted(Message):
        """End where the cursor cannot go further."""

    class Hint(Message):
        """Something to tell whoever types; an empty text takes it back."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        completer: Completer,
        enter: Callable[[str], bool],
        divert: Callable[[KeyOrPaste], bool],
        before: Callable[[str], bool],
        press: Callable[[str], bool],
        jump: Callable[[], None],
        typed: Typed,
        rows: Rows,
        *,
        id: str,
    ) -> None:
        super().__init__(
            id=id, compact=True, highlight_cursor_line=False, soft_wrap=True, tab_behavior="focus"
        )
        self.cursor_blink = False
        self._completer = completer
        self._enter = enter
        self._divert = divert
        self._before = before
        self._press = press
        self._jump = jump
        self._typed = typed
        self._rows = rows
        self._cut = ""
        self._confirmed = ""
        self._interrupted_at = float("-inf")

    def on_mount(self) -> None:
        """Go on where the last run was left."""
        self._put(self._typed.draft)

    # ------------------------------------------------------------------ told by the screen

    def leave(self) -> None:
        """Keep what stands here with its conversation."""
        self._typed.draft = self.text

    def show(self, typed: Typed) -> None:
        """Type into another conversation; what is typed here waits."""
        self.leave()
        self._typed = typed
        self._put(typed.draft)

    def address(self, nick: str) -> None:
        """Begin what is typed with a nick, unless it does already."""
        if not self.text.startswith(f"{nick}: "):
            self._put(f"{nick}: {self.text}")

    async def take(self, typed: KeyOrPaste) -> None:
        """What came to another part of the screen, but is for here."""
        if isinstance(typed, events.Key):
            await self._on_key(typed)
        else:
            await self._on_paste(typed)

    def _put(self, text: str) -> None:
        self.load_text(text)
        self.move_cursor(self.document.end)

    # ------------------------------------------------------------------ keys

    async def _on_key(self, event: events.Key) -> None:
        """Obey the tables; all else is typed."""
        if self._divert(event) or self._obey(event.key):
            event.prevent_default()
            event.stop()
        else:
            await super()._on_key(event)

    def _obey(self, key: str) -> bool:
        if self._before(key):
            return True
        row = self._rows.get(key)
        if row is None:
            return self._press(key)
        obey(self, row)
        return True

    def action_enter(self) -> None:
        """Send; many lines at the second word only."""
        lines = self.text.count("\n") + 1
        if lines > MANY_LINES and self._confirmed != self.text:
            self._confirmed = self.text
            self.post_message(self.Hint(f"{lines} lines: Enter again sends them, Ctrl-C clears"))
            return
        self._confirmed = ""
        self.post_message(self.Hint(""))
        text = self.text
        if not text.strip():
            return
        self._put("")  # first, for it may be another conversation that is shown afterwards
        typed = self._typed
        if self._enter(text):
            typed.enter(text)
        elif not has_secret(text):
            self._put(text)

    def action_new_line(self) -> None:
        """Begin another line."""
        self.insert("\n")

    def action_clear(self) -> None:
        """Clear what is typed; the second time, quit."""
        before, self._interrupted_at = self._interrupted_at, time.monotonic()
        if not self.text and self._interrupted_at - before <= _TWICE:
            self.post_message(self.QuitWanted(interrupted=True))
            return
        if self.text:
            self._typed.enter(self.text)  # Up brings it back
            self._put("")
        self.post_message(self.Hint("Ctrl-C again quits"))

    def action_delete_or_quit(self) -> None:
        """Delete the letter at the cursor; quit if there is none at all."""
        if self.text:
            self.action_delete_right()
        else:
            self.post_message(self.QuitWanted(interrupted=False))

    async def _on_paste(self, event: events.Paste) -> None:
        """A paste is text, never keys: all of it lands here, and nothing in it does anything."""
        event.prevent_default()
        event.stop()
        if self._divert(event):
            return
        text = "\n".join(harmless_text(event.text.replace("\r\n", "\n").replace("\r", "\n")))
        self.replace(text, *self.selection, maintain_selection_offset=False)

    # ------------------------------------------------------------------ what was typed before

    def action_older(self) -> None:
        """Up: a row up, or the line entered before."""
        if not self.cursor_at_first_line:
            self.action_cursor_up()
            return
        older = self._typed.older(self.text)
        if older is not None:
            self._put(older)

    def action_newer(self) -> None:
        """Down: a row down, or the line entered behind."""
        if not self.cursor_at_last_line:
            self.action_cursor_down()
            return
        newer = self._typed.newer()
        if newer is not None:
            self._put(newer)

    def action_complete(self, step: int) -> None:
        """Tab: what is meant by what stands before the cursor; -1: what was offered before."""
        row, column = self.cursor_location
        found = self._completer.complete(self.document[row][:column], step)
        if len(found) > 1:
            self.post_message(self.Hint("  ".join(found)))
            common = _common_start(found)
            if len(common) <= column:
                return
            found = [common]
        elif found:
            self.post_message(self.Hint(""))
        for line in found:
            self.replace(line, (row, 0), (row, column), maintain_selection_offset=False)

    # ------------------------------------------------------------------ cutting

    def action_kill_word_left(self) -> None:
        """Cut back to a space."""
        self._kill(word_start, None)

    def action_kill_word_right(self) -> None:
        """Cut to the end of the word."""
        self._kill(None, word_end)

    def action_kill_line_left(self) -> None:
        """Cut all before the cursor."""
        self._kill(lambda _left, _right: 0, None)

    def action_kill_line_right(self) -> None:
        """Cut all behind the cursor; jump, if there is nothing."""
        row, column = self.cursor_location
        if column == len(self.document[row]):
            self._jump()
        else:
            self._kill(None, lambda left, right: len(left) + len(right))

    def _kill(
        self,
        start: Callable[[str, str], int] | None,
        end: Callable[[str, str], int] | None,
    ) -> None:
        """Cut from `start` to `end`, columns of the line; None: the cursor."""
        row, column = self.cursor_location
        line = self.document[row]
        left, right = line[:column], line[column:]
        first = column if start is None else start(left, right)
        last = column if end is None else end(left, right)
        if first < last:
            self._cut = line[first:last]
            self.delete((row, first), (row, last), maintain_selection_offset=False)
        elif start is not None and row:  # at the beginning of a line: join it to the one before
            self.action_delete_left()

    def action_yank(self) -> None:
        """Put back what was cut last."""
        self.insert(self._cut)

    def action_transpose(self) -> None:
        """Swap the letters around the cursor; at the end of a line the last two."""
        row, column = self.cursor_location
        line = self.document[row]
        at = min(column, len(line) - 1)
        if at >= 1:
            swapped = line[at] + line[at - 1]
            self.replace(swapped, (row, at - 1), (row, at + 1), maintain_selection_offset=False)

    def action_end(self) -> None:
        """To the end of the line; from there, to the newest message."""
        row, column = self.cursor_location
        if column == len(self.document[row]):
            self.post_message(self.EndWanted())
        else:
            self.action_cursor_line_end()


def word_start(left: str, _right: str) -> int:
    """Where the word before the cursor begins; words are parted by spaces, as for a shell."""
    word = left.rstrip().rpartition(" ")[2]
    return len(left.rstrip()) - len(word)


def word_end(left: str, right: str) -> int:
    """Where the word behind the cursor ends; words are letters and digits."""
    found = _WORD_BEHIND.match(right)
    return len(left) + (found.end() if found else 0)


def _common_start(words: list[str]) -> str:
    """What all begin with, if case is left out of account; as the first has it."""
    first = words[0]
    for length in range(len(first), 0, -1):
        if all(word[:length].casefold() == first[:length].casefold() for word in words):
            return first[:length]
    return ""
