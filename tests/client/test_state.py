"""The kept session: where it lies, who may read it, and what happens when it is not what it was."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from securechat.client.private import make_folder
from securechat.client.state import GuestState, Loaded, default_state_dir


@pytest.fixture
def state(tmp_path: Path) -> GuestState:
    return GuestState(tmp_path / "state", "localhost", 55555)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_session_is_found_again(state: GuestState) -> None:
    assert state.load("bob") == Loaded(None)
    state.save("bob", "token")
    assert state.load("bob") == Loaded("token")
    state.save("bob", "newer")
    assert state.load("bob") == Loaded("newer")


def test_each_server_and_nick_has_its_own(state: GuestState, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    state.save("bob", "token")
    others = [
        (GuestState(folder, "localhost", 55556), "bob"),
        (GuestState(folder, "example.org", 55555), "bob"),
        (state, "eve"),
    ]
    for other, nick in others:
        assert other.load(nick) == Loaded(None)
    assert GuestState(folder, "LOCALHOST", 55555).load("BOB") == Loaded("token")


@pytest.mark.parametrize("nick", ["../../etc/passwd", "", "a/b", "\ud800", "x" * 1_000, "Ａlice"])
def test_any_nick_makes_a_harmless_file_name(state: GuestState, nick: str) -> None:
    path = state.path(nick)
    assert path.parent == state.path("bob").parent
    assert path.name.isascii()
    assert len(path.name) < 100


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_nobody_else_may_read_it(state: GuestState, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_folder(tmp_path / "state")
        if umask != 0o777:  # which leaves not even us a way in
            state.save("bob", "token")
    finally:
        os.umask(before)
    assert mode(tmp_path / "state") == 0o700
    if umask != 0o777:
        assert mode(state.path("bob")) == 0o600


def test_a_folder_open_to_others_is_closed(state: GuestState, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    state.save("bob", "token")
    assert mode(tmp_path / "state") == 0o700


def test_saving_the_same_again_does_not_touch_the_file(state: GuestState) -> None:
    state.save("bob", "token")
    before = state.path("bob").stat()
    state.save("bob", "token")
    assert state.path("bob").stat().st_ino == before.st_ino


def test_nothing_is_left_lying_about(state: GuestState) -> None:
    state.save("bob", "token")
    state.save("bob", "newer")
    assert [path.name for path in state.path("bob").parent.iterdir()] == [state.path("bob").name]


GOOD = {"version": 1, "server": "localhost:55555", "nick": "bob", "session": "token"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"\0" * 100_000,
        json.dumps({**GOOD, "version": 2}).encode(),
        json.dumps({**GOOD, "session": 5}).encode(),
        json.dumps({key: value for key, value in GOOD.items() if key != "session"}).encode(),
    ],
)
def test_a_damaged_file_is_taken_for_absent_and_can_be_replaced(
    state: GuestState, content: bytes
) -> None:
    state.save("bob", "token")
    state.path("bob").write_bytes(content)
    loaded = state.load("bob")
    assert loaded.session is None
    assert "damaged" in str(loaded.warning)
    assert "\n" not in str(loaded.warning)
    state.save("bob", "token")
    assert state.load("bob") == Loaded("token")


def test_a_file_that_others_may_read_is_not_believed(state: GuestState) -> None:
    state.save("bob", "token")
    state.path("bob").chmod(0o640)
    loaded = state.load("bob")
    assert loaded.session is None
    assert "chmod 600" in str(loaded.warning)


@pytest.mark.parametrize("kind", ["symlink", "folder", "fifo"])
def test_what_is_no_file_is_not_followed(state: GuestState, kind: str) -> None:
    state.save("eve", "theirs")
    path = state.path("bob")
    match kind:
        case "symlink":
            path.symlink_to(state.path("eve"))
        case "folder":
            path.mkdir()
        case _:
            os.mkfifo(path, 0o600)
    loaded = state.load("bob")
    assert loaded.session is None
    assert loaded.warning is not None
    if kind == "symlink":
        state.save("bob", "mine")
        assert not path.is_symlink()
        assert state.load("eve") == Loaded("theirs")


def test_a_full_disk_leaves_the_old_file(
    state: GuestState, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.save("bob", "token")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            state.save("bob", "newer")
    assert state.load("bob") == Loaded("token")
    assert len(list(state.path("bob").parent.iterdir())) == 1


def test_a_folder_that_is_not_ours_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    with pytest.raises(PermissionError, match="belongs to someone else"):
        make_folder(tmp_path)


def test_a_file_that_is_not_ours_is_not_believed(
    state: GuestState, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.save("bob", "token")
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    assert "belongs to someone else" in str(state.load("bob").warning)


def test_the_default_is_the_users_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/nowhere/state")
    assert default_state_dir() == Path("/nowhere/state/securechat")
