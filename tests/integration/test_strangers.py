"""The limits on strangers, met by real connections from addresses of this machine."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from securechat.config import GateLimits
from securechat.server.app import Server, ServerConfig

from .conftest import Wire

LIMITS = GateLimits(trust_loopback=False)


@pytest.fixture
def serve(certificates: Any) -> Iterator[Callable[..., Server]]:
    """`serve(greeting=3)`: a server with these limits."""
    with ExitStack() as stack:

        def make(**limits: float) -> Server:
            gate = replace(LIMITS, **limits)  # type: ignore[arg-type]
            server = Server(
                ServerConfig(port=0, certs=certificates.directory, data=":memory:", gate=gate)
            )
            server.start()
            stack.callback(server.stop)
            return server

        yield make


@pytest.fixture
def come(certificates: Any) -> Iterator[Callable[..., Wire]]:
    """`come(server, "127.0.0.2")`: a connection from that address, with TLS."""
    made: list[Wire] = []

    def make(server: Server, host: str = "127.0.0.2") -> Wire:
        port = server.addresses[0][1]
        made.append(Wire(port, str(certificates.ca), source=host))
        return made[-1]

    yield make
    for wire in made:
        wire.close()


def knock(server: Server, host: str) -> socket.socket:
    """A connection that says nothing."""
    where = ("127.0.0.1", server.addresses[0][1])
    return socket.create_connection(where, timeout=10, source_address=(host, 0))


def test_too_many_of_an_address_are_told_so_at_hello(
    serve: Callable[..., Server], come: Callable[..., Wire]
) -> None:
    server = serve(per_address=2)
    first, second = come(server), come(server)
    assert first.hello("ann")["event"] == "welcome"
    assert second.hello("bob")["event"] == "welcome"
    third = come(server)
    answer = third.hello("cat")
    assert (answer["code"], answer["fatal"]) == ("too_many_connections", True)
    assert answer["retry_after"] > 0
    assert third.at_end()
    assert come(server, "127.0.0.3").hello("dan")["event"] == "welcome"
    third.close()
    second.close()
    deadline = time.monotonic() + 10
    while (fourth := come(server)).hello("eve")["event"] != "welcome":
        fourth.close()
        time.sleep(0.1)  # it must not knock so often that it is shut out
        assert time.monotonic() < deadline


def test_a_silent_address_waits_and_a_newcomer_does_not(
    serve: Callable[..., Server], come: Callable[..., Wire]
) -> None:
    server = serve(greeting=4, greeting_per_address=4)
    with ExitStack() as stack:
        silent = [stack.enter_context(knock(server, "127.0.0.9")) for _ in range(6)]
        began = time.monotonic()
        newcomer = come(server, "127.0.0.3")
        assert newcomer.hello("ann")["event"] == "welcome"
        assert time.monotonic() - began < 2.0
        silent[0].settimeout(5.0)
        assert silent[0].recv(1) == b"", "the oldest of those who say nothing gave its place"


def test_who_breaks_the_protocol_is_shut_out_for_a_while(
    serve: Callable[..., Server], come: Callable[..., Wire]
) -> None:
    server = serve(offence=100.0, longest_wait=0.5)
    rude = come(server)
    rude.hello("ann")
    rude.send_bytes(b"GET / HTTP/1.1\r\n\r\n")
    assert rude.receive_until(lambda it: it["event"] == "error")[-1]["code"] == "frame_too_large"
    deadline = time.monotonic() + 10
    while True:
        try:
            again = come(server)
        except (OSError, ssl.SSLError):
            break
        again.close()
        assert time.monotonic() < deadline
    assert come(server, "127.0.0.3").hello("bob")["event"] == "welcome"


def test_this_machine_is_free_of_limits_by_default(
    serve: Callable[..., Server], come: Callable[..., Wire]
) -> None:
    server = serve(trust_loopback=True, per_address=1, greeting=1)
    wires = [come(server) for _ in range(5)]
    answers = [wire.hello(f"ann{index}")["event"] for index, wire in enumerate(wires)]
    assert answers == ["welcome"] * 5


def test_a_crowd_shares_its_rate_and_loses_nothing(
    serve: Callable[..., Server], come: Callable[..., Wire]
) -> None:
    """Two connections have 20 a second each; the third shares 40 with no others: it is paced."""
    server = serve(messages=40.0)
    wires = [come(server) for _ in range(3)]
    for index, wire in enumerate(wires):
        wire.hello(f"ann{index}")
    crowded = wires[2]
    began = time.monotonic()
    for _ in range(60):
        crowded.command("ping")
    last = crowded.command("time")
    crowded.receive_until(lambda it: it.get("re") == last)
    assert time.monotonic() - began > 0.3, "40 at once, then 40 a second"
