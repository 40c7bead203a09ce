"""Accounts, their sessions and invites: what is kept comes back, and together is together."""

from __future__ import annotations

from pathlib import Path

import pytest

from securechat.errors import StoreBroken
from securechat.records import (
    ForgetInvite,
    ForgetSession,
    KeepAccount,
    KeepInvite,
    KeepSession,
    Kept,
    Record,
    Snapshot,
    Together,
)
from securechat.store.sqlite import SqliteStore, open_store

from .folders import ANN, BOB, TS, identity, opened

ACCOUNT = KeepAccount(ANN, "Ann", "ann", ("ann", "anh"), "17.0.0", "member", None, 5.0)
PHONE = KeepSession(b"p" * 32, ANN, "phone", 6.0, 7.0)
LAPTOP = KeepSession(b"l" * 32, ANN, "laptop", 6.5, 7.5)
INVITE = KeepInvite(b"i" * 32, "bob", "#ops", 2, 8.0, 9.0)
OPEN_INVITE = KeepInvite(b"o" * 32, None, None, 1, 8.0, 9.0)


def reopened(folder: Path) -> Snapshot:
    store = open_store(folder)
    snapshot = store.load()
    store.close()
    return snapshot


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        records: list[Record] = [ACCOUNT, PHONE, LAPTOP, INVITE, OPEN_INVITE]
        assert [type(it) for it in store.commit(records, TS)] == [Kept] * 5
    snapshot = reopened(tmp_path)
    assert snapshot.accounts == (ACCOUNT,)
    assert set(snapshot.sessions) == {PHONE, LAPTOP}
    assert set(snapshot.invites) == {INVITE, OPEN_INVITE}


def test_the_last_word_counts(tmp_path: Path) -> None:
    changed = ACCOUNT._replace(role="owner", password="$argon2id$…")
    used = PHONE._replace(used=9.0)
    with opened(tmp_path) as (store, _):
        store.commit([ACCOUNT, PHONE, LAPTOP, INVITE, OPEN_INVITE], TS)
        less = INVITE._replace(uses=1)
        store.commit([changed, used, ForgetSession(LAPTOP.token_hash), less], TS)
        store.commit([ForgetInvite(OPEN_INVITE.token_hash)], TS)
    snapshot = reopened(tmp_path)
    assert (snapshot.accounts, snapshot.sessions) == ((changed,), (used,))
    assert snapshot.invites == (less,)


def test_together_is_answered_once_and_all_of_it_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        together = Together((identity(BOB, "rob"), ACCOUNT, PHONE))
        assert [type(it) for it in store.commit([together], TS)] == [Kept]
    snapshot = reopened(tmp_path)
    assert (snapshot.accounts, snapshot.sessions) == ((ACCOUNT,), (PHONE,))
    assert {it.identity: it.nick for it in snapshot.identities}[BOB] == "rob"


def test_an_account_without_a_token_is_read_as_an_identity(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, _):
        store.commit([identity(ANN, "ann")._replace(token_hash=b""), ACCOUNT], TS)
    assert ANN in {it.identity for it in reopened(tmp_path).identities}


@pytest.mark.parametrize("change", [{"role": "king"}, {"identity": BOB}])
def test_what_cannot_be_is_not_kept(tmp_path: Path, change: dict[str, object]) -> None:
    store: SqliteStore
    with opened(tmp_path) as (store, _):
        store.commit([ACCOUNT], TS)
        with pytest.raises(StoreBroken):
            store.commit([PHONE, ACCOUNT._replace(**change)], TS)  # type: ignore[arg-type]
    snapshot = reopened(tmp_path)
    assert (snapshot.accounts, snapshot.sessions) == ((ACCOUNT,), ())
