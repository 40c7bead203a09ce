"""Power cuts: what was acknowledged is there afterwards, whatever was not synced and came of it.

The real store lives on a disk that loses power (see `disk`). One case: batches are committed,
the power fails at some step, be it in the middle of a commit or a checkpoint; the store is opened
again, looked at, given again what was not acknowledged, and goes on. Half of the time the power
fails a second time, which may be while it still recovers.

What must be true each time: the store holds exactly what it held after the last acknowledged
batch, or after the one that was under way, and nothing in between; numbers have no gap; what was
stored is known when it comes again; SQLite finds no damage.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, NamedTuple, cast

import apsw
import pytest

from securechat.errors import StoreBroken, StoreError
from securechat.records import Record
from securechat.store import connections, migrations, wal
from securechat.store.connections import DATABASE_NAME
from securechat.store.retention import Keep, Retention
from securechat.store.sqlite import SqliteStore, open_store

from . import scale
from .crowd import EPOCH, Crowd, Model, Picture, look, stamp
from .disk import Disk, Handle, Link, Mark, PowerVFS, Sync, Truncate, Write, survivors

pytestmark = scale.MARKS

FULL: Final = 100_000
_VFS: Final = "powercut"
#: The inode of the database on a disk that begins with it.
_DATABASE: Final = 0


class Loss(AssertionError):
    """The store broke its promise."""


class _Machine(NamedTuple):
    """What all cases of a process share: a folder, an empty database in it, a VFS."""

    folder: Path
    empty: bytes
    vfs: PowerVFS

    @property
    def database(self) -> str:
        return str(self.folder / DATABASE_NAME)


@cache
def _machine() -> _Machine:
    folder = Path(_folder().name)
    migrations.create(folder / DATABASE_NAME)
    return _Machine(folder, (folder / DATABASE_NAME).read_bytes(), PowerVFS(_VFS))


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    shm = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="powercut-", dir=shm if shm.is_dir() else None)


@contextmanager
def _set(**values: int) -> Iterator[None]:
    """Other settings than a server's, so that a short life sees what a long one would."""
    settings = cast(dict[str, int], connections.WRITER_PRAGMAS)
    kept = {name: settings[name] for name in values if name != "checkpoint"}
    pages = wal.CHECKPOINT_PAGES
    try:
        wal.CHECKPOINT_PAGES = values.pop("checkpoint", pages)  # type: ignore[misc]
        settings.update(values)
        yield
    finally:
        wal.CHECKPOINT_PAGES = pages  # type: ignore[misc]
        settings.update(kept)


class Aftermath(NamedTuple):
    """What a power cut left: a disk, what it holds, what clients say again, when it happened."""

    disk: Disk
    model: Model
    given: list[list[Record]]
    when: str


class Life:
    """One server on one disk, from power to power; `states[n]` is what n batches make.

    `given` are batches that are said (again) before anything new is.
    """

    def __init__(
        self, disk: Disk, crowd: Crowd, dice: Random, clock: float = 0.0, model: Model | None = None
    ) -> None:
        self.disk = disk
        self.crowd = crowd
        self.dice = dice
        self.clock = clock
        self.states = [model or Model()]
        crowd.resume(self.states[0])
        self.batches: list[list[Record]] = []
        #: Retention failed in the last state: nobody knows what it has removed.
        self._removing = False

    def run(self, given: list[list[Record]], count: int, retention: Retention) -> None:
        """Open, commit `given` and `count` more batches, close."""
        machine = _machine()
        machine.vfs.disk = self.disk
        store = open_store(machine.folder, vfs=_VFS, retention=retention)
        try:
            self._check_whole(store)
            for batch in given:
                self._commit(store, batch)
            for _ in range(count):
                self._commit(store, self.crowd.batch(self.dice.choice((1, 5, 40))))
                if self.dice.random() < 0.2:
                    self._retain(store)
                elif self.dice.random() < 0.2:
                    store.tidy()
        except StoreBroken:
            self.disk.mark("stopped")
        finally:
            with suppress(apsw.IOError):  # SQLite itself never tells that closing failed
                store.close()

    def _check_whole(self, store: SqliteStore) -> None:
        found, wanted = look(store, store.load()), self.states[0].picture()
        if found != wanted:
            raise Loss(f"it is not what it was a moment ago: {found.differs(wanted)}")

    def _commit(self, store: SqliteStore, batch: list[Record]) -> None:
        self.clock += 1.0
        ts = stamp(self.clock)
        state = self.states[-1].copy()
        wanted = state.commit(batch, ts)
        self._begin(state, batch)
        outcomes = store.commit(batch, ts)
        self.disk.mark("acknowledged")
        if outcomes != wanted:
            raise Loss(f"the store answers {outcomes}, not {wanted}")

    def _retain(self, store: SqliteStore) -> None:
        state = self.states[-1].copy()
        self._begin(state, [])
        self._removing = True
        store.retain(EPOCH + self.clock, self.dice.choice((3, 1_000)))
        self._removing = False
        self.disk.mark("acknowledged")
        state.first = {name: store.first_kept(name) for name in state.messages}

    def _begin(self, state: Model, batch: list[Record]) -> None:
        self.disk.mark("begun")
        self.states.append(state)
        self.batches.append(batch)

    # ---------------------------------------------------------- the power fails

    def cut(self, step: int) -> Aftermath:
        """The power fails after `step` steps; raises `Loss` for what the store had promised."""
        marks = Counter(it.what for it in self.disk.log[:step] if isinstance(it, Mark))
        acknowledged, begun = marks["acknowledged"], marks["begun"]
        files = survivors(self.disk, step, self.dice)
        where = self._find(Disk(files), acknowledged, begun)
        if where < acknowledged:
            raise Loss(f"{acknowledged} batches were acknowledged, {where} are there")
        model = self.states[where]
        given = [self.batches[acknowledged]] if begun > acknowledged else []
        if where > 0:
            given.append(self.batches[self.dice.randrange(where)])
        again = [list(filter(model.may_say, batch)) for batch in given]
        return Aftermath(Disk(files), model, again, self._name(step, acknowledged, begun))

    def _name(self, step: int, acknowledged: int, begun: int) -> str:
        """What the store was doing."""
        steps = (it for it in reversed(self.disk.log[:step]) if not isinstance(it, Link))
        last = next(steps, None)
        if isinstance(last, Write | Truncate) and last.inode == _DATABASE:
            return "in a checkpoint"
        if begun > acknowledged:
            return "in a commit"
        return "between two" if acknowledged else "while it opened"

    def _find(self, disk: Disk, acknowledged: int, begun: int) -> int:
        """How many batches are on `disk`: those acknowledged and perhaps the one under way."""
        try:
            found = _read(disk)
        except StoreError as error:
            raise Loss(f"there is damage: {error}") from error
        if self._removing and begun == len(self.states) - 1:
            self.states[begun].first = found.first()
        order: list[int] = [acknowledged, begun, *range(acknowledged - 1, -1, -1)]
        for where in order:
            if self.states[where].picture() == found:
                return where
        wrong = found.differs(self.states[acknowledged].picture())
        raise Loss(f"there is what never was, {wrong}")


