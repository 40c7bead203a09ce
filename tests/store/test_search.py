"""Searching: every store finds the same, with an index, with half of one and without."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import apsw
import pytest

from securechat.errors import StoreBroken
from securechat.phrases import Author, Phrase, Query
from securechat.records import KeepIdentity, NewMessage
from securechat.store import maintenance
from securechat.store.base import Store
from securechat.store.finder import Finder
from securechat.store.memory import MemoryStore
from securechat.store.retention import Retention
from securechat.store.search import INDEX_NAME, open_index
from securechat.store.sqlite import SqliteStore, open_store

from .folders import ANN, BOB, EVE, PLENTY, identity, message, opened, posted

FRAME = 60_000


def hour(number: int) -> str:
    return f"2026-05-04T{number:02d}:00:00.000000Z"


def tea(*, open: bool = False) -> tuple[Phrase, ...]:
    return (Phrase(("tea",), open),)


def texts(store: Store, query: Query, limit: int = PLENTY, size: int = FRAME) -> list[str]:
    with closing(store.reader()) as reader:
        return [posted(one).text for one in reader.search(query, limit, size).payloads]


def take_in(store: Store, budget: int = 3) -> int:
    """Bring the index up to date; how many pieces it took."""
    store.tidy()  # what waits in the journal is not for the index yet
    index = store.indexer()
    pieces = 0
    if index is not None:
        with closing(index):
            pieces = 1
            while index.work(budget) == budget:
                pieces += 1
    return pieces


def leave_as_it_is(_: Store) -> None:
    """Have no index."""


def take_in_a_part(store: Store) -> None:
    store.tidy()
    index = store.indexer()
    if index is not None:
        with closing(index):
            index.work(4)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(MemoryStore() if request.param == "memory" else open_store(tmp_path)) as store:
        store.load()
        store.commit([identity(ANN, "ann"), identity(BOB, "bob"), identity(EVE, "eve")], hour(0))
        yield store


@pytest.fixture(params=[leave_as_it_is, take_in_a_part, take_in])
def index(request: pytest.FixtureRequest) -> Callable[[Store], None]:
    """How far the index is, when somebody looks."""
    taking: Callable[[Store], None] = request.param
    return taking


@pytest.fixture
def said(store: Store, index: Callable[[Store], None]) -> Store:
    """A store in which this and that was said."""
    store.commit([message("1", "green tea"), message("2", "Black TEA!", by=BOB)], hour(1))
    store.commit([message("3", "the team", to="#b", by=BOB)], hour(2))
    store.commit([message("4", "tea, just us", to="@bob", key="@1:2")], hour(3))
    store.commit([message("5", "tea, us too", to="@eve", key="@2:3", by=BOB)], hour(3))
    store.commit([message("6", "tea to myself", to="@eve", key="@3:3", by=EVE)], hour(4))
    index(store)
    store.commit([message("7", "Thé or tea or té?", to="#b", by=EVE)], hour(5))
    return store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(ANN, phrases=tea()), "7421"),
        (Query(BOB, phrases=tea()), "75421"),
        (Query(EVE, phrases=tea()), "76521"),
        (Query(9, phrases=tea()), "721"),
        (Query(9, phrases=tea(open=True)), "7321"),
        (Query(9, phrases=(Phrase(("green", "tea")),)), "1"),
        (Query(9, phrases=(*tea(), Phrase(("green",)))), "1"),
        (Query(9, phrases=(Phrase(("the",)),)), "73"),
        (Query(9, phrases=(Phrase(("coffee",)),)), ""),
        (Query(9, phrases=(Phrase(("or", "te"), open=True),)), "7"),
        (Query(ANN, authors=(Author("nick2", 0),)), "32"),
        (Query(ANN, authors=(Author("nobody", BOB), Author("nick3", 0))), "732"),
        (Query(ANN, conversations=("#b",)), "73"),
        (Query(ANN, conversations=("#b", "@1:2"), phrases=tea()), "74"),
        (Query(ANN, conversations=("@2:3",)), ""),
        (Query(ANN, conversations=("#nowhere",)), ""),
        (Query(ANN, hidden=frozenset({"#b"})), "421"),
        (Query(ANN, since=hour(2)), "743"),
        (Query(ANN, until=hour(2)), "21"),
        (Query(ANN, since=hour(2), until=hour(3)), "3"),
        (Query(EVE), "765321"),
    ],
)
def test_what_is_found(said: Store, query: Query, found: str) -> None:
    with closing(said.reader()) as reader:
        page = reader.search(query, PLENTY, FRAME)
    assert page.next is None
    numbers = [posted(one).id for one in page.payloads]
    assert sorted(numbers, reverse=True) == list(found)
    stamps = [posted(one).ts for one in page.payloads]
    assert stamps == sorted(stamps, reverse=True)


def test_what_is_found_looks_as_it_did(said: Store) -> None:
    query = Query(BOB, phrases=(Phrase(("us",)),))
    with closing(said.reader()) as reader:
        told = [posted(one) for one in reader.search(query, PLENTY, FRAME).payloads]
    assert {(one.to, one.sender, one.seq) for one in told} == {
        ("@bob", "ann", 1),
        ("@eve", "bob", 1),
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    store: Store, index: Callable[[Store], None], limit: int
) -> None:
    for batch in range(4):  # of each batch all have one time
        rows = [message(f"{batch}-{n}", f"tea {batch}-{n}", to=f"#r{n % 2}") for n in range(5)]
        store.commit(rows, hour(batch // 2))
        if batch == 2:
            index(store)
    query, pages, seen = Query(9, phrases=tea()), 0, []
    with closing(store.reader()) as reader:
        while True:
            found = reader.search(query, limit, FRAME)
            pages += 1
            seen += [posted(one).text for one in found.payloads]
            if found.next is None:
                break
            query = query._replace(before=found.next)
            if pages == 2:
                index(store)  # what was not in the index may be by the next page
    assert len(seen) == len(set(seen)) == 20
    assert pages == -(-20 // limit)


def test_a_page_is_no_longer_than_it_may_be(said: Store) -> None:
    query = Query(9, phrases=tea())
    with closing(said.reader()) as reader:
        whole = reader.search(query, PLENTY, FRAME).payloads
        size = sum(len(one) + 1 for one in whole)
        assert reader.search(query, PLENTY, size).payloads == whole
        assert reader.search(query, PLENTY, size - 1).payloads == whole[:-1]
        assert reader.search(query, PLENTY, 1).payloads == whole[:1]


# ------------------------------------------------------------------ the index


VOCABULARY = ["tea", "team", "green", "té", "東京", "a", "of", "teapot", "Grün"]


def test_every_way_finds_the_same(tmp_path: Path) -> None:
    """Chance decides what is said and looked for; the plainest way says what is right."""
    dice = random.Random(7)
    plain = MemoryStore()
    with opened(tmp_path) as (store, _):
        people = [identity(number, f"nick{number}") for number in (ANN, BOB, EVE)]
        for each in (plain, store):
            each.commit(people, hour(0))
        for turn in range(60):
            rows = []
            for n in range(dice.randrange(4)):
                by, key = dice.choice((ANN, BOB, EVE)), dice.choice(("#a", "#b", "@1:2", "@3:3"))
                said = " ".join(dice.choices(VOCABULARY, k=dice.randrange(1, 5)))
                rows.append(message(f"{turn}-{n}", said, to=key, key=key, by=by))
            for each in (plain, store):
                each.commit(rows, hour(turn // 3))
            if turn % 9 == 0:
                take_in_a_part(store)
        for _ in range(200):
            query = Query(
                dice.choice((ANN, BOB, EVE, 9)),
                frozenset(dice.sample(["#a", "#b"], dice.choice((0, 0, 1)))),
                tuple(
                    Phrase((word,), dice.random() < 0.5)
                    for word in dice.sample(["tea", "te", "green", "gru", "東"], dice.randrange(3))
                ),
                tuple(dice.sample([Author("nick1", 0), Author("x", 2)], dice.choice((0, 0, 1, 2)))),
                tuple(dice.sample(["#a", "#b", "@1:2"], dice.choice((0, 0, 1, 2)))),
                dice.choice(("", hour(4))),
                dice.choice(("", hour(9))),
            )
            assert sorted(texts(store, query)) == sorted(texts(plain, query)), query


def count(directory: Path, word: str) -> int:
    """How many entries the index itself has for a word."""
    with closing(apsw.Connection(str(directory / INDEX_NAME))) as db:
        rows = db.execute("SELECT count(*) FROM word WHERE word MATCH ?", (f'text:"{word}"',))
        return int(next(iter(rows))[0])


def test_it_is_taken_in_in_pieces_and_only_once(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), f"tea {n}", to=f"#r{n % 3}") for n in range(20)], hour(0))
        store.tidy()
        with closing(open_index(tmp_path)) as index:
            assert [index.work(8) for _ in range(4)] == [8, 8, 4, 0]
        store.commit([message("x", "tea x")], hour(1))
        store.tidy()
        with closing(open_index(tmp_path)) as index:
            assert [index.work(8) for _ in range(2)] == [1, 0]
        assert count(tmp_path, "tea") == 21
    assert (tmp_path / INDEX_NAME).stat().st_mode & 0o077 == 0


def test_what_retention_removed_leaves_the_index(tmp_path: Path) -> None:
    keep = Retention(keep_days=1)
    with opened(tmp_path, retention=keep) as (store, _):
        store.commit([message(str(n), "old tea") for n in range(5)], hour(0))
        store.commit([message("new", "new tea")], "2026-05-06T00:00:00.000000Z")
        take_in(store)
        store.commit([message("newer", "newer tea")], "2026-05-06T00:00:00.000000Z")
        assert count(tmp_path, "tea") == 6
        assert store.retain(1_778_025_600.0, PLENTY) == 5  # 2026-05-06
        assert texts(store, Query(9, phrases=tea())) == ["newer tea", "new tea"]
        take_in(store)
        assert count(tmp_path, "tea") == 2
        assert texts(store, Query(9, phrases=tea())) == ["newer tea", "new tea"]


def test_what_is_removed_before_it_was_taken_in_is_passed_over(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        store.commit([message(str(n), "old tea") for n in range(5)], hour(0))
        store.tidy()
        with closing(open_index(tmp_path)) as index:
            index.work(2)
        store.commit([message("new", "new tea")], "2026-05-06T00:00:00.000000Z")
        store.retain(1_778_025_600.0, PLENTY)
        take_in(store, budget=1)
        assert count(tmp_path, "tea") == 1
        assert texts(store, Query(9, phrases=tea())) == ["new tea"]


def test_what_moves_from_the_journal_to_its_place_is_found_once(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _), closing(store.reader()) as reader:
        store.commit([message("1", "tea"), message("2", "tea too", to="@b", key="@1:2")], hour(0))
        query, moved = Query(ANN, phrases=tea()), []

        def waiting() -> Iterator[Any]:
            """What waits, and is brought into its place just behind that look."""
            seen = list(store._waiting())
            store.tidy()
            moved.append(seen)
            yield from seen

        finder = Finder(tmp_path / "securechat.db", waiting, indexed=True)
        found = finder.find(reader._execute, query, PLENTY, FRAME)
        assert [len(seen) for seen in moved] == [2]
        assert [posted(one).text for one in found.payloads] == ["tea too", "tea"]
        finder.close()


def test_thousands_of_one_moment_have_each_an_entry(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        for room in ("#a", "#b"):
            rows = [message(f"{room[1]}{n}", "tea", to=room) for n in range(1_500)]
            store.commit(rows, hour(1))
        take_in(store, budget=700)
        assert count(tmp_path, "tea") == 3_000
        assert len(texts(store, Query(9, phrases=tea()), size=10**7)) == 3_000


def erase(store: SqliteStore, seq: int) -> None:
    """Take the text of a message of #a away, as whoever erases it does."""
    store.tidy()
    store._execute("UPDATE message SET text = '' WHERE place & 65535 = ?", (seq,))


