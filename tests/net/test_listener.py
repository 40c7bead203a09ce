"""Accepting goes on whatever peers do, and pauses when descriptors are used up."""

from __future__ import annotations

import errno
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from securechat.errors import ServerStartError
from securechat.net import listener as listener_module
from securechat.net.listener import Listener
from securechat.net.ops import Adopt

Adopted = queue.SimpleQueue[Adopt]


@pytest.fixture
def adopted() -> Iterator[Adopted]:
    """Where connections go; what nobody took is closed."""
    taken: Adopted = queue.SimpleQueue()
    yield taken
    while not taken.empty():
        taken.get().sock.close()


@pytest.fixture
def listen(adopted: Adopted) -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def make(host: str = "127.0.0.1", port: int = 0) -> Listener:
        made.append(Listener(host, port, adopted.put))
        return made[-1]

    yield make
    for listener in made:
        listener.close()


def refusal(listener: Listener) -> str:
    with pytest.raises(ServerStartError) as caught:
        listener.open()
    line = str(caught.value)
    assert "\n" not in line
    assert listener.addresses == []
    return line


def resolve_to(monkeypatch: pytest.MonkeyPatch, *found: tuple[int, tuple[Any, ...]]) -> None:
    answers = [(family, socket.SOCK_STREAM, 6, "", address) for family, address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)


V4, V6 = socket.AF_INET, socket.AF_INET6


def has_ipv6() -> bool:
    try:
        with socket.socket(V6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


# Listening...


def test_port_0_takes_a_free_one(listen: Callable[..., Listener]) -> None:
    listener = listen()
    listener.open()
    ((host, port),) = listener.addresses
    assert host == "127.0.0.1"
    assert port > 0


@needs_ipv6
def test_ipv6_is_listened_on(listen: Callable[..., Listener], adopted: Adopted) -> None:
    listener = listen("::1")
    listener.open()
    listener.start()
    ((host, port),) = listener.addresses
    assert host == "::1"
    with socket.create_connection(("::1", port)) as peer:
        adopt = adopted.get(timeout=10)
        assert adopt.peer == f"[::1]:{peer.getsockname()[1]}"
        adopt.sock.close()


@needs_ipv6
def test_a_name_with_two_addresses_gets_one_port(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = ((V6, ("::1", 0, 0, 0)), (V4, ("127.0.0.1", 0)))
    resolve_to(monkeypatch, *both, both[0])  # resolvers repeat themselves
    listener = listen("localhost")
    listener.open()
    (first, port), (second, same) = listener.addresses
    assert (first, second) == ("::1", "127.0.0.1")
    assert port == same


@needs_ipv6
def test_all_addresses_of_both_kinds_share_a_port(listen: Callable[..., Listener]) -> None:
    """`::` would take IPv4 too, and be in its way, if it were let."""
    listener = listen("")
    listener.open()
    assert {host for host, _ in listener.addresses} == {"0.0.0.0", "::"}
    assert len({port for _, port in listener.addresses}) == 1


def test_an_address_of_a_name_that_is_not_here_is_passed_over(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, (V4, ("192.0.2.1", 0)), (V4, ("127.0.0.1", 0)))
    listener = listen("chat.example")
    listener.open()
    assert [host for host, _ in listener.addresses] == ["127.0.0.1"]


# Refused...


def test_a_port_that_is_taken_is_named_with_the_cure(listen: Callable[..., Listener]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert refusal(listen(port=port)) == (
            f"cannot listen on 127.0.0.1 port {port} (Address already in use): "
            "another program listens there; stop it or choose another --port"
        )


def test_who_is_bound_is_reached_by_nobody_and_has_the_port(
    listen: Callable[..., Listener],
) -> None:
    first = listen()
    first.bind()
    [(host, port)] = first.addresses
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), 5)
    first.open()
    socket.create_connection((host, port), 5).close()
    with pytest.raises(ServerStartError, match="another program listens there"):
        listen(port=port).bind()


def test_of_two_that_bound_a_port_at_once_one_listens(listen: Callable[..., Listener]) -> None:
    first = listen()
    first.bind()
    port = first.addresses[0][1]
    second = listen(port=port)
    second.bind()  # Linux allows that to SO_REUSEADDR as long as nobody listens
    first.open()
    assert "another program listens there" in refusal(second)


def test_when_one_address_is_taken_none_is_kept(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.2", 0)) as other:
        port = other.getsockname()[1]
        resolve_to(monkeypatch, (V4, ("127.0.0.1", port)), (V4, ("127.0.0.2", port)))
        assert "127.0.0.2" in refusal(listen("both", port))
        with socket.create_server(("127.0.0.1", port)):
            pass  # it is free again


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (OSError(errno.EACCES, "Permission denied"), "ports below 1024"),
        (OSError(errno.ENOBUFS, "No buffer space"), "choose another --host or --port"),
    ],
)
def test_what_the_kernel_refuses_is_named_with_the_cure(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch, error: OSError, cure: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Listener, "_bind", refuse)
    line = refusal(listen(port=80))
    assert "127.0.0.1 port 80" in line
    assert cure in line


