"""What must outlive a client: where it was in each conversation, and what it has not got off.

One file per running client, locked with `flock` as long as it runs, so a lock that can be had means
a client that is dead. Its next start takes over what it left (`saved`): it holds the locks of such
orphans until the server has said what of them still counts, then writes it all into its own file
(`rewrite`) and removes them. Dying at any point in between loses nothing.

The file is a journal of JSON lines. The first (`begin`) and those behind it that `rewrite` wrote
are a snapshot; what happens later is appended, one line for a draft, one when it is settled, one
for the cursors that moved. A line is written before what it tells is sent; it survives the death of
the client, and not always that of the machine. A damaged line is passed by, and said so.

Reading never raises for what is in a file; making and writing raise `OSError`, after which the
lines that were not written are still there for the next `flush`.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..protocol.codec import encode
from ..protocol.envelopes import Draft
from .private import (
    create_private,
    describe,
    key_of,
    make_folder,
    open_private,
    read_all,
    write_all,
)
from .snapshot import KeptDraft, Snapshot, Under

_LIMIT: Final = 64 << 20
_COMPACT_AT: Final = 256 << 10
_Cursor = Annotated[int, Field(ge=0, strict=True)]


class _Begin(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: Literal[1]
    under: Under | None = None
    nicks: tuple[str, ...] = ()
    cursors: dict[str, _Cursor] = {}


class _Line(BaseModel):
    """One line: one of its keys is set (`under` goes with `say`)."""

    model_config = ConfigDict(frozen=True)

    begin: _Begin | None = None
    say: Draft | None = None
    under: Under | None = None
    done: str | None = None
    seen: dict[str, _Cursor] | None = None
    moved: tuple[str, str] | None = None
    nick: str | None = None


class _Orphan(NamedTuple):
    path: Path
    descriptor: int


class Outbox:
    """The file of this run, and those of dead runs that it takes over.

    Dead runs are those under `nick`, or one of `nicks`, by which the same person went before.
    `saved` is what they left, oldest first; `warnings` are for the user. Raises `OSError` when the
    own file cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        host: str,
        port: int,
        nick: str,
        run: str,
        nicks: Collection[str] = (),
    ) -> None:
        make_folder(folder)
        self._folder = folder
        self._host = host
        self._port = port
        self._run = run
        self._path = self._path_of(nick)
        self._descriptor = -1
        self._lines: list[bytes] = []
        self._size = 0
        self._compact_at = _COMPACT_AT
        self._worth_keeping = False
        self._orphans: list[_Orphan] = []
        self.warnings: list[str] = []
        self.saved: tuple[Snapshot, ...] = ()
        self._start(Snapshot())
        self.saved = tuple(self._adopt({nick, *nicks}))

    def _path_of(self, nick: str) -> Path:
        key = key_of(self._host, self._port, nick)
        return self._folder / f"outbox-{key}-{self._run}.jsonl"

    # -------------------------------------------------------------- what happens

    def add(self, draft: Draft) -> None:
        """A draft that is about to be sent."""
        self._lines.append(b'{"say":' + encode(draft) + b"}\n")
        self._worth_keeping = True

    def settle(self, id: str) -> None:
        """A draft that came back, or never will."""
        self._append({"done": id})

    def move(self, cursors: Mapping[str, int]) -> None:
        """Cursors that have moved."""
        if cursors:
            self._append({"seen": dict(cursors)})
            self._worth_keeping = True

    def rename(self, old: str, new: str) -> None:
        """A conversation that is called otherwise."""
        self._append({"moved": [old, new]})

    def name(self, nick: str) -> None:
        """What is sent from now on may come back under `nick`."""
        self._append({"nick": nick})

    def become(self, nick: str) -> None:
        """Our nick is another one: a start under that one is to find us."""
        self.name(nick)
        path = self._path_of(nick)
        if path != self._path:
            self._path.rename(path)
            self._path = path

    def _append(self, line: Mapping[str, Any]) -> None:
        self._lines.append(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    # -------------------------------------------------------------- the file

    def flush(self) -> None:
        """Write what has happened since the last time."""
        if not self._lines:
            return
        data = b"".join(self._lines)
        try:
            write_all(self._descriptor, data)
        except OSError:
            os.ftruncate(self._descriptor, self._size)  # no half line for the next one to join
            raise
        self._size += len(data)
        self._lines.clear()

    @property
    def wants_rewrite(self) -> bool:
        """Whether the journal has grown so long that a snapshot would be shorter."""
        return self._size > self._compact_at

    def rewrite(self, snapshot: Snapshot) -> None:
        """Make `snapshot` all that there is, and let the orphans go: it has what counts of them."""
        self._start(snapshot)
        self._worth_keeping = bool(snapshot.cursors or snapshot.drafts)
        for orphan in self._orphans:
            with suppress(FileNotFoundError):
                orphan.path.unlink()
        self._let_go()

    def _start(self, snapshot: Snapshot) -> None:
        """Begin the file anew, locked before it has its name."""
        data = b"".join(_lines_of(snapshot))
        temporary = self._path.with_suffix(".new")
        descriptor = _create_locked(temporary)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
            temporary.replace(self._path)
        except OSError:
            os.close(descriptor)
            with suppress(OSError):
                temporary.unlink()
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._size = descriptor, len(data)
        self._compact_at = max(_COMPACT_AT, 4 * len(data))
        self._lines.clear()

    def close(self) -> None:
        """Leave the file to the next start, if there is anything in it."""
        try:
            self.flush()
            if not self._worth_keeping:
                self._path.unlink()
        finally:
            os.close(self._descriptor)
            self._let_go()

    def _let_go(self) -> None:
        for orphan in self._orphans:
            os.close(orphan.descriptor)
        self._orphans.clear()

    # -------------------------------------------------------------- the dead

    def _adopt(self, nicks: Collection[str]) -> Iterable[Snapshot]:
        """Lock and read what dead clients of these nicks on the same server left."""
        keys = {key_of(self._host, self._port, nick) for nick in nicks}
        paths = [path for key in keys for path in self._folder.glob(f"outbox-{key}-*")]
        for path in sorted(paths, key=_age):
            if path == self._path:
                continue
            try:
                descriptor = _claim(path)
            except OSError as error:
                self.warnings.append(f"Unsent lines were not looked at. {describe(error)}.")
                continue
            if descriptor is None:
                continue  # its client lives
            snapshot = self._read(path, descriptor)
            if snapshot is None:
                os.close(descriptor)
            else:
                self._orphans.append(_Orphan(path, descriptor))
                yield snapshot

    def _read(self, path: Path, descriptor: int) -> Snapshot | None:
        """What an orphan has to say; None: nothing that can be read."""
        if path.suffix == ".new":  # never got its name: what it was to replace is still there
            return Snapshot()
        first, *lines = (read_all(descriptor, _LIMIT) or b"").split(b"\n")
        begin = _parse(first)
        if begin is None or begin.begin is None:
            self.warnings.append(f"Unsent lines of an earlier run were not used. {path}: damaged.")
            return None
        replay = _Replay(begin.begin)
        bad = sum(not replay.take(line) for line in lines if line)
        if bad:
            self.warnings.append(f"{path} was damaged; {bad} of its lines could not be read.")
        return replay.snapshot()


class _Replay:
    """A journal read line by line."""

    def __init__(self, begin: _Begin) -> None:
        self._under = begin.under
        self._nicks = dict.fromkeys(begin.nicks)
        self._cursors = dict(begin.cursors)
        self._drafts: dict[str, KeptDraft] = {}

    def take(self, data: bytes) -> bool:
        """One line; False if it makes no sense."""
        line = _parse(data)
        if line is None:
            return False
        if line.say is not None:
            under = line.under if "under" in line.model_fields_set else self._under
            self._drafts.setdefault(line.say.id, KeptDraft(line.say, under))
        elif line.done is not None:
            self._drafts.pop(line.done, None)
        elif line.seen is not None:
            for key, seq in line.seen.items():
                self._cursors[key] = max(seq, self._cursors.get(key, 0))
        elif line.moved is not None:
            old, new = line.moved
            if old in self._cursors:
                self._cursors[new] = self._cursors.pop(old)
        elif line.nick is not None:
            self._nicks[line.nick] = None
        return True

    def snapshot(self) -> Snapshot:
        """What it all comes to."""
        drafts = tuple(self._drafts.values())
        return Snapshot(self._under, tuple(self._nicks), self._cursors, drafts)


def secure(folder: Path) -> frozenset[str]:
    """Force to the disk what clients have not got off; the ids of those drafts.

    What was `flush`ed survives the death of its client; after this, that of the machine. Raises
    `OSError`.
    """
    ids: set[str] = set()
    for path in folder.glob("outbox-*.jsonl"):
        try:
            descriptor = open_private(path)
        except FileNotFoundError:
            continue  # its client has just come to its end
        try:
            first, *lines = (read_all(descriptor, _LIMIT) or b"").split(b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        begin = _parse(first)
        if begin is not None and begin.begin is not None:
            replay = _Replay(begin.begin)
            for line in lines:
                replay.take(line)
            ids.update(kept.draft.id for kept in replay.snapshot().drafts)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return frozenset(ids)


def _parse(data: bytes) -> _Line | None:
    try:
        return _Line.model_validate_json(data)
    except ValidationError:
        return None


def _lines_of(snapshot: Snapshot) -> Iterable[bytes]:
    begin = {
        "version": 1,
        "under": snapshot.under,
        "nicks": snapshot.nicks,
        "cursors": snapshot.cursors,
    }
    yield json.dumps({"begin": begin}, separators=(",", ":")).encode() + b"\n"
    for kept in snapshot.drafts:
        under = json.dumps(kept.under).encode()
        yield b'{"say":' + encode(kept.draft) + b',"under":' + under + b"}\n"


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _create_locked(path: Path) -> int:
    """A new file that is locked from the first moment in which anyone could adopt it."""
    while True:
        with suppress(FileNotFoundError):
            path.unlink()  # our own name: nobody else's, unless left by a try that failed
        descriptor = create_private(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # taken for a dead one's in between, and removed


def _claim(path: Path) -> int | None:
    """A descriptor that holds the lock of a dead client's file; None if the client lives."""
    try:
        descriptor = open_private(path)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = path.stat().st_ino == os.fstat(descriptor).st_ino
    except (BlockingIOError, FileNotFoundError):
        same = False
    if same:
        return descriptor
    os.close(descriptor)
    return None
