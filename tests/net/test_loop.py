"""An io thread between a real TLS link and a hub that this test plays: turns, and what is told."""

from __future__ import annotations

import queue
import select
import ssl
import time

import pytest

from securechat.link_events import Arrived, Lost
from securechat.net import loop
from securechat.net.ops import Answered, Deliver
from securechat.protocol.connection import Signal
from securechat.protocol.envelopes import Draft, Hello
from securechat.protocol.framing import encode_frame

from .desk import LONG, Contexts, Desk
from .parts import HELLO, draft


def test_while_the_hub_decides_nothing_is_read_and_then_all_of_it_at_once(desk: Desk) -> None:
    ann, bob = desk.connect(), desk.connect()
    ann.sendall(draft(1))
    assert desk.ids() == ["1"]
    ann.sendall(draft(2))
    bob.sendall(draft(3))
    with pytest.raises(queue.Empty):
        desk.told.get(timeout=0.1)
    desk.loop.post(())
    assert sorted(desk.ids()) == ["2", "3"]
    desk.loop.post(())


def test_what_the_hub_answers_goes_out_before_more_is_read(desk: Desk) -> None:
    peer = desk.connect()
    peer.sendall(draft(1))
    assert desk.ids() == ["1"]
    desk.loop.post((Deliver(1, encode_frame(b"answer")),))
    assert peer.recv(100) == encode_frame(b"answer")


def test_a_hub_that_takes_its_time_keeps_nobody_from_reading_on(contexts: Contexts) -> None:
    desk = Desk(contexts, patience=0.01)
    try:
        peer = desk.connect()
        for number in range(1, 4):
            peer.sendall(draft(number))
            assert desk.ids() == [str(number)]
    finally:
        desk.close()


def test_where_many_share_an_operation_a_moment_is_waited_for_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They all speak at once again, and a chunk for the first few would cost as much as one."""
    ann, bob = desk.connect(), desk.connect()
    monkeypatch.setattr(loop, "_GATHER", 0.5)

    def hear_in_turn(*numbers: int) -> list[str]:
        for number, peer in zip(numbers, (ann, bob), strict=True):
            peer.sendall(draft(number))
            time.sleep(0.1)
        return desk.ids()

    assert hear_in_turn(1, 2) == ["1"]
    desk.loop.post(())
    assert desk.ids() == ["2"]
    desk.loop.post(())
    ann.sendall(b"".join(draft(number) for number in range(100, 150)))
    assert len(desk.ids()) == 50
    desk.loop.post((Deliver(1, encode_frame(b"{}")),))
    assert ann.recv(6) == encode_frame(b"{}")
    assert sorted(hear_in_turn(3, 4)) == ["3", "4"]
    desk.loop.post(())


def test_what_was_said_before_the_end_is_told_before_the_end(desk: Desk) -> None:
    peer = desk.connect()
    peer.sendall(draft(1))
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
    peer.sendall(draft(1) + draft(2))
    assert desk.ids() == ["1", "2"]
    before = desk.loop.latency.total
    desk.loop.post((Answered(4), Deliver(1, encode_frame(b"{}"))))
    assert peer.recv(6) == encode_frame(b"{}")
    assert before == 0, "nothing was said to be answered before"
    assert desk.loop.latency.total == 4, "arrived, hello, and two drafts"
    assert desk.loop.latency.quantile(0.01) <= time.monotonic() - begun + LONG


def test_who_says_hello_at_once_is_told_with_it(contexts: Contexts) -> None:
    desk = Desk(contexts, patience=0.0)
    try:
        for _ in range(5):  # it may take longer than a loop waits, on a busy machine
            number, peer = desk.reach()
            peer.sendall(HELLO)
            told = desk.hear()
            assert isinstance(told[0][1], Arrived)
            if len(told) == 2:
                break
            desk.hear()
        assert [type(event) for _, event in told] == [Arrived, Hello]
        assert {one for one, _ in told} == {number}
    finally:
        desk.close()


def test_what_was_said_behind_hello_in_one_breath_is_told_as_soon_as_hello_is_answered(
    desk: Desk,
) -> None:
    """It comes to light while an answer is awaited, and nothing else would wake the thread."""
    number, peer = desk.reach()
    peer.sendall(HELLO + draft(1))
    while not any(isinstance(event, Hello) for _, event in desk.hear()):
        desk.loop.post(())
    begun = time.monotonic()
    desk.loop.post((Deliver(number, encode_frame(b"{}"), Signal.WELCOME),))
    assert desk.ids() == ["1"]
    assert time.monotonic() - begun < 0.5
    desk.loop.post(())


@pytest.mark.parametrize(("speech", "moved_on"), [(HELLO, 5), (draft(1), 1)])
def test_who_comes_in_waits_for_others_who_do_and_who_speaks_does_not(
    desk: Desk, speech: bytes, moved_on: int
) -> None:
    """A batch of five who come in costs one commit; a message waits for one handshake at most."""
    busy = desk.connect()
    if speech is HELLO:
        _, peer = desk.reach()
        desk.hear()
        desk.loop.post(())
    else:
        peer = desk.connect()
    strangers = [desk.knock() for _ in range(5)]
    busy.sendall(draft(7))
    assert desk.ids() == ["7"], "now it awaits an answer"
    for stranger in strangers:
        with pytest.raises(ssl.SSLWantReadError):
            stranger.do_handshake()
    peer.sendall(speech)
    desk.loop.post(())
    assert len(desk.hear()) == 1
    answered, _, _ = select.select(strangers, [], [], 0)
    assert len(answered) == moved_on
    desk.loop.post(())
