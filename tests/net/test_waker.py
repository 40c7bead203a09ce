"""A sleeper is woken once however often it is called, from any thread, and never after its end."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from securechat.net.waker import Waker


@pytest.fixture
def waker() -> Iterator[Waker]:
    waker = Waker()
    yield waker
    waker.close()


def woken(waker: Waker, timeout: float = 0.0) -> bool:
    return bool(select.select([waker], [], [], timeout)[0])


def test_it_sleeps_until_it_is_woken(waker: Waker) -> None:
    assert not woken(waker)
    waker.wake()
    assert woken(waker)
    assert woken(waker)  # until it has been drained
    waker.drain()
    assert not woken(waker)


def test_draining_what_is_empty_is_nothing(waker: Waker) -> None:
    waker.drain()
    assert not woken(waker)


@pytest.mark.parametrize("calls", [2, 1024, 1025, 3000])
def test_many_calls_are_drained_at_once(waker: Waker, calls: int) -> None:
    for _ in range(calls):
        waker.wake()
    waker.drain()
    assert not woken(waker)


def test_a_full_pipe_is_no_trouble(waker: Waker) -> None:
    for _ in range(100_000):  # a pipe holds 64 KiB
        waker.wake()
    waker.drain()
    assert not woken(waker)
    waker.wake()
    assert woken(waker)


def test_another_thread_wakes_a_selector(waker: Waker) -> None:
    ready = threading.Event()

    def wake() -> None:
        ready.wait(10)
        waker.wake()

    thread = threading.Thread(target=wake, name="wakes")
    thread.start()
    ready.set()
    assert woken(waker, timeout=10)
    thread.join()


def test_a_signal_handler_may_wake_while_its_thread_does(waker: Waker) -> None:
    def handle(_: int, __: FrameType | None) -> None:
        waker.wake()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with waker._lock:  # as if the signal came in the middle of `wake`
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert woken(waker)


def test_who_wakes_late_writes_into_no_other_file() -> None:
    waker = Waker()
    read = waker.fileno()
    waker.close()
    pipe = os.pipe()  # has the numbers of the old one now
    os.set_blocking(pipe[0], False)
    assert read in pipe
    waker.wake()
    with pytest.raises(BlockingIOError):
        os.read(pipe[0], 1)
    waker.close()  # and closes nobody else's
    for descriptor in pipe:
        os.close(descriptor)
