"""Whose turn it is: who brings something waits for nobody, and no two have a turn at once."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from securechat.chat.admin import Asked, ShowStatus
from securechat.chat.effects import Outward
from securechat.chat.hub import Hub
from securechat.config import ChatLimits
from securechat.errors import StoreBroken
from securechat.link_events import Arrived, Lost
from securechat.net.loop import Told
from securechat.net.ops import Answered, Chunk, Finish, Notice, Op
from securechat.protocol.envelopes import Draft, Hello, Join
from securechat.records import Outcome, Record
from securechat.server import dispatcher as under_test
from securechat.server.dispatcher import Dispatcher
from securechat.server.renderer import Renderer
from securechat.store.memory import MemoryStore

#: Longer than any test takes.
LONG = 60.0


class Store(MemoryStore):
    """Says which threads commit; a test may have something happen in the midst of it."""

    def __init__(self) -> None:
        super().__init__()
        self.committed_by: list[str] = []
        self.amid: Callable[[], None] = lambda: None
        self._busy = threading.Lock()

    def commit(self, records: Sequence[Record], ts: str) -> list[Outcome]:
        assert self._busy.acquire(blocking=False), "two threads have a turn"
        self.committed_by.append(threading.current_thread().name)
        self.amid()
        outcomes = super().commit(records, ts)
        self._busy.release()
        return outcomes


class House:
    """A dispatcher whose io threads are lists of what they are to do, and the test's own thread."""

    def __init__(self, loops: int = 1) -> None:
        self.store = Store()
        self.posted: list[queue.SimpleQueue[Sequence[Op]]] = [
            queue.SimpleQueue() for _ in range(loops)
        ]
        self.broken: list[str] = []
        self.outside: list[Outward] = []
        tokens = iter(range(1_000_000))
        hub = Hub(
            ChatLimits(rate=0, grace=0.2),
            self.store.load(),
            new_token=lambda: f"token-{next(tokens):032}",
            choose=lambda jokes: jokes[0],
        )
        renderer = Renderer(hub, loops, lambda _: None, self.store.first_kept, self.outside.append)
        self.dispatcher = Dispatcher(
            hub, self.store, renderer, [it.put for it in self.posted], self.broken.append
        )
        self.dispatcher.start()

    def enter(self, number: int) -> None:
        """A connection that is in `#a`."""
        hello = Hello(type="command", id="h", name="hello", protocol=1, nick=f"nick{number}")
        join = Join(type="command", id="j", name="join", room="#a")
        self.dispatcher.take([(number, Arrived("192.0.2.1:1")), (number, hello)])
        self.dispatcher.take([(number, join)])

    def answers(self, loop: int = 0) -> list[Op]:
        """What the io thread was posted next."""
        return list(self.posted[loop].get(timeout=10))

    def drain(self) -> list[Op]:
        """All that was posted so far."""
        return [op for it in self.posted for _ in range(it.qsize()) for op in it.get()]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """One whose thread wakes for nothing but a bell."""
    monkeypatch.setattr(under_test, "_NAP", LONG)
    built = House()
    yield built
    built.dispatcher.say_farewell("shutdown", None)
    assert built.dispatcher.join(10)


def say(number: int, id: str) -> list[Told]:
    return [(number, Draft(type="chat", id=id, to="#a", text="hi"))]


def test_who_brings_a_batch_while_nobody_decides_decides_it(house: House) -> None:
    house.enter(1)
    house.drain()
    house.store.committed_by.clear()
    house.dispatcher.take(say(1, "1"))
    assert house.store.committed_by == [threading.current_thread().name]
    assert Answered(1) in house.answers(), "there when `take` has returned"


def test_who_brings_one_meanwhile_goes_on_and_it_is_decided_behind(house: House) -> None:
    house.enter(1)
    house.drain()
    brought, go_on = threading.Event(), threading.Event()

    def amid() -> None:
        house.store.amid = lambda: None
        brought.set()
        assert go_on.wait(10)

    house.store.amid = amid
    other = threading.Thread(target=house.dispatcher.take, args=(say(1, "1"),), name="io-1")
    other.start()
    assert brought.wait(10)
    house.store.committed_by.clear()
    house.dispatcher.take(say(1, "2"))
    assert house.posted[0].empty(), "it came back before anything was decided"
    go_on.set()
    other.join(10)
    assert Answered(1) in house.answers()
    assert Answered(1) in house.answers()
    assert house.store.committed_by == ["hub"]