def words_in(directory: Path, *wanted: str) -> list[str]:
    """Which of some words stand anywhere in the files of the index."""
    bytes_ = b"".join(file.read_bytes() for file in directory.glob(f"{INDEX_NAME}*"))
    return [word for word in wanted if word.encode() in bytes_]


def test_what_was_erased_is_not_found_and_leaves_no_trace(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        rows = [message(str(n), f"tea {unique(n)} {n}") for n in range(1, 3_001)]
        store.commit(rows, hour(0))
        take_in(store, budget=100)
        gone, kept = unique(1_234), unique(1_233)
        assert words_in(tmp_path, gone[-8:], kept[-8:]) == [gone[-8:], kept[-8:]]
        erase(store, 1_234)
        assert texts(store, Query(9, phrases=(Phrase((gone,)),))) == []
        assert "" not in texts(store, Query(9, conversations=("#a",)), size=10**7)
        index = open_index(tmp_path)
        assert index.work(100) == 1
        assert count(tmp_path, gone) == 0
        assert index.work(100) == 0  # nothing to take in: time to clear up
        assert words_in(tmp_path, gone[-8:], kept[-8:]) == [kept[-8:]]
        assert index.work(100) == 0
        index.close()
        assert len(texts(store, Query(9, phrases=tea()), size=10**7)) == 2_999


def unique(number: int) -> str:
    """A word that nothing else begins or ends like."""
    return blake2b(str(number).encode(), digest_size=16).hexdigest()


def test_what_was_erased_while_nobody_looked_leaves_the_index_too(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), f"tea {unique(n)}") for n in range(1, 4)], hour(0))
        take_in(store)
        erase(store, 2)
    with opened(tmp_path) as (store, _):
        store.commit([message("4", "tea four")], hour(1))
        assert count(tmp_path, "tea") == 3
        for _ in range(2):
            take_in(store)
        assert count(tmp_path, "tea") == 3
        assert words_in(tmp_path, unique(2)[-8:]) == []


