"""A disk that fails where a test says so: an SQLite VFS around the system's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw


class Faults(apsw.VFS):
    """Asks `hook(operation, file name)` before each `read`, `write`, `sync` and `truncate`.

    The hook lets it happen by returning, or raises what SQLite is to be told (`fault`).
    """

    vfs = "faults"

    def __init__(self) -> None:
        self.hook: Callable[[str, str], None] | None = None
        super().__init__(self.vfs, "unix")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)

    def ask(self, operation: str, name: str) -> None:
        if self.hook is not None:
            self.hook(operation, name)

    def fail(self, operation: str, error: apsw.Error, *, suffix: str = "") -> None:
        """Let every `operation` on files whose names end in `suffix` fail from now on."""

        def hook(asked: str, name: str) -> None:
            if asked == operation and name.endswith(suffix):
                raise error

        self.hook = hook

    def heal(self) -> None:
        """Let everything happen again."""
        self.hook = None


class _File(apsw.VFSFile):
    def __init__(self, faults: Faults, name: Any, flags: list[int]) -> None:
        self._faults = faults
        self._name = str(name.filename() if isinstance(name, apsw.URIFilename) else name)
        super().__init__("unix", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        self._faults.ask("read", self._name)
        return super().xRead(amount, offset)

    def xWrite(self, data: Any, offset: int) -> None:
        self._faults.ask("write", self._name)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._faults.ask("sync", self._name)
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        self._faults.ask("truncate", self._name)
        super().xTruncate(size)


def fault(kind: type[apsw.Error], code: int) -> apsw.Error:
    """An error as SQLite reports it, `code` being the extended one."""
    error = kind("injected")
    error.extendedresult = code  # type: ignore[attr-defined]
    return error


FULL = fault(apsw.FullError, apsw.SQLITE_FULL)
FAILED_SYNC = fault(apsw.IOError, apsw.SQLITE_IOERR_FSYNC)
FAILED_WRITE = fault(apsw.IOError, apsw.SQLITE_IOERR_WRITE)
