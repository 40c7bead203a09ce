"""From a name to a link: addresses that do not work are passed by, and nothing waits for ever."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from securechat.client.dial import Dial
from securechat.client.trust import SYSTEM, guard_of
from securechat.errors import CannotConnect


def dial(port: int, host: str = "127.0.0.1", now: float = 0.0) -> Dial:
    return Dial(guard_of(SYSTEM), host, port, timeout=10.0, now=now, wake=lambda: None)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def wait_for(one: Dial) -> None:
    poll = select.poll()
    poll.register(one, one.interest)
    assert poll.poll(5_000)


def test_each_step_has_its_own_time(listener: socket.socket) -> None:
    one = dial(listener.getsockname()[1])
    assert one.deadline == 10.0
    assert one.advance(9.0) is None
    while one.interest == select.POLLOUT:
        wait_for(one)
        assert one.advance(9.0) is None
    assert one.interest == select.POLLIN  # connected, and nobody shakes hands
    assert one.deadline == 19.0
    with pytest.raises(CannotConnect, match="no answer within 10 s"):
        one.advance(19.0)
    assert one.fileno() == -1


def test_a_connection_that_is_neither_made_nor_refused(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: errno.EINPROGRESS)
    one = dial(listener.getsockname()[1])
    assert one.advance(0.0) is None
    assert one.interest == select.POLLOUT
    with pytest.raises(CannotConnect, match="no answer within"):
        one.advance(10.0)


@pytest.mark.parametrize("code", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES])
def test_an_address_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: code)
    with pytest.raises(CannotConnect, match=r"unreachable|no route|denied"):
        dial(1).advance(0.0)


def test_a_machine_without_a_kind_of_address_uses_the_other(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.socket
    port = listener.getsockname()[1]

    def only_four(family: int, *keys: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *keys)

    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [
            (socket.AF_INET6, 0, 0, "", ("::1", port, 0, 0)),
            (socket.AF_INET, 0, 0, "", ("127.0.0.1", port)),
        ],
    )
    one = dial(port)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", only_four)
        assert one.advance(0.0) is None
    assert one.fileno() >= 0
    one.close()
    one.close()


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    with pytest.raises(CannotConnect, match="has no address"):
        dial(1).advance(0.0)
