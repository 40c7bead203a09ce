"""How connections begin: a handshake moves on as far as it can, and is told when it is done."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from securechat.chat.limits import TokenBucket
from securechat.link_events import Arrived
from securechat.net.address import show
from securechat.net.channel import Phase
from securechat.net.gate import Fact
from securechat.net.loop import LoopConfig
from securechat.net.ops import Adopt
from securechat.net.poller import READ, WRITE
from securechat.protocol.connection import State

from .desk import Contexts, Desk
from .parts import BEGIN, Parts, sock_of


@pytest.fixture
def context(contexts: Contexts) -> ssl.SSLContext:
    return contexts[0]


def config(context: ssl.SSLContext, **options: Any) -> LoopConfig:
    return LoopConfig(
        context=context,
        inbox=lambda _: None,
        inbox_full=lambda: False,
        ask_page=lambda _: None,
        new_bucket=options.pop("new_bucket", None),
        idle_timeout=90.0,
        **options,
    )


@pytest.mark.parametrize(
    ("error", "mask"), [(ssl.SSLWantReadError(), READ), (ssl.SSLWantWriteError(), WRITE)]
)
def test_it_waits_for_what_it_lacks(
    parts: Parts, context: ssl.SSLContext, error: Exception, mask: int
) -> None:
    handshakes = parts.handshakes(config(context))
    channel = parts.connect(State.GREETING, Phase.HANDSHAKE)
    handshakes.queue_up(channel)
    assert parts.waits_for(channel) == 0, "until its turn comes it is not asked again"
    sock_of(channel).shaking.append(error)
    handshakes.advance(handshakes.ready.popleft())
    assert (channel.phase, parts.waits_for(channel)) == (Phase.HANDSHAKE, mask)
    assert parts.take_told() == []


def test_when_it_is_done_the_hub_hears_who_is_there(parts: Parts, context: ssl.SSLContext) -> None:
    made: list[float] = []

    def new_bucket(now: float) -> TokenBucket:
        made.append(now)
        return TokenBucket(1.0, 5, now)

    handshakes = parts.handshakes(config(context, new_bucket=new_bucket))
    channel = parts.connect(State.GREETING, Phase.HANDSHAKE)
    parts.clock.now += 7
    handshakes.queue_up(channel)
    handshakes.advance(handshakes.ready.popleft())
    assert parts.take_told() == [Arrived("192.0.2.1:4101", False, None)]
    assert (channel.phase, channel.since) == (Phase.TALKING, BEGIN + 7)
    assert parts.waits_for(channel) == READ
    assert 9 < parts.due_in(channel) < 11, "hello has its own time"
    assert made == [BEGIN + 7]


def test_one_that_ended_while_it_waited_for_its_turn_is_passed_by(
    parts: Parts, context: ssl.SSLContext
) -> None:
    handshakes = parts.handshakes(config(context))
    channel = parts.connect(State.GREETING, Phase.HANDSHAKE)
    handshakes.queue_up(channel)
    parts.endings.close(channel)
    handshakes.advance(handshakes.ready.popleft())
    assert (channel.phase, parts.take_told()) == (Phase.DEAD, [])


def test_a_socket_that_is_gone_already_is_turned_away(
    parts: Parts, context: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    facts: list[tuple[int, Fact]] = []
    handshakes = parts.handshakes(
        config(context, report=lambda number, fact, _: facts.append((number, fact)))
    )
    near, far = socket.socketpair()
    near.close()
    far.close()
    assert handshakes.begin(Adopt(7, near, "192.0.2.1:4")) is None
    assert facts == [(7, Fact.ENDED)]
    assert "connection 7 from 192.0.2.1:4: " in caplog.text


# ------------------------------------------------------------------ with real sockets


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection, ours first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname(), timeout=10)
        near, _ = listener.accept()
    with near, far:
        yield near, far


@pytest.mark.parametrize("surplus", [False, True])
def test_the_hub_hears_whether_its_address_has_too_many(
    parts: Parts, contexts: Contexts, pair: tuple[socket.socket, socket.socket], surplus: bool
) -> None:
    server, client = contexts
    near, far = pair
    handshakes = parts.handshakes(config(server))
    channel = handshakes.begin(Adopt(7, near, "192.0.2.1:4", surplus))
    assert channel is not None
    parts.watch.set_interest(channel, READ)
    peer = client.wrap_socket(far, server_hostname="localhost", do_handshake_on_connect=False)
    thread = threading.Thread(target=peer.do_handshake, name="peer")
    thread.start()
    while channel.phase is Phase.HANDSHAKE:
        select.select([channel.sock], [], [], 10)
        handshakes.queue_up(channel)
        handshakes.advance(handshakes.ready.popleft())
    thread.join()
    [arrived] = parts.take_told()
    assert isinstance(arrived, Arrived)
    assert (arrived.surplus, arrived.name) == (surplus, None)
    handshakes.forget(channel)
    channel.close()
    peer.close()


def test_a_crowd_shares_what_its_address_may_say(
    parts: Parts, context: ssl.SSLContext, pair: tuple[socket.socket, socket.socket]
) -> None:
    handshakes = parts.handshakes(
        config(
            context,
            new_bucket=lambda now: TokenBucket(1.0, 5, now),
            new_shared_bucket=lambda now: TokenBucket(1.0, 3, now),
        )
    )
    channels = [
        handshakes.begin(Adopt(number, sock, "192.0.2.1:4", crowd=crowd))
        for number, (sock, crowd) in enumerate(zip(pair, ("a", "a"), strict=True), 1)
    ]
    first, second = (channel.bucket for channel in channels if channel is not None)
    assert first is not None
    assert second is not None
    first.charge(2)
    assert (first.available(BEGIN), second.available(BEGIN)) == (1, 1)
    for channel in channels:
        assert channel is not None
        channel.close()


def test_after_a_rush_of_handshakes_memory_is_given_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("securechat.net.heap.RUSH", 3)
    given: list[int] = []
    monkeypatch.setattr(desk.loop._rush, "_give_back", lambda: given.append(len(desk.peers)))
    for _ in range(2):
        desk.connect()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname(), timeout=10)
        near, address = listener.accept()
    desk.loop.post((Adopt(9, near, show(*address)),))
    desk.connect()
    assert given == [], "a handshake is under way"
    far.close()
    desk.connect()
    assert len(given) == 1, "one was given up, and then, before or behind another, none was left"