class Late:
    """A baton behind whose holder something is brought, at the very end of its turn."""

    def __init__(self, bring: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._bring = [bring]

    def acquire(self, blocking: bool = True) -> bool:
        return self._lock.acquire(blocking)

    def release(self) -> None:
        while self._bring:
            self._bring.pop()()
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.mark.parametrize("holder", ["an io thread", "the hub"])
def test_what_is_brought_at_the_very_end_of_a_turn_waits_for_nobody(
    house: House, holder: str
) -> None:
    house.enter(1)
    house.drain()
    late = Late(lambda: house.dispatcher.take(say(1, "late")))
    house.dispatcher._baton = late  # type: ignore[assignment]
    if holder == "the hub":
        house.dispatcher._bell.set()
    else:
        house.dispatcher.take(say(1, "1"))
        assert Answered(1) in house.answers()
    assert Answered(1) in house.answers(), "within 10 s, and the thread sleeps for 60"


def test_what_becomes_due_earlier_wakes_the_thread(house: House) -> None:
    house.enter(1)
    house.enter(2)
    house.drain()
    house.dispatcher.take([(1, Lost("closed by the peer"))])
    assert not any(isinstance(op, Notice) for op in house.answers())
    assert any(isinstance(op, Notice) for op in house.answers()), "the rest of its grace is over"


def test_many_who_bring_and_tell_lose_nothing_and_keep_their_order() -> None:
    house = House(loops=3)
    for number in (1, 2, 3):
        house.enter(number)
    house.drain()

    def bring(number: int) -> None:
        for count in range(300):
            house.dispatcher.take(say(number, f"{count}"))
            if count % 7 == 0:
                house.dispatcher.tell(Asked(count, ShowStatus()))

    threads = [threading.Thread(target=bring, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    house.dispatcher.say_farewell("shutdown", None)
    assert house.dispatcher.join(10)
    for posted in house.posted:
        ops = [op for _ in range(posted.qsize()) for op in posted.get()]
        assert sum(op.batches for op in ops if isinstance(op, Answered)) == 300
        chunks = [op for op in ops if isinstance(op, Chunk)]
        heard = [seq for chunk in chunks for seq in range(chunk.first, chunk.last + 1)]
        assert heard == list(range(1, 901))
    assert len(house.outside) == 3 * 43
    page = house.store.reader().after("#a", 0, 1_000, 1_000, 1 << 30)
    said = [json.loads(payload) for payload in page.payloads]
    for number in (1, 2, 3):
        own = [it["id"] for it in said if it["sender"] == f"nick{number}"]
        assert own == [f"{count}" for count in range(300)]


@pytest.mark.parametrize("error", [StoreBroken("the disk is gone"), RuntimeError("a bug of ours")])
def test_a_turn_that_fails_ends_the_chat_and_not_the_thread_that_took_it(
    house: House, error: Exception
) -> None:
    house.enter(1)
    house.drain()

    def fail() -> None:
        raise error

    house.store.amid = fail
    house.dispatcher.take(say(1, "1"))
    assert len(house.broken) == 1
    assert any(isinstance(op, Finish) for op in house.answers()), "everyone is told bye"
    assert house.dispatcher.join(10)
    house.dispatcher.take(say(1, "2"))
    house.dispatcher.tell(Asked(1, ShowStatus()))
    assert (house.drain(), house.outside) == ([], []), "no turn is taken any more"


def test_where_not_even_bye_can_be_said_the_thread_that_took_the_turn_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.enter(1)
    house.drain()

    def fail(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    house.store.amid = fail
    monkeypatch.setattr(house.dispatcher._hub, "farewell", fail)
    house.dispatcher.take(say(1, "1"))
    assert house.broken == ["the hub failed"]
    assert "nobody can be told bye" in caplog.text
    assert house.dispatcher.join(10)


def test_the_thread_ends_behind_a_turn_that_says_bye(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who joins it stops the io threads next, and an io thread told to stop says nothing more."""
    house.enter(1)
    house.drain()
    ended, go_on = threading.Event(), threading.Event()

    def fail() -> None:
        raise StoreBroken("the disk is gone")

    def hold(_reason: str) -> None:
        ended.set()
        assert go_on.wait(10)

    look_once_more = house.dispatcher._look_once_more

    def be_overtaken() -> None:
        """Between its own turn and its look at whether all is said."""
        look_once_more()
        if threading.current_thread().name == "hub":
            assert ended.wait(10)

    house.store.amid = fail
    monkeypatch.setattr(house.dispatcher, "_broken", hold)
    monkeypatch.setattr(house.dispatcher, "_look_once_more", be_overtaken)
    house.dispatcher._bell.set()
    other = threading.Thread(target=house.dispatcher.take, args=(say(1, "1"),), name="io-0")
    other.start()
    assert ended.wait(10)
    assert not house.dispatcher.join(0.2)
    go_on.set()
    assert any(isinstance(op, Finish) for op in house.answers())
    assert house.dispatcher.join(10)
    other.join(10)
