"""What every store must do, and what the one in memory does when it runs out of budget.

A store that is to be used by the server passes the first part: it is one line in `STORES`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from securechat.protocol.codec import decode_server
from securechat.protocol.envelopes import MAX_TEXT, Posted
from securechat.records import (
    Conflict,
    ForgetIdentity,
    KeepIdentity,
    KeepPresence,
    KeepTopic,
    Kept,
    Known,
    Lookup,
    NewMessage,
    Outcome,
    Page,
    Record,
    Snapshot,
    Stored,
    Unknown,
)
from securechat.store.base import Reader, Store
from securechat.store.memory import MemoryStore
from securechat.store.sqlite import open_store

#: Name -> how to open one in an empty folder.
STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": open_store,
}

TS, LATER = "2026-05-04T03:02:01.000000Z", "2026-05-04T03:02:02.500000Z"
ANN, BOB, EVE = 1, 2, 3
PLENTY = 10**6
#: The number of the last message that the hub writes while others read.
LAST = 900
EXAMPLES = itertools.count()


def identity(number: int, nick: str) -> KeepIdentity:
    return KeepIdentity(number, nick, bytes([number]) * 32, 1.0)


PEOPLE = [identity(ANN, "ann"), identity(BOB, "bob"), identity(EVE, "eve")]


def message(
    id: str,
    text: str = "hi",
    *,
    to: str = "#a",
    by: int = ANN,
    key: str = "",
    reply_to: int | None = None,
    action: bool = False,
) -> NewMessage:
    nick = {record.identity: record.nick for record in PEOPLE}[by]
    return NewMessage(key or to, by, id, to, nick, text, reply_to, action)


def frame(outcome: Outcome) -> Posted:
    """The chat in a `Known`."""
    assert isinstance(outcome, Known)
    return posted(outcome.payload)


def posted(payload: bytes) -> Posted:
    chat = decode_server(payload)
    assert isinstance(chat, Posted)
    return chat


def kind(outcome: Outcome) -> type[Outcome]:
    """What an outcome is: those that say nothing more are equal as tuples."""
    return type(outcome)


def numbers(page: Page) -> list[int]:
    return [posted(payload).seq for payload in page.payloads]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store that knows ann, bob and eve."""
    opened = STORES[request.param](tmp_path)
    opened.load()
    opened.commit(PEOPLE, TS)
    yield opened
    opened.close()


@pytest.fixture
def reader(store: Store) -> Iterator[Reader]:
    opened = store.reader()
    yield opened
    opened.close()


# ------------------------------------------------------------------ opening


@pytest.mark.parametrize("name", STORES)
def test_a_new_store_holds_nothing_and_has_an_epoch_of_its_own(name: str, tmp_path: Path) -> None:
    epochs = set()
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        opened = STORES[name](folder)
        snapshot = opened.load()
        assert snapshot == Snapshot(epoch=snapshot.epoch)
        epochs.add(snapshot.epoch)
        opened.close()
    assert len(epochs) == 2
    assert all(epochs)


# ------------------------------------------------------------------ messages


def test_messages_are_numbered_from_one_without_gaps_in_each_conversation(store: Store) -> None:
    first = store.commit([message("1"), message("2", to="#b"), message("3", by=BOB)], TS)
    second = store.commit([message("4", to="#b"), message("5")], LATER)
    assert first == [Stored(1, TS), Stored(1, TS), Stored(2, TS)]
    assert second == [Stored(2, LATER), Stored(3, LATER)]
    assert {kind(outcome) for outcome in first + second} == {Stored}


def test_each_record_has_its_outcome_in_order(store: Store) -> None:
    records: list[Record] = [
        KeepPresence(ANN, "#a", True),
        message("1"),
        KeepTopic("#a", "news"),
        Lookup(ANN, "9", "#a", "hi"),
        message("1"),
        message("1", "other"),
        KeepPresence(ANN, "#a", False),
        KeepTopic("#a", ""),
        ForgetIdentity(EVE),
    ]
    assert [kind(outcome) for outcome in store.commit(records, TS)] == [
        *(Kept, Stored, Kept, Unknown, Known, Conflict, Kept, Kept, Kept)
    ]
    assert store.commit([], TS) == []