def test_what_was_erased_before_it_was_taken_in_never_gets_there(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), f"tea {n}") for n in range(1, 4)], hour(0))
        erase(store, 2)
        take_in(store)
        assert count(tmp_path, "tea") == 2
        assert texts(store, Query(9)) == ["tea 3", "tea 1"]
    memory = MemoryStore()
    memory.commit([message("1", ""), message("2", "tea")], hour(0))
    assert texts(memory, Query(9)) == ["tea"]


def test_traces_are_taken_away_now_and_then_only(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), f"tea {unique(n)}") for n in range(1, 5)], hour(0))
        take_in(store)
        with closing(open_index(tmp_path)) as index:
            index._write_anew_at = float("inf")
            erase(store, 2)
            assert [index.work(9) for _ in range(2)] == [1, 0]
            assert words_in(tmp_path, unique(2)[-8:]) == [unique(2)[-8:]]
        take_in(store)  # another start
        assert words_in(tmp_path, unique(2)[-8:]) == []


def test_work_can_be_stopped_and_is_done_another_time(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), f"tea {n}") for n in range(5_000)], hour(0))
        store.tidy()
        index = open_index(tmp_path)

        def interrupt() -> bool:
            index.stop()
            return False

        index._db.set_progress_handler(interrupt, 50)
        assert index.work(5_000) == 0
        index.close()
        index.stop()  # too late, and harmless
        take_in(store, budget=5_000)
        assert count(tmp_path, "tea") == 5_000


