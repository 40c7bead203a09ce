"""Cursors and unsent drafts on disk: found again after any death, by one client, once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.client.outbox import Outbox, secure
from securechat.client.snapshot import KeptDraft, Snapshot, Under, fingerprint
from securechat.protocol.envelopes import Draft

HERE = Under("e1", "f" * 16)


class Folder:
    """Outboxes of one nick in one folder; `kill` is what -9 does to their owner."""

    def __init__(self, path: Path) -> None:
        self.path = path / "state"
        self.runs = 0
        self.open: list[Outbox] = []

    def start(self, nick: str = "bob", host: str = "h") -> Outbox:
        self.runs += 1
        outbox = Outbox(self.path, host, 55555, nick, f"run{self.runs}")
        self.open.append(outbox)
        return outbox

    def kill(self, outbox: Outbox) -> None:
        """Locks go with the descriptors; nothing is flushed."""
        self.open.remove(outbox)
        os.close(outbox._descriptor)
        outbox._let_go()

    def files(self) -> list[Path]:
        return sorted(self.path.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    for outbox in folder.open:
        outbox.close()


def draft(number: int, to: str = "#lobby") -> Draft:
    return Draft(id=f"id-{number}", to=to, text=f"text {number} ä\n\u2028", action=number % 2 == 0)


def ids(snapshot: Snapshot) -> list[str]:
    return [kept.draft.id for kept in snapshot.drafts]


def test_what_a_dead_client_left_is_found(folder: Folder) -> None:
    dead = folder.start()
    dead.rewrite(Snapshot(HERE, ("bob",), {"#lobby": 7}, (KeptDraft(draft(1), None),)))
    dead.add(draft(2))
    dead.move({"#lobby": 9, "@eve": 1})
    dead.flush()
    dead.add(draft(3))  # never reached the disk, and so was never sent
    folder.kill(dead)
    (saved,) = folder.start().saved
    assert saved == Snapshot(
        HERE,
        ("bob",),
        {"#lobby": 9, "@eve": 1},
        (KeptDraft(draft(1), None), KeptDraft(draft(2), HERE)),
    )


def test_settled_drafts_are_gone(folder: Folder) -> None:
    dead = folder.start()
    for number in range(4):
        dead.add(draft(number))
    dead.settle("id-0")
    dead.settle("id-2")
    dead.settle("id-9")
    dead.flush()
    folder.kill(dead)
    assert ids(folder.start().saved[0]) == ["id-1", "id-3"]


def test_a_living_client_is_left_alone(folder: Folder) -> None:
    living = folder.start()
    living.add(draft(1))
    living.flush()
    assert folder.start().saved == ()
    assert folder.start().saved == ()


def test_an_orphan_is_adopted_by_one(folder: Folder) -> None:
    dead = folder.start()
    dead.add(draft(1))
    dead.flush()
    folder.kill(dead)
    first, second = folder.start(), folder.start()
    assert [len(one.saved) for one in (first, second)] == [1, 0]


def test_an_heir_who_dies_before_it_wrote_leaves_everything(folder: Folder) -> None:
    dead = folder.start()
    dead.add(draft(1))
    dead.flush()
    folder.kill(dead)
    heir = folder.start()
    assert ids(heir.saved[0]) == ["id-1"]
    folder.kill(heir)
    found = [id for saved in folder.start().saved for id in ids(saved)]
    assert found == ["id-1"]


def test_an_heir_who_wrote_has_all_and_the_orphans_are_gone(folder: Folder) -> None:
    for number in (1, 2):
        dead = folder.start()
        dead.add(draft(number))
        dead.flush()
        folder.kill(dead)
    heir = folder.start()
    assert [ids(saved) for saved in heir.saved] == [["id-1"], ["id-2"]]
    drafts = tuple(kept for saved in heir.saved for kept in saved.drafts)
    heir.rewrite(Snapshot(HERE, (), {}, drafts))
    assert len(folder.files()) == 1
    folder.kill(heir)
    assert ids(folder.start().saved[0]) == ["id-1", "id-2"]


def test_other_nicks_and_servers_are_others(folder: Folder) -> None:
    dead = folder.start()
    dead.add(draft(1))
    dead.flush()
    folder.kill(dead)
    assert folder.start(nick="eve").saved == ()
    assert folder.start(host="i").saved == ()
    assert len(folder.start(nick="BOB").saved) == 1


def test_a_new_nick_takes_the_outbox_along(folder: Folder) -> None:
    dead = folder.start()
    dead.add(draft(1))
    dead.become("bobby")
    dead.become("bobby")
    dead.rename("@eve", "@carol")
    dead.flush()
    folder.kill(dead)
    assert folder.start(nick="bob").saved == ()
    (saved,) = folder.start(nick="bobby").saved
    assert (saved.nicks, ids(saved)) == (("bobby",), ["id-1"])


def test_a_renamed_conversation_keeps_its_cursor(folder: Folder) -> None:
    dead = folder.start()
    dead.move({"@eve": 5})
    dead.rename("@eve", "@carol")
    dead.rename("@nobody", "@somebody")
    dead.move({"@carol": 6, "#lobby": 3})
    dead.move({"#lobby": 2})
    dead.flush()
    folder.kill(dead)
    assert folder.start().saved[0].cursors == {"@carol": 6, "#lobby": 3}


def test_a_clean_end_keeps_what_there_is(folder: Folder) -> None:
    done = folder.start()
    done.move({"#lobby": 5})
    done.close()
    folder.open.remove(done)
    assert folder.start().saved[0].cursors == {"#lobby": 5}


def test_a_clean_end_with_nothing_to_keep_leaves_nothing(folder: Folder) -> None:
    done = folder.start()
    done.close()
    folder.open.remove(done)
    assert folder.files() == []


def test_nobody_else_may_read_it(folder: Folder) -> None:
    before = os.umask(0)
    try:
        outbox = folder.start()
        outbox.rewrite(Snapshot())
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.files()] == [0o600]
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_the_session_token_is_not_in_it() -> None:
    assert fingerprint(None) is None
    name = fingerprint("secret-token")
    assert name is not None
    assert "secret" not in name
    assert len(name) == 16


def test_a_long_journal_wants_to_be_short(folder: Folder) -> None:
    outbox = folder.start()
    while not outbox.wants_rewrite:
        outbox.add(draft(1))
        outbox.settle("id-1")
        outbox.flush()
    outbox.rewrite(Snapshot(HERE, ("bob",), {"#lobby": 1}, ()))
    assert not outbox.wants_rewrite
    assert folder.files()[0].stat().st_size < 200


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"\xff", b'{"begin":{"version":2}}\n'])
def test_a_file_that_cannot_be_read_is_a_warning_and_stays(folder: Folder, content: bytes) -> None:
    dead = folder.start()
    dead.add(draft(1))
    dead.flush()
    folder.kill(dead)
    (path,) = folder.files()
    path.write_bytes(content)
    heir = folder.start()
    assert heir.saved == ()
    assert "damaged" in heir.warnings[0]
    assert str(path) in heir.warnings[0]
    heir.rewrite(Snapshot())
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "bad", [b'{"say":{"id":"id-2","to', b"nonsense\n", b'{"seen":{"#lobby":-4}}\n', b"\xff\n"]
)
def test_a_damaged_line_is_a_warning_and_the_rest_counts(folder: Folder, bad: bytes) -> None:
    dead = folder.start()
    dead.add(draft(1))
    dead.flush()
    folder.kill(dead)
    (path,) = folder.files()
    path.write_bytes(path.read_bytes() + bad)
    heir = folder.start()
    assert ids(heir.saved[0]) == ["id-1"]
    assert "1 of its lines" in heir.warnings[0]


def test_a_file_that_is_not_private_is_not_believed(folder: Folder) -> None:
    dead = folder.start()
    dead.add(draft(1))
    dead.flush()
    folder.kill(dead)
    folder.files()[0].chmod(0o666)
    heir = folder.start()
    assert heir.saved == ()
    assert "others may read it" in heir.warnings[0]


def test_a_half_made_file_is_cleared_away(folder: Folder) -> None:
    dead = folder.start()
    folder.kill(dead)
    (path,) = folder.files()
    path.rename(path.with_suffix(".new"))
    heir = folder.start()
    assert heir.saved == (Snapshot(),)
    heir.rewrite(Snapshot())
    assert [one.suffix for one in folder.files()] == [".jsonl"]


def test_a_full_disk_loses_nothing_that_fits_later(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = folder.start()
    real = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) > 10:
            return real(descriptor, bytes(data)[:10])
        raise OSError(28, "No space left on device")

    outbox.add(draft(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            outbox.flush()
        with pytest.raises(OSError, match="No space"):
            outbox.rewrite(Snapshot())
    outbox.add(draft(2))
    outbox.flush()
    folder.kill(outbox)
    heir = folder.start()
    assert [ids(saved) for saved in heir.saved] == [["id-1", "id-2"]]
    assert heir.warnings == []


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 9)),
        st.tuples(st.just("settle"), st.integers(1, 9)),
        st.tuples(st.just("move"), st.integers(1, 99)),
        st.tuples(st.sampled_from(["flush", "rewrite", "restart"]), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_any_life_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, life: list[tuple[str, int]]
) -> None:
    folder = Folder(tmp_path_factory.mktemp("life"))
    outbox = folder.start()
    drafts: dict[str, KeptDraft] = {}
    cursor = 0
    for name, number in life:
        match name:
            case "add" if f"id-{number}" not in drafts:
                outbox.add(draft(number))
                drafts[f"id-{number}"] = KeptDraft(draft(number), HERE)
            case "settle":
                outbox.settle(f"id-{number}")
                drafts.pop(f"id-{number}", None)
            case "move":
                outbox.move({"#lobby": number})
                cursor = max(cursor, number)
            case "flush":
                outbox.flush()
            case "rewrite" | "restart":
                cursors = {"#lobby": cursor} if cursor else {}
                if name == "restart":
                    outbox.flush()
                    folder.kill(outbox)
                    outbox = folder.start()
                    found = [kept.draft.id for saved in outbox.saved for kept in saved.drafts]
                    assert found == list(drafts)
                outbox.rewrite(Snapshot(HERE, (), cursors, tuple(drafts.values())))
            case _:
                pass
    outbox.flush()
    folder.kill(outbox)
    heir = folder.start()
    (saved,) = heir.saved
    assert ids(saved) == list(drafts)
    assert saved.cursors.get("#lobby", 0) == cursor
    heir.close()


# ------------------------------------------------------------------ made safe


def test_what_was_flushed_and_not_settled_is_safe(folder: Folder) -> None:
    alive, dead = folder.start(), folder.start(nick="carol")
    alive.add(draft(1))
    alive.add(draft(2))
    dead.add(draft(3))
    alive.settle("id-1")
    alive.flush()
    dead.flush()
    alive.add(draft(4))  # not flushed
    folder.kill(dead)
    assert secure(folder.path) == {"id-2", "id-3"}


def test_a_damaged_journal_makes_nothing_safe(folder: Folder) -> None:
    outbox = folder.start()
    outbox.add(draft(1))
    outbox.flush()
    [path] = folder.files()
    path.write_bytes(b"garbage\n" + path.read_bytes())
    assert secure(folder.path) == frozenset()