@pytest.mark.parametrize(
    "text", ["hi", 'a "quote" \\ and\n\ta line', "😀é\u202e", "{}", "x" * MAX_TEXT]
)
def test_a_message_comes_back_as_it_was_said(store: Store, reader: Reader, text: str) -> None:
    store.commit([message("a-1", text, reply_to=None, action=True)], TS)
    store.commit([message("a-2", text, reply_to=1)], LATER)
    page = reader.after("#a", 0, 2, 10, PLENTY)
    assert [posted(payload) for payload in page.payloads] == [
        Posted(id="a-1", to="#a", sender="ann", seq=1, ts=TS, text=text, action=True),
        Posted(id="a-2", to="#a", sender="ann", seq=2, ts=LATER, text=text, reply_to=1),
    ]


# ------------------------------------------------------------------ sent again


def test_what_is_sent_again_is_known_and_gets_its_first_frame(store: Store) -> None:
    store.commit([message("0"), message("1", "hello")], TS)
    again, looked_up = store.commit([message("1", "hello"), Lookup(ANN, "1", "#a", "hello")], LATER)
    assert frame(again) == frame(looked_up)
    assert frame(again) == Posted(id="1", to="#a", sender="ann", seq=2, ts=TS, text="hello")
    assert store.commit([message("2")], TS) == [Stored(3, TS)]  # no number was used up


def test_what_is_sent_twice_in_one_commit_is_stored_once(store: Store) -> None:
    stored, known, conflict = store.commit([message("1"), message("1"), message("1", "no")], TS)
    assert stored == Stored(1, TS)
    assert frame(known).seq == 1
    assert kind(conflict) is Conflict


@pytest.mark.parametrize(
    ("to", "text"), [("#a", "Hello"), ("#a", "hello "), ("#b", "hello"), ("@bob", "hello")]
)
def test_an_id_stands_for_one_address_and_text(store: Store, to: str, text: str) -> None:
    store.commit([message("1", "hello")], TS)
    records: list[Record] = [message("1", text, to=to, key="#a"), Lookup(ANN, "1", to, text)]
    assert [kind(outcome) for outcome in store.commit(records, TS)] == [Conflict, Conflict]


def test_ids_belong_to_identities(store: Store) -> None:
    store.commit([message("1", "hello")], TS)
    outcomes = store.commit([message("1", "hello", by=BOB), Lookup(EVE, "1", "#a", "hello")], TS)
    assert outcomes[0] == Stored(2, TS)
    assert kind(outcomes[1]) is Unknown


def test_a_lookup_stores_nothing(store: Store, reader: Reader) -> None:
    store.commit([Lookup(ANN, "1", "#a", "hi")], TS)
    assert reader.before("#a", None, 10, PLENTY).payloads == []
    assert store.commit([message("1")], TS) == [Stored(1, TS)]


# ------------------------------------------------------------------ nicks


def test_a_room_keeps_the_nicks_of_then(store: Store, reader: Reader) -> None:
    store.commit([message("1"), identity(ANN, "amy")], TS)
    [again] = store.commit([message("1")], TS)
    [read] = reader.after("#a", 0, 1, 10, PLENTY).payloads
    assert frame(again).sender == posted(read).sender == "ann"


def test_a_direct_conversation_shows_the_nicks_of_now(store: Store, reader: Reader) -> None:
    to_bob = message("1", "hello", to="@bob", key="@1:2")
    store.commit([to_bob, message("2", to="@ann", by=BOB, key="@1:2")], TS)
    store.commit([identity(ANN, "amy"), identity(BOB, "rob")], TS)
    page = reader.after("@1:2", 0, 2, 10, PLENTY)
    shown = [(posted(it).sender, posted(it).to) for it in page.payloads]
    assert shown == [("amy", "@rob"), ("rob", "@amy")]
    again, looked_up = store.commit([to_bob, Lookup(ANN, "1", "@bob", "hello")], TS)
    assert (frame(again).sender, frame(again).to) == ("amy", "@rob")
    assert frame(looked_up) == frame(again)