def test_an_index_of_other_messages_is_made_again(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1", "tea")], hour(0))
        take_in(store)
    maintenance.backup(tmp_path, tmp_path / "copy.db")
    with opened(tmp_path) as (store, _):
        store.commit([message("2", "tea two"), message("3", "tea three")], hour(1))
        take_in(store)
    maintenance.restore(tmp_path, tmp_path / "copy.db", 0.0)
    with opened(tmp_path) as (store, _):
        store.commit([message("4", "coffee")], hour(1))
        assert texts(store, Query(9, phrases=tea())) == ["tea"]
        take_in(store)
        assert count(tmp_path, "tea") == 1
        assert texts(store, Query(9)) == ["coffee", "tea"]


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 400])
def test_what_is_no_index_is_made_again(tmp_path: Path, content: bytes) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1", "tea")], hour(0))
        (tmp_path / INDEX_NAME).write_bytes(content)
        assert texts(store, Query(9, phrases=tea())) == ["tea"]
        take_in(store)
        assert count(tmp_path, "tea") == 1


def test_a_damaged_index_harms_no_search_and_is_given_up(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        rows = [message(str(n), f"tea {n} {random.Random(n).random()}") for n in range(400)]
        store.commit(rows, hour(0))
        take_in(store, budget=1_000)
        path = tmp_path / INDEX_NAME
        with closing(apsw.Connection(str(path))) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = path.read_bytes()
        path.write_bytes(whole[:8_192] + b"\xa5" * (len(whole) - 8_192))
        assert len(texts(store, Query(9, phrases=tea()), size=10**6)) == 400
        store.commit([message("x", "tea x")], hour(1))
        store.tidy()
        index = open_index(tmp_path)
        with suppress(StoreBroken):
            index.work(1_000)
        index.discard()
        assert not path.exists()
        assert len(texts(store, Query(9, phrases=tea()), size=10**6)) == 401


def test_an_index_is_no_business_of_other_disks(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        store.load()
    with closing(apsw.Connection(str(tmp_path / "securechat.db"))):
        pass  # the system's own file system by name is another one, too
    with closing(open_store(tmp_path, vfs="unix-excl")) as store:
        assert isinstance(store, SqliteStore)
        assert store.indexer() is None
        store.commit([message("1", "tea"), KeepIdentity(1, "ann", b"1", 1.0)], hour(0))
        assert texts(store, Query(9, phrases=tea())) == ["tea"]
    assert not (tmp_path / INDEX_NAME).exists()


def test_a_memory_store_needs_no_index() -> None:
    store = MemoryStore()
    assert store.indexer() is None
    new = NewMessage("#a", ANN, "1", "#a", "ann", "tea", None, False)
    store.commit([new], hour(0))
    assert texts(store, Query(9, phrases=tea())) == ["tea"]
