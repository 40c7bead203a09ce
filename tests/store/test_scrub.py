"""Nothing is left of a removed text in the file, wherever SQLite had moved it."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from securechat.store.connections import DATABASE_NAME
from securechat.store.maintenance import check
from securechat.store.migrations import MIGRATIONS, create
from securechat.store.retention import Retention
from securechat.store.scrub import Scrub, unused_spans

from .erasing import fill, remains, removal, said, said_still
from .folders import TS, identity, opened

PAGE = 4096


def test_nothing_is_left_where_rows_were_moved_about(tmp_path: Path) -> None:
    fill(tmp_path, 4_000, rooms=40)
    chosen = [(f"#r{room}", seq) for room in range(40) for seq in (1, 17, 40, 61)]
    with opened(tmp_path) as (store, snapshot):
        with closing(store.reader()) as reader:
            texts = [
                reader.after(room, seq - 1, seq, 1, 10**6).payloads[0].decode().split('"text":"')[1]
                for room, seq in chosen
            ]
        tokens = [text[:13] for text in texts] + [
            "-END-" + text.split("-END-")[1][:6] for text in texts
        ]
        assert sum(snapshot.heads.values()) == 4_000
        store.commit([removal(room, seq) for room, seq in chosen], TS)
        while store.retain(0.0, 500):
            pass
        assert remains(tmp_path, tokens) == {}
        store.commit(
            [said(number, random.Random(number), 40) for number in range(5_000, 5_400)], TS
        )
    assert remains(tmp_path, tokens) == {}
    found = check(tmp_path)
    assert (found.problems, found.messages) == ((), 4_400)


def test_without_it_something_would_be_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what SQLite does by itself is not enough."""
    monkeypatch.setattr(Scrub, "run", lambda _self, _pages: True)
    fill(tmp_path, 2_000, rooms=10)
    chosen = [(f"#r{room}", seq) for room in range(10) for seq in range(1, 150)]
    with opened(tmp_path) as (store, _):
        store.commit([removal(room, seq) for room, seq in chosen], TS)
    assert b"SECRET-" in (tmp_path / DATABASE_NAME).read_bytes()
    tokens = [f"SECRET-{number:06d}" for number in range(2_000)]
    living = said_still(tmp_path)
    assert set(remains(tmp_path, tokens)[DATABASE_NAME]) - living


def test_pages_that_retention_freed_are_overwritten_too(tmp_path: Path) -> None:
    fill(tmp_path, 2_000, rooms=4)
    with opened(tmp_path, retention=Retention(keep_mb=0.2)) as (store, _):
        while store.retain(0.0, 500):
            pass
        store.commit([identity(2, "bob"), said(9_000, random.Random(1), 4)], TS)
        room = next(name for name in ("#r0", "#r1", "#r2", "#r3") if store.first_kept(name) > 1)
        assert store.commit([removal(room, store.first_kept(room))], TS)
    assert check(tmp_path).problems == ()


# ------------------------------------------------------------------ pages


def leaf(cells: int, content: int, block: int = 0, kind: int = 13) -> bytearray:
    page = bytearray(b"\xee" * PAGE)
    page[:8] = bytes([kind, *block.to_bytes(2), *cells.to_bytes(2), *content.to_bytes(2), 0])
    return page


def block(page: bytearray, at: int, following: int, size: int) -> bytearray:
    page[at : at + 4] = following.to_bytes(2) + size.to_bytes(2)
    return page


def test_what_is_unused_in_a_page() -> None:
    assert unused_spans(bytes(leaf(3, 4_000)), PAGE, first=False) == [(14, 4_000)]
    assert unused_spans(bytes(leaf(3, 4_000, kind=5)), PAGE, first=False) == [(18, 4_000)]
    two = block(block(leaf(3, 3_000, 3_100), 3_100, 3_500, 50), 3_500, 0, 96)
    spans = [(14, 3_000), (3_104, 3_150), (3_504, 3_596)]
    assert unused_spans(bytes(two), PAGE, first=False) == spans
    first = bytes(100) + bytes(leaf(1, 4_000))[: PAGE - 100]
    assert unused_spans(first, PAGE, first=True) == [(110, 4_000)]
    assert unused_spans(bytes(leaf(0, 0))[:PAGE], 65_536, first=False) == [(8, 65_536)]


@pytest.mark.parametrize(
    "page",
    [
        leaf(3, 4_000, kind=0),  # of a long text, or a list of free pages
        leaf(3, 10),  # the cells would begin among their pointers
        leaf(3, 4_097),
        block(leaf(3, 3_000, 2_900), 2_900, 0, 8),
        block(leaf(3, 3_000, 4_000), 4_000, 0, 200),
        block(leaf(3, 3_000, 3_100), 3_100, 3_110, 50),
    ],
)
def test_a_page_that_is_not_what_it_seems_is_left_alone(page: bytearray) -> None:
    assert unused_spans(bytes(page), PAGE, first=False) == []


def test_what_is_in_use_stays_as_it_is(tmp_path: Path) -> None:
    """Overwriting everything unused changes nothing that SQLite can see, twice over."""
    path = tmp_path / "x.db"
    create(path, MIGRATIONS)
    with closing(apsw.Connection(str(path))) as db:
        db.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)")
        dice = random.Random(3)
        db.execute("BEGIN")
        for number in dice.sample(range(3_000), 3_000):
            db.execute("INSERT INTO t VALUES (?, ?)", (number, "v" * dice.randrange(2_000)))
        db.execute("DELETE FROM t WHERE k % 3 = 0; COMMIT")
        db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        before = db.execute("SELECT * FROM t").fetchall()
    scrub = Scrub(path, None, PAGE)
    while not scrub.run(64):
        pass
    once = path.read_bytes()
    scrub.begin_again()
    assert scrub.run(10**6)
    assert path.read_bytes() == once
    with closing(apsw.Connection(str(path))) as db:
        assert db.pragma("integrity_check") == "ok"
        assert db.execute("SELECT * FROM t").fetchall() == before