def test_who_talks_to_oneself_is_both_sides(store: Store, reader: Reader) -> None:
    store.commit([message("1", to="@ann", key="@1:1")], TS)
    [note] = reader.before("@1:1", None, 10, PLENTY).payloads
    assert (posted(note).sender, posted(note).to) == ("ann", "@ann")


def test_the_name_of_somebody_forgotten_stays(store: Store, reader: Reader) -> None:
    store.commit([message("1", to="@bob", key="@1:2"), ForgetIdentity(BOB)], TS)
    [read] = reader.after("@1:2", 0, 1, 10, PLENTY).payloads
    assert posted(read).to == "@bob"


def test_a_nick_in_the_same_commit_counts_in_its_place(store: Store) -> None:
    to_bob = message("1", to="@bob", key="@1:2")
    _, before, _, after = store.commit([to_bob, to_bob, identity(ANN, "amy"), to_bob], TS)
    assert (frame(before).sender, frame(after).sender) == ("ann", "amy")


# ------------------------------------------------------------------ pages


def fill(store: Store, count: int, to: str = "#a") -> None:
    store.commit(
        [message(f"{to}{n}".strip("#"), f"text {n}", to=to) for n in range(1, count + 1)], TS
    )


@pytest.mark.parametrize(
    ("after", "upto", "limit", "expected", "last", "more"),
    [
        (0, 5, 10, [1, 2, 3, 4, 5], 5, False),
        (0, 5, 5, [1, 2, 3, 4, 5], 5, False),
        (0, 5, 2, [1, 2], 2, True),
        (3, 5, 10, [4, 5], 5, False),
        (3, 4, 10, [4], 4, False),
        (5, 5, 10, [], 5, False),
        (9, 5, 10, [], 9, False),
        (0, 0, 10, [], 0, False),
    ],
)
def test_the_first_messages_behind_a_number(
    store: Store,
    reader: Reader,
    after: int,
    upto: int,
    limit: int,
    expected: list[int],
    last: int,
    more: bool,
) -> None:
    fill(store, 5)
    page = reader.after("#a", after, upto, limit, PLENTY)
    assert (numbers(page), page.last, page.more, page.trimmed) == (expected, last, more, None)


@pytest.mark.parametrize(
    ("before", "limit", "expected", "more"),
    [
        (None, 10, [1, 2, 3, 4, 5], False),
        (None, 5, [1, 2, 3, 4, 5], False),
        (None, 2, [4, 5], True),
        (9, 2, [4, 5], True),
        (5, 10, [1, 2, 3, 4], False),
        (4, 2, [2, 3], True),
        (3, 2, [1, 2], False),
        (1, 10, [], False),
        (0, 10, [], False),
    ],
)
def test_the_last_messages_before_a_number(
    store: Store,
    reader: Reader,
    before: int | None,
    limit: int,
    expected: list[int],
    more: bool,
) -> None:
    fill(store, 5)
    page = reader.before("#a", before, limit, PLENTY)
    assert (numbers(page), page.more, page.trimmed) == (expected, more, None)


def test_a_conversation_that_is_not_there_has_empty_pages(reader: Reader) -> None:
    assert reader.after("#nowhere", 0, 0, 10, PLENTY) == Page([], 0, False)
    assert reader.before("#nowhere", None, 10, PLENTY).payloads == []


def test_what_may_stay_begins_with_the_first(store: Store) -> None:
    fill(store, 3)
    assert store.retain(1.0, 100) == 0
    assert store.first_kept("#a") == store.first_kept("#nowhere") == 1


def test_conversations_do_not_mix(store: Store, reader: Reader) -> None:
    fill(store, 2)
    fill(store, 3, to="#b")
    page = reader.after("#b", 0, 3, 10, PLENTY)
    assert [(posted(it).to, posted(it).seq) for it in page.payloads] == [
        *(("#b", 1), ("#b", 2), ("#b", 3))
    ]


