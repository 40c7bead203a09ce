"""One server per data folder: a lock file that names its holder.

In: the folder. Out: a `FolderLock`, held until it is released or its process ends, however it ends:
the kernel holds it (flock), the file only tells whose it is, so one that a dead process left behind
is no obstacle. Raised: `StoreRefused` with the process id of who holds it.

The file is never removed. Who waits for a name that is removed and made anew may lock a file that
nobody else can see.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..errors import StoreRefused

LOCK_NAME: Final = "securechat.lock"

#: flock belongs to an open file, not to a process as fcntl's locks do: those are dropped when the
#: process closes any descriptor of that file. It is not handed on to programs we start.
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class FolderLock:
    """The right to write in a data folder; also a context manager."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, directory: Path) -> FolderLock:
        """Take the lock of `directory`, which exists, at once; raises `StoreRefused`."""
        path = directory / LOCK_NAME
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise StoreRefused(
                f"{path}: the lock file cannot be opened ({error.strerror}). "
                "Give a folder that this user may write in with --data."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        except BlockingIOError:
            holder = _read_pid(descriptor)
            os.close(descriptor)
            raise StoreRefused(
                f"{directory}: this data is in use by {_name(holder)}. "
                "Stop that server first, or give another folder with --data."
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise StoreRefused(
                f"{path}: the folder cannot be locked ({error.strerror}). "
                "Free some space, or keep the data on a file system that has locks, with --data."
            ) from error
        return cls(descriptor)

    def release(self) -> None:
        """Let others have it; harmless when it was released before."""
        if self._descriptor >= 0:
            with suppress(OSError):  # a number that stays behind misleads nobody
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def holder_of(directory: Path) -> int | None:
    """The process id of the server that uses `directory`; None when there is none.

    0 when there is one that has not told its number yet. Only a look: it may be over at once.
    """
    try:
        descriptor = os.open(directory / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _read_pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _name(holder: int) -> str:
    return f"process {holder}" if holder else "another process"