def _read(disk: Disk) -> Picture:
    """All that is on a disk after the power came back; SQLite must have no complaint about it."""
    machine = _machine()
    machine.vfs.disk = disk
    store = open_store(machine.folder, vfs=_VFS)
    try:
        found = look(store, store.load())
    finally:
        store.close()
    db = apsw.Connection(machine.database, flags=apsw.SQLITE_OPEN_READWRITE, vfs=_VFS)
    try:
        db.pragma("locking_mode", "exclusive")
        damage = db.execute("PRAGMA integrity_check").fetchall()
    finally:
        db.close()
    if damage != [("ok",)]:
        raise Loss(f"there is damage: {damage}")
    return found


def _settings(dice: Random) -> dict[str, int]:
    return {
        "checkpoint": dice.choice((2, 8, 30, 4_096)),
        "journal_size_limit": dice.choice((0, 30_000, 64 << 20)),
        "cache_size": dice.choice((-32_768, 10)),  # a small one spills before the commit
    }


def _retention(dice: Random) -> Retention:
    return dice.choice(
        (
            Retention(),
            Retention(keep_mb=0.01),
            Retention(keep_days=5.0 / 86_400, rooms={"#dev": Keep(mb=0.004)}),
        )
    )


def play(seed: int) -> Mapping[str, int]:
    """One history with one power cut, or two."""
    dice = Random(seed)
    crowd = Crowd(dice)
    counts = Counter[str]()
    with _set(**_settings(dice)):
        life = Life(Disk({_machine().database: _machine().empty}), crowd, dice)
        retention = _retention(dice)
        life.run([], dice.randint(1, 10), retention)
        left = life.cut(dice.randint(0, len(life.disk.log)))
        again = Life(left.disk, crowd, dice, life.clock, left.model)
        again.run(left.given, dice.randint(0, 4), retention)
        counts.update({"cuts": 1, left.when: 1, "batches": len(life.batches + again.batches)})
        if dice.random() < 0.5:
            again.cut(dice.randint(0, len(again.disk.log)))
            counts.update({"cuts": 1, "in the life after": 1})
    return counts


def play_failed_sync(seed: int) -> Mapping[str, int]:
    """One history in which a sync fails, and then the power does."""
    dice = Random(seed)
    with _set(**_settings(dice)):
        life = Life(Disk({_machine().database: _machine().empty}), Crowd(dice), dice)
        life.disk.fail_sync = dice.randrange(12)
        life.run([], dice.randint(1, 10), _retention(dice))
        life.cut(len(life.disk.log))
    return {"syncs that failed": sum(isinstance(it, Sync) and it.failed for it in life.disk.log)}


# ------------------------------------------------------------------ the suite


def test_no_power_cut_takes_what_was_acknowledged(record_property: scale.RecordProperty) -> None:
    scale.tell(record_property, scale.run("power cut", FULL, play, budget=11.0))


def test_no_failed_sync_takes_what_was_acknowledged(record_property: scale.RecordProperty) -> None:
    scale.tell(record_property, scale.run("failed sync", FULL // 10, play_failed_sync, budget=3.0))


def test_without_full_synchronous_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: NORMAL does not sync at each commit."""
    monkeypatch.setitem(cast(dict[str, int], connections.WRITER_PRAGMAS), "synchronous", 1)
    _expect_loss(play, "were acknowledged")


def test_without_heed_to_failed_syncs_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: whoever goes on as if nothing was wrong."""

    def sync(handle: Handle, _flags: int) -> None:
        handle.disk.sync(handle.inode)

    monkeypatch.setattr(Handle, "xSync", sync)
    _expect_loss(play_failed_sync, "were acknowledged|never was|damage")


def _expect_loss(play: scale.Play, words: str) -> None:
    first = scale.first_seed()
    with pytest.raises(Loss, match=words):
        _play_all(play, range(first, first + 300))


def _play_all(play: scale.Play, seeds: Iterable[int]) -> None:
    for seed in seeds:
        play(seed)