@pytest.mark.parametrize("size", [1, 300, 1_000])
def test_a_page_is_no_longer_than_asked_unless_one_message_is(
    store: Store, reader: Reader, size: int
) -> None:
    store.commit([message(str(n), "x" * 200) for n in range(9)], TS)
    for page in (reader.after("#a", 0, 9, 10, size), reader.before("#a", None, 10, size)):
        assert page.payloads
        assert page.more
        weight = sum(len(payload) + 4 for payload in page.payloads)
        assert weight <= size or len(page.payloads) == 1
        assert weight + len(page.payloads[0]) + 4 > size  # and no shorter than need be
    exactly_two = 2 * (len(page.payloads[0]) + 4)
    assert len(reader.after("#a", 0, 9, 10, exactly_two).payloads) == 2
    assert len(reader.before("#a", None, 10, exactly_two - 1).payloads) == 1
    assert numbers(reader.after("#a", 0, 9, 10, size))[0] == 1
    assert numbers(reader.before("#a", None, 10, size))[-1] == 9


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(
    texts=st.lists(st.integers(1, 300), max_size=25),
    limit=st.integers(1, 10),
    size=st.integers(1, 2_000),
    data=st.data(),
)
def test_page_by_page_everything_is_read_once_from_either_end(
    store: Store, reader: Reader, texts: list[int], limit: int, size: int, data: st.DataObject
) -> None:
    room = f"#r{next(EXAMPLES)}"  # one store serves all examples
    records = [message(f"{room[1:]}-{n}", "é" * length, to=room) for n, length in enumerate(texts)]
    head = len(store.commit(records, TS))
    upto = data.draw(st.integers(0, head))
    forward, after = list[int](), 0
    while after < upto:
        page = reader.after(room, after, upto, limit, size)
        assert 1 <= len(page.payloads) <= limit
        assert page.more is (page.last < upto)
        forward += numbers(page)
        after = page.last
        assert forward[-1] == after
    assert forward == list(range(1, upto + 1))
    backward, before, more = list[int](), None, head > 0
    while more:
        page = reader.before(room, before, limit, size)
        assert 1 <= len(page.payloads) <= limit
        backward = numbers(page) + backward
        before, more = backward[0], page.more
    assert backward == list(range(1, head + 1))


