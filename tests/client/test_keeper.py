"""Trouble with the disk is told once and stops nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from securechat.client.keeper import Keeper
from securechat.client.snapshot import Snapshot
from securechat.protocol.envelopes import Draft

DRAFT = Draft(id="id-1", to="#lobby", text="hello")


def do_everything(keeper: Keeper) -> None:
    keeper.keep_session("bob", "token")
    keeper.keep_draft(DRAFT)
    keeper.keep_cursors({"@eve": 1})
    keeper.move_cursor("@eve", "@carol")
    keeper.keep_nick("bobby")
    keeper.flush(Snapshot)
    keeper.forget_draft("id-1")
    keeper.rewrite(Snapshot(cursors={"@carol": 1}))


def test_nothing_is_kept_without_a_folder() -> None:
    warnings: list[str] = []
    keeper = Keeper(None, "h", 1, warnings.append)
    assert keeper.load_session("bob") is None
    assert keeper.open_outbox("bob", "run") == ()
    do_everything(keeper)
    keeper.close()
    assert warnings == []


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    warnings: list[str] = []
    keeper = Keeper(tmp_path, "h", 1, warnings.append)
    assert keeper.open_outbox("bob", "run") == ()
    do_everything(keeper)
    keeper.close()
    keeper.close()
    again = Keeper(tmp_path, "h", 1, warnings.append)
    assert again.load_session("bob") == "token"
    assert again.open_outbox("bobby", "run2") == (Snapshot(cursors={"@carol": 1}),)
    again.close()
    assert warnings == []


def test_what_one_person_left_under_another_nick_is_found(tmp_path: Path) -> None:
    first = Keeper(tmp_path, "h", 1, lambda _: None)
    first.open_outbox("bob", "run")
    first.keep_session("bob", "token")
    first.keep_nick("robert")
    first.keep_session("robert", "token")
    first.keep_draft(DRAFT)
    first.flush(Snapshot)
    first.close()
    for host, nick, session in (("h", "eve", "other"), ("other", "bob", "token")):
        stranger = Keeper(tmp_path, host, 1, lambda _: None)
        stranger.keep_session(nick, session)
        assert stranger.open_outbox(nick, "run1") == ()
        stranger.close()
    again = Keeper(tmp_path, "h", 1, lambda _: None)
    [left] = again.open_outbox("bob", "run2")
    assert [kept.draft for kept in left.drafts] == [DRAFT]
    again.close()


def test_a_long_journal_is_rewritten(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, "h", 1, lambda _: None)
    keeper.open_outbox("bob", "run")
    for _ in range(300):
        keeper.keep_draft(Draft(id="id-1", to="#lobby", text="x" * 1_000))
        keeper.forget_draft("id-1")
        keeper.flush(lambda: Snapshot(cursors={"#lobby": 7}))
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 100_000
    keeper.close()


def test_a_disk_that_fails_is_complained_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    keeper = Keeper(tmp_path, "h", 1, warnings.append)
    keeper.open_outbox("bob", "run")

    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        patch.setattr(Path, "rename", fail)
        do_everything(keeper)
        keeper.close()
    assert len(warnings) == 1
    assert "Input/output error" in warnings[0]
    assert "\n" not in warnings[0]


def test_warnings_of_the_files_are_passed_on(tmp_path: Path) -> None:
    first = Keeper(tmp_path, "h", 1, lambda _: None)
    first.open_outbox("bob", "run")
    first.keep_session("bob", "token")
    do_everything(first)
    first.close()
    for path in tmp_path.iterdir():
        path.write_bytes(b"nonsense")
    warnings: list[str] = []
    keeper = Keeper(tmp_path, "h", 1, warnings.append)
    assert keeper.load_session("bob") is None
    assert keeper.open_outbox("bobby", "run2") == ()
    keeper.close()
    assert len(warnings) == 2


def test_a_folder_that_cannot_be_used_is_complained_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    warnings: list[str] = []
    keeper = Keeper(tmp_path / "file", "h", 1, warnings.append)
    assert keeper.open_outbox("bob", "run") == ()
    do_everything(keeper)
    keeper.close()
    assert len(warnings) == 1