def test_an_address_of_another_machine_is_refused(listen: Callable[..., Listener]) -> None:
    line = refusal(listen("192.0.2.1"))
    assert "cannot listen on 192.0.2.1" in line
    assert "this machine does not have that address; choose another --host" in line


@pytest.mark.parametrize("host", ["256.1.1.1.", "a" * 64 + ".example", "\ud800", "..", "a\0b"])
def test_what_is_no_host_is_refused(listen: Callable[..., Listener], host: str) -> None:
    line = refusal(listen(host))
    assert "is no address of this machine" in line
    assert line.isprintable()
    assert "--host 127.0.0.1" in line


def test_a_name_that_cannot_be_looked_up_is_refused_with_the_reason(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert "(Temporary failure in name resolution)" in refusal(listen("chat.example"))


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_a_port_that_there_is_not_is_refused(listen: Callable[..., Listener], port: int) -> None:
    assert refusal(listen(port=port)).startswith(f"there is no port {port}: ")


def test_a_listener_that_could_not_open_keeps_no_descriptor(
    listen: Callable[..., Listener],
) -> None:
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names, not paths
    refusal(listen("192.0.2.1"))
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


# Accepting...


def test_connections_are_numbered_and_handed_on(
    listen: Callable[..., Listener], adopted: Adopted
) -> None:
    listener = listen()
    listener.open()
    address = listener.addresses[0]
    with socket.create_connection(address) as early:  # waits in the kernel until `start`
        listener.start()
        with socket.create_connection(address) as late:
            for number, peer in enumerate((early, late), 1):
                adopt = adopted.get(timeout=10)
                assert adopt.number == number
                assert adopt.peer == f"127.0.0.1:{peer.getsockname()[1]}"
                adopt.sock.close()


def test_a_peer_that_says_nothing_keeps_nobody_waiting(
    listen: Callable[..., Listener], adopted: Adopted
) -> None:
    listener = listen()
    listener.open()
    listener.start()
    silent = [socket.create_connection(listener.addresses[0]) for _ in range(5)]
    for _ in silent:
        adopted.get(timeout=10).sock.close()
    for sock in silent:
        sock.close()


def test_after_closing_nobody_is_let_in(listen: Callable[..., Listener]) -> None:
    listener = listen()
    listener.open()
    address = listener.addresses[0]
    listener.start()
    listener.close()
    assert listener.addresses == []
    assert all(thread.name != "accept" for thread in threading.enumerate())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    listener.close()


class Kernel:
    """Answers accept() by a script; when it is used up, nobody waits any more."""

    def __init__(self, *script: int) -> None:
        self.script = list(script)

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        code = self.script.pop(0) if self.script else errno.EAGAIN
        if code:
            raise OSError(code, os.strerror(code))
        return socket.socket(), ("192.0.2.1", 5)


OK = 0


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    waited: list[float] = []

    def wait(_: threading.Event, timeout: float) -> bool:
        waited.append(timeout)
        return False

    monkeypatch.setattr(threading.Event, "wait", wait)
    return waited


def accept(listener: Listener, kernel: Kernel) -> None:
    listener._accept(cast("socket.socket", kernel))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EMFILE, "Too many open files; raise the limit (ulimit -n)"),
        (errno.ENFILE, "Too many open files in system; raise the limit (ulimit -n)"),
        (errno.ENOBUFS, "No buffer space available"),
        (errno.ENOMEM, "Cannot allocate memory"),
        (errno.EBADF, "Bad file descriptor"),
    ],
)
def test_a_shortage_pauses_and_those_who_wait_stay(
    listen: Callable[..., Listener],
    adopted: Adopted,
    pauses: list[float],
    caplog: pytest.LogCaptureFixture,
    code: int,
    said: str,
) -> None:
    kernel, listener = Kernel(OK, code, OK), listen()
    accept(listener, kernel)
    assert adopted.qsize() == 1
    assert pauses == [0.1]
    assert kernel.script == [OK]  # not tried again before it has paused
    accept(listener, kernel)
    assert adopted.qsize() == 2
    assert caplog.messages == [f"accepting pauses: {said}"]


def test_a_lasting_shortage_is_complained_of_seldom(
    listen: Callable[..., Listener],
    pauses: list[float],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter((50.0, 50.1, 59.9, 60.0, 60.1, 70.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    listener = listen()
    for _ in range(6):
        accept(listener, Kernel(errno.EMFILE))
    assert len(pauses) == 6
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3


@pytest.mark.parametrize(
    "code", [errno.ECONNABORTED, errno.EPROTO, errno.EHOSTUNREACH, errno.EPERM]
)
def test_a_peer_that_is_gone_again_is_passed_over(
    listen: Callable[..., Listener], adopted: Adopted, pauses: list[float], code: int
) -> None:
    accept(listen(), Kernel(code, OK, code, OK))
    assert adopted.qsize() == 2
    assert pauses == []


def test_who_closes_does_not_wait_for_a_pause(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "_PAUSE", 1e6)
    paused, listener = threading.Event(), listen()

    def run() -> None:
        paused.set()
        accept(listener, Kernel(errno.EMFILE))

    thread = threading.Thread(target=run, name="accepts")
    thread.start()
    paused.wait(10)
    listener.close()
    thread.join(10)
    assert not thread.is_alive()
