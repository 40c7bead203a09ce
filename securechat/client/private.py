"""Files that are nobody else's business: a folder 0700, files 0600, replaced whole or not at all.

Created with their mode, so that there is no moment in which others may read them, and never through
a symbolic link. Raised is `OSError`; its `strerror` is fit for a person, its `filename` is set.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..chat.nicks import parse_nick
from ..errors import Rejected

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def key_of(host: str, port: int, nick: str) -> str:
    """What the file names of one nick on one server have in common."""
    try:
        nick = parse_nick(nick).key
    except Rejected:
        nick = nick.lower()  # no server will take it, but that is not for us to say
    name = f"{host.lower()}\n{port}\n{nick}"
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def make_folder(folder: Path) -> None:
    """See to it that `folder` exists, is ours, and is open to nobody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise _refusal(folder, "it belongs to someone else")
    if stat.S_IMODE(status.st_mode) != 0o700:
        folder.chmod(0o700)


def open_private(path: Path) -> int:
    """A descriptor that reads `path`, once it is certain that only we could write it."""
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _refusal(path, "it is not a file")
        if status.st_uid != os.geteuid():
            raise _refusal(path, "it belongs to someone else")
        if status.st_mode & 0o077:
            raise _refusal(path, "others may read it; `chmod 600` it if that is all right")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def create_private(path: Path) -> int:
    """A descriptor that appends to `path`, which must not exist."""
    return os.open(path, _CREATE, 0o600)


def read_all(descriptor: int, limit: int) -> bytes | None:
    """What is in the file; None if it is more than `limit` bytes."""
    chunks: list[bytes] = []
    size = 0
    while chunk := os.read(descriptor, 1 << 20):
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def read_private(path: Path, limit: int) -> bytes | None:
    """What is in `path`, once it is certain that only we could write it; None: it is too much."""
    descriptor = open_private(path)
    try:
        return read_all(descriptor, limit)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, however little a write takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def replace_private(path: Path, data: bytes) -> None:
    """Make `data` the content of `path`; whoever looks sees the old or the new one, whole."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    descriptor = create_private(temporary)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        os.close(descriptor)


def describe(error: OSError) -> str:
    """What is wrong with which file, in one line."""
    why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror or str(error)
    return f"{error.filename}: {why[0].lower()}{why[1:]}" if error.filename else why


def _refusal(path: Path, why: str) -> OSError:
    return PermissionError(errno.EPERM, why, str(path))
