"""Much at once: order is kept, the same bytes are written again, who falls behind is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from securechat.client import mailbox as mailbox_module
from securechat.client.events import (
    Ended,
    Heard,
    Message,
    Offline,
    Online,
)
from securechat.protocol import envelopes as wire

from .playing import DEADLINE, FakeServer, Front, Peer


@contextmanager
def echoing(peer: Peer, delay_first: threading.Event | None = None) -> Iterator[list[str]]:
    """A server that posts whatever it gets, until the client goes."""
    texts: list[str] = []

    def echo() -> None:
        if delay_first is not None:
            delay_first.wait(DEADLINE)
        seq = 0
        with suppress(EOFError, OSError):
            while True:
                said = peer.next()
                if isinstance(said, wire.Quit):
                    peer.send(wire.Bye(reason="quit"))
                    return
                if isinstance(said, wire.Draft):
                    seq += 1
                    texts.append(said.text)
                    peer.post(seq, "bob", id=said.id, text=said.text)

    thread = threading.Thread(target=echo)
    thread.start()
    try:
        yield texts
    finally:
        thread.join(DEADLINE)


def test_many_messages_keep_their_order(server: FakeServer, make: Callable[..., Front]) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    expected = [f"{n} " + "x" * (n % 700) for n in range(2_000)]
    with echoing(peer) as texts:
        for text in expected:
            front.client.say("#lobby", text)
            front.client.settle(DEADLINE, left=500)
        assert front.client.settle(DEADLINE)
        front.client.close()
    assert texts == expected
    front.wait(Ended)
    assert [one.posted.text for one in front.seen if isinstance(one, Message)] == expected


def test_a_server_that_does_not_read_gets_the_same_bytes_in_the_end(
    server: FakeServer, make: Callable[..., Front]
) -> None:
    front = make()
    peer = server.accept().let_in()
    front.wait(Online)
    go = threading.Event()
    expected = [f"{n} " + "ä" * 3_900 for n in range(2_000)]  # far more than all buffers hold
    for text in expected:
        front.client.say("#lobby", text)
    assert not front.client.settle(0.2)
    with echoing(peer, go) as texts:
        go.set()
        assert front.client.settle(30)
        front.client.close()
    assert texts == expected


def test_a_front_end_that_falls_behind_is_waited_for(
    server: FakeServer, make: Callable[..., Front], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox_module, "MOST_EVENTS", 100)
    front = make()
    peer = server.accept().let_in()
    front.wait(Heard)
    sent = 0
    peer.sock.settimeout(0.3)
    with suppress(TimeoutError):
        while sent < 20_000:
            peer.post(sent + 1, text="y" * 2_000)
            sent += 1
    assert sent < 20_000, "everything was read although nobody took it"
    assert front.client.events.qsize() < 5_000
    # A frame was cut in half when the server gave up writing: the link is lost, and won back.
    peer.cut()
    front.wait(Offline)
    seqs = [one.posted.seq for one in front.seen if isinstance(one, Message)]
    assert seqs == list(range(1, len(seqs) + 1))
