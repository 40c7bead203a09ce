"""Memory that a rush of handshakes has left is given back, where the C library can."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from securechat.net import heap
from securechat.net.heap import find_give_back


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
