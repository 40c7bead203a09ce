"""The fault proxy: it strikes at the very byte, does what it was told to, and is harmless else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Final

import pytest

from securechat.torture.proxy import CALM, Action, Direction, Fault, FaultProxy, Line

WAIT: Final = 10.0
UP, DOWN = Direction.UP, Direction.DOWN


class World:
    """A proxy in front of a listener; both ends of each connection in the test's hands."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self._listener.settimeout(WAIT)
        self._proxy = FaultProxy("127.0.0.1", self._listener.getsockname()[1])
        self._faults: list[Fault] = []
        self.lines: list[Line] = []
        self.port = self._proxy.listen(self._choose)
        self._proxy.start()
        stack.callback(self.close)

    def _choose(self, line: Line) -> Fault:
        self.lines.append(line)
        return self._faults.pop(0)

    def connect(self, fault: Fault = CALM) -> tuple[socket.socket, socket.socket]:
        """The client's end and the server's end of a new connection that meets `fault`."""
        self._faults.append(fault)
        client = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        self._stack.enter_context(client)
        server, _ = self._listener.accept()
        self._stack.enter_context(server)
        server.settimeout(WAIT)
        return client, server

    def knock(self, fault: Fault = CALM) -> bytes:
        """What a connection gets that is reset, be it while it still comes about."""
        self._faults.append(fault)
        try:
            client = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        except ConnectionResetError:
            return b""
        with client:
            return receive_until_reset(client)

    def stop_listening(self) -> None:
        """Nobody is behind the proxy any more."""
        self._listener.close()

    def close(self) -> None:
        """End the proxy; what it counted stays as it is."""
        self._proxy.close()


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


