"""The index of words: taken in piece by piece, as much as there is, and made again at need."""

from __future__ import annotations

import random
from collections.abc import Iterator
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
from securechat.store.finder import Finder
from securechat.store.memory import MemoryStore
from securechat.store.retention import Retention
from securechat.store.search import INDEX_NAME, open_index
from securechat.store.sqlite import SqliteStore, open_store

from .folders import ANN, BOB, EVE, PLENTY, identity, message, opened, posted
from .seeking import FRAME, hour, take_in, take_in_a_part, tea, texts

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
            assert [index.work(8).messages for _ in range(4)] == [8, 8, 4, 0]
        store.commit([message("x", "tea x")], hour(1))
        store.tidy()
        with closing(open_index(tmp_path)) as index:
            assert [index.work(8).messages for _ in range(2)] == [1, 0]
        assert count(tmp_path, "tea") == 21
    assert (tmp_path / INDEX_NAME).stat().st_mode & 0o077 == 0


def test_long_messages_are_taken_in_fewer_at_once(tmp_path: Path) -> None:
    def long(id: str) -> NewMessage:
        return message(id, "tea " * 500)  # counts as four: one, and three times 512 characters

    with opened(tmp_path) as (store, _):
        store.commit([*map(long, "abcd"), message("e", "tea"), long("f")], hour(0))
        store.tidy()
        with closing(open_index(tmp_path)) as index:
            pieces = [index.work(8) for _ in range(4)]
            assert index.work(1) == (0, False)
        assert pieces == [(2, True), (2, True), (2, False), (0, False)]
        assert count(tmp_path, "tea") == 6


def test_one_message_at_least_is_taken_in_however_long(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(id, "tea " * 1_000) for id in "ab"], hour(0))
        assert take_in(store, budget=1) == 3
        assert count(tmp_path, "tea") == 2


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
        assert index.work(100).messages == 1
        assert count(tmp_path, gone) == 0
        assert index.work(100).messages == 0  # nothing to take in: time to clear up
        assert words_in(tmp_path, gone[-8:], kept[-8:]) == [kept[-8:]]
        assert index.work(100).messages == 0
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
            assert [index.work(9).messages for _ in range(2)] == [1, 0]
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
        assert index.work(5_000).messages == 0
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
