"""Few heaps for all threads, and what a rush has left is given back, where the C library can."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from securechat.net import heap
from securechat.net.heap import find_give_back, share_heaps

_LIBC = ctypes.CDLL(None)
#: Four threads at once have something from the heap; says of how many heaps that is.
_COUNT_HEAPS = """
import ctypes, sys, threading
from securechat.net.heap import share_heaps
if sys.argv[1:]:
    share_heaps(int(sys.argv[1]))
libc, together = ctypes.CDLL(None), threading.Barrier(4)
def take():
    block = bytearray(50_000)
    together.wait()
    del block
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
"""


@pytest.mark.skipif(not hasattr(_LIBC, "malloc_info"), reason="heaps are counted by glibc")
def test_all_threads_take_from_as_many_heaps_as_they_are_told() -> None:
    def count(*most: str) -> int:
        command = (sys.executable, "-c", _COUNT_HEAPS, *most)
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return told.count("<heap ")

    assert (count("1"), count("2")) == (1, 2)
    assert count() > 2, "else this proves nothing"


def test_the_c_library_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Trim:
        argtypes: tuple[object, ...] = ()
        restype: object = None

        def __call__(self, pad: int) -> int:
            asked.append((pad, self.argtypes, self.restype))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=Trim()))
    find_give_back()()
    assert asked == [(0, (ctypes.c_size_t,), ctypes.c_int)]


def test_another_c_library_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    find_give_back()()
    share_heaps(1)


def test_memory_is_given_back_when_no_handshake_of_a_rush_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[str] = []
    monkeypatch.setattr(heap, "find_give_back", lambda: lambda: given.append("back"))
    rush = heap.Rush()
    for _ in range(heap.RUSH + 1):
        rush.begin()
    for _ in range(heap.RUSH):
        rush.end()
    assert given == [], "one is under way"
    rush.end()
    assert given == ["back"]
    rush.begin()
    rush.end()
    assert given == ["back"], "one is no rush"