def receive(sock: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes, or what came before the end."""
    data = b""
    while len(data) < count and (part := sock.recv(count - len(data))):
        data += part
    return data


def receive_until_reset(sock: socket.socket) -> bytes:
    """What came before the connection was reset."""
    data = b""
    try:
        while part := sock.recv(65_536):
            data += part
    except ConnectionResetError:
        return data
    return pytest.fail("it ended without a reset")


def pair(
    direction: Direction, ends: tuple[socket.socket, socket.socket]
) -> tuple[socket.socket, socket.socket]:
    """Who sends in that direction, and who receives."""
    client, server = ends
    return (client, server) if direction is UP else (server, client)


def test_calm_is_a_link_like_any_other(world: World) -> None:
    client, server = world.connect()
    client.sendall(b"up" * 50_000)
    client.shutdown(socket.SHUT_WR)
    assert receive(server, 200_000) == b"up" * 50_000
    server.sendall(b"down" * 50_000)
    server.close()
    assert receive(client, 300_000) == b"down" * 50_000
    world.close()
    [line] = world.lines
    assert line.passed == {UP: 100_000, DOWN: 200_000}
    assert not line.struck


def test_a_reader_that_does_not_read_stops_the_writer(world: World) -> None:
    client, server = world.connect()
    server.settimeout(0.2)
    sent = 0
    try:
        while sent < 1 << 30:
            sent += server.send(bytes(1 << 16))
    except TimeoutError:
        assert receive(client, sent) == bytes(sent)
    else:
        pytest.fail("it takes anything")


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("offset", [1, 99, 100, 99_999])
def test_a_reset_at_the_very_byte(world: World, direction: Direction, offset: int) -> None:
    sender, receiver = pair(direction, world.connect(Fault(direction, offset, Action.RST)))
    data = bytes(range(256)) * 400
    sending = threading.Thread(target=_send_in_vain, args=(sender, data))
    sending.start()
    try:
        received = receive_until_reset(receiver)
    finally:
        sending.join()
    assert received == data[: len(received)]
    [line] = world.lines
    assert line.struck
    assert line.passed[direction] == offset
    assert len(received) <= offset


def _send_in_vain(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(data)
    except OSError:
        pass  # as it should be: it was cut


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("offset", [1, 100, 20_000])
def test_a_fin_at_the_very_byte(world: World, direction: Direction, offset: int) -> None:
    sender, receiver = pair(direction, world.connect(Fault(direction, offset, Action.FIN)))
    data = bytes(range(256)) * 100
    sending = threading.Thread(target=_send_in_vain, args=(sender, data))
    sending.start()
    assert receive(receiver, len(data)) == data[:offset]
    sending.join()
    assert receive(sender, 1) == b""
    assert world.lines[0].struck


@pytest.mark.parametrize("direction", Direction)
def test_a_fin_before_the_first_byte(world: World, direction: Direction) -> None:
    client, _server = world.connect(Fault(direction, 0, Action.FIN))
    assert receive(client, 1) == b""


@pytest.mark.parametrize("direction", Direction)
def test_a_reset_before_the_first_byte(world: World, direction: Direction) -> None:
    assert world.knock(Fault(direction, 0, Action.RST)) == b""


def test_what_passed_the_other_way_stays_passed(world: World) -> None:
    client, server = world.connect(Fault(UP, 10, Action.FIN))
    server.sendall(b"hello")
    assert receive(client, 5) == b"hello"
    client.sendall(b"0123456789abc")
    assert receive(server, 100) == b"0123456789"
    assert world.lines[0].passed == {UP: 10, DOWN: 5}


def test_a_fault_of_the_other_direction_does_not_strike(world: World) -> None:
    client, server = world.connect(Fault(DOWN, 3, Action.RST))
    client.sendall(b"abcdef")
    assert receive(server, 6) == b"abcdef"
    assert not world.lines[0].struck


@pytest.mark.parametrize("direction", Direction)
def test_a_stall_holds_both_directions_and_ends(world: World, direction: Direction) -> None:
    ends = world.connect(Fault(direction, 3, Action.STALL, pause=0.3))
    sender, receiver = pair(direction, ends)
    sender.sendall(b"abcdef")
    assert receive(receiver, 3) == b"abc"
    began = time.monotonic()
    receiver.sendall(b"back")
    assert receive(receiver, 3) == b"def"
    assert receive(sender, 4) == b"back"
    assert time.monotonic() - began > 0.2
    assert world.lines[0].struck


def test_dribbling_brings_each_byte_alone_until_the_fault(world: World) -> None:
    client, server = world.connect(Fault(UP, 50, Action.STALL, pause=0.0, dribble=True))
    client.sendall(bytes(100) + b"end")
    server.sendall(b"answer")
    assert receive(server, 103) == bytes(100) + b"end"
    assert receive(client, 6) == b"answer"
    world.close()
    assert world.lines[0].passed == {UP: 103, DOWN: 6}


def test_nobody_behind_it_is_a_reset(world: World) -> None:
    world.stop_listening()
    assert world.knock() == b""


def test_a_reset_of_one_end_is_one_of_the_other(world: World) -> None:
    client, server = world.connect()
    client.sendall(b"x")
    assert receive(server, 1) == b"x"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    client.close()
    assert receive_until_reset(server) == b""


def test_closing_cuts_whatever_is_left() -> None:
    with ExitStack() as stack:
        world = World(stack)
        ends = [world.connect() for _ in range(5)]
        for client, server in ends:
            client.sendall(b"x")
            assert receive(server, 1) == b"x"
        world.close()
        for client, server in ends:
            assert receive_until_reset(client) == receive_until_reset(server) == b""


def test_each_listener_asks_its_own() -> None:
    asked: list[str] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        proxy = FaultProxy("127.0.0.1", listener.getsockname()[1])
        ports = [proxy.listen(_note(asked, name)) for name in ("first", "second")]
        with proxy:
            for port in reversed(ports):
                client = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
                server, _ = listener.accept()
                client.close()
                server.close()
    assert asked == ["second", "first"]


def _note(asked: list[str], name: str) -> Callable[[Line], Fault]:
    def choose(_line: Line) -> Fault:
        asked.append(name)
        return CALM

    return choose
