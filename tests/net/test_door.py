"""Real sockets at the door: let in, kept waiting, or closed; and one log line for a flood."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from securechat.config import GateLimits
from securechat.net.door import Door
from securechat.net.gate import Fact, Gate
from securechat.net.ops import Adopt, Evict, Op

LIMITS = GateLimits(
    trust_loopback=False, handshakes=0.0, greeting=2, greeting_per_address=1, waiting=2
)


class Porch:
    """A door, the peers before it, and what it posted."""

    def __init__(self, limits: GateLimits) -> None:
        self.posted: list[tuple[int, Op]] = []
        self.door = Door(Gate(limits), self._post)
        self.peers: dict[int, socket.socket] = {}

    def _post(self, number: int, ops: Sequence[Op]) -> None:
        self.posted += [(number, op) for op in ops]

    def come(self, number: int, host: str) -> None:
        here, there = socket.socketpair()
        self.peers[number] = there
        self.door.adopt(Adopt(number, here, f"{host}:{number}"))

    def is_closed(self, number: int) -> bool:
        self.peers[number].setblocking(False)
        try:
            return self.peers[number].recv(1) == b""
        except BlockingIOError:
            return False

    def close(self) -> None:
        self.door.close()
        for peer in self.peers.values():
            peer.close()
        for _, op in self.posted:
            if isinstance(op, Adopt):
                op.sock.close()


@pytest.fixture
def new_porch() -> Iterator[Callable[[GateLimits], Porch]]:
    made: list[Porch] = []

    def make(limits: GateLimits) -> Porch:
        made.append(Porch(limits))
        return made[-1]

    yield make
    for porch in made:
        porch.close()


@pytest.fixture
def porch(new_porch: Callable[[GateLimits], Porch]) -> Porch:
    return new_porch(LIMITS)


def test_who_waits_comes_in_when_a_place_is_free(porch: Porch) -> None:
    porch.come(1, "192.0.2.1")
    porch.come(2, "192.0.2.1")
    assert [number for number, _ in porch.posted] == [1]
    assert porch.door.tend() is not None, "it wants to be asked again"
    porch.door.tell(1, Fact.GREETED, 0.0)
    assert porch.door.tend() is None
    assert [number for number, _ in porch.posted] == [1, 2]
    assert not porch.is_closed(2)


def test_too_many_are_closed_and_told_of_once(
    porch: Porch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for number in range(1, 6):
        porch.come(number, "192.0.2.1")
    assert [porch.is_closed(number) for number in range(1, 6)] == [False] * 3 + [True] * 2
    porch.door.tend()
    porch.come(6, "192.0.2.1")
    porch.door.tend()
    [line] = caplog.messages
    assert line == (
        "connections cut before TLS: 2 because too many wait; the last from 192.0.2.1:5"
    )


def test_a_newcomer_takes_a_place(new_porch: Callable[[GateLimits], Porch]) -> None:
    porch = new_porch(replace(LIMITS, greeting_per_address=2))
    porch.come(1, "192.0.2.1")
    porch.come(2, "192.0.2.1")
    porch.come(3, "192.0.2.2")
    assert [type(op) for _, op in porch.posted] == [Adopt, Adopt, Evict, Adopt]
    assert porch.posted[2] == (1, Evict(1))


def test_who_waits_longest_in_a_full_room_is_not_who_is_cut(porch: Porch) -> None:
    for number, host in enumerate(["192.0.2.1"] * 3 + ["192.0.2.2"] * 2, 1):
        porch.come(number, host)
    assert porch.is_closed(3)
    assert not porch.is_closed(2)
    assert not porch.is_closed(5)


def test_who_still_waits_at_the_end_is_closed(porch: Porch) -> None:
    porch.come(1, "192.0.2.1")
    porch.come(2, "192.0.2.1")
    porch.door.close()
    assert porch.is_closed(2)
    assert not porch.is_closed(1)


def test_a_wait_that_has_become_too_long_ends(
    porch: Porch, monkeypatch: pytest.MonkeyPatch
) -> None:
    porch.come(1, "192.0.2.1")
    porch.come(2, "192.0.2.1")
    later = time.monotonic() + 60.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    porch.door.tend()
    assert porch.is_closed(2)
