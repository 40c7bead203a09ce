"""A disk that loses power: a SQLite VFS in memory that knows what was synced and what was not.

A `Disk` keeps files as the operating system would show them, and a log of everything that was done
to them. `survivors` answers what a power cut after so many steps of that log may have left: what
was synced is there, of the rest any part may be, in any order:

- each block of each write that was not synced is there or not, whichever was written first;
- one that is there may be torn, at any byte;
- a file may have grown without what was written into it: zeros or rubbish stand there then;
- a truncated file may have its old length, a removed one may be back, a new one may be missing
  until it was synced for the first time (SQLite syncs its folder then).

As on a real disk, bytes that were not written are not harmed (SQLITE_IOCAP_POWERSAFE_OVERWRITE,
which SQLite's own VFS claims on Linux too).

`Disk.fail_sync` makes one sync fail as Linux does it: the error is reported once, and whatever of
it did not get to the disk is thought to be clean from then on, so no later sync brings it there
(see "PostgreSQL's fsync() surprise", lwn.net/Articles/752063).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple, TypeAlias

import apsw

#: What one may be lost and the next one kept: sectors of old disks, pages of new ones.
BLOCKS: Final = (512, 4_096)


class Write(NamedTuple):
    """Bytes were written."""

    inode: int
    data: bytes
    offset: int


class Truncate(NamedTuple):
    """A file was made shorter or longer."""

    inode: int
    size: int


class Sync(NamedTuple):
    """All of a file is on disk; `failed`: the disk said no, and it has what it has."""

    inode: int
    failed: bool = False


class Link(NamedTuple):
    """A name means another file now; None: no file. `synced`: for certain, all of the folder is."""

    name: str
    inode: int | None
    synced: bool


class Mark(NamedTuple):
    """Something happened outside: for whoever reads the log."""

    what: str


Step: TypeAlias = Write | Truncate | Sync | Link | Mark


class Disk:
    """Files by name, in memory; mounted as a SQLite VFS by `mounted`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.start = dict(files)
        self.log: list[Step] = []
        #: The sync (counted from 0) that fails; None: all succeed.
        self.fail_sync: int | None = None
        self._syncs = 0
        self._names: dict[str, int] = dict(zip(files, range(len(files)), strict=True))
        self._content = [bytearray(content) for content in files.values()]
        self._unsynced_names: set[int] = set()

    def mark(self, what: str) -> None:
        """Note in the log that something happened."""
        self.log.append(Mark(what))

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._names

    def open(self, name: str) -> int:
        """The inode of a file, which is made if need be."""
        inode = self._names.get(name)
        if inode is None:
            inode = self._names[name] = len(self._content)
            self._content.append(bytearray())
            self._unsynced_names.add(inode)
            self.log.append(Link(name, inode, synced=False))
        return inode

    def delete(self, name: str, *, synced: bool) -> None:
        """Take a name away."""
        del self._names[name]
        self.log.append(Link(name, None, synced))

    def content(self, inode: int) -> bytearray:
        """What is in a file, for reading."""
        return self._content[inode]

    def write(self, inode: int, data: bytes, offset: int) -> None:
        """Write into a file."""
        self.log.append(Write(inode, data, offset))
        _write(self._content[inode], data, offset)

    def truncate(self, inode: int, size: int) -> None:
        """Set the length of a file."""
        self.log.append(Truncate(inode, size))
        _truncate(self._content[inode], size)

    def sync(self, inode: int) -> bool:
        """Have a file on disk, and its name where it is a new one; False when that failed."""
        failed = self._syncs == self.fail_sync
        self._syncs += 1
        self.log.append(Sync(inode, failed))
        if not failed and inode in self._unsynced_names:
            self._unsynced_names.remove(inode)
            for name, other in self._names.items():
                if other == inode:
                    self.log.append(Link(name, inode, synced=True))
        return not failed