def test_readers_read_while_the_hub_writes(store: Store) -> None:
    """What a reader is asked for was told before, so it must be there, whole and in order."""
    told, wrong = [0], list[object]()
    news = threading.Condition()

    def read() -> None:
        reader, upto = store.reader(), 0
        try:
            while upto < LAST:
                with news:  # one that turned without a pause would take turns from the writer
                    while told[0] == upto:
                        news.wait()
                    upto = told[0]
                found = numbers(reader.after("#a", max(0, upto - 30), upto, 100, PLENTY))
                if found != list(range(max(0, upto - 30) + 1, upto + 1)):
                    wrong.append((upto, found))
        except Exception as error:
            wrong.append(error)
        finally:
            reader.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(LAST // 3):
        outcomes = store.commit([message(f"{number}-{n}") for n in range(3)], TS)
        with news:
            told[0] = outcomes[-1].seq  # type: ignore[union-attr]
            news.notify_all()
    for thread in threads:
        thread.join()
    assert wrong == []


# ------------------------------------------------------------------ the store in memory alone


def small_store(budget: int) -> MemoryStore:
    store = MemoryStore(budget)
    store.load()
    store.commit(PEOPLE, TS)
    return store


def test_beyond_the_budget_the_oldest_of_all_are_pushed_out() -> None:
    store = small_store(budget=10_000)
    for n in range(1, 31):
        room = "#a" if n % 3 else "#b"
        assert store.commit([message(str(n), "x" * 400, to=room)], TS)[0].seq > 0  # type: ignore[union-attr]
    reader = store.reader()
    in_a, in_b = (reader.before(room, None, 100, PLENTY) for room in ("#a", "#b"))
    left = sorted(int(posted(it).id) for page in (in_a, in_b) for it in page.payloads)
    assert left == list(range(31 - len(left), 31))
    assert 8 <= len(left) <= 10
    assert numbers(in_a)[-1] == 20
    assert numbers(in_b)[-1] == 10
    assert store.commit([message("next")], TS) == [Stored(21, TS)]  # numbers stay used


def test_what_was_pushed_out_is_told_as_trimmed() -> None:
    store = small_store(budget=10_000)
    for n in range(1, 31):
        store.commit([message(str(n), "x" * 400)], TS)
    reader = store.reader()
    first = numbers(reader.before("#a", None, 100, PLENTY))[0]
    assert first > 20
    gone = first - 1
    assert store.first_kept("#a") == first
    page = reader.after("#a", 0, 30, 3, PLENTY)
    assert (numbers(page), page.trimmed, page.last, page.more) == (
        [first, first + 1, first + 2],
        gone,
        first + 2,
        True,
    )
    assert reader.after("#a", gone - 1, 30, 3, PLENTY).trimmed == gone
    assert reader.after("#a", gone, 30, 3, PLENTY).trimmed is None
    assert reader.after("#a", 2, 4, 3, PLENTY) == Page([], 4, False, gone)
    assert reader.before("#a", None, 100, PLENTY).trimmed == gone
    assert reader.before("#a", None, 2, PLENTY).trimmed is None
    assert reader.before("#a", first + 2, 2, PLENTY).trimmed is None
    assert reader.before("#a", 3, 2, PLENTY) == Page([], gone, False, gone)


def test_a_repeat_is_known_for_one_though_its_text_is_gone() -> None:
    store = small_store(budget=20_000)
    for n in range(1, 31):
        store.commit([message(str(n), f"text {n} " + "x" * 1_000)], TS)
    assert 18 not in numbers(store.reader().before("#a", None, 100, PLENTY))
    text = "text 18 " + "x" * 1_000
    again: list[Record] = [message("18", text), Lookup(ANN, "18", "#a", text)]
    known, looked_up = store.commit(again, LATER)
    assert frame(known) == frame(looked_up)
    assert frame(known) == Posted(id="18", to="#a", sender="ann", seq=18, ts=TS, text=text)
    assert store._known[ANN, "18"][0].text == ""
    conflicts = store.commit([message("18", "other"), message("18", text, to="#b")], LATER)
    assert [kind(outcome) for outcome in conflicts] == [Conflict, Conflict]


def test_what_is_kept_to_know_repeats_is_bounded_too() -> None:
    store = small_store(budget=20_000)
    for n in range(200):
        store.commit([message(str(n), "x" * 1_000)], TS)
    assert len(store._ghosts) == 20_000 // 4 // 600
    assert len(store._known) < 30
    assert kind(store.commit([Lookup(ANN, "1", "#a", "x" * 1_000)], TS)[0]) is Unknown


def test_a_message_larger_than_the_budget_has_its_number_all_the_same() -> None:
    store = small_store(budget=100)
    assert store.commit([message("1", "x" * 4_000)], TS) == [Stored(1, TS)]
    assert store.commit([message("2")], TS) == [Stored(2, TS)]


def test_readers_of_what_is_being_pushed_out_see_no_wrong_number() -> None:
    store = small_store(budget=30_000)
    wrong, ended = list[object](), threading.Event()

    def read() -> None:
        reader = store.reader()
        try:
            while not ended.is_set():
                for page in (
                    reader.after("#a", 5, 10**6, 50, PLENTY),
                    reader.before("#a", None, 9, 1),
                ):
                    found = [(posted(it).seq, posted(it).id) for it in page.payloads]
                    wrong.extend(it for it in found if str(it[0]) != it[1])
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(1, 2_000):
        store.commit([message(str(n), "x" * 500)], TS)
    ended.set()
    thread.join()
    assert wrong == []


def test_a_closed_store_has_forgotten_everything() -> None:
    store = small_store(budget=10_000)
    store.commit([message("1")], TS)
    store.close()
    assert store.reader().after("#a", 0, 1, 10, PLENTY).payloads == []
