"""Files as keys need them: private, whole or absent, in nobody's way.

In come a folder, names and bytes; out come files, or bytes again. Raised is `CertificateError`,
with the reason and the cure.

Several files are placed as one set: all are written under names of their own and synced, what
stands in their places gets a second name, then each takes its place in one step, in the order
given. A failure takes all of it back. Only a kill or a loss of power between two of those steps
can leave some of the new files beside some of the old ones, and a few `.….tmp`; doing the same
again replaces the former and sweeps up the latter.

Who writes holds a lock on the folder, so that two programs never mix their sets. Where the file
system has no locks (NFS), a new set is still made by one alone: `link` fails where anything stands.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shlex
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import CertificateError
from .words import bordering, gen_certs, listed, new_set

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644

_LARGEST_FILE: Final = 1 << 20  # bytes; a chain of certificates is a few thousand
_LOCK_TRIES: Final = 500
_LOCK_PAUSE: Final = 0.01  # seconds; a set is written in a few milliseconds
_LEFT_OVER: Final = re.compile(r"\.[\w.-]+\.pem\.[0-9a-f]{16}\.tmp")


class File(NamedTuple):
    """What a file is to hold, and its mode: `PRIVATE` or `PUBLIC`."""

    data: bytes
    mode: int


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder: the same one, whatever its path leads to by now.

    `locked` is false where the file system has no locks, and others may be writing too.
    """

    path: Path
    descriptor: int
    locked: bool

    def names(self) -> list[str]:
        """Return the names of all that lies in it, sorted."""
        with bordering(f"cannot look into {self.path}"):
            return sorted(os.listdir(self.descriptor))  # noqa: PTH208 - of this very folder


# Writing...


@contextmanager
def locked(path: Path, *, create: bool = False) -> Iterator[Folder]:
    """Open a folder and keep other writers of ours out; with `create` it is made (0700) if missing.

    CertificateError if it cannot be opened, or if others did not finish with it in 5 s.
    """
    with bordering(f"cannot write into {path}"):
        if create:
            with suppress(FileExistsError):  # if it is no folder, open says so
                path.mkdir(mode=0o700, parents=True)
                path.chmod(0o700)  # gives back what an odd umask took away
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            if create:
                raise
            raise CertificateError(
                f"{path} is missing: make a set there with `{gen_certs(path)}`"
            ) from error
    try:
        yield Folder(path, descriptor, _lock(path, descriptor))
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int) -> bool:
    """Take the lock of a folder; false where the file system has none.

    Never waits for good: whoever may read a folder can hold its lock as long as he likes.
    """
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE)
        except OSError:
            return False
        else:
            return True
    raise CertificateError(
        f"{path} is locked by another program that is making certificates there: "
        "let it finish or end it, then try again"
    )


def publish(folder: Folder, files: Mapping[str, File], *, replace: bool) -> None:
    """Put whole files in place, in the order given: all of them, or none if it fails.

    CertificateError, and nothing is changed, if anything stands there already; with `replace`
    only if that is no regular file.
    """
    standing = _look_at_places(folder, files, replace=replace)
    if folder.locked:
        _sweep(folder)
    new = {name: _temporary(name) for name in files}
    old = {name: _temporary(name) for name in standing}
    placed: list[str] = []
    with bordering(f"cannot write into {folder.path}"):
        try:
            for name, file in files.items():
                _write_new(folder, new[name], file)
            for name, second in old.items():
                _link(folder, name, second)
            for name in files:
                if name in old:
                    _rename(folder, new[name], name)
                else:
                    _link(folder, new[name], name)
                placed.append(name)
                _unlink(folder, new[name])
            os.fsync(folder.descriptor)
        except BaseException:
            for name in reversed(placed):
                with suppress(OSError):  # go on: the first failure is the one to tell
                    if name in old:
                        _rename(folder, old[name], name)
                    else:
                        _unlink(folder, name)
            raise
        finally:
            for temporary in (*new.values(), *old.values()):
                _unlink(folder, temporary)


def _look_at_places(folder: Folder, names: Iterable[str], *, replace: bool) -> list[str]:
    """Return which of `names` stand there and may be replaced."""
    found: dict[str, int] = {}
    with bordering(f"cannot look into {folder.path}"):
        for name in names:
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
                found[name] = status.st_mode
    if found and not replace:
        raise CertificateError(
            f"{folder.path} holds {listed(found)} already and nothing was changed: add --force to "
            "replace the whole set (clients then need the new ca.pem), or --renew for a new "
            "cert.pem from the same CA and key"
        )
    for name, mode in found.items():
        if not stat.S_ISREG(mode):
            raise CertificateError(
                f"{folder.path / name} is no regular file and nothing was changed: "
                "remove it yourself, then try again"
            )
    return list(found)


def _sweep(folder: Folder) -> None:
    """Remove what someone left who was killed: keys are in there. Nobody is writing, we are."""
    for name in folder.names():
        if _LEFT_OVER.fullmatch(name):
            with suppress(OSError):  # no file of ours, if it cannot be removed: in nobody's way
                os.unlink(name, dir_fd=folder.descriptor)


def _temporary(name: str) -> str:
    return f".{name}.{secrets.token_hex(8)}.tmp"


def _write_new(folder: Folder, name: str, file: File) -> None:
    """Write and sync a file that did not exist and that nobody else could ever read.

    Opened 0600 and only then given its mode: whatever the umask, it is never too open, and in
    the end it is what `file` says.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder.descriptor), "wb") as opened:
        os.fchmod(opened.fileno(), file.mode)
        opened.write(file.data)
        opened.flush()
        os.fsync(opened.fileno())


def _link(folder: Folder, source: str, target: str) -> None:
    """Give a file a second name; fails where anything stands, be it a dangling symbolic link."""
    here = folder.descriptor
    os.link(source, target, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)


def _rename(folder: Folder, source: str, target: str) -> None:
    os.replace(source, target, src_dir_fd=folder.descriptor, dst_dir_fd=folder.descriptor)


def _unlink(folder: Folder, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder.descriptor)


# Reading...


def read(path: Path, *, secret: bool = False) -> bytes:
    """Return what a file holds; symbolic links are followed, as certbot and others lay them.

    CertificateError if it is missing, no regular file, or `secret` and not its owner's alone.
    Mode and kind are those of the file that was opened, not of what the path named before.
    """
    with bordering(f"cannot read {path}"):
        # O_NONBLOCK: a named pipe must not hold us up. It means nothing for a regular file.
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise CertificateError(f"{path} is missing: {new_set(path.parent)}") from error
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise CertificateError(f"{path} is no regular file: {new_set(path.parent)}")
            if secret:
                refuse_shared(path, mode)
            return os.read(descriptor, _LARGEST_FILE)
        finally:
            os.close(descriptor)


def refuse_shared(path: Path, mode: int) -> None:
    """CertificateError if a secret file of that mode is not its owner's alone."""
    if mode & 0o077:
        raise CertificateError(
            f"{path} can be read by others than its owner (mode {mode & 0o777:04o}): "
            f"run `chmod 600 {shlex.quote(str(path))}`, and make a new set if they may "
            "have read it"
        )
