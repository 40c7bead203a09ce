"""An io thread between a real TLS link and a hub that this test plays: turns, and what is told."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import pytest

from securechat.link_events import Arrived, Lost
from securechat.net.address import show
from securechat.net.channel import READ_SIZE
from securechat.net.loop import Loop, LoopConfig, Told
from securechat.net.ops import Adopt, Answered, Deliver, Stop
from securechat.net.tls import server_context
from securechat.protocol.connection import Signal
from securechat.protocol.envelopes import Draft, Hello, Time
from securechat.protocol.framing import DEFAULT_MAX_FRAME, GREETING_MAX_FRAME, encode_frame

if TYPE_CHECKING:
    from tests.conftest import Certificates

#: Of a server and of a client.
Contexts: TypeAlias = tuple[ssl.SSLContext, ssl.SSLContext]
#: Longer than any test takes: who awaits an answer awaits it.
LONG = 30.0
HELLO = b'{"type":"command","id":"h","name":"hello","protocol":1,"nick":"bob"}'


def frame_of(number: int, *, text: str = "hi") -> bytes:
    return encode_frame(f'{{"type":"chat","id":"{number}","to":"#a","text":"{text}"}}'.encode())


class Desk:
    """The hub's side of one io thread; it answers when a test says so."""

    def __init__(self, contexts: Contexts, *, patience: float) -> None:
        server, client = contexts
        self.told: queue.SimpleQueue[list[Told]] = queue.SimpleQueue()
        self._client = client
        self.loop = Loop(
            0,
            LoopConfig(
                context=server,
                inbox=self.told.put,
                inbox_full=lambda: False,
                ask_page=lambda _: pytest.fail("nobody is behind"),
                new_bucket=None,
                idle_timeout=90.0,
                patience=patience,
            ),
        )
        self.peers: list[ssl.SSLSocket] = []
        self.loop.start()

    def connect(self) -> ssl.SSLSocket:
        """A client that has been welcomed."""
        number = len(self.peers) + 1
        with socket.create_server(("127.0.0.1", 0)) as listener:
            far = socket.create_connection(listener.getsockname(), timeout=10)
            near, address = listener.accept()
        shown = show(*address)
        self.loop.post((Adopt(number, near, shown),))
        peer = self._client.wrap_socket(far, server_hostname="localhost")
        self.peers.append(peer)
        assert self.hear() == [(number, Arrived(shown))]
        self.loop.post(())
        peer.sendall(encode_frame(HELLO))
        [(_, hello)] = self.hear()
        assert isinstance(hello, Hello)
        self.loop.post((Deliver(number, encode_frame(b"{}"), Signal.WELCOME),))
        assert peer.recv(6) == encode_frame(b"{}")
        return peer

    def hear(self) -> list[Told]:
        """The next batch that the loop tells."""
        return self.told.get(timeout=10)

    def ids(self) -> list[str]:
        """The ids of what the next batch says."""
        return [event.id for _, event in self.hear() if isinstance(event, Draft)]

    def close(self) -> None:
        self.loop.post((Stop(time.monotonic()),))
        assert self.loop.join(10)
        for peer in self.peers:
            peer.close()


@pytest.fixture
def contexts(certificates: Certificates) -> Contexts:
    client = ssl.create_default_context(cafile=str(certificates.ca))
    folder = certificates.directory
    return server_context(folder / "cert.pem", folder / "key.pem"), client


@pytest.fixture
def desk(contexts: Contexts) -> Iterator[Desk]:
    desk = Desk(contexts, patience=LONG)
    yield desk
    desk.close()


def test_while_the_hub_decides_nothing_is_read_and_then_all_of_it_at_once(desk: Desk) -> None:
    ann, bob = desk.connect(), desk.connect()
    ann.sendall(frame_of(1))
    assert desk.ids() == ["1"]
    ann.sendall(frame_of(2))
    bob.sendall(frame_of(3))
    with pytest.raises(queue.Empty):
        desk.told.get(timeout=0.1)
    desk.loop.post(())
    assert sorted(desk.ids()) == ["2", "3"]
    desk.loop.post(())


