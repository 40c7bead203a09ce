"""What retention removes, and that numbers and proofs outlive it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from securechat.errors import StoreBroken
from securechat.protocol.envelopes import Posted
from securechat.records import (
    Conflict,
    KeepIdentity,
    Known,
    Lookup,
    NewMessage,
    Record,
    Stored,
    Unknown,
)
from securechat.store.maintenance import check, stats
from securechat.store.retention import (
    DIGEST_DAYS,
    MEGABYTE,
    OVERHEAD,
    Keep,
    Retention,
    digest,
    to_ts,
    weigh,
)
from securechat.store.sqlite import SqliteStore

from .folders import ANN, PLENTY, damage, message, numbers, opened, posted, read, texts

DAY = 86_400
NOON = 1_800_000_000.0  # some day in 2027
ALL = 10**9


def say(store: SqliteStore, days_ago: float, *ids: str, to: str = "#a", text: str = "hi") -> None:
    """Messages of that many days before noon."""
    ts = to_ts(NOON - days_ago * DAY)
    outcomes = store.commit([message(id, text, to=to) for id in ids], ts)
    assert {type(outcome) for outcome in outcomes} == {Stored}


def retain_all(store: SqliteStore, now: float = NOON) -> int:
    """Sweep until nothing is left to do; how many rows it touched."""
    total = 0
    while done := store.retain(now, 7):
        assert done <= 7
        total += done
    return total


def sized(messages: int, text: str = "hi") -> float:
    """Megabytes that so many messages weigh."""
    return messages * weigh(text) / MEGABYTE


# ------------------------------------------------------------------ by age


def test_what_is_older_goes_and_what_is_younger_stays(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=3)) as (store, _):
        say(store, 5, "1", "2")
        say(store, 4, "3", to="#b")
        say(store, 3.01, "4")
        say(store, 2.99, "5", "6")
        assert retain_all(store) == 4
        assert list(read(store)) == [4, 5]
        assert read(store, "#b") == {}
        assert (store.first_kept("#a"), store.first_kept("#b"), store.first_kept("#c")) == (4, 2, 1)
        assert retain_all(store) == 0


def test_removed_numbers_stay_used_even_when_nothing_is_left(tmp_path: Path) -> None:
    for retention in (Retention(keep_days=1), Retention()):
        with opened(tmp_path, retention=retention) as (store, snapshot):
            if not snapshot.heads:
                say(store, 9, "1", "2", "3")
                retain_all(store)
            assert store.first_kept("#a") == 4
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, snapshot):
        assert snapshot.heads == {"#a": 3}
        say(store, 0.5, "4")
        assert list(read(store)) == [4]
        retain_all(store, NOON + DAY)
        assert (read(store), store.first_kept("#a")) == ({}, 5)
    assert check(tmp_path).problems == ()


def test_rooms_may_have_rules_of_their_own(tmp_path: Path) -> None:
    rules = Retention(
        keep_days=3, rooms={"#long": Keep(days=30), "#short": Keep(days=1), "#all": Keep()}
    )
    with opened(tmp_path, retention=rules) as (store, _):
        for n, room in enumerate(("#long", "#short", "#all", "#a", "#b")):
            for age in (40, 20, 2, 0.5):
                say(store, age, f"{n}-{age}", to=room)
        retain_all(store)
        kept = {room: len(read(store, room)) for room in ("#long", "#short", "#all", "#a", "#b")}
        assert kept == {"#long": 3, "#short": 1, "#all": 4, "#a": 2, "#b": 2}


def test_without_a_rule_everything_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        say(store, 20_000, "1")
        assert retain_all(store) == 0
        assert list(read(store)) == [1]


def test_a_clock_that_was_set_back_takes_nothing_from_the_middle(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=3)) as (store, _):
        for age, id in ((5, "1"), (1, "2"), (6, "3"), (4, "4"), (0, "5")):
            say(store, age, id)
        retain_all(store)
        assert list(read(store)) == [2, 3, 4, 5]
        retain_all(store, NOON + 2.5 * DAY)
        assert list(read(store)) == [5]
    assert check(tmp_path).problems == ()


def test_a_rule_of_more_days_than_the_calendar_has_keeps_everything(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=10**7)) as (store, _):
        say(store, 20_000, "1")
        assert retain_all(store) == 0


# ------------------------------------------------------------------ by size


def test_beyond_the_size_of_all_the_oldest_of_all_go(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_mb=sized(4))) as (store, _):
        for n, room in enumerate(("#a", "#b", "#a", "#c", "#b", "#a", "#a")):
            say(store, 9 - n, f"{n}", to=room)
        assert retain_all(store) == 3
        assert [list(read(store, room)) for room in ("#a", "#b", "#c")] == [[3, 4], [2], [1]]
        say(store, 0, "new", "newer", to="#c")
        assert retain_all(store) == 2
        assert [list(read(store, room)) for room in ("#a", "#b", "#c")] == [[3, 4], [], [2, 3]]


def test_the_size_of_all_counts_texts_in_utf_8_and_what_messages_cost() -> None:
    assert weigh("hi") == 2 + OVERHEAD
    assert weigh("é😀") == 6 + OVERHEAD


def test_the_measure_is_about_what_messages_take_in_the_file(tmp_path: Path) -> None:
    rooms, senders, count = 4, 20, 20_000
    random = Random(1)
    prefixes = [f"{random.getrandbits(128):032x}" for _ in range(senders)]
    with opened(tmp_path) as (store, _):
        for start in range(0, count, 500):
            records = []
            for n in range(start, start + 500):
                by = random.randrange(senders)
                id, room = f"{prefixes[by]}-{n}", f"#room{by % rooms}"
                records.append(message(id, "x" * 60, to=room, by=by))
            store.commit(records, to_ts(NOON + start))
        store.tidy()
        weight = store._weight
    found = stats(tmp_path, NOON)
    size = found.file_bytes - found.reusable_bytes
    assert 0.9 < weight / size < 1.1


def test_a_room_may_have_a_size_of_its_own(tmp_path: Path) -> None:
    rules = Retention(rooms={"#small": Keep(mb=sized(2)), "#none": Keep(mb=0)})
    with opened(tmp_path, retention=rules) as (store, _):
        for n, room in enumerate(("#small", "#none", "#a")):
            say(store, 9, *(f"{n}-{i}" for i in range(5)), to=room)
        retain_all(store)
        assert list(read(store, "#small")) == [4, 5]
        assert read(store, "#none") == {}
        assert len(read(store, "#a")) == 5


def test_the_size_is_known_again_after_the_end(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        say(store, 9, *"12345")
    with opened(tmp_path, retention=Retention(keep_mb=sized(2))) as (store, _):
        retain_all(store)
        assert list(read(store)) == [4, 5]


def test_a_message_larger_than_all_that_is_kept_goes_too(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_mb=0)) as (store, _):
        say(store, 0, "1", text="x" * 4_000)
        assert retain_all(store) == 1
        assert read(store) == {}


# ------------------------------------------------------------------ in small steps


def test_no_more_rows_are_touched_than_allowed_and_the_rest_comes_next(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        say(store, 5, *(str(n) for n in range(10)))
        say(store, 4, *(f"b{n}" for n in range(10)), to="#b")
        assert [store.retain(NOON, 6) for _ in range(5)] == [6, 6, 6, 2, 0]
        assert store.retain(NOON, 0) == 0


def test_readers_are_told_where_the_history_begins(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        say(store, 5, "1", "2", "3")
        say(store, 0, "4", "5")
        retain_all(store)
        with closing(store.reader()) as reader:
            page = reader.after("#a", 0, 5, 9, PLENTY)
            assert (numbers(page), page.trimmed, page.last, page.more) == ([4, 5], 3, 5, False)
            page = reader.after("#a", 3, 5, 1, PLENTY)
            assert (numbers(page), page.trimmed, page.last, page.more) == ([4], None, 4, True)
            page = reader.after("#a", 1, 2, 9, PLENTY)
            assert (page.payloads, page.trimmed, page.last, page.more) == ([], 3, 2, False)
            page = reader.before("#a", None, 9, PLENTY)
            assert (numbers(page), page.trimmed, page.last, page.more) == ([4, 5], 3, 5, False)
            page = reader.before("#a", None, 2, PLENTY)
            assert (numbers(page), page.trimmed, page.more) == ([4, 5], None, False)
            page = reader.before("#a", 3, 9, PLENTY)
            assert (page.payloads, page.trimmed, page.last, page.more) == ([], 3, 3, False)


# ------------------------------------------------------------------ what outlives a text


def test_a_removed_draft_is_answered_from_its_own_text(tmp_path: Path) -> None:
    said = NewMessage("#a", ANN, "x-1", "#a", "ann", 'say "hi"', 7, True)
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        say(store, 9, "x-0")
        store.commit([said], to_ts(NOON - 9 * DAY))
        retain_all(store)
    with opened(tmp_path) as (store, _):
        lookup = Lookup(ANN, "x-1", "#a", 'say "hi"')
        for known in store.commit([said._replace(sender="anna"), lookup], to_ts(NOON)):
            assert isinstance(known, Known)
            assert posted(known.payload) == Posted(
                id="x-1",
                to="#a",
                sender="ann",
                seq=2,
                ts=to_ts(NOON - 9 * DAY),
                text='say "hi"',
                reply_to=7,
                action=True,
            )
        others: list[Record] = [
            said._replace(text="say 'hi'"),
            said._replace(to="#b", conversation="#b"),
            Lookup(ANN, "x-1", "#", 'asay "hi"'),
        ]
        assert [type(one) for one in store.commit(others, to_ts(NOON))] == [Conflict] * 3
        assert read(store) == {}


def test_a_removed_direct_message_shows_the_nicks_of_now(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        store.commit([KeepIdentity(1, "ann", b"1", 1.0), KeepIdentity(2, "bob", b"2", 1.0)], "")
        direct = message("1", to="@bob", key="@1:2")
        store.commit([direct], to_ts(NOON - 9 * DAY))
        retain_all(store)
        store.commit([KeepIdentity(2, "robert", b"2", 1.0)], "")
        (known,) = store.commit([direct], to_ts(NOON))
        assert isinstance(known, Known)
        assert posted(known.payload).to == "@robert"
        (moved,) = store.commit([direct._replace(to="@robert")], to_ts(NOON))
        assert type(moved) is Conflict


def test_a_removed_draft_is_known_for_thirty_days_and_then_forgotten(tmp_path: Path) -> None:
    lookup = [Lookup(ANN, "1", "#a", "hi")]
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        say(store, 9, "1", "2")
        retain_all(store)
        assert retain_all(store, NOON + DIGEST_DAYS * DAY) == 0
        assert type(store.commit(lookup, "")[0]) is Known
        assert retain_all(store, NOON + (DIGEST_DAYS + 2) * DAY) == 3, "two rows and their record"
        assert type(store.commit(lookup, "")[0]) is Unknown
        assert store.commit([message("1")], to_ts(NOON))[0] == Stored(3, to_ts(NOON))
    assert check(tmp_path).problems == ()


def test_each_days_removals_are_forgotten_in_their_turn(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(keep_days=1)) as (store, _):
        for n in range(6):
            say(store, 9 - n, str(n))
        for day in range(6):
            retain_all(store, NOON - (8 - day) * DAY + 60)
        last = [Lookup(ANN, "5", "#a", "hi")]
        for day in range(31, 40):
            retain_all(store, NOON - (8 - day) * DAY + 60)
            known = [Lookup(ANN, str(n), "#a", "hi") for n in range(6)]
            kinds = [type(outcome) for outcome in store.commit(known, "")]
            gone = min(max(day - 30, 0), 6)
            assert kinds == [Unknown] * gone + [Known] * (6 - gone)
        assert type(store.commit(last, "")[0]) is Unknown


def test_a_digest_tells_address_from_text() -> None:
    assert digest("#a", "b") != digest("#", "ab")
    assert digest("#a", "b") == digest("#a", "b")
    assert len(digest("#a", "b" * 4_000)) == 16


# ------------------------------------------------------------------ whatever comes


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_removed_the_books_stay_true(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    rules = Retention(
        keep_days=random.choice([None, 2, 5]),
        keep_mb=random.choice([None, sized(20), sized(5)]),
        rooms={"#a": Keep(days=1), "#b": Keep(mb=sized(3)), "#c": Keep(days=9, mb=sized(4))},
    )
    heads: dict[str, int] = {}
    now, said = NOON, 0
    for _ in range(3):
        with opened(tmp_path, retention=rules) as (store, snapshot):
            assert snapshot.heads == heads
            for _ in range(30):
                room = random.choice(["#a", "#b", "#c", "#d", "#e"])
                count = random.randrange(1, 5)
                text = "x" * random.randrange(9)
                new = [message(f"{said + n}", text, to=room) for n in range(count)]
                said += count
                now += random.random() * DAY / 4
                head = heads.get(room, 0)
                assert store.commit(new, to_ts(now)) == [
                    Stored(head + n + 1, to_ts(now)) for n in range(count)
                ]
                heads[room] = head + count
                budget = random.randrange(12)
                assert store.retain(now, budget) <= budget
                kept = list(read(store, room))
                assert kept == list(range(store.first_kept(room), heads[room] + 1))
        found = check(tmp_path)
        assert found.problems == ()
        assert 0 < found.messages < said


def test_books_that_are_not_true_stop_the_store(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        say(store, 9, "1", "2")
    damage(tmp_path, "DELETE FROM message")
    with (
        opened(tmp_path, retention=Retention(keep_days=1)) as (store, _),
        pytest.raises(StoreBroken, match="the messages of #a are not what the database says"),
    ):
        store.retain(NOON, ALL)
    assert texts(tmp_path, "#b") == {}


@pytest.mark.parametrize(
    ("seconds", "ts"),
    [(0.0, "1970-01-01T00:00:00.000000Z"), (1.5, "1970-01-01T00:00:01.500000Z"), (-1e15, "")],
)
def test_times_are_written_as_messages_have_them(seconds: float, ts: str) -> None:
    assert to_ts(seconds) == ts