def _write(content: bytearray, data: bytes, offset: int) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _truncate(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


# ------------------------------------------------------------------ the cut


@dataclass(slots=True)
class _File:
    """One file: what is on disk for certain, and what was done since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list)


def survivors(disk: Disk, cut: int, dice: Random) -> dict[str, bytes]:
    """The files as they may be when the power fails after `cut` steps of the log."""
    fate = _FATES[dice.randrange(len(_FATES))](dice)
    files = [_File(bytearray(content)) for content in disk.start.values()]
    certain: dict[str, int | None] = dict(zip(disk.start, range(len(files)), strict=True))
    names: dict[str, list[int | None]] = {}
    for step in disk.log[:cut]:
        match step:
            case Write() | Truncate():
                files[step.inode].pending.append(step)
            case Sync(inode, failed):
                file = files[inode]
                if failed:
                    fate.decide(file)
                else:
                    _apply(file.durable, file.pending)
                file.pending = []
            case Link(name, inode, synced):
                if inode == len(files):
                    files.append(_File())
                names.setdefault(name, []).append(inode)
                if synced:  # a folder is synced whole
                    certain.update({one: came[-1] for one, came in names.items()})
                    names.clear()
    for name, came in names.items():
        certain[name] = dice.choice([certain.get(name), *came])
    return {
        name: bytes(fate.decide(files[inode]))
        for name, inode in certain.items()
        if inode is not None
    }


def _apply(content: bytearray, steps: list[Write | Truncate]) -> None:
    for step in steps:
        if isinstance(step, Write):
            _write(content, step.data, step.offset)
        else:
            _truncate(content, step.size)


class _Fate:
    """What becomes of what was not synced; this one: all of it is lost."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice

    def decide(self, file: _File) -> bytearray:
        """The content that is left of `file`; it is changed."""
        return file.durable


class _AllKept(_Fate):
    """Everything came through, as after a mere kill."""

    def decide(self, file: _File) -> bytearray:
        _apply(file.durable, file.pending)
        return file.durable


class _Prefix(_Fate):
    """In order up to some point, where a write is torn."""

    def decide(self, file: _File) -> bytearray:
        kept = self._dice.randint(0, len(file.pending))
        _apply(file.durable, file.pending[:kept])
        if kept < len(file.pending) and isinstance(last := file.pending[kept], Write):
            torn = last.data[: self._dice.randint(0, len(last.data))]
            _write(file.durable, torn, last.offset)
        return file.durable


class _Scattered(_Fate):
    """Any block of any write, some of them torn, some grown over with rubbish."""

    def __init__(self, dice: Random) -> None:
        super().__init__(dice)
        self._block = dice.choice(BLOCKS)
        self._lost = dice.random()
        self._torn = dice.choice((0.0, 0.0, 0.3))
        self._grows = dice.choice((0.0, 0.5))
        self._rubbish = dice.random() < 0.5

    def decide(self, file: _File) -> bytearray:
        for step in file.pending:
            if isinstance(step, Truncate):
                if self._dice.random() >= self._lost:
                    _truncate(file.durable, step.size)
                continue
            for data, offset in _blocks(step, self._block):
                self._decide_block(file.durable, data, offset)
        return file.durable

    def _decide_block(self, content: bytearray, data: bytes, offset: int) -> None:
        dice = self._dice
        if dice.random() >= self._lost:
            if dice.random() < self._torn:
                start, stop = sorted((dice.randint(0, len(data)), dice.randint(0, len(data))))
                data, offset = data[start:stop], offset + start
            _write(content, data, offset)
        elif offset + len(data) > len(content) and dice.random() < self._grows:
            size = offset + len(data) - len(content)
            content.extend(dice.randbytes(size) if self._rubbish else bytes(size))


def _blocks(write: Write, size: int) -> Iterator[tuple[bytes, int]]:
    """A write, cut where blocks of the disk end."""
    data, offset = write.data, write.offset
    start = 0
    while start < len(data):
        stop = min(len(data), start + size - (offset + start) % size)
        yield data[start:stop], offset + start
        start = stop


#: Scattered blocks are the hardest: half of all cuts.
_FATES: Final = (_Fate, _AllKept, _Prefix, _Scattered, _Scattered, _Scattered)


# ------------------------------------------------------------------ the VFS


class PowerVFS(apsw.VFS):
    """The VFS `name`; `disk` is what is mounted there now."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.name = name
        self.disk = Disk({})

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> Handle:  # type: ignore[override]
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        assert path is not None, "temporary files are kept in memory (temp_store)"
        if not flags[0] & apsw.SQLITE_OPEN_CREATE and not self.disk.exists(path):
            raise apsw.CantOpenError(path)
        flags[1] = flags[0]
        return Handle(self.disk, self.disk.open(path))

    def xDelete(self, name: str, syncdir: bool) -> None:
        if self.disk.exists(name):
            self.disk.delete(name, synced=bool(syncdir))

    def xAccess(self, name: str, _flags: int) -> bool:
        return self.disk.exists(name)

    def xFullPathname(self, name: str) -> str:
        return name


class Handle:
    """An open file; without shared memory, so SQLite asks for an exclusive lock to do WAL."""

    def __init__(self, disk: Disk, inode: int) -> None:
        self.disk = disk
        self.inode = inode
        self._content = disk.content(inode)

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._content[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self.disk.write(self.inode, bytes(data), offset)

    def xTruncate(self, size: int) -> None:
        self.disk.truncate(self.inode, size)

    def xSync(self, _flags: int) -> None:
        if not self.disk.sync(self.inode):
            error = apsw.IOError("the disk could not sync")
            error.extendedresult = apsw.SQLITE_IOERR_FSYNC  # type: ignore[attr-defined]
            raise error

    def xFileSize(self) -> int:
        return len(self._content)

    def xLock(self, level: int) -> None:
        """There is nobody else."""

    def xUnlock(self, level: int) -> None:
        """There is nobody else."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, _op: int, _ptr: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4_096

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xClose(self) -> None:
        """Nothing is held."""