def test_what_the_hub_answers_goes_out_before_more_is_read(desk: Desk) -> None:
    peer = desk.connect()
    peer.sendall(frame_of(1))
    assert desk.ids() == ["1"]
    desk.loop.post((Deliver(1, encode_frame(b"answer")),))
    assert peer.recv(100) == encode_frame(b"answer")


def test_a_hub_that_takes_its_time_keeps_nobody_from_reading_on(contexts: Contexts) -> None:
    desk = Desk(contexts, patience=0.01)
    try:
        peer = desk.connect()
        for number in range(1, 4):
            peer.sendall(frame_of(number))
            assert desk.ids() == [str(number)]
    finally:
        desk.close()


@pytest.mark.parametrize("size", [1, 3, 50, 20_000])
def test_frames_are_told_in_order_however_they_come(contexts: Contexts, size: int) -> None:
    desk = Desk(contexts, patience=0.0)
    try:
        peer = desk.connect()
        stream = b"".join(frame_of(n, text="x" * (n * 97 % (size * 200))) for n in range(100))
        for at in range(0, len(stream), size):
            peer.send(stream[at : at + size])
        got: list[str] = []
        while len(got) < 100:
            got += desk.ids()
        assert got == [str(n) for n in range(100)]
    finally:
        desk.close()


def test_of_many_records_so_many_are_read_that_others_have_their_turn(desk: Desk) -> None:
    ann, bob = desk.connect(), desk.connect()
    ann.sendall(frame_of(0))
    assert desk.ids() == ["0"]
    stream = b"".join(frame_of(n, text="x" * 4_000) for n in range(1, 101))
    writer = threading.Thread(target=ann.sendall, args=(stream,), name="ann")
    writer.start()  # 25 records, of which what the kernel takes waits while the hub decides
    bob.sendall(frame_of(999))
    time.sleep(0.1)
    desk.loop.post(())
    first = [(number, event.id) for number, event in desk.hear() if isinstance(event, Draft)]
    assert (2, "999") in first
    got = [id for number, id in first if number == 1]
    assert 0 < len(got) <= 8 * READ_SIZE // 4_000 + 1
    while len(got) < 100:
        desk.loop.post(())
        got += desk.ids()
    desk.loop.post(())
    assert got == [str(n) for n in range(1, 101)]
    writer.join()


def test_a_frame_is_as_long_as_the_state_allows(desk: Desk) -> None:
    peer = desk.connect()
    long = b'{"type":"command","id":"1","name":"time"}'.ljust(GREETING_MAX_FRAME + 1)
    peer.sendall(encode_frame(long))
    [(_, event)] = desk.hear()
    assert isinstance(event, Time)
    desk.loop.post(())
    peer.sendall((DEFAULT_MAX_FRAME + 1).to_bytes(4, "big"))
    [(_, refusal)] = desk.hear()
    assert getattr(refusal, "code", None) == "frame_too_large"
    desk.loop.post(())


def test_what_was_said_before_the_end_is_told_before_the_end(desk: Desk) -> None:
    peer = desk.connect()
    peer.sendall(frame_of(1))
    peer.close()
    got = desk.hear()
    desk.loop.post(())
    while not isinstance(got[-1][1], Lost):
        got += desk.hear()
        desk.loop.post(())
    assert [type(event) for _, event in got] == [Draft, Lost]


def test_how_long_an_answer_took_is_counted_for_each_event(desk: Desk) -> None:
    peer = desk.connect()
    begun = time.monotonic()
    peer.sendall(frame_of(1) + frame_of(2))
    assert desk.ids() == ["1", "2"]
    before = desk.loop.latency.total
    desk.loop.post((Answered(4), Deliver(1, encode_frame(b"{}"))))
    assert peer.recv(6) == encode_frame(b"{}")
    assert before == 0, "nothing was said to be answered before"
    assert desk.loop.latency.total == 4, "arrived, hello, and two drafts"
    assert desk.loop.latency.quantile(0.01) <= time.monotonic() - begun + LONG


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
