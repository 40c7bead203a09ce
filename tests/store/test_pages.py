"""Pages out of a damaged file: none rather than one with a hole in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from securechat.errors import StoreBroken
from securechat.store.connections import DATABASE_NAME

from .folders import (
    PLENTY,
    TS,
    damage,
    message,
    numbers,
    opened,
)


def test_no_history_is_given_with_a_hole_in_it(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n)) for n in range(1, 6)], TS)
        store.tidy()
        damage(tmp_path, "DELETE FROM message WHERE place & 0xff = ?", 3)
        with closing(store.reader()) as reader:
            assert numbers(reader.after("#a", 0, 2, 9, PLENTY)) == [1, 2]
            with pytest.raises(StoreBroken, match=r"message 3 of #a is missing\. Run"):
                reader.after("#a", 0, 5, 9, PLENTY)
            with pytest.raises(StoreBroken, match=r"message 3 of #a is missing\. Run"):
                reader.before("#a", None, 9, PLENTY)
            with pytest.raises(StoreBroken, match=r"message 3 of #a is missing\. Run"):
                reader.after("#a", 2, 3, 9, PLENTY)
            assert numbers(reader.before("#a", None, 2, PLENTY)) == [4, 5]


def test_a_number_that_is_taken_is_damage(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1"), message("2")], TS)
    damage(tmp_path, "UPDATE conversation SET head = 1")
    with opened(tmp_path) as (store, _):
        store.commit([message("3")], TS)
        with pytest.raises(StoreBroken, match="CONSTRAINT"):
            store.tidy()


def test_a_damaged_page_stops_readers_and_the_writer(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message(str(n), "marked" * 500) for n in range(40)], TS)
    damage(tmp_path, "VACUUM")  # what the journal left behind is marked, too
    path = tmp_path / DATABASE_NAME
    data = bytearray(path.read_bytes())
    for start in range(4_096, len(data), 4_096):
        if b"markedmarked" in data[start : start + 4_096]:
            data[start : start + 64] = b"\xff" * 64
    path.write_bytes(data)
    with opened(tmp_path) as (store, _):
        with closing(store.reader()) as reader, pytest.raises(StoreBroken, match="CORRUPT"):
            reader.after("#a", 0, 40, 99, PLENTY)
        store.commit([message("new")], TS)
        with pytest.raises(StoreBroken, match="CORRUPT"):
            store.tidy()
    assert path.read_bytes() == bytes(data)


def test_a_text_that_is_no_unicode_any_more_is_damage(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([message("1", "précieux")], TS)
        store.tidy()
        damage(tmp_path, "UPDATE message SET text = CAST(x'70ff' AS TEXT)")
        with closing(store.reader()) as reader, pytest.raises(StoreBroken, match="db check"):
            reader.after("#a", 0, 1, 9, PLENTY)
        with pytest.raises(StoreBroken, match="db check"):
            store.commit([message("1", "précieux")], TS)
