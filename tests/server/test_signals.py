"""What a server process is told by signals: real ones, sent to ourselves."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from securechat.server import signals
from securechat.server.signals import Signals

HEEDED = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in HEEDED}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether there is one, now."""
    there = [True]
    monkeypatch.setattr(signals, "_has_terminal", lambda: there[0])
    return there


def heeding() -> Signals:
    heeding = Signals()
    heeding.heed_hangup()
    heeding.heed_end()
    return heeding


def test_nothing_happens(terminal: list[bool]) -> None:
    assert terminal
    told = heeding()
    assert told.wait(0.0)
    assert not told.take_reload()


@pytest.mark.parametrize("at_first", [True, False])
def test_a_hangup_is_a_reload_once(terminal: list[bool], at_first: bool) -> None:
    terminal[0] = at_first  # a daemon never had one
    told = heeding()
    os.kill(os.getpid(), signal.SIGHUP)
    assert told.wait(10.0)
    assert (told.take_reload(), told.take_reload()) == (True, False)


def test_a_hangup_of_our_terminal_is_the_end(terminal: list[bool]) -> None:
    told = heeding()
    terminal[0] = False
    assert told.wait(0.0)  # it may be another's to tell
    os.kill(os.getpid(), signal.SIGHUP)
    assert not told.wait(10.0)


def test_under_nohup_it_is_not(terminal: list[bool]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    told = heeding()
    terminal[0] = False
    os.kill(os.getpid(), signal.SIGHUP)
    assert told.wait(10.0)
    assert told.take_reload()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_stays_the_end(
    terminal: list[bool], number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert terminal
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    told = heeding()
    os.kill(os.getpid(), number)
    assert not told.wait(10.0)
    assert not told.wait(0.0)
    assert codes == []
    os.kill(os.getpid(), number)
    assert codes == [128 + number]


def test_other_threads_can_stop_it() -> None:
    told = Signals()
    told.stop()
    assert not told.wait(10.0)
