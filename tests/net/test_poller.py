"""Every poller tells the same of the same sockets, in the same numbers."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator

import pytest

from securechat.net.poller import READ, TROUBLE, WRITE, Poller, SelectorPoller, new_poller


@pytest.fixture(params=[SelectorPoller, new_poller], ids=["selectors", "best"])
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    make: Callable[[], Poller] = request.param
    poller = make()
    yield poller
    poller.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def test_what_is_waited_for_is_told_and_nothing_else(
    poller: Poller, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    fd = near.fileno()
    poller.register(fd, READ)
    assert poller.poll(0.0) == []
    far.send(b"x")
    assert poller.poll(1.0) == [(fd, READ)]
    poller.modify(fd, WRITE)
    assert poller.poll(1.0) == [(fd, WRITE)]
    poller.modify(fd, READ | WRITE)
    assert poller.poll(1.0) == [(fd, READ | WRITE)]
    poller.unregister(fd)
    assert poller.poll(0.0) == []


def test_a_peer_that_is_gone_can_be_read_from(
    poller: Poller, pair: tuple[socket.socket, socket.socket]
) -> None:
    near, far = pair
    poller.register(near.fileno(), READ)
    far.close()
    [(fd, mask)] = poller.poll(1.0)
    assert (fd, mask & READ) == (near.fileno(), READ)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="another system")
def test_the_numbers_are_epolls() -> None:
    assert (READ, WRITE, TROUBLE) == (
        select.EPOLLIN,
        select.EPOLLOUT,
        select.EPOLLERR | select.EPOLLHUP,
    )
