"""A line that is typed and not shown, on a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from securechat.cli import secret
from securechat.cli.report import Terminated


class Terminal:
    """Both ends of one."""

    def __init__(self) -> None:
        self.near, self.far = pty.openpty()
        self.written: list[str] = []

    def read(self, typed: bytes, then: Callable[[], None] = lambda: None) -> str:
        """What is read while somebody types."""
        # The terminal is flushed first: type when the question stands there.
        asked = threading.Event()

        def write(text: str) -> None:
            self.written.append(text)
            asked.set()

        def type_() -> None:
            asked.wait(10.0)
            os.write(self.near, typed)
            then()

        typist = threading.Thread(target=type_)
        typist.start()
        try:
            return secret.read(self.far, "Password: ", write)
        finally:
            typist.join()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    os.close(terminal.near)
    os.close(terminal.far)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (b"tulips\r", "tulips"),
        (b"tulips\n", "tulips"),
        (b"tulipx\x7fs\r", "tulips"),
        ("tulpé\x08\x08ips\r".encode(), "tulips"),
        (b"roses\x15tulips\r", "tulips"),
        (b"\x1b[Atulips\x1bOD\r", "tulips"),
        (b"tul\x01ips\r", "tulips"),
        ("Пароль 🌷\r".encode(), "Пароль 🌷"),
        (b"tul\xffips\r", "tulips"),
        (b"\r", ""),
    ],
)
def test_what_is_typed_is_read_and_not_shown(terminal: Terminal, typed: bytes, line: str) -> None:
    assert terminal.read(typed) == line
    assert terminal.written == ["Password: ", "\r\n"]
    os.set_blocking(terminal.near, False)
    with pytest.raises(BlockingIOError):
        os.read(terminal.near, 1)  # what an echo would be


@pytest.mark.parametrize("typed", [b"tul\x03", b"\x04", b"x" * 5_000])
def test_who_would_rather_not_say_breaks_off(terminal: Terminal, typed: bytes) -> None:
    with pytest.raises(secret.BrokenOff):
        terminal.read(typed)


def test_a_signal_ends_it_and_the_terminal_is_as_it_was(terminal: Terminal) -> None:
    def leave(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = termios.tcgetattr(terminal.far)
    handler = signal.signal(signal.SIGTERM, leave)
    try:
        with pytest.raises(Terminated):
            terminal.read(b"tul", lambda: os.kill(os.getpid(), signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert termios.tcgetattr(terminal.far) == before


def test_the_terminal_is_as_it_was(terminal: Terminal) -> None:
    before = termios.tcgetattr(terminal.far)
    terminal.read(b"tulips\r")
    assert termios.tcgetattr(terminal.far) == before


def test_a_character_may_come_in_parts() -> None:
    assert secret._decode("é".encode()[:1]) == ("", b"\xc3")
    assert secret._decode(b"a\xf0\x9f\x8c") == ("a", b"\xf0\x9f\x8c")
    assert secret._decode(b"") == ("", b"")
