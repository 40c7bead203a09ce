"""What a terminal sends, handed to the app no faster than that can draw.

Textual's own input thread hands over all it reads at once; behind 600 pasted lines, each key a
message, nothing is drawn and no key obeyed until all are done. Here what is ahead waits as text,
and goes on in portions, each when the one before it is on the screen. Meanwhile all is read, so
that Ctrl-C is seen: as for a terminal's own INTR (termios(3), NOFLSH), what was typed ahead of it
and is not obeyed yet is forgotten.
"""

from __future__ import annotations

import os
import re
import selectors
import threading
import time
from codecs import getincrementaldecoder
from typing import Final

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from .pastes import END, Pastes

#: Messages in a portion; some 0.1 s of work, and more than anybody types in that time.
_PORTION: Final = 64
#: Characters that are parsed at a time.
_PIECE: Final = 64
_READ: Final = 65536
#: Characters that wait at most; beyond that, the terminal itself has to.
_MAX_AHEAD: Final = 1 << 22
#: Seconds between two looks for the end of a lone ESC, and for the screen while something waits.
_TICK: Final = 0.05
_SOON: Final = 0.005
#: Seconds after which one goes on even if nothing says that it was drawn.
_PATIENCE: Final = 1.0

#: Ctrl-C, as a byte and in the keyboard protocol of kitty.
_INTERRUPT: Final = re.compile("\x03|\x1b\\[99;5u")


class Ahead:
    """What was typed and is not obeyed yet: text in, and out in pieces."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0

    def __len__(self) -> int:
        return len(self._text) - self._at

    def put(self, text: str) -> None:
        """Put `text` behind; a Ctrl-C in it with more than a portion ahead forgets that.

        Pastes are kept: they are one deed, and the parser would wait for the end of one for ever.
        """
        self._text, self._at = self._text[self._at :] + text, 0
        interrupts = _INTERRUPT.finditer(self._text, max(0, len(self._text) - len(text) - 8))
        last = max((found.start() for found in interrupts), default=0)
        if last > _PORTION:
            pasted = self._text.rfind(END, 0, last)
            kept = "" if pasted < 0 else self._text[: pasted + len(END)]
            self._text = kept + self._text[last:]

    def take(self) -> str:
        """The next piece."""
        piece = self._text[self._at : self._at + _PIECE]
        self._at += len(piece)
        return piece


class Terminal(LinuxDriver):
    """Textual's driver with an input thread of our own (see above)."""

    def run_input_thread(self) -> None:
        """Read until the app ends, or the terminal does."""
        self._given = 0
        self._drawn = threading.Event()
        self._drawn.set()
        self._patient_until = 0.0
        ahead, pastes, parser = Ahead(), Pastes(), XTermParser()
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if len(ahead) > _MAX_AHEAD:
                    time.sleep(_SOON)
                elif selector.select(_SOON if ahead else _TICK):
                    read = os.read(self.fileno, _READ)
                    if not read:
                        return
                    ahead.put(pastes.take(decode(read)))
                if ahead:
                    self._hand_over(parser, ahead)
                else:
                    for message in parser.tick():
                        self.process_message(message)

    def _hand_over(self, parser: XTermParser, ahead: Ahead) -> None:
        """As much as may go now."""
        while ahead and (self._drawn.is_set() or time.monotonic() > self._patient_until):
            for message in parser.feed(ahead.take()):
                self.process_message(message)
                self._given += 1
            if self._given >= _PORTION:
                self._given = 0
                self._drawn.clear()
                self._patient_until = time.monotonic() + _PATIENCE
                self.send_message(events.Callback(self._await_drawing))

    def _await_drawing(self) -> None:
        """In the app, when it has passed on the portion: behind that, and then behind a drawing."""
        (self._app.focused or self._app.screen).call_after_refresh(self._drawn.set)
